"""Whatever Asterisk sends, the attendant goes on attending to other calls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given

from channel_aa.attendant.attendant import Attendant
from channel_aa.config import Settings
from tests.properties.fuzzing.test_answers import GIVEN
from tests.properties.fuzzing.test_websocket import CUTS, STREAMS, cut
from tests.support.fuzz_harness import (
    BYSTANDER,
    FUZZ,
    FuzzHarness,
    corpus,
    feed,
    sensible,
)

if TYPE_CHECKING:
    from channel_aa.ari.wire.requests import Request
    from channel_aa.interfaces import IStasisApplication

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class AttendantTests(FuzzHarness):
    def make_application(self) -> IStasisApplication:
        application: IStasisApplication = Attendant(
            Settings().flow, clock=self.clock, now=lambda: NOON
        )
        return application

    def assert_bystander_is_heard(self) -> None:
        """A key that is no option interrupts the sound, and is told so."""
        self.answers.asked.clear()
        self.press("7")
        self.settle(8.0)
        played = [
            request.query["media"]
            for request in self.answers.asked
            if request.path[:3] == ("channels", BYSTANDER, "play")
        ]
        self.assertIn("sound:option-is-invalid", played)

    def try_it(self, parts: list[bytes], answers: list[tuple[int, bytes]]) -> None:
        """Feed a stream, and answer the requests that it makes us send."""
        remaining = list(answers)

        def answer(request: Request) -> tuple[int, bytes]:
            if BYSTANDER in request.path or not remaining:
                return sensible(request)
            return remaining.pop(0)

        self.begin()
        self.open()
        self.clock.advance(2.0)
        self.bystander_calls()
        self.answers.answer = answer
        feed(self.socket, parts)
        self.settle()
        self.assert_all_is_well()
        self.finish()

    @FUZZ
    @given(STREAMS, CUTS, GIVEN)
    def test_any_bytes_and_any_answers(
        self, stream: bytes, places: list[int], answers: list[tuple[int, bytes]]
    ) -> None:
        self.try_it(cut(stream, places), answers)

    def test_what_is_kept_for_being_interesting(self) -> None:
        for name, stream in corpus("websocket"):
            with self.subTest(name):
                self.try_it([stream], [])
