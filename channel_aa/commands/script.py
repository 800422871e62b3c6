"""What a simulated caller does: the words of ``--press``.

With commas or line breaks between the steps::

    12#                     press keys, one after the other
    wait 12                 let so many seconds pass
    hear press-2            wait until this sound begins
    silence 3               wait until nothing was heard for so many seconds
    speak 4                 speak for so many seconds, into a recording
    phone PJSIP/410 busy    from now on that phone is busy
    hang up
    ended                   wait until the attendant ends the call

The caller is polite: keys are pressed, and the phone is put down, when it is the
caller's turn. Only behind ``wait``, ``hear``, ``silence`` and ``speak`` that is done at
once, so that ``hear or, 2`` interrupts the sound ``or``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from channel_aa.simulator.phone_behaviour import PhoneBehaviour
from channel_aa.simulator.script import (
    KEYS,
    HangUp,
    Press,
    ScriptError,
    Speak,
    parse_script,
)
from channel_aa.simulator.script import Step as CallersStep

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class SetPhone:
    """Have a phone behave so from now on."""

    endpoint: str
    phone: PhoneBehaviour
    words: str

    def __str__(self) -> str:
        return f"phone {self.endpoint} {self.words}"


Step: TypeAlias = "CallersStep | SetPhone"

ACTS = (Press, Speak, HangUp)
"""The steps that wait for the caller's turn."""

_SYNONYMS = {"hang up": "hangup", "no answer": "rings", "does not answer": "rings"}


def read_steps(text: str) -> Sequence[Step]:
    """Read a script.

    Raises:
        ScriptError: a step cannot be understood; the message names it.
    """
    written = (" ".join(each.split()) for each in re.split(r"[,\n]", text))
    return tuple(_read_step(each) for each in written if each)


def read_phone(text: str) -> SetPhone:
    """Read how a phone behaves: ``PJSIP/410 busy``.

    Raises:
        ScriptError: it cannot be understood.
    """
    endpoint, _, words = " ".join(text.split()).partition(" ")
    if "/" not in endpoint or not words:
        raise ScriptError(
            f"{text!r}: which phone does what? Write both: PJSIP/410 busy"
        )
    phone = PhoneBehaviour.parse(_SYNONYMS.get(words, words))
    return SetPhone(endpoint, phone, words)


def _read_step(text: str) -> Step:
    keys = text.upper().replace(" ", "")
    if KEYS.issuperset(keys):
        return Press(keys)
    word, _, rest = text.partition(" ")
    try:
        if word == "phone":
            return read_phone(rest)
        (step,) = parse_script(_SYNONYMS.get(text, text))
    except ScriptError as error:
        reason = str(error).partition("): ")[2] or str(error)
        raise ScriptError(f"{text!r}: {reason}") from None
    return step
