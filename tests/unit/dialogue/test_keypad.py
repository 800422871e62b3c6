from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.dialogue.keypad import KEYS_LOST, MAX_KEPT, MAX_PER_SECOND, Keypad


class KeypadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.keypad = Keypad(self.clock)

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_pending_next_key_gets_the_key(self) -> None:
        key = self.keypad.next_key(10)
        self.keypad.press("5")
        self.assertEqual(self.successResultOf(key), "5")
        self.assertFalse(self.keypad.has_keys)

    def test_type_ahead_is_kept_in_order(self) -> None:
        for key in "12#":
            self.keypad.press(key)
        self.assertTrue(self.keypad.has_keys)
        taken = [self.successResultOf(self.keypad.next_key(10)) for _ in range(3)]
        self.assertEqual(taken, ["1", "2", "#"])
        self.assertFalse(self.keypad.has_keys)

    def test_second_key_is_kept_for_the_next_call(self) -> None:
        first = self.keypad.next_key(10)
        self.keypad.press("1")
        self.keypad.press("2")
        self.assertEqual(self.successResultOf(first), "1")
        self.assertEqual(self.successResultOf(self.keypad.next_key(10)), "2")

    def test_timeout_gives_no_key(self) -> None:
        key = self.keypad.next_key(10)
        self.clock.advance(9.9)
        self.assertNoResult(key)
        self.clock.advance(0.1)
        self.assertIsNone(self.successResultOf(key))

    def test_key_after_the_timeout_is_kept(self) -> None:
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

    def test_key_calls_the_interrupt_and_is_kept(self) -> None:
        interruptions: list[str] = []
        self.keypad.interrupt_with(lambda: interruptions.append("stop"))
        self.keypad.press("1")
        self.keypad.press("2")
        self.keypad.interrupt_with(None)
        self.keypad.press("3")
        self.assertEqual(interruptions, ["stop", "stop"])
        self.assertEqual(self.successResultOf(self.keypad.next_key(10)), "1")

    def test_clear_discards_keys(self) -> None:
        self.keypad.press("1")
        self.keypad.clear()
        self.assertFalse(self.keypad.has_keys)

    def test_number_of_kept_keys_is_limited(self) -> None:
        for _ in range(MAX_KEPT + 1):
            self.clock.advance(1)
            self.keypad.press("1")
        self.assertEqual((self.keypad.presses, self.keypad.ignored), (MAX_KEPT, 1))

    def test_reported_loss_ends_a_pending_next_key(self) -> None:
        key = self.keypad.next_key(10)
        self.keypad.report_loss()
        self.assertEqual(self.successResultOf(key), KEYS_LOST)

    def test_reported_loss_without_a_pending_next_key_does_nothing(self) -> None:
        self.keypad.report_loss()
        self.assertFalse(self.keypad.has_keys)

    def end_entry(self, keys: str = "1") -> None:
        """Press keys, take the first as an entry, and end it."""
        for key in keys:
            self.keypad.press(key)
        self.successResultOf(self.keypad.next_key(10))
        self.keypad.end_entry("#", 2)

    def keys_left(self, *, uses_terminator: bool = False) -> str:
        """Begin a menu, and return the keys that it gets."""
        self.keypad.begin_menu(uses_terminator=uses_terminator)
        taken = ""
        while self.keypad.has_keys:
            taken += str(self.successResultOf(self.keypad.next_key(10)))
        return taken

    def test_terminator_behind_an_entry_belongs_to_it_once(self) -> None:
        self.end_entry()
        self.clock.advance(2)
        self.keypad.press("#")
        self.keypad.press("#")
        self.assertEqual(self.keys_left(), "#")

    def test_terminator_behind_an_entry_interrupts_nothing(self) -> None:
        interruptions: list[str] = []
        self.end_entry()
        self.keypad.interrupt_with(lambda: interruptions.append("stop"))
        self.keypad.press("#")
        self.assertEqual(interruptions, [])

    def test_terminator_after_the_seconds_is_a_key(self) -> None:
        self.end_entry()
        self.clock.advance(2.1)
        self.keypad.press("#")
        self.assertEqual(self.keys_left(), "#")

    def test_terminator_after_another_key_is_a_key(self) -> None:
        self.end_entry()
        for key in "2#":
            self.keypad.press(key)
        self.assertEqual(self.keys_left(), "2#")

    def test_terminator_in_the_buffer_belongs_to_the_entry(self) -> None:
        self.end_entry("1#2")
        self.keypad.press("#")
        self.assertEqual(self.keys_left(), "2#")

    def test_seconds_count_from_the_press_of_the_last_key(self) -> None:
        self.keypad.press("1")
        self.clock.advance(1.9)
        self.end_entry("#")
        self.assertEqual(self.keys_left(), "")
        self.keypad.press("1")
        self.clock.advance(2.1)
        self.end_entry("#")
        self.assertEqual(self.keys_left(), "#")

    def test_terminator_that_the_next_menu_uses_is_its_first_key(self) -> None:
        for keys in ("1#2", "1"):
            self.end_entry(keys)
            if keys == "1":
                for key in "#2":
                    self.keypad.press(key)
            self.assertEqual(self.keys_left(uses_terminator=True), "#2")

    def test_terminator_in_a_menu_that_uses_it_is_a_key(self) -> None:
        self.end_entry()
        self.assertEqual(self.keys_left(uses_terminator=True), "")
        self.keypad.press("#")
        self.assertEqual(self.keys_left(), "#")

    def test_terminator_of_an_earlier_menu_is_forgotten(self) -> None:
        self.end_entry("1#")
        self.assertEqual(self.keys_left(), "")
        self.assertEqual(self.keys_left(uses_terminator=True), "")

    def test_cleared_terminator_is_forgotten(self) -> None:
        self.end_entry("1#")
        self.keypad.clear()
        self.assertEqual(self.keys_left(uses_terminator=True), "")

    def test_burst_of_keys_is_kept_up_to_the_size_of_the_buffer(self) -> None:
        for _ in range(1000):
            self.keypad.press("1")
        self.assertEqual(self.keypad.presses, MAX_KEPT)
        self.assertEqual(self.keypad.ignored, 1000 - MAX_KEPT)

    def test_rate_of_keys_is_limited_in_the_long_run(
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

    def test_clock_that_is_set_back_rejects_no_key(self) -> None:
        self.keypad.press("1")
        self.clock.rightNow -= 3600
        self.keypad.press("2")
        self.assertEqual(self.keypad.ignored, 0)
