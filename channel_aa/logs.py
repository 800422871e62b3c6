"""The log, whose lines nobody outside can forge.

Much of what is logged was written by others: a caller's name by the caller, an
error by whatever answers at Asterisk's address. A line break in it would begin a
line that looks like one of ours, and an escape sequence would steer the terminal
that shows it. So every part of this project logs with the `Logger` of this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger as AnyLogger  # noqa: TID251 - made safe here

if TYPE_CHECKING:
    from twisted.logger import LogLevel

LONGEST = 2000
"""How many characters of a text are kept."""


def printable(text: str) -> str:
    """Write a text on one line: what has no shape of its own as an escape.

    That is control characters, line separators, marks that change the direction of
    writing, and halves of characters. Letters of every language stay as they are.
    A text of more than `LONGEST` characters is cut.
    """
    if text.isprintable() and len(text) <= LONGEST:
        return text
    shown = "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in text[:LONGEST]
    )
    return shown if len(text) <= LONGEST else f"{shown}…"


class Logger(AnyLogger):
    """Twisted's logger, with fields whose text is `printable`.

    A field that is no number becomes its text when it is logged, so a format can
    name fields, and not their attributes.
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
                if not field.isprintable() or len(field) > LONGEST:
                    fields[name] = printable(field)
            elif not (isinstance(field, int | float) or name.startswith("log_")):
                fields[name] = printable(str(field))
        super().emit(level, format, **fields)
