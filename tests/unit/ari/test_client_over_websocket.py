"""The client with its requests over the websocket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.task import Clock
from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.client import AriClient
from channel_aa.ari.wire.errors import (
    ConnectionLostError,
    NotFoundError,
    RequestTimeoutError,
)
from channel_aa.ari.wire.routing import Transport
from channel_aa.interfaces import PlaybackEnd
from tests.support.ari_cases import PROBE, TIMEOUT
from tests.support.ari_fakes import (
    FakeConnection,
    FakeSender,
    LogRecorder,
    make_address,
)
from tests.support.listeners import RecordingApplication

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_aa.ari.wire.connection import EventsConnection


class WebSocketClientTests(SynchronousTestCase):
    """A client whose requests go over a fake websocket."""

    def setUp(self) -> None:
        self.log = LogRecorder()
        self.addCleanup(self.log.stop)
        self.clock = Clock()
        self.http = FakeSender()
        self.application = RecordingApplication()
        self.client = AriClient(
            make_address(),
            self.application,
            reactor=self.clock,
            transport=Transport.WEBSOCKET,
            http=self.http,
            connection=cast("Callable[..., EventsConnection]", self._connect),
        )
        self.client.startService()
        self.connect()

    def _connect(self, address: Any, **arguments: Any) -> FakeConnection:  # noqa: ANN401 - passed on
        self.connection = FakeConnection(address, **arguments)
        return self.connection

    def tearDown(self) -> None:
        self.successResultOf(self.client.stopService())
        self.assertEqual(self.client.channels, {})
        self.assertEqual(self.client.playbacks, {})
        self.assertEqual(self.client.requests.pending, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.log.texts(level=LogLevel.critical), [])

    def connect(self) -> None:
        self.connection.open()
        self.answer()

    def receive(self, kind: str, **fields: object) -> None:
        self.connection.message_received(json.dumps({"type": kind, **fields}).encode())

    def receive_playback(self, kind: str, playback_id: str, state: str) -> None:
        self.receive(kind, playback={"id": playback_id, "state": state})

    def enter(self, channel_id: str = "c1") -> None:
        channel = {"id": channel_id, "name": f"PJSIP/{channel_id}"}
        self.receive("StasisStart", channel=channel, args=[])

    @property
    def sent(self) -> list[dict[str, Any]]:
        return [json.loads(message) for message in self.connection.sent]

    @property
    def last(self) -> str:
        return f"{self.sent[-1]['method']} {self.sent[-1]['uri'].partition('?')[0]}"

    def answer(self, status: int = 200, body: object = None) -> None:
        """Answer the last request, as Asterisk 22 does."""
        self.receive(
            "RESTResponse",
            timestamp="2026-01-01T00:00:00.000+0000",
            application="channel-aa",
            request_id=self.sent[-1]["request_id"],
            status_code=status,
            reason_phrase="OK",
            uri=self.sent[-1]["uri"],
            content_type="application/json",
            message_body="" if body is None else json.dumps(body),
        )

    def test_playback_is_requested_and_stopped_over_the_websocket(self) -> None:
        self.enter()
        playback = self.client.channels["c1"].play("sound:press-1")
        ends: list[PlaybackEnd] = []
        playback.finished.addCallback(ends.append)
        self.assertEqual(self.last, f"POST channels/c1/play/{playback.id}")
        self.receive_playback("PlaybackStarted", playback.id, "playing")
        self.answer(201, {"id": playback.id})
        playback.stop()
        self.assertEqual(self.last, f"DELETE playbacks/{playback.id}")
        self.answer(204)
        self.receive_playback("PlaybackFinished", playback.id, "done")
        self.assertEqual(ends, [PlaybackEnd.DONE])
        hangup = self.client.channels["c1"].hang_up()
        self.assertEqual(self.last, "DELETE channels/c1")
        self.answer(204)
        self.assertIsNone(self.successResultOf(hangup))
        self.assertEqual(self.http.lines, [])

    def test_events_that_responses_repeat_are_not_sent(self) -> None:
        self.assertEqual(self.http.filters, [])
        [message] = [each for each in self.sent if "eventFilter" in each["uri"]]
        self.assertNotIn("PlaybackStarted", message["message_body"])
        self.assertIn("PlaybackFinished", message["message_body"])

    def test_errors_are_those_of_http(self) -> None:
        answer = self.client.request("GET", "channels", "c9")
        self.answer(404, {"message": "Channel not found"})
        error = self.failureResultOf(answer, NotFoundError).value
        self.assertEqual(str(error), "GET channels/c9: 404 Channel not found")

    def test_response_is_decoded(self) -> None:
        answer = self.client.request("GET", "channels")
        self.answer(200, [{"id": "c1", "name": "Zoë"}])
        self.assertEqual(self.successResultOf(answer), [{"id": "c1", "name": "Zoë"}])

    def test_malformed_response_is_ignored(self) -> None:
        answer = self.client.request("GET", "channels")
        self.receive("RESTResponse", request_id=self.sent[-1]["request_id"])
        self.assertIn("RESTResponse", self.log.texts(level=LogLevel.error)[0])
        self.assertNoResult(answer)
        self.clock.advance(TIMEOUT)
        self.failureResultOf(answer, RequestTimeoutError)

    def test_answering_a_call_goes_over_http(self) -> None:
        self.enter()
        answered = self.client.channels["c1"].answer()
        self.assertEqual(self.http.lines, ["POST channels/c1/answer"])
        self.http.only_unanswered().accept()
        self.assertIsNone(self.successResultOf(answered))

    def test_reconciliation_goes_over_http_before_the_probe_is_answered(self) -> None:
        self.enter()
        playback = self.client.channels["c1"].play("sound:press-1")
        self.connection.lose()
        # It may be playing; a query follows once the connection is open.
        self.assertEqual(self.http.lines, [])
        self.http.answers["GET applications/channel-aa"] = b'{"channel_ids":["c1"]}'
        self.connection.open()
        self.assertEqual(self.last, PROBE)
        self.assertEqual(self.http.lines, [f"GET playbacks/{playback.id}"])
        self.http.only_unanswered().accept(b"{}")
        self.answer(200, {})
        playback.stop()
        self.assertEqual(self.last, f"DELETE playbacks/{playback.id}")
        self.receive_playback("PlaybackFinished", playback.id, "done")

    def test_stopping_fails_pending_requests_without_logging(self) -> None:
        self.enter()
        playback = self.client.channels["c1"].play("sound:press-1")
        answer = self.client.request("GET", "channels")
        self.successResultOf(self.client.stopService())
        self.failureResultOf(answer, ConnectionLostError)
        self.assertEqual(self.successResultOf(playback.finished), PlaybackEnd.FAILED)
        self.assertEqual(self.log.texts(level=LogLevel.error), [])
