"""Timeouts of one length on one timer."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.timeouts import MAX_PER_TURN, Timeouts
from tests.support.turns import run_turn


class TimeoutsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.expired: list[str] = []
        self.timeouts: Timeouts[str] = Timeouts(10, self.expire, clock=self.clock)

    def expire(self, key: str) -> None:
        self.expired.append(key)

    def assert_no_timer(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_timeout_expires_once(self) -> None:
        self.timeouts.start("a")
        self.clock.advance(9.9)
        self.assertEqual(self.expired, [])
        self.clock.advance(0.1)
        self.clock.advance(100)
        self.assertEqual(self.expired, ["a"])
        self.assert_no_timer()

    def test_timeouts_share_one_timer(self) -> None:
        for key in "abc":
            self.timeouts.start(key)
            self.clock.advance(1)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(7)
        self.assertEqual(self.expired, ["a"])
        self.clock.advance(1)
        self.assertEqual(self.expired, ["a", "b"])
        self.clock.advance(1)
        self.assertEqual(self.expired, ["a", "b", "c"])
        self.assert_no_timer()

    def test_cancelled_timeout_does_not_expire(self) -> None:
        self.timeouts.start("a")
        self.clock.advance(1)
        self.timeouts.start("b")
        self.timeouts.cancel("a")
        self.clock.advance(9)
        self.assertEqual(self.expired, [])
        self.clock.advance(1)
        self.assertEqual(self.expired, ["b"])

    def test_cancelling_the_last_timeout_cancels_the_timer(self) -> None:
        self.timeouts.start("a")
        self.timeouts.cancel("a")
        self.timeouts.cancel("never set")
        self.assert_no_timer()

    def test_cancelled_timeout_leaves_no_timer_and_never_expires(self) -> None:
        self.timeouts.start("a")
        self.timeouts.start("b")
        self.timeouts.cancel("a")
        self.timeouts.cancel("b")
        self.assert_no_timer()
        self.timeouts.start("c")
        self.clock.advance(100)
        self.assertEqual(self.expired, ["c"])
        self.assert_no_timer()

    def test_restarted_timeout_starts_over(self) -> None:
        self.timeouts.start("a")
        self.clock.advance(6)
        self.timeouts.start("a")
        self.clock.advance(6)
        self.assertEqual(self.expired, [])
        self.clock.advance(4)
        self.assertEqual(self.expired, ["a"])

    def test_callback_may_start_and_cancel_timeouts(self) -> None:
        def expire(key: str) -> None:
            self.expired.append(key)
            self.timeouts.cancel("b")
            if len(self.expired) < 3:
                self.timeouts.start("a")

        self.timeouts = Timeouts(10, expire, clock=self.clock)
        self.timeouts.start("a")
        self.timeouts.start("b")
        self.clock.pump([10, 10, 10])
        self.assertEqual(self.expired, ["a", "a", "a"])
        self.assert_no_timer()

    def test_burst_of_timeouts_expires_in_several_turns(self) -> None:
        most = 0
        keys = [str(number) for number in range(10 * MAX_PER_TURN)]
        for key in keys:
            self.timeouts.start(key)
        self.clock.rightNow += 10
        while self.clock.getDelayedCalls():
            before = len(self.expired)
            run_turn(self.clock)
            most = max(most, len(self.expired) - before)
        self.assertEqual(self.expired, keys)
        self.assertEqual(most, MAX_PER_TURN)
