"""What a caller is to do: a list of steps, and how it is written.

The words of a script, with commas or newlines between the steps::

    press 1          press keys, one after the other: press 12#
    wait 2.5         let so many seconds pass
    hear press-2     wait until this sound begins
    silence 1        wait until nothing was heard for so many seconds
    speak 2          say something for so many seconds, as into a recording
    hangup           hang up
    ended            wait until the application ends the call
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEYS = frozenset("0123456789*#ABCD")


class ScriptError(ValueError):
    """A script cannot be understood, or could not be carried out."""


@dataclass(frozen=True)
class Press:
    """Press keys."""

    keys: str

    def __str__(self) -> str:
        return f"press {self.keys}"


@dataclass(frozen=True)
class Wait:
    """Let some seconds pass."""

    seconds: float

    def __str__(self) -> str:
        return f"wait {self.seconds:g}"


@dataclass(frozen=True)
class Hear:
    """Wait until a sound begins.

    Only a sound that began after the last key, and after what an earlier `Hear`
    waited for, counts: so does one that began in between.
    """

    sound: str

    def __str__(self) -> str:
        return f"hear {self.sound}"

    def matches(self, media: str) -> bool:
        """Say whether this media URI is the sound; ``sound:`` may be left out."""
        return media in {self.sound, f"sound:{self.sound}"}


@dataclass(frozen=True)
class Silence:
    """Wait until nothing was heard for some seconds."""

    seconds: float

    def __str__(self) -> str:
        return f"silence {self.seconds:g}"


@dataclass(frozen=True)
class Speak:
    """Say something, and go on when it is said."""

    seconds: float

    def __str__(self) -> str:
        return f"speak {self.seconds:g}"


@dataclass(frozen=True)
class HangUp:
    """Hang up."""

    def __str__(self) -> str:
        return "hangup"


@dataclass(frozen=True)
class Ended:
    """Wait until the call is over."""

    def __str__(self) -> str:
        return "ended"


Step: TypeAlias = Press | Wait | Hear | Silence | Speak | HangUp | Ended


def parse_script(text: str) -> tuple[Step, ...]:
    """Read a script.

    Raises:
        ScriptError: a step cannot be understood; the message names it.
    """
    written = [step.strip() for step in re.split(r"[,\n]", text)]
    return tuple(
        _parse_step(number, step)
        for number, step in enumerate(filter(None, written), start=1)
    )


def _parse_step(number: int, text: str) -> Step:
    word, *rest = text.split()
    argument = " ".join(rest)
    try:
        return _STEPS.get(word, _unknown)(argument)
    except ScriptError as error:
        raise ScriptError(f"step {number} ({text!r}): {error}") from None


def _unknown(_argument: str) -> Step:
    raise ScriptError(f"no such step; the steps are {', '.join(_STEPS)}")


def _press(argument: str) -> Step:
    keys = argument.replace(" ", "").upper()
    if not keys:
        raise ScriptError("which keys? Write them after it: press 12#")
    unknown = sorted(set(keys) - KEYS)
    if unknown:
        raise ScriptError(f"no such key: {unknown[0]!r}; keys are 0-9, *, # and A-D")
    return Press(keys)


def _wait(argument: str) -> Step:
    return Wait(_seconds(argument))


def _silence(argument: str) -> Step:
    return Silence(_seconds(argument or "1"))


def _speak(argument: str) -> Step:
    return Speak(_seconds(argument or "1"))


def _hear(argument: str) -> Step:
    if not argument or " " in argument:
        raise ScriptError("which sound? Write one name after it: hear press-1")
    return Hear(argument)


def _hang_up(argument: str) -> Step:
    _nothing(argument)
    return HangUp()


def _ended(argument: str) -> Step:
    _nothing(argument)
    return Ended()


def _nothing(argument: str) -> None:
    if argument:
        raise ScriptError(f"nothing is to follow it, not {argument!r}")


def _seconds(argument: str) -> float:
    try:
        seconds = float(argument)
    except ValueError:
        seconds = -1.0
    if not isfinite(seconds) or seconds < 0:
        raise ScriptError("how many seconds? Write a number after it: wait 2.5")
    return seconds


_STEPS: Mapping[str, Callable[[str], Step]] = {
    "press": _press,
    "wait": _wait,
    "hear": _hear,
    "silence": _silence,
    "speak": _speak,
    "hangup": _hang_up,
    "ended": _ended,
}
