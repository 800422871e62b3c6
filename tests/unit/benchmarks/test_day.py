from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.day import PAUSES, Day, grown


class DayTests(SynchronousTestCase):
    def test_all_kinds_of_calls_leave_nothing(self) -> None:
        day = Day(10 * PAUSES)
        counts = list(day.run())
        self.assertEqual([count.calls for count in counts][-1], 10 * PAUSES)
        self.assertGreater(day.lost, 100)
        self.assertEqual({what: n for what, n in day.left().items() if n}, {})


class GrownTests(SynchronousTestCase):
    def test_types_that_grow_with_the_calls_are_reported(self) -> None:
        before = Counter({"list": 10, "Call": 1})
        after = Counter({"list": 11, "Call": 101})
        self.assertEqual(grown(before, after, 1000), {"Call": 0.1})
