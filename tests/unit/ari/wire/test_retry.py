"""Requests that are held until a connection, and sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.errors import (
    ConnectionLostError,
    NotFoundError,
    RequestTimeoutError,
    UnauthorizedError,
)
from channel_aa.ari.wire.requests import Request
from channel_aa.ari.wire.retry import RetryingSender
from tests.support.ari_fakes import FakeSender

if TYPE_CHECKING:
    from channel_aa.ari.wire.errors import AriError


def _request(name: str) -> Request:
    return Request(method="POST", path=(name,))


class RetryingSenderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.fake = FakeSender()
        self.sender = RetryingSender(self.fake, clock=self.clock)

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.sender.held, 0)

    def ask(self, name: str = "a", *, idempotent: bool = False) -> Deferred[bytes]:
        return self.sender.send(_request(name), idempotent=idempotent)

    def leave_unanswered(self, kind: type[AriError], *, outcome_unknown: bool) -> None:
        self.fake.only_unanswered().fail(kind, outcome_unknown=outcome_unknown)

    def test_held_requests_are_sent_in_order(self) -> None:
        answers = [self.ask(name) for name in "abc"]
        self.assertEqual(self.fake.lines, [])
        self.assertEqual(self.sender.held, 3)
        self.sender.resume()
        self.assertEqual(self.fake.lines, ["POST a", "POST b", "POST c"])
        for number, answer in enumerate(answers):
            self.fake.exchanges[number].accept(b"%d" % number)
            self.assertEqual(self.successResultOf(answer), b"%d" % number)

    def test_held_request_can_be_withdrawn(self) -> None:
        answer = self.ask("a")
        self.assertTrue(self.sender.is_held(answer))
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        self.sender.resume()
        self.assertEqual(self.fake.lines, [])

    def test_callback_of_a_held_request_may_withdraw_another(self) -> None:
        first, second = self.ask("a"), self.ask("b")
        first.addBoth(lambda _: second.cancel())
        first.cancel()
        self.failureResultOf(second, CancelledError)
        self.sender.resume()
        self.assertEqual(self.fake.lines, [])

    def test_callback_of_a_request_being_sent_may_withdraw_another(self) -> None:
        self.fake.answers["POST a"] = b""
        first, second = self.ask("a"), self.ask("b")
        first.addBoth(lambda _: second.cancel())
        self.sender.resume()
        self.failureResultOf(second, CancelledError)
        self.assertEqual(self.fake.lines, [])

    def test_response_is_passed_on(self) -> None:
        self.sender.resume()
        answer = self.ask(idempotent=True)
        self.fake.only_unanswered().refuse(404)
        self.failureResultOf(answer, NotFoundError)

    def test_request_of_unknown_outcome_is_sent_again_only_if_idempotent(
        self,
    ) -> None:
        self.sender.resume()
        answer = self.ask(idempotent=False)
        self.leave_unanswered(RequestTimeoutError, outcome_unknown=True)
        self.failureResultOf(answer, RequestTimeoutError)
        answer = self.ask(idempotent=True)
        self.leave_unanswered(RequestTimeoutError, outcome_unknown=True)
        self.assertNoResult(answer)
        self.clock.advance(1)
        self.fake.only_unanswered().accept(b"yes")
        self.assertEqual(self.successResultOf(answer), b"yes")

    def test_request_that_did_not_reach_asterisk_is_sent_again(self) -> None:
        self.sender.resume()
        answer = self.ask(idempotent=False)
        for _ in range(2):
            self.leave_unanswered(ConnectionLostError, outcome_unknown=False)
            self.clock.advance(1)
        self.leave_unanswered(ConnectionLostError, outcome_unknown=False)
        self.failureResultOf(answer, ConnectionLostError)

    def test_lost_connection_does_not_count_as_a_try(self) -> None:
        self.sender.resume()
        answer = self.ask(idempotent=True)
        for _ in range(9):
            self.sender.pause()
            self.leave_unanswered(ConnectionLostError, outcome_unknown=True)
            self.assertEqual(self.clock.getDelayedCalls(), [])
            self.assertEqual(self.sender.held, 1)
            self.sender.resume()
        for _ in range(2):
            self.leave_unanswered(RequestTimeoutError, outcome_unknown=True)
            self.clock.advance(1)
        self.fake.only_unanswered().accept()
        self.successResultOf(answer)

    def test_request_is_held_if_the_connection_is_lost_during_the_pause(self) -> None:
        self.sender.resume()
        answer = self.ask(idempotent=True)
        self.leave_unanswered(RequestTimeoutError, outcome_unknown=True)
        self.sender.pause()
        self.clock.advance(1)
        self.assertEqual(self.sender.held, 1)
        self.sender.resume()
        self.fake.only_unanswered().accept()
        self.successResultOf(answer)

    def test_request_can_be_cancelled_in_each_state(self) -> None:
        self.sender.resume()
        pausing = self.ask(idempotent=True)
        self.leave_unanswered(RequestTimeoutError, outcome_unknown=True)
        pausing.cancel()
        self.failureResultOf(pausing, CancelledError)
        waiting = self.ask(idempotent=True)
        self.sender.pause()
        self.leave_unanswered(ConnectionLostError, outcome_unknown=True)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.sender.resume()
        self.assertEqual(self.fake.unanswered, [])

    def refusing(self) -> list[UnauthorizedError]:
        """Make a sender that reports refusals; return these."""
        refusals: list[UnauthorizedError] = []
        self.sender = RetryingSender(
            self.fake, clock=self.clock, on_refused=refusals.append
        )
        self.sender.resume()
        return refusals

    def test_refused_request_is_held_and_so_are_later_ones(self) -> None:
        for status in (401, 403):
            refusals = self.refusing()
            answer = self.ask()
            self.fake.only_unanswered().refuse(status)
            self.assertEqual(refusals, [])
            self.clock.advance(0)
            self.assertEqual([each.status for each in refusals], [status])
            later = self.ask("later")
            self.assertEqual(self.sender.held, 2)
            self.sender.resume()
            for exchange in self.fake.unanswered:
                exchange.accept(b"done")
            self.assertEqual(self.successResultOf(answer), b"done")
            self.assertEqual(self.successResultOf(later), b"done")

    def test_refused_request_can_be_cancelled(self) -> None:
        self.refusing()
        answer = self.ask()
        self.fake.only_unanswered().refuse(403)
        self.clock.advance(0)
        answer.cancel()
        self.failureResultOf(answer, CancelledError)

    def test_refused_request_fails_if_refusals_are_not_reported(self) -> None:
        self.sender.resume()
        answer = self.ask()
        self.fake.only_unanswered().refuse(403)
        self.failureResultOf(answer, UnauthorizedError)

    def test_refused_request_fails_after_stop_holding(self) -> None:
        self.refusing()
        answer = self.ask()
        self.sender.stop_holding()
        self.fake.only_unanswered().refuse(401)
        self.clock.advance(0)
        self.failureResultOf(answer, UnauthorizedError)

    def test_requests_fail_at_once_after_stop_holding(self) -> None:
        waiting = self.ask()
        self.sender.stop_holding()
        error = self.failureResultOf(waiting, ConnectionLostError).value
        assert isinstance(error, ConnectionLostError)
        self.assertFalse(error.outcome_unknown)
        self.assertEqual(str(error), "POST a: there is no connection")
        failure = self.failureResultOf(self.ask(idempotent=True), ConnectionLostError)
        self.assertEqual(str(failure.value), "POST a: there is no connection")
        self.sender.resume()
        answer = self.ask(idempotent=True)
        self.sender.pause()
        self.leave_unanswered(ConnectionLostError, outcome_unknown=True)
        self.failureResultOf(answer, ConnectionLostError)
        self.sender.start_holding()
        self.ask().addErrback(lambda _: None).cancel()
