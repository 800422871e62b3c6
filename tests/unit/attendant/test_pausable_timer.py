from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.pausable_timer import PausableTimer


class CountdownTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.ends: list[float] = []
        self.countdown = PausableTimer(
            self.clock, 10, lambda: self.ends.append(self.clock.seconds())
        )

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_it_ends_once(self) -> None:
        self.countdown.run()
        self.clock.advance(10)
        self.countdown.stop()
        self.countdown.run()
        self.clock.advance(100)
        self.assertEqual(self.ends, [10])

    def test_stopped_time_does_not_count(self) -> None:
        self.countdown.run()
        self.clock.advance(4)
        self.countdown.stop()
        self.clock.advance(1000)
        self.countdown.run()
        self.clock.advance(5.9)
        self.assertEqual(self.ends, [])
        self.clock.advance(0.1)
        self.assertEqual(len(self.ends), 1)

    def test_running_twice_is_running_once(self) -> None:
        self.countdown.run()
        self.countdown.run()
        self.clock.advance(10)
        self.assertEqual(self.ends, [10])

    def test_stopping_what_does_not_run_does_nothing(self) -> None:
        self.countdown.stop()
        self.countdown.stop()
        self.clock.advance(100)
        self.assertEqual(self.ends, [])
