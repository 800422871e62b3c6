"""Timers of a reactor while the system's clock is changed."""

from __future__ import annotations

from twisted.internet.selectreactor import SelectReactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.daemon.monotonic import use_monotonic_clock

NOON = 1_800_000_000.0


class MonotonicClockTests(SynchronousTestCase):
    """A Twisted reactor with a wall clock and a monotonic clock."""

    def setUp(self) -> None:
        self.wall, self.monotonic = Clock(), Clock()
        self.wall.rightNow = NOON
        self.monotonic.rightNow = 1000.0
        self.reactor = SelectReactor()
        self.addCleanup(self.reactor.removeAll)
        self.addCleanup(self.reactor.waker.connectionLost, None)
        self.reactor.seconds = self.wall.seconds
        self.fired: list[str] = []

    def pass_time(self, seconds: float) -> None:
        self.wall.advance(seconds)
        self.monotonic.advance(seconds)
        self.reactor.runUntilCurrent()

    def use_monotonic_clock(self) -> None:
        use_monotonic_clock(self.reactor, clock=self.monotonic.seconds)

    def fire_after(self, seconds: float) -> None:
        self.reactor.callLater(seconds, self.fired.append, "fired")

    def test_twisted_timers_stop_when_the_clock_is_set_back(self) -> None:
        """The fault of Twisted's reactors that `use_monotonic_clock` corrects."""
        self.fire_after(10)
        self.wall.advance(-3600)
        self.pass_time(3500)
        self.assertEqual(self.fired, [])

    def test_clock_set_back_delays_no_timer(self) -> None:
        self.use_monotonic_clock()
        self.fire_after(10)
        self.wall.advance(-3600)
        self.pass_time(9)
        self.assertEqual(self.fired, [])
        self.pass_time(1)
        self.assertEqual(self.fired, ["fired"])

    def test_clock_set_forward_fires_no_timer(self) -> None:
        self.use_monotonic_clock()
        self.fire_after(10)
        self.wall.advance(3600)
        self.pass_time(9)
        self.assertEqual(self.fired, [])
        self.pass_time(1)
        self.assertEqual(self.fired, ["fired"])

    def test_seconds_continue_from_their_value(self) -> None:
        """twisted.web takes it for the seconds since 1970."""
        self.use_monotonic_clock()
        self.assertEqual(self.reactor.seconds(), NOON)
        self.monotonic.advance(5)
        self.assertEqual(self.reactor.seconds(), NOON + 5)

    def test_timers_set_before_keep_their_time(self) -> None:
        self.fire_after(10)
        self.use_monotonic_clock()
        self.pass_time(9)
        self.assertEqual(self.fired, [])
        self.pass_time(1)
        self.assertEqual(self.fired, ["fired"])
