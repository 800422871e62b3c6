"""Timers of a reactor whose machine's clock is set."""

from __future__ import annotations

from twisted.internet.selectreactor import SelectReactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.daemon.monotonic import use_monotonic_clock

NOON = 1_800_000_000.0


class MonotonicClockTests(SynchronousTestCase):
    """A true reactor of Twisted's, on two clocks: the wall's, and a steady one."""

    def setUp(self) -> None:
        self.wall, self.steady = Clock(), Clock()
        self.wall.rightNow = NOON
        self.reactor = SelectReactor()
        self.addCleanup(self.reactor.removeAll)
        self.addCleanup(self.reactor.waker.connectionLost, None)
        self.reactor.seconds = self.wall.seconds
        self.rung: list[str] = []

    def pass_time(self, seconds: float) -> None:
        self.wall.advance(seconds)
        self.steady.advance(seconds)
        self.reactor.runUntilCurrent()

    def keep_steady(self) -> None:
        use_monotonic_clock(self.reactor, clock=self.steady.seconds)

    def ring_after(self, seconds: float) -> None:
        self.reactor.callLater(seconds, self.rung.append, "rung")

    def test_twisted_timers_stop_when_the_clock_is_set_back(self) -> None:
        """What Twisted does by itself, and this is for."""
        self.ring_after(10)
        self.wall.advance(-3600)
        self.pass_time(3500)
        self.assertEqual(self.rung, [])

    def test_clock_set_back_delays_no_timer(self) -> None:
        self.keep_steady()
        self.ring_after(10)
        self.wall.advance(-3600)
        self.pass_time(9)
        self.assertEqual(self.rung, [])
        self.pass_time(1)
        self.assertEqual(self.rung, ["rung"])

    def test_clock_set_forward_fires_no_timer(self) -> None:
        self.keep_steady()
        self.ring_after(10)
        self.wall.advance(3600)
        self.pass_time(9)
        self.assertEqual(self.rung, [])
        self.pass_time(1)
        self.assertEqual(self.rung, ["rung"])

    def test_seconds_continue_from_their_value(self) -> None:
        """twisted.web takes it for the seconds since 1970."""
        self.keep_steady()
        self.assertEqual(self.reactor.seconds(), NOON)
        self.steady.advance(5)
        self.assertEqual(self.reactor.seconds(), NOON + 5)

    def test_timers_set_before_keep_their_time(self) -> None:
        self.ring_after(10)
        self.keep_steady()
        self.pass_time(9)
        self.assertEqual(self.rung, [])
        self.pass_time(1)
        self.assertEqual(self.rung, ["rung"])
