"""A logger that escapes control characters, against forged log lines (CWE-117).

Much of what is logged comes from others: a caller's name from the caller, an error
from the server at Asterisk's address. A line break in it would begin a forged log
line, and an escape sequence would control the terminal that shows it. So all modules
of this project use the `Logger` of this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger as AnyLogger  # noqa: TID251 - the base class

if TYPE_CHECKING:
    from twisted.logger import LogLevel

MAX_LENGTH = 2000
"""Texts are truncated to this number of characters."""


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


class Logger(AnyLogger):
    """Twisted's logger, with `printable` fields.

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
        super().emit(level, format, **fields)
