"""No text forges a line of the log."""

from __future__ import annotations

import io
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import ILogObserver, LogPublisher, formatEvent, textFileLogObserver
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.logs import MAX_LENGTH, Logger, printable

FORGED = "alice\n2026-01-01T00:00:00 [channel_aa#info] all is well\r\x1b[2J\x9b2J"


class PrintableTests(SynchronousTestCase):
    def test_letters_of_all_scripts_are_kept(self) -> None:
        for text in ("", "PJSIP/alice-00000001", "Zoë Müller", "Дарья", "李", "\\n"):
            self.assertEqual(printable(text), text)

    def test_control_characters_are_escaped(self) -> None:
        self.assertEqual(
            printable("a\nb\r\x1b[0m\x9b\x00\x7f"), r"a\nb\r\x1b[0m\x9b\x00\x7f"
        )

    def test_bidirectional_marks_and_line_separators_are_escaped(self) -> None:
        self.assertEqual(printable("\u202e\u2028\u2029\x85"), r"\u202e\u2028\u2029\x85")

    def test_surrogate_is_escaped(self) -> None:
        self.assertEqual(printable("\ud83d"), r"\ud83d")

    def test_long_text_is_truncated(self) -> None:
        self.assertEqual(printable("x" * MAX_LENGTH), "x" * MAX_LENGTH)
        self.assertEqual(printable("x" * (MAX_LENGTH + 1)), "x" * MAX_LENGTH + "…")

    @given(st.text())
    def test_each_text_becomes_one_printable_line(self, text: str) -> None:
        self.assertTrue(printable(text).isprintable())


class LoggerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.file = io.StringIO()
        self.events: list[dict[str, object]] = []
        publisher = LogPublisher(
            textFileLogObserver(self.file), cast("ILogObserver", self.events.append)
        )
        self.log = Logger(namespace="test", observer=publisher)

    def logged(self) -> list[str]:
        return self.file.getvalue().splitlines()

    def test_field_cannot_forge_a_line(self) -> None:
        self.log.info("Channel {channel} has entered", channel=FORGED)
        [line] = self.logged()
        self.assertIn("[test#info] Channel alice\\n2026", line)
        self.assertTrue(line.isprintable())

    def test_error_cannot_forge_a_line(self) -> None:
        self.log.error("It failed: {error}", error=ValueError(FORGED))
        [line] = self.logged()
        self.assertTrue(line.isprintable())

    def test_each_level_escapes_fields(self) -> None:
        for write in (
            self.log.debug,
            self.log.info,
            self.log.warn,
            self.log.error,
            self.log.critical,
        ):
            write("{text}", text=FORGED)
        self.assertEqual(len(self.logged()), 5)

    def test_numbers_stay_numbers(self) -> None:
        self.log.info("{count} in {delay:.1f} s", count=3, delay=0.25)
        self.assertEqual(formatEvent(self.events[0]), "3 in 0.2 s")

    def test_failure_keeps_its_traceback(self) -> None:
        failure = Failure(ValueError("wrong"))
        self.log.failure("{what} failed", failure, what=FORGED)
        self.assertIs(self.events[0]["log_failure"], failure)
        self.assertIn("ValueError: wrong", "\n".join(self.logged()))
