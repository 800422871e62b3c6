"""An Asterisk that floods the attendant, while other callers press keys.

The turns of the reactor are made by the test, so that they can be counted: in each of
them the work is limited, and what a key causes is sent in the turn of the key. The
measured times are printed only.
"""

from __future__ import annotations

import gc
import json
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from zope.interface import implementer

from channel_aa.ari.admission import MAX_CHANNELS, MAX_PENDING_TO_ENTER
from channel_aa.ari.wire.http import HttpSender
from channel_aa.ari.wire.websocket import MAX_FRAMES_PER_TURN
from channel_aa.attendant.attendant import Attendant
from channel_aa.menus.flow import CallFlow
from tests.support.ari_fakes import LogRecorder, make_address
from tests.support.ari_sockets import TEXT, frame
from tests.support.fuzz_harness import (
    AnsweringSender,
    FuzzHarness,
    correct_answer,
    feed,
)
from tests.support.process import resident_kib
from tests.support.turns import FastClock, run_turn

if TYPE_CHECKING:
    from twisted.internet.interfaces import IProtocol, IProtocolFactory

    from channel_aa.ari.wire.requests import Request
    from channel_aa.interfaces import IStasisApplication

HONEST = 100
"""How many calls are served before the flood begins; the attendant's ``max_calls``."""

FLOOD = 100
"""How many channels enter between two keys."""

MAX_KIB = 64 * 1024
"""The most memory that a flood may use: some 40 MiB for the channels that a client
holds, each with a request in progress, and what the allocator keeps."""


@implementer(IStreamClientEndpoint)
class SilentEndpoint:
    """Never connects."""

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's
        return Deferred()


class FloodSender(AnsweringSender):
    """Answers requests at once, but those of the flood's channels never.

    Attributes:
        stops: how many stops of sounds were requested so far.
    """

    def __init__(self, http: HttpSender) -> None:
        super().__init__()
        self.stops = 0
        self._http = http

    @property
    def pending(self) -> int:  # type: ignore[override]
        return self._http.pending

    def send(self, request: Request) -> Deferred[bytes]:
        self.stops += request.method == "DELETE" and request.path[0] == "playbacks"
        if any(each.startswith("flood") for each in request.path):
            return self._http.send(request)
        return super().send(request)

    def close(self) -> Deferred[None]:
        return self._http.close()


def event(kind: str, channel_id: str, **fields: object) -> bytes:
    message = {"type": kind, "channel": {"id": channel_id}, **fields}
    return frame(TEXT, json.dumps(message, separators=(",", ":")).encode())


class FloodTests(FuzzHarness):
    make_clock = FastClock

    def make_application(self) -> IStasisApplication:
        self.attendant = Attendant(
            CallFlow(),
            clock=self.clock,
            now=lambda: datetime.now(UTC),
            max_calls=HONEST,
        )
        return self.attendant

    def setUp(self) -> None:
        super().setUp()
        self.log = LogRecorder()
        self.addCleanup(self.log.stop)
        self.begin()
        http = HttpSender(make_address(), reactor=self.clock, endpoint=SilentEndpoint())
        # Requests that are left to the garbage collector log errors in later tests.
        self.addCleanup(http.close)
        self.flood_sender = FloodSender(http)
        self.client.requests._http = self.flood_sender
        self.flood_sender.answer = self.answer
        self.entered: list[str] = []
        self.open()
        for number in range(HONEST):
            self.entered.append(f"honest-{number}")
            feed(self.socket, [event("StasisStart", f"honest-{number}", args=[])])
        self.assertEqual(len(self.attendant.calls), HONEST)
        self.worst = 0.0
        # As the daemon does when it starts; the objects of the tests are many more.
        gc.collect()
        gc.freeze()
        self.addCleanup(gc.unfreeze)

    def answer(self, request: Request) -> tuple[int, bytes]:
        """List the channels that have entered; answer everything else correctly."""
        if request.method == "GET" and request.path[0] == "applications":
            return 200, json.dumps({"channel_ids": self.entered}).encode()
        return correct_answer(request)

    def pass_time(self, seconds: float) -> None:
        """Let the time of a turn pass, and then the turns that follow."""
        self.worst = max(self.worst, seconds)
        self.clock.rightNow += seconds
        while True:
            began = perf_counter()
            if not run_turn(self.clock):
                break
            seconds = perf_counter() - began
            self.worst = max(self.worst, seconds)
            self.clock.rightNow += seconds

    def test_keys_stop_sounds_at_once_during_a_flood_of_calls(self) -> None:
        before = resident_kib()
        slowest = 0.0
        for number in range(HONEST):
            ids = [f"flood-{number}-{each}" for each in range(FLOOD)]
            self.entered += ids
            flood = [event("StasisStart", each, args=[]) for each in ids]
            key = event("ChannelDtmfReceived", f"honest-{number}", digit="1")
            stops, held = self.flood_sender.stops, len(self.client.channels)
            began = perf_counter()
            feed(self.socket, [b"".join([key, *flood])])
            slowest = max(slowest, perf_counter() - began)
            self.assertEqual(self.flood_sender.stops, stops + 1)
            self.assertLess(len(self.client.channels), held + MAX_FRAMES_PER_TURN)
            self.pass_time(perf_counter() - began)
        growth = resident_kib() - before
        print(  # noqa: T201 - a measurement
            f"\nkey to stop: {1000 * slowest:.1f} ms at most; turn:"
            f" {1000 * self.worst:.1f} ms at most; memory: {growth} KiB"
        )
        self.assertLessEqual(len(self.client.channels), MAX_CHANNELS)
        self.assertLessEqual(
            self.client.requests.pending, MAX_PENDING_TO_ENTER + HONEST
        )
        self.assertEqual(len(self.attendant.calls), HONEST)
        self.assertLess(growth, MAX_KIB)
        (line,) = [each for each in self.log.texts() if "Channels enter" in each]
        self.assertIn(str(MAX_CHANNELS), line)
