"""How late the reactor is, measured and said."""

from __future__ import annotations

from contextlib import ExitStack

from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.service.lag import ReactorDelay


class LagTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.events = stack.enter_context(capturedLogs())
        self.delay = ReactorDelay(self.clock)
        self.delay.start()

    @property
    def warnings(self) -> list[tuple[float, int]]:
        """What was warned of: the worst delay, and how many there were."""
        return [
            (round(event["delay"], 3), event["count"])
            for event in self.events
            if event["log_level"] is LogLevel.warn
        ]

    def be_late(self, seconds: float, *, times: int = 1) -> None:
        for _ in range(times):
            self.clock.advance(1 + seconds)

    def test_delay_is_how_much_later_than_asked_the_reactor_came(self) -> None:
        self.be_late(0.25)
        self.assertAlmostEqual(self.delay.last, 0.25)
        self.be_late(0)
        self.assertAlmostEqual(self.delay.last, 0)
        self.assertAlmostEqual(self.delay.worst, 0.25)

    def test_nothing_is_late_before_it_was_measured(self) -> None:
        self.assertEqual((self.delay.last, self.delay.worst), (0.0, 0.0))

    def test_worst_is_forgotten_after_a_minute(self) -> None:
        self.be_late(0.25)
        self.be_late(0, times=60)
        self.assertAlmostEqual(self.delay.worst, 0)

    def test_a_little_is_not_warned_of(self) -> None:
        self.be_late(0.4, times=100)
        self.assertEqual(self.warnings, [])

    def test_much_is_warned_of_at_once(self) -> None:
        self.be_late(5)
        self.assertEqual(self.warnings, [(5.0, 1)])

    def test_warnings_come_once_a_minute_and_tell_of_the_worst(self) -> None:
        self.be_late(1)
        self.be_late(3)
        self.be_late(1, times=20)
        self.assertEqual(self.warnings, [(1.0, 1)])
        self.be_late(0, times=60)
        self.assertEqual(self.warnings, [(1.0, 1), (3.0, 21)])

    def test_stopped_it_leaves_no_timer(self) -> None:
        self.delay.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.delay.stop()
