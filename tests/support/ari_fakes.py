"""Fakes of Asterisk for the ARI client: the test sends responses and events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import (
    ILogObserver,
    LogEvent,
    LogLevel,
    formatEvent,
    globalLogPublisher,
)
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from channel_aa.ari.client import AriClient
from channel_aa.ari.wire.address import Address
from channel_aa.ari.wire.errors import AriError, ConnectionLostError, error_for
from channel_aa.ari.wire.requests import IRequestSender, Request
from channel_aa.ari.wire.routing import Transport
from channel_aa.service.lag import ReactorDelay
from tests.support.listeners import RecordingApplication

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from twisted.internet.base import DelayedCall

    from channel_aa.ari.channel import Channel
    from channel_aa.ari.playback import Playback
    from channel_aa.ari.wire.connection import EventsConnection
    from channel_aa.ari.wire.diagnostics import Diagnosis
    from channel_aa.interfaces import PlaybackEnd
    from tests.support.listeners import RecordingListener

PASSWORD = "correct-horse"
APP = "channel-aa"


def make_address(url: str = "http://pbx.example:8088", *, app: str = APP) -> Address:
    return Address(url=url, username="alice", password=PASSWORD, app=app)


class Exchange:
    """A request, and the Deferred of its response."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.answer: Deferred[bytes] = Deferred()

    @property
    def line(self) -> str:
        return f"{self.request.method} {self.request.uri}"

    def accept(self, body: bytes = b"") -> None:
        self.answer.callback(body)

    def refuse(self, status: int, message: str = "") -> None:
        if not message:
            message = "Write access denied" if status == 403 else "no"
        body = json.dumps({"message": message}).encode()
        request = self.request
        self.answer.errback(
            error_for(request.method, request.quoted_path, status, body)
        )

    def fail(self, kind: type[AriError], *, outcome_unknown: bool = True) -> None:
        method, path = self.request.method, self.request.quoted_path
        self.answer.errback(
            kind(method, path, message="lost", outcome_unknown=outcome_unknown)
        )


@implementer(IRequestSender)
class FakeSender:
    """Records requests; the test answers them.

    Those in `answers`, which the client sends at each connection, are answered at once
    and not recorded.
    """

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.filters: list[Request] = []
        """The requests to set the event filter."""
        self.filter_status = 200
        """The status with which they are answered."""
        self.is_closed = False
        self.answers: dict[str, bytes] = {
            f"GET applications/{APP}": b'{"channel_ids":[]}',
            "GET bridges": b"[]",
            "GET applications": b"[]",
            "DELETE playbacks/channel-aa-checks-access": b"",
            "GET asterisk/info?only=system": b'{"system":{"version":"22.10.1"}}',
        }
        """The bodies of immediate responses, by the line of the request."""

    @property
    def pending(self) -> int:
        return len(self.unanswered)

    @property
    def queued(self) -> int:
        return 0

    @property
    def unanswered(self) -> list[Exchange]:
        return [each for each in self.exchanges if not each.answer.called]

    @property
    def lines(self) -> list[str]:
        """Every request so far, as ``METHOD uri``, in order."""
        return [exchange.line for exchange in self.exchanges]

    def send(self, request: Request) -> Deferred[bytes]:
        if request.path[-1] == "eventFilter":
            self.filters.append(request)
            if self.filter_status == 200:
                return succeed(b"{}")
            refused = Exchange(request)
            refused.refuse(self.filter_status)
            return refused.answer
        exchange = Exchange(request)
        if exchange.line in self.answers:
            return succeed(self.answers[exchange.line])
        self.exchanges.append(exchange)
        return exchange.answer

    def fail_pending(self) -> None:
        for exchange in self.unanswered:
            if not exchange.answer.called:
                exchange.fail(ConnectionLostError)

    def close(self) -> Deferred[None]:
        self.is_closed = True
        for exchange in self.unanswered:
            exchange.answer.cancel()
        return succeed(None)

    def only_unanswered(self) -> Exchange:
        """Return the only request without a response."""
        waiting = self.unanswered
        assert len(waiting) == 1, [exchange.line for exchange in waiting]
        return waiting[0]


class FakeConnection:
    """Replaces `EventsConnection`: the test opens and loses it, and sends messages."""

    def __init__(
        self,
        address: Address,
        *,
        on_open: Callable[[], None],
        on_message: Callable[[bytes], None],
        on_lost: Callable[[], None],
        check_access: Callable[[], Coroutine[Deferred[Any], Any, Diagnosis | None]],
        reactor: object,
    ) -> None:
        self.address = address
        self.check_access = check_access
        self.further_apps: tuple[str, ...] = ()
        self.problem = ""
        self.message_received = on_message
        self.is_open = False
        self.calls: list[str] = []
        self.sent: list[bytes] = []
        self._on_open = on_open
        self._on_lost = on_lost

    def open(self) -> None:
        self.is_open = True
        self._on_open()

    def lose(self) -> None:
        self.is_open = False
        self._on_lost()

    def send(self, message: bytes) -> None:
        self.sent.append(message)

    def refuse(self, diagnosis: Diagnosis) -> None:
        self.calls.append("refuse")
        self.problem = diagnosis.text
        if self.is_open:
            self.lose()

    def stay_away(self) -> None:
        self.calls.append("stay away")
        if self.is_open:
            self.lose()

    def start(self, *further_apps: str) -> None:
        self.calls.append("start")
        self.further_apps = further_apps

    def stop(self) -> Deferred[None]:
        self.calls.append("stop")
        if self.is_open:
            self.lose()
        return succeed(None)


