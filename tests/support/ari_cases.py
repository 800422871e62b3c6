"""Test cases of the ARI client that several test modules share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.requests import Request
from channel_aa.ari.wire.routing import PROBE_SECONDS, RoutingSender, Transport
from channel_aa.ari.wire.websocket_sender import RESTResponse, WebSocketSender
from tests.support.ari_fakes import APP, AriTestCase, FakeSender, LogRecorder

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from channel_aa.ari.channel import Channel
    from channel_aa.ari.outbound import OutboundChannel

LIST = f"GET applications/{APP}"
BRIDGES = "GET bridges"

GET = Request(method="GET", path=("channels", "c1"))
PROBE = "GET asterisk/ping"
TIMEOUT = 10.0


class OutboundTestCase(AriTestCase):
    def dial(
        self, channel: Channel | None = None, *, is_accepted: bool = True
    ) -> OutboundChannel:
        phone = (channel or self.enter()).dial("PJSIP/410", ring_seconds=20)
        self.outcomes: list[object] = []
        phone.outcome.addBoth(self.outcomes.append)
        if is_accepted:
            self.sender.only_unanswered().accept(b"{}")
        return phone

    def receive_dial(self, phone: OutboundChannel, status: str) -> None:
        self.receive("Dial", peer={"id": phone.id}, dialstatus=status)

    def receive_destroyed(self, phone: OutboundChannel, cause: int = 0) -> None:
        self.receive_channel("ChannelDestroyed", phone.id, cause=cause)

    def is_hung_up(self, phone: OutboundChannel, reason: str = "") -> None:
        """Answer the request to hang it up, which is the only pending one."""
        request = self.sender.only_unanswered()
        query = f"?reason={reason}" if reason else ""
        self.assertEqual(request.line, f"DELETE channels/{phone.id}{query}")
        request.accept()
        self.assertEqual(self.client.outbound, {})


def in_stasis(channel_id: str, data: str = APP) -> bytes:
    """Make Asterisk's description of a channel in the application."""
    dialplan = {"exten": "1000", "app_name": "Stasis", "app_data": data}
    return json.dumps(
        {"id": channel_id, "name": f"PJSIP/{channel_id}", "dialplan": dialplan}
    ).encode()


class ReconcileTestCase(AriTestCase):
    def reconnect(self, *channel_ids: str) -> None:
        """Lose the connection and open it; the application still has these channels."""
        self.list_channels(*channel_ids)
        self.connection.lose()
        self.connection.open()

    def list_channels(self, *channel_ids: str) -> None:
        self.sender.answers[LIST] = json.dumps({"channel_ids": channel_ids}).encode()

    def list_bridges(self, **members: list[str]) -> None:
        bridges = [
            {
                "id": name.replace("_", "-"),
                "name": "channel-aa channel-aa",
                "channels": ids,
            }
            for name, ids in members.items()
        ]
        self.sender.answers[BRIDGES] = json.dumps(bridges).encode()

    def lines(self) -> list[str]:
        return [exchange.line for exchange in self.sender.unanswered]


class RoutingTestCase(SynchronousTestCase):
    """Both transports on a `Clock`; no timer may be left."""

    wanted = Transport.AUTO

    def setUp(self) -> None:
        self.log = LogRecorder()
        self.addCleanup(self.log.stop)
        self.clock = Clock()
        self.http = FakeSender()
        self.frames: list[bytes] = []
        self.websocket = WebSocketSender(
            self.frames.append,
            clock=self.clock,
            conceal=str,
            timeout=TIMEOUT,
            max_in_flight=2,
        )
        self.transports = RoutingSender(
            self.wanted, http=self.http, websocket=self.websocket, clock=self.clock
        )

    def tearDown(self) -> None:
        self.transports.fail_pending()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.websocket.pending, 0)

    @property
    def lines(self) -> list[str]:
        """The requests sent over the websocket, as ``METHOD uri``, in order."""
        messages = [json.loads(frame) for frame in self.frames]
        return [f"{each['method']} {each['uri']}" for each in messages]

    def send(self, request: Request = GET) -> Deferred[bytes]:
        answer = self.transports.send(request)
        self.addCleanup(answer.addErrback, lambda _: None)
        return answer

    def answer(self, place: int = -1, status: int = 200, body: str = "") -> None:
        """Answer the request of a frame, by default of the last one."""
        number = json.loads(self.frames[place])["request_id"]
        self.websocket.receive(
            RESTResponse(request_id=number, status_code=status, message_body=body)
        )

    def open(self) -> None:
        """Open the websocket of an Asterisk that answers the probe."""
        self.transports.probe()
        self.answer()

    def open_in_vain(self) -> None:
        """Open the websocket of an Asterisk that does not answer the probe."""
        self.transports.probe()
        self.clock.advance(PROBE_SECONDS)

    def assert_goes_over(self, expected: Transport) -> None:
        before = len(self.http.exchanges), len(self.frames)
        self.send()
        after = len(self.http.exchanges), len(self.frames)
        over = {
            Transport.HTTP: (before[0] + 1, before[1]),
            Transport.WEBSOCKET: (before[0], before[1] + 1),
        }
        self.assertEqual(after, over[expected])
        self.assertIs(self.transports.in_use, expected)
