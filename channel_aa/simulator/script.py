"""The script of a caller: its steps, and how they are written.

With commas or line breaks between the steps::

    press 12#               press keys, one after the other
    12#                     the same
    wait 2.5                let so many seconds pass
    hear press-2            wait until this sound begins
    silence 1               wait until nothing was heard for so many seconds
    speak 2                 speak for so many seconds, as into a recording
    phone PJSIP/410 busy    from now on this phone is busy
    hangup                  hang up; also: hang up
    ended                   wait until the application ends the call

What a phone can do is in `channel_aa.simulator.phone_behaviour`.
"""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass
from typing import ClassVar, TypeAlias

from channel_aa.simulator.phone_behaviour import (
    KEYS,
    PhoneBehaviour,
    ScriptError,
    parse_seconds,
)

_WORDS = "press, wait, hear, silence, speak, phone, hang up, ended"


@dataclass(frozen=True)
class _Step:
    """A step, which is written as a word and its arguments."""

    word: ClassVar[str]

    def __str__(self) -> str:
        values = astuple(self)
        texts = [each if isinstance(each, str) else f"{each:g}" for each in values]
        return " ".join([self.word, *texts])


@dataclass(frozen=True)
class Press(_Step):
    """Press keys."""

    word = "press"
    keys: str


@dataclass(frozen=True)
class Hear(_Step):
    """Wait until a sound begins.

    Only a sound that began after the last key, and after the sound of an earlier
    `Hear`, counts; also one that began before this step.
    """

    word = "hear"
    sound: str

    def matches(self, media: str) -> bool:
        """Return whether this media URI is the sound; ``sound:`` may be left out."""
        return media in {self.sound, f"sound:{self.sound}"}


@dataclass(frozen=True)
class Wait(_Step):
    """Let some seconds pass."""

    word = "wait"
    seconds: float


@dataclass(frozen=True)
class Silence(_Step):
    """Wait until nothing was heard for some seconds."""

    word = "silence"
    seconds: float


@dataclass(frozen=True)
class Speak(_Step):
    """Speak for some seconds."""

    word = "speak"
    seconds: float


@dataclass(frozen=True)
class SetPhone(_Step):
    """Change how a phone behaves from now on; `behaviour` is how that is written."""

    word = "phone"
    endpoint: str
    behaviour: str


@dataclass(frozen=True)
class HangUp(_Step):
    """Hang up."""

    word = "hangup"


@dataclass(frozen=True)
class Ended(_Step):
    """Wait until the call is over."""

    word = "ended"


Step: TypeAlias = Press | Wait | Hear | Silence | Speak | SetPhone | HangUp | Ended


def parse_script(text: str) -> tuple[Step, ...]:
    """Read a script.

    Raises:
        ScriptError: a step cannot be understood; it names the step.
    """
    written = (" ".join(step.split()) for step in re.split(r"[,\n]", text))
    steps = []
    for number, step in enumerate(filter(None, written), start=1):
        try:
            steps.append(_parse_step(step))
        except ScriptError as error:
            raise ScriptError(f"step {number} ({step!r}): {error}") from None
    return tuple(steps)


def parse_phone(text: str) -> SetPhone:
    """Read how a phone behaves: ``PJSIP/410 busy``.

    Raises:
        ScriptError: it cannot be understood.
    """
    endpoint, _, words = " ".join(text.split()).partition(" ")
    if "/" not in endpoint or not words:
        raise ScriptError(
            f"{text!r}: write an endpoint and what it does: PJSIP/410 busy"
        )
    PhoneBehaviour.parse(words)
    return SetPhone(endpoint, words)


def _parse_step(text: str) -> Step:
    if KEYS.issuperset(text.upper().replace(" ", "")):
        text = f"press {text}"
    word, _, argument = text.partition(" ")
    match word:
        case "press":
            return _press(argument)
        case "hear":
            if not argument or " " in argument:
                raise ScriptError("write one sound after it: hear press-1")
            return Hear(argument)
        case "wait" | "silence" | "speak":
            return _timed(word, argument)
        case "phone":
            return parse_phone(argument)
        case "hang" if argument == "up":
            return HangUp()
        case "hangup" | "ended":
            if argument:
                raise ScriptError(f"write {word} alone, without {argument!r}")
            return HangUp() if word == "hangup" else Ended()
        case _:
            raise ScriptError(f"unknown step; the steps are {_WORDS}")


def _press(argument: str) -> Press:
    keys = argument.replace(" ", "").upper()
    if not keys:
        raise ScriptError("write keys after it: press 12#")
    unknown = sorted(set(keys) - KEYS)
    if unknown:
        raise ScriptError(f"no such key: {unknown[0]!r}; keys are 0-9, *, # and A-D")
    return Press(keys)


def _timed(word: str, argument: str) -> Wait | Silence | Speak:
    if word != "wait":
        argument = argument or "1"
    seconds = parse_seconds(argument, " after it: wait 2.5")
    (step,) = (each for each in (Wait, Silence, Speak) if each.word == word)
    return step(seconds)
