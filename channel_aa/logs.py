"""A logger that escapes control characters, against forged log lines (CWE-117).

Much of what is logged comes from others: a caller's name from the caller, an error
from the server at Asterisk's address. A line break in it would begin a forged log
line, and an escape sequence would control the terminal that shows it. So all modules
of this project use the `Logger` of this module, and the daemon has the failures of
other loggers pass through `escape_failure`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import ILogObserver
from twisted.logger import Logger as AnyLogger  # noqa: TID251 - the base class
from twisted.python.failure import Failure
from twisted.python.reflect import safe_str
from zope.interface import provider

if TYPE_CHECKING:
    from twisted.logger import LogEvent, LogLevel

MAX_LENGTH = 2000
"""Texts are truncated to this number of characters."""

MAX_TRACEBACK_LENGTH = 20_000
"""Tracebacks are cut to some more than this number of characters, in the middle."""


def printable(text: str) -> str:
    """Escape the characters that `str.isprintable` excludes, and truncate the text.

    These are control characters, line separators, bidirectional formatting characters
    and surrogates. Letters of all scripts are printable.
    """
    if text.isprintable() and len(text) <= MAX_LENGTH:
        return text
    shown = "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in text[:MAX_LENGTH]
    )
    return shown if len(text) <= MAX_LENGTH else f"{shown}…"


class PrintableFailure(Failure):
    """A failure whose traceback has `printable` lines.

    Its exception is the original one; only the traceback is changed.
    """

    @classmethod
    def of(cls, failure: Failure) -> Failure:
        """Make one of a failure."""
        made = cls.__new__(cls)
        made.__dict__.update(failure.__dict__)
        return made

    def getTraceback(  # noqa: N802 - Twisted's name
        self,
        elideFrameworkCode: int = 0,  # noqa: N803 - Twisted's name
        detail: str = "default",
    ) -> str:
        """Return the traceback."""
        shown = Failure.__new__(Failure)
        # Only the message may have a line break that is none of the traceback's.
        message = Exception(printable(safe_str(self.value)))
        shown.__dict__.update(self.__dict__, value=message)
        text = Failure.getTraceback(shown, elideFrameworkCode, detail)
        lines = [printable(line) for line in text.split("\n")]
        return _cut_in_the_middle("\n".join(lines))


@provider(ILogObserver)
def escape_failure(event: LogEvent) -> None:
    """Replace a log event's failure by its `PrintableFailure`.

    An observer of the whole process, for the loggers of Twisted and others. It has to
    precede those that write the log.
    """
    failure = event.get("log_failure")
    if failure is None and "log_text" in event:
        # Of twisted.python.log.err, which has put the traceback into the text.
        failure = event.get("failure")
        if isinstance(failure, Failure):
            event["log_text"] = printable(safe_str(event["why"] or "Unhandled Error"))
    if isinstance(failure, Failure) and not isinstance(failure, PrintableFailure):
        event["log_failure"] = PrintableFailure.of(failure)


def _cut_in_the_middle(traceback: str) -> str:
    """Cut a traceback; its beginning and its end, with the message, say most."""
    if len(traceback) <= MAX_TRACEBACK_LENGTH:
        return traceback
    half = MAX_TRACEBACK_LENGTH // 2
    beginning = traceback[:half].rpartition("\n")[0]
    end = traceback[-half:].partition("\n")[2]
    left_out = traceback.count("\n") - beginning.count("\n") - end.count("\n") - 1
    return f"{beginning}\n  … {left_out} lines …\n{end}"


class Logger(AnyLogger):
    """Twisted's logger, with `printable` fields and tracebacks.

    A field that is no number is converted to a string when it is logged, so a format
    can use fields, but not their attributes.
    """

    def emit(
        self,
        level: LogLevel,
        format: str | None = None,  # noqa: A002 - Twisted's name
        **fields: object,
    ) -> None:
        """Log an event; the arguments are those of Twisted's logger."""
        for name, field in fields.items():
            if isinstance(field, str):
                if not field.isprintable() or len(field) > MAX_LENGTH:
                    fields[name] = printable(field)
            elif not (isinstance(field, int | float) or name.startswith("log_")):
                fields[name] = printable(str(field))
        if "log_failure" in fields:
            escape_failure(fields)
        super().emit(level, format, **fields)
