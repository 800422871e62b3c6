"""What a caller enters is logged, and summed up if it is too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.entry_log import MAX_PER_PERIOD, PERIOD_SECONDS, EntryLog
from channel_aa.dialogue.keypad import Keypad
from tests.support.attendant_fakes import FakeChannel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.logger import LogEvent

SECONDS_OF_A_PERSON = 0.35
"""The time between the entries of somebody who presses one key after another, without
listening."""


class EntryLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.keypad = Keypad(self.clock)
        channel = FakeChannel("c1")
        self.name = channel.name
        self.entries = EntryLog(channel, self.keypad, clock=self.clock)

    def add(self, count: int, *, every: float, digits: str = "8") -> list[str]:
        """Enter something several times; return what was logged."""
        with capturedLogs() as events:
            for _ in range(count):
                self.entries.add(digits, shown=digits, is_invalid=digits == "8")
                self.clock.advance(every)
        return self.texts(events)

    def flush(self) -> list[str]:
        with capturedLogs() as events:
            self.entries.flush()
        return self.texts(events)

    def texts(self, events: Sequence[LogEvent]) -> list[str]:
        texts = [formatEvent(event) for event in events]
        prefix = f"Channel {self.name} entered "
        self.assertTrue(all(text.startswith(prefix) for text in texts), texts)
        return [text.removeprefix(prefix) for text in texts]

    def test_valid_entry_is_one_line(self) -> None:
        self.assertEqual(self.add(1, every=1, digits="12"), ["12"])

    def test_invalid_entry_is_two_lines(self) -> None:
        self.assertEqual(self.add(1, every=1), ["8", "an invalid option!"])

    def test_nothing_is_summed_up_at_the_pace_of_a_person(self) -> None:
        lines = self.add(1000, every=SECONDS_OF_A_PERSON, digits="1")
        self.assertEqual(lines, ["1"] * 1000)
        self.assertEqual(self.flush(), [])
        self.assertFalse(self.keypad.is_noisy)

    def test_burst_is_not_summed_up(self) -> None:
        self.assertEqual(len(self.add(MAX_PER_PERIOD, every=0, digits="1")), 30)
        self.assertEqual(self.flush(), [])

    def test_excess_entries_are_summed_up_at_the_end(self) -> None:
        self.add(MAX_PER_PERIOD, every=0)
        self.assertEqual(self.add(40, every=0.075), [])
        self.assertTrue(self.keypad.is_noisy)
        self.assertEqual(
            self.flush(),
            ["40 keys in 3 s, too many to log each; invalid options among them: 40"],
        )
        self.assertEqual(self.flush(), [])

    def test_each_noisy_period_has_one_line(self) -> None:
        self.add(MAX_PER_PERIOD, every=0)
        lines = self.add(100 * 10, every=0.1)
        self.assertEqual(len(lines), 9)
        self.assertIn("keys in 10 s", lines[-1])

    def test_entries_are_logged_again_after_a_calm_period(self) -> None:
        self.add(MAX_PER_PERIOD + 7, every=0, digits="1")
        self.clock.advance(PERIOD_SECONDS)
        self.assertEqual(len(self.add(1, every=0, digits="2")), 1)  # the sum
        self.assertIn("1 keys in 1 s", self.flush()[0])
        self.clock.advance(PERIOD_SECONDS)
        self.assertEqual(self.add(1, every=0, digits="3"), ["3"])
        self.assertFalse(self.keypad.is_noisy)

    def test_entry_after_a_pause_is_logged_with_the_sum_before_it(self) -> None:
        self.add(MAX_PER_PERIOD + 7, every=0, digits="12")
        self.clock.advance(2 * PERIOD_SECONDS)
        summed = "14 keys in 1 s, too many to log each; invalid options among them: 0"
        self.assertEqual(self.add(1, every=0, digits="3"), [summed, "3"])
