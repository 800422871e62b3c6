from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.keypad import KEYS_LOST, MAX_KEPT, MAX_PER_SECOND, Keypad


class KeypadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.keypad = Keypad(self.clock)

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_key_pressed_while_somebody_waits_is_theirs(self) -> None:
        key = self.keypad.next_key(10)
        self.keypad.press("5")
        self.assertEqual(self.successResultOf(key), "5")
        self.assertFalse(self.keypad.has_keys)

    def test_keys_pressed_while_nobody_waits_are_kept_in_order(self) -> None:
        for key in "12#":
            self.keypad.press(key)
        self.assertTrue(self.keypad.has_keys)
        taken = [self.successResultOf(self.keypad.next_key(10)) for _ in range(3)]
        self.assertEqual(taken, ["1", "2", "#"])
        self.assertFalse(self.keypad.has_keys)

    def test_second_key_of_a_pair_waits_for_its_turn(self) -> None:
        first = self.keypad.next_key(10)
        self.keypad.press("1")
        self.keypad.press("2")
        self.assertEqual(self.successResultOf(first), "1")
        self.assertEqual(self.successResultOf(self.keypad.next_key(10)), "2")

    def test_silence_ends_the_wait_with_nothing(self) -> None:
        key = self.keypad.next_key(10)
        self.clock.advance(9.9)
        self.assertNoResult(key)
        self.clock.advance(0.1)
        self.assertIsNone(self.successResultOf(key))

    def test_key_after_the_silence_is_kept(self) -> None:
        self.keypad.next_key(10)
        self.clock.advance(10)
        self.keypad.press("7")
        self.assertEqual(self.successResultOf(self.keypad.next_key(10)), "7")

    def test_cancelled_wait_leaves_no_timer_and_takes_no_key(self) -> None:
        key = self.keypad.next_key(10)
        key.cancel()
        self.failureResultOf(key, CancelledError)
        self.keypad.press("7")
        self.assertTrue(self.keypad.has_keys)

    def test_key_interrupts_what_asked_for_it_and_is_kept(self) -> None:
        interruptions: list[str] = []
        self.keypad.interrupt_with(lambda: interruptions.append("stop"))
        self.keypad.press("1")
        self.keypad.press("2")
        self.keypad.interrupt_with(None)
        self.keypad.press("3")
        self.assertEqual(interruptions, ["stop", "stop"])
        self.assertEqual(self.successResultOf(self.keypad.next_key(10)), "1")

    def test_forgotten_keys_are_nobody_s(self) -> None:
        self.keypad.press("1")
        self.keypad.clear()
        self.assertFalse(self.keypad.has_keys)

    def test_whoever_waits_can_be_woken_without_a_key(self) -> None:
        key = self.keypad.next_key(10)
        self.keypad.report_loss()
        self.assertEqual(self.successResultOf(key), KEYS_LOST)

    def test_waking_nobody_does_nothing(self) -> None:
        self.keypad.report_loss()
        self.assertFalse(self.keypad.has_keys)

    def test_key_that_is_not_wanted_is_ignored_if_it_is_the_next(self) -> None:
        self.keypad.ignore_next("#", 2)
        self.clock.advance(2)
        self.keypad.press("#")
        self.keypad.press("#")
        self.assertEqual(self.successResultOf(self.keypad.next_key(10)), "#")
        self.assertFalse(self.keypad.has_keys)

    def test_key_that_is_not_wanted_is_taken_after_another_and_later(self) -> None:
        self.keypad.ignore_next("#", 2)
        for key in "1#":
            self.keypad.press(key)
        self.keypad.clear()
        self.keypad.ignore_next("#", 2)
        self.clock.advance(2.1)
        self.keypad.press("#")
        self.assertTrue(self.keypad.has_keys)

    def test_key_that_is_not_wanted_may_be_there_already(self) -> None:
        for key in "#1":
            self.keypad.press(key)
        self.keypad.ignore_next("#", 2)
        self.assertEqual(self.successResultOf(self.keypad.next_key(10)), "1")

    def test_burst_of_keys_is_kept_up_to_its_bound(self) -> None:
        for _ in range(1000):
            self.keypad.press("1")
        self.assertEqual(self.keypad.presses, MAX_KEPT)
        self.assertEqual(self.keypad.ignored, 1000 - MAX_KEPT)

    def test_no_more_keys_are_taken_in_the_long_run_than_a_telephone_sends(
        self,
    ) -> None:
        for _ in range(60 * 200):
            self.keypad.press("1")
            self.keypad.clear()
            self.clock.advance(1 / 200)
        self.assertLessEqual(self.keypad.presses, MAX_KEPT + 60 * MAX_PER_SECOND)

    def test_fastest_telephone_loses_no_key(self) -> None:
        for _ in range(1000):
            self.keypad.press("1")
            self.keypad.next_key(10)
            self.clock.advance(0.08)
        self.assertEqual(self.keypad.ignored, 0)

    def test_clock_that_is_set_back_takes_no_key_away(self) -> None:
        self.keypad.press("1")
        self.clock.rightNow -= 3600
        self.keypad.press("2")
        self.assertEqual(self.keypad.ignored, 0)
