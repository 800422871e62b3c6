from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.timeouts import Timeouts


class AlarmTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.expired: list[str] = []
        self.timeouts: Timeouts[str] = Timeouts(10, self.expire, clock=self.clock)

    def expire(self, key: str) -> None:
        self.expired.append(key)

    def assert_no_timer(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_alarm_rings_once_when_its_time_has_come(self) -> None:
        self.timeouts.start("a")
        self.clock.advance(9.9)
        self.assertEqual(self.expired, [])
        self.clock.advance(0.1)
        self.clock.advance(100)
        self.assertEqual(self.expired, ["a"])
        self.assert_no_timer()

    def test_each_has_its_own_time_and_all_share_one_timer(self) -> None:
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

    def test_alarm_taken_back_does_not_ring(self) -> None:
        self.timeouts.start("a")
        self.clock.advance(1)
        self.timeouts.start("b")
        self.timeouts.cancel("a")
        self.clock.advance(9)
        self.assertEqual(self.expired, [])
        self.clock.advance(1)
        self.assertEqual(self.expired, ["b"])

    def test_last_alarm_taken_back_takes_the_timer_with_it(self) -> None:
        self.timeouts.start("a")
        self.timeouts.cancel("a")
        self.timeouts.cancel("never set")
        self.assert_no_timer()

    def test_alarm_set_again_counts_from_then(self) -> None:
        self.timeouts.start("a")
        self.clock.advance(6)
        self.timeouts.start("a")
        self.clock.advance(6)
        self.assertEqual(self.expired, [])
        self.clock.advance(4)
        self.assertEqual(self.expired, ["a"])

    def test_whoever_wakes_may_set_and_take_back_alarms(self) -> None:
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
