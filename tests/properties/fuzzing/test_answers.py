"""Any answer to any request, over HTTP or the websocket, costs at most its call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.properties.fuzzing.test_websocket import NESTED, VALUES, encoded
from tests.support.fuzz_harness import BYSTANDER, FUZZ, FuzzHarness, corpus, sensible

if TYPE_CHECKING:
    from channel_aa.ari.wire.requests import Request

STATUSES = st.sampled_from([200, 201, 204, 302, 400, 401, 404, 409, 412, 500, 503, 999])
SHAPES = st.sampled_from(
    [
        {"channel_ids": ["..", ".", "", "a/../b", "c1", "x" * 500]},
        {"channel_ids": [1, None]},
        {"channel_ids": None},
        [{"id": "channel-aa-1", "name": "channel-aa channel-aa", "channels": [".."]}],
        [{"id": "channel-aa-..", "name": "channel-aa channel-aa"}],
        [[]],
        {"id": "..", "name": "\x1b[2J"},
        {"value": {"a": 1}},
        {"message": ["a"]},
        {"message": "forged\n2026 [channel_aa#info]\x1b[2J"},
        {"system": {"version": 22}},
    ]
)
BODIES = st.builds(encoded, SHAPES | VALUES) | st.binary(max_size=30) | NESTED
GIVEN = st.lists(st.tuples(STATUSES, BODIES), min_size=1, max_size=6)


class AnswerTests(FuzzHarness):
    def try_answers(self, answers: list[tuple[int, bytes]]) -> None:
        """Give a stranger's requests, and those of a new connection, odd answers."""
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
        self.tell("StasisStart", channel={"id": "c1", "name": "C"}, args=[])
        self.settle()
        self.answers.answer = sensible
        self.assert_all_is_well()
        self.finish()

    def try_who_is_left(self, answers: list[tuple[int, bytes]]) -> None:
        """Give odd answers to what is asked when the connection is new."""
        remaining = list(answers)

        def answer(request: Request) -> tuple[int, bytes]:
            return remaining.pop(0) if remaining else sensible(request)

        self.begin()
        self.answers.answer = answer
        self.open()
        self.settle()
        self.answers.answer = sensible
        self.settle()
        self.bystander_calls()
        self.assert_all_is_well()
        self.finish()

    @FUZZ
    @given(GIVEN)
    def test_any_answers(self, answers: list[tuple[int, bytes]]) -> None:
        self.try_answers(answers)

    @FUZZ
    @given(GIVEN)
    def test_any_answers_to_who_is_left(self, answers: list[tuple[int, bytes]]) -> None:
        self.try_who_is_left(answers)

    def test_what_is_kept_for_being_interesting(self) -> None:
        for name, kept in corpus("answer"):
            status, _, body = kept.partition(b"\n")
            for number in range(1, 5):
                answers = [(int(status), body)] * number
                with self.subTest(name, number=number):
                    self.try_answers(answers)
                    self.try_who_is_left(answers)
