"""Any bytes from Asterisk: the attendant still serves the other calls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given

from channel_aa.attendant.attendant import Attendant
from channel_aa.settings import Settings
from tests.support.fuzz_harness import (
    BYSTANDER,
    FUZZ,
    FuzzHarness,
    corpus,
    feed,
)
from tests.support.fuzz_strategies import CUTS, STATUSES_AND_BODIES, STREAMS, cut

if TYPE_CHECKING:
    from channel_aa.interfaces import IStasisApplication

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class AttendantTests(FuzzHarness):
    def make_application(self) -> IStasisApplication:
        application: IStasisApplication = Attendant(
            Settings().flow, clock=self.clock, now=lambda: NOON
        )
        return application

    def assert_bystander_key_received(self) -> None:
        """Press an invalid key, and check that the error prompt is played."""
        self.sender.requests.clear()
        self.press("7")
        self.settle(8.0)
        played = [
            request.query["media"]
            for request in self.sender.requests
            if request.path[:3] == ("channels", BYSTANDER, "play")
        ]
        self.assertIn("sound:option-is-invalid", played)

    def try_stream(self, parts: list[bytes], answers: list[tuple[int, bytes]]) -> None:
        """Feed a stream, and answer the requests that it causes."""
        self.begin()
        self.open()
        self.clock.advance(2.0)
        self.enter_bystander()
        self.answer_with(answers)
        feed(self.socket, parts)
        self.settle()
        self.assert_bystander_served()
        self.finish()

    @FUZZ
    @given(STREAMS, CUTS, STATUSES_AND_BODIES)
    def test_any_bytes_and_any_answers(
        self, stream: bytes, places: list[int], answers: list[tuple[int, bytes]]
    ) -> None:
        self.try_stream(cut(stream, places), answers)

    def test_kept_inputs(self) -> None:
        for name, stream in corpus("websocket"):
            with self.subTest(name):
                self.try_stream([stream], [])
