"""What the words for callers and for phones have in common."""

from __future__ import annotations

from math import isfinite

KEYS = frozenset("0123456789*#ABCD")
"""The keys of a phone."""


class ScriptError(ValueError):
    """A script cannot be understood, or could not be carried out."""


class StepError(ScriptError):
    """A step of a script cannot be understood.

    Attributes:
        step: the step as it is written.
        reason: what is wrong with it.
    """

    def __init__(self, number: int, step: str, reason: str) -> None:
        super().__init__(f"step {number} ({step!r}): {reason}")
        self.step = step
        self.reason = reason


def parse_seconds(text: str, hint: str) -> float:
    """Read a number of seconds, 0 or more.

    Raises:
        ScriptError: it is none; the message ends with the hint.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not isfinite(seconds) or seconds < 0:
        raise ScriptError(f"how many seconds? Write a number{hint}")
    return seconds
