"""Any answer to any request: at most that request's call ends."""

from __future__ import annotations

from hypothesis import given

from tests.support.fuzz_harness import (
    FUZZ,
    FuzzHarness,
    corpus,
    correct_answer,
)
from tests.support.fuzz_strategies import STATUSES_AND_BODIES


class AnswerTests(FuzzHarness):
    def try_answers(self, answers: list[tuple[int, bytes]]) -> None:
        """Give these answers to the requests of a new call and a new connection."""
        self.begin()
        self.open()
        self.clock.advance(2.0)
        self.enter_bystander()
        self.answer_with(answers)
        self.send_event("StasisStart", channel={"id": "c1", "name": "C"}, args=[])
        self.settle()
        self.sender.answer = correct_answer
        self.assert_bystander_served()
        self.finish()

    def try_reconciliation(self, answers: list[tuple[int, bytes]]) -> None:
        """Give these answers to the requests at the start of a connection."""
        self.begin()
        self.answer_with(answers)
        self.open()
        self.settle()
        self.sender.answer = correct_answer
        self.settle()
        self.enter_bystander()
        self.assert_bystander_served()
        self.finish()

    @FUZZ
    @given(STATUSES_AND_BODIES)
    def test_any_answers(self, answers: list[tuple[int, bytes]]) -> None:
        self.try_answers(answers)

    @FUZZ
    @given(STATUSES_AND_BODIES)
    def test_any_answers_during_reconciliation(
        self, answers: list[tuple[int, bytes]]
    ) -> None:
        self.try_reconciliation(answers)

    def test_kept_inputs(self) -> None:
        for name, kept in corpus("answer"):
            status, _, body = kept.partition(b"\n")
            for number in range(1, 5):
                answers = [(int(status), body)] * number
                with self.subTest(name, number=number):
                    self.try_answers(answers)
                    self.try_reconciliation(answers)
