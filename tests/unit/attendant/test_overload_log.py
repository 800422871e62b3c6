from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.overload_log import OverloadLog


class RefusalTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.refusals = OverloadLog(self.clock)

    def tearDown(self) -> None:
        self.refusals.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def log(self, *refusals_each_second: int) -> list[str]:
        """Give what is logged of so many refusals, second by second."""
        with capturedLogs() as events:
            for count in refusals_each_second:
                for _ in range(count):
                    self.refusals.count()
                self.clock.advance(1)
        return [str(formatEvent(event)) for event in events]

    def test_first_is_logged_at_once_and_the_rest_once_a_minute(self) -> None:
        lines = self.log(1000, *[10] * 119)
        self.assertEqual(
            lines,
            [
                "Too many calls: 1 went on in the dialplan (1 so far)",
                "Too many calls: 1589 went on in the dialplan (1590 so far)",
                "Too many calls: 600 went on in the dialplan (2190 so far)",
            ],
        )

    def test_minute_without_any_ends_the_counting(self) -> None:
        self.log(1, *[0] * 60)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.log(1)), 1)

    def test_what_was_not_logged_is_at_the_end(self) -> None:
        self.log(5)
        with capturedLogs() as events:
            self.refusals.stop()
            self.refusals.stop()
        self.assertEqual([event["count"] for event in events], [4])
        self.assertEqual(self.refusals.total, 5)
