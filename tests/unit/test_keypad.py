from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.keypad import Keypad


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
