"""No text forges a line of the log."""

from __future__ import annotations

import importlib
import io
import pkgutil
import re
from typing import TYPE_CHECKING, cast

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import ILogObserver, LogPublisher, formatEvent, textFileLogObserver
from twisted.logger import Logger as AnyLogger  # noqa: TID251 - to find any
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

import channel_aa
from channel_aa.logs import (
    MAX_LENGTH,
    MAX_TRACEBACK_LENGTH,
    Logger,
    escape_failure,
    printable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FORGED = "alice\n2026-01-01T00:00:00 [channel_aa#info] all is well\r\x1b[2J\x9b2J"
HOSTILE_NAMES = (
    FORGED,
    "alice\x1b]0;title\x07\x1b[31m",
    "alice\r\n2026-01-01T00:00:00+0000 [-] forged",
    "alice\x85\x9b2J\u2028forged",
    "\u202egnp.exe\u2066",
    "\x1b" * 10_000,
    "alice" * 2_000,
)


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
        return lines_of(self.file)

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

    def test_failure_keeps_its_exception_and_its_traceback(self) -> None:
        failure = failure_of(ValueError("wrong"))
        self.log.failure("{what} failed", failure, what=FORGED)
        logged = self.events[0]["log_failure"]
        assert isinstance(logged, Failure)
        self.assertIs(logged.value, failure.value)
        self.assertTrue(logged.check(ValueError))
        self.assertEqual(logged.getTraceback(), failure.getTraceback())
        self.assertIn("in failure_of", self.file.getvalue())
        self.assertEqual(self.logged()[-1], "builtins.ValueError: wrong")

    def test_message_of_a_failure_cannot_forge_a_line(self) -> None:
        self.log.failure("It failed", failure_of(ValueError(FORGED)))
        self.assertIn("ValueError: alice\\n2026", self.logged()[-1])
        self.assert_printable_lines()

    def test_chained_failure_cannot_forge_a_line(self) -> None:
        failure = Failure(failure_of(ValueError(FORGED)))
        self.log.failure("It failed", failure)
        self.assert_printable_lines()

    def test_current_exception_is_logged(self) -> None:
        try:
            raise ValueError(FORGED)  # noqa: TRY301 - the test needs it
        except ValueError:
            self.log.failure("It failed")
        self.assertIn("ValueError: alice", self.logged()[-1])
        self.assert_printable_lines()

    def test_long_traceback_is_cut_in_the_middle(self) -> None:
        def recurse(depth: int) -> None:
            if depth:
                recurse(depth - 1)
            raise ValueError("deep")

        try:
            recurse(900)
        except ValueError:
            failure = Failure()
        self.assertGreater(len(failure.getTraceback()), 2 * MAX_TRACEBACK_LENGTH)
        self.log.failure("It failed", failure)
        self.assertLess(len(self.file.getvalue()), MAX_TRACEBACK_LENGTH + 1000)
        lines = self.logged()
        self.assertIn("Traceback", lines[1])
        self.assertEqual(lines[-1], "builtins.ValueError: deep")
        [left_out] = [line for line in lines if "…" in line]
        number = int(left_out.split()[1])
        whole = failure.getTraceback().splitlines()
        # The first line is the event's, and one stands for those that were left out.
        self.assertEqual(len(lines) - 2 + number, len(whole))

    def assert_printable_lines(self) -> None:
        for line in self.logged():
            self.assertTrue(line.isprintable(), line)
            self.assertNotRegex(line, "^2026-01-01")


class EveryLoggerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.file = io.StringIO()
        self.publisher = LogPublisher(textFileLogObserver(self.file))

    def test_no_name_controls_the_log(self) -> None:
        """Neither as a field nor in an exception's message."""
        loggers = list(loggers_of_the_package())
        self.assertGreater(len(loggers), 20)
        for logger in loggers:
            self.assertIsInstance(logger, Logger)
            self.patch(logger, "observer", self.publisher)
            for name in HOSTILE_NAMES:
                for failure in (None, failure_of(ValueError(name))):
                    self.file.seek(0)
                    self.file.truncate()
                    if failure is None:
                        logger.info("Channel {name} has entered", name=name)
                    else:
                        logger.failure("The call of {name} failed", failure, name=name)
                    self.assert_harmless()

    def assert_harmless(self) -> None:
        lines = lines_of(self.file)
        for line in lines:
            self.assertTrue(line.isprintable(), line)
            self.assertLess(len(line), MAX_LENGTH * 6 + 200)
        dated = [line for line in lines if re.match(r"\d{4}-\d\d-\d\d", line)]
        self.assertEqual(len(dated), 1)
        self.assertTrue(self.file.getvalue().replace("…", "").isascii())


class OtherLoggersTests(SynchronousTestCase):
    def test_failure_of_another_logger_is_escaped(self) -> None:
        file = io.StringIO()
        publisher = LogPublisher(escape_failure, textFileLogObserver(file))
        log = AnyLogger(namespace="test", observer=publisher)
        failure = failure_of(ValueError(FORGED))
        log.failure("It failed", failure)
        log.info("It works")
        *lines, last = lines_of(file)
        self.assertTrue(all(line.isprintable() for line in lines))
        self.assertIn("ValueError: alice\\n2026", lines[-1])
        self.assertIn("It works", last)


def lines_of(log: io.StringIO) -> list[str]:
    """Return the lines; Twisted puts a tab before those of a traceback."""
    lines = log.getvalue().split("\n")
    return [line.removeprefix("\t") for line in lines if line.strip("\t")]


def failure_of(error: Exception) -> Failure:
    """Return the failure of an exception that was raised."""
    try:
        raise error
    except type(error):
        return Failure()


def loggers_of_the_package() -> Iterator[AnyLogger]:
    """Find the loggers of all modules and of their classes."""
    for module_info in pkgutil.walk_packages(channel_aa.__path__, "channel_aa."):
        if module_info.name.endswith("__main__"):
            continue
        module = importlib.import_module(module_info.name)
        for each in vars(module).values():
            if isinstance(each, AnyLogger):
                yield each
            elif isinstance(each, type) and each.__module__ == module.__name__:
                members = vars(each).values()
                yield from (it for it in members if isinstance(it, AnyLogger))
