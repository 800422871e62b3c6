"""Reactor lag, measured and logged."""

from __future__ import annotations

from contextlib import ExitStack

from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs, formatEvent
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
        """The worst lag and the count of each warning."""
        return [
            (round(event["delay"], 3), event["count"])
            for event in self.events
            if event["log_level"] is LogLevel.warn
        ]

    def be_late(self, seconds: float, *, times: int = 1) -> None:
        for _ in range(times):
            self.clock.advance(1 + seconds)

    def test_lag_is_how_late_the_timer_fires(self) -> None:
        self.be_late(0.25)
        self.assertAlmostEqual(self.delay.last, 0.25)
        self.be_late(0)
        self.assertAlmostEqual(self.delay.last, 0)
        self.assertAlmostEqual(self.delay.worst, 0.25)

    def test_lag_is_zero_before_the_first_measurement(self) -> None:
        self.assertEqual((self.delay.last, self.delay.worst), (0.0, 0.0))

    def test_worst_lag_is_that_of_the_last_minute(self) -> None:
        self.be_late(0.25)
        self.be_late(0, times=60)
        self.assertAlmostEqual(self.delay.worst, 0)

    def test_tolerated_lag_is_not_logged(self) -> None:
        self.be_late(0.4, times=100)
        self.assertEqual(self.warnings, [])

    def test_long_lag_is_logged_at_once(self) -> None:
        self.be_late(5)
        self.assertEqual(self.warnings, [(5.0, 1)])
        text = formatEvent(self.events[-1])
        self.assertIn("The reactor was up to 5.0 s late (1 times since the last", text)

    def test_warnings_come_once_a_minute_with_the_worst_lag(self) -> None:
        self.be_late(1)
        self.be_late(3)
        self.be_late(1, times=20)
        self.assertEqual(self.warnings, [(1.0, 1)])
        self.be_late(0, times=60)
        self.assertEqual(self.warnings, [(1.0, 1), (3.0, 21)])

    def test_stop_leaves_no_timer(self) -> None:
        self.delay.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.delay.stop()
