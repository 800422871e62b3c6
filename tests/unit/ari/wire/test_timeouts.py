from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.timeouts import Timeouts


class AlarmTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.rung: list[str] = []
        self.alarms: Timeouts[str] = Timeouts(10, self.ring, clock=self.clock)

    def ring(self, sleeper: str) -> None:
        self.rung.append(sleeper)

    def assert_no_timer(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_alarm_rings_once_when_its_time_has_come(self) -> None:
        self.alarms.set("a")
        self.clock.advance(9.9)
        self.assertEqual(self.rung, [])
        self.clock.advance(0.1)
        self.clock.advance(100)
        self.assertEqual(self.rung, ["a"])
        self.assert_no_timer()

    def test_each_has_its_own_time_and_all_share_one_timer(self) -> None:
        for sleeper in "abc":
            self.alarms.set(sleeper)
            self.clock.advance(1)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(7)
        self.assertEqual(self.rung, ["a"])
        self.clock.advance(1)
        self.assertEqual(self.rung, ["a", "b"])
        self.clock.advance(1)
        self.assertEqual(self.rung, ["a", "b", "c"])
        self.assert_no_timer()

    def test_alarm_taken_back_does_not_ring(self) -> None:
        self.alarms.set("a")
        self.clock.advance(1)
        self.alarms.set("b")
        self.alarms.take_back("a")
        self.clock.advance(9)
        self.assertEqual(self.rung, [])
        self.clock.advance(1)
        self.assertEqual(self.rung, ["b"])

    def test_last_alarm_taken_back_takes_the_timer_with_it(self) -> None:
        self.alarms.set("a")
        self.alarms.take_back("a")
        self.alarms.take_back("never set")
        self.assert_no_timer()

    def test_alarm_set_again_counts_from_then(self) -> None:
        self.alarms.set("a")
        self.clock.advance(6)
        self.alarms.set("a")
        self.clock.advance(6)
        self.assertEqual(self.rung, [])
        self.clock.advance(4)
        self.assertEqual(self.rung, ["a"])

    def test_whoever_wakes_may_set_and_take_back_alarms(self) -> None:
        def ring(sleeper: str) -> None:
            self.rung.append(sleeper)
            self.alarms.take_back("b")
            if len(self.rung) < 3:
                self.alarms.set("a")

        self.alarms = Timeouts(10, ring, clock=self.clock)
        self.alarms.set("a")
        self.alarms.set("b")
        self.clock.pump([10, 10, 10])
        self.assertEqual(self.rung, ["a", "a", "a"])
        self.assert_no_timer()