@implementer(ILogObserver)
class LogRecorder:
    """Records every log event, until it is stopped."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []
        globalLogPublisher.addObserver(self)

    def __call__(self, event: LogEvent) -> None:
        self.events.append(event)

    def stop(self) -> None:
        globalLogPublisher.removeObserver(self)

    def texts(self, *, level: LogLevel | None = None) -> list[str]:
        """The lines of our own loggers, at one level or at all of them.

        Warnings of a busy machine are left out: any test may cause them.
        """
        return [
            formatEvent(event)
            for event in self.events
            if event["log_namespace"].startswith("channel_aa.")
            and not event["log_namespace"].startswith(ReactorDelay.__module__)
            and level in {None, event["log_level"]}
        ]


class AriTestCase(SynchronousTestCase):
    """A client on a `Clock` and on fakes; a test must leave no handle and no timer."""

    def setUp(self) -> None:
        self.log = LogRecorder()
        self.addCleanup(self.log.stop)
        self.clock = Clock()
        self.sender = FakeSender()
        self.application = RecordingApplication()
        self.client = AriClient(
            make_address(),
            self.application,
            reactor=self.clock,
            transport=Transport.HTTP,
            http=self.sender,
            connection=cast("Callable[..., EventsConnection]", self._connect),
        )
        self.client.startService()
        self.connection.open()
        # Few tests are about the audit.
        self.client.reconciler.stop()

    def _connect(self, address: Address, **arguments: Any) -> FakeConnection:  # noqa: ANN401 - passed on
        self.connection = FakeConnection(address, **arguments)
        return self.connection

    def tearDown(self) -> None:
        """End every call with an event; then nothing may be left."""
        for channel_id in list(self.client.channels):
            self.receive_channel("StasisEnd", channel_id)
        self.assert_nothing_left()
        for exchange in self.sender.unanswered:
            exchange.refuse(404)
        self.assert_nothing_left()

    def assert_nothing_left(self) -> None:
        client = self.client
        self.assertEqual(client.channels, {})
        self.assertEqual(client.playbacks, {})
        self.assertEqual(client.recordings, {})
        self.assertEqual(client.outbound, {})
        self.assertEqual(client.bridges, {})
        self.assertEqual(client.bridge_members, {})
        self.assertEqual(client.sender.held, 0)
        self.assertEqual(self.timers, [])

    @property
    def timers(self) -> list[object]:
        """The delayed calls, without the next audit or check for a takeover."""
        return [
            timer
            for timer in self.clock.getDelayedCalls()
            if cast("DelayedCall", timer).func
            not in {self.client.reconciler.audit, self.client.takeover.check}
        ]

    def receive(self, kind: str, **fields: object) -> None:
        """Receive an event."""
        self.connection.message_received(json.dumps({"type": kind, **fields}).encode())

    def receive_channel(
        self, kind: str, channel_id: str = "c1", **fields: object
    ) -> None:
        channel = {"id": channel_id, "name": f"PJSIP/{channel_id}"}
        self.receive(kind, channel=channel, **fields)

    def receive_playback(self, kind: str, playback_id: str, state: str = "") -> None:
        self.receive(kind, playback={"id": playback_id, "state": state})

    def enter(self, channel_id: str = "c1") -> Channel:
        """Receive the event of a channel that enters, and return its handle."""
        self.receive_channel("StasisStart", channel_id, args=[])
        return self.client.channels[channel_id]

    def listener(self, channel_id: str = "c1") -> RecordingListener:
        return self.application.listeners[channel_id]

    def play(self, channel: Channel, media: str = "sound:press-1") -> Playing:
        return Playing(self, channel.play(media))


class Playing:
    """A playback, its request, and how it ended."""

    def __init__(self, case: AriTestCase, playback: Playback) -> None:
        self.playback = playback
        self.request = case.sender.exchanges[-1]
        self.ends: list[PlaybackEnd] = []
        playback.finished.addCallback(self.ends.append)
        self._case = case

    @property
    def uri(self) -> str:
        return f"playbacks/{self.playback.id}"

    @property
    def stops(self) -> int:
        """How many stops were sent."""
        return self._case.sender.lines.count(f"DELETE {self.uri}")

    @property
    def checks(self) -> int:
        """How many queries were sent."""
        return self._case.sender.lines.count(f"GET {self.uri}")

    def receive_started(self) -> None:
        self._case.receive_playback("PlaybackStarted", self.playback.id, "playing")

    def receive_finished(self, state: str = "done") -> None:
        self._case.receive_playback("PlaybackFinished", self.playback.id, state)
