"""The sounds of a test's Asterisk: short tones of known length."""

from __future__ import annotations

import math
import struct
import wave
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FRAMES_A_SECOND = 8000
HERTZ = 440

_REMARKS = ("option-is-invalid", "are-you-still-there")
_EXPLANATIONS = (
    *("im-sorry", "vm-extension", "vm-isonphone"),
    *("number-not-answering", "vm-nobodyavail"),
)
_DIALPLAN = (
    *("all-circuits-busy-now", "please-try-call-later", "beep", "vm-goodbye"),
    # What voicemail and the directory say.
    *("vm-theperson", "vm-isunavail", "vm-intro", "vm-msgsaved"),
    *("dir-welcome", "dir-pls-enter", "dir-usingkeypad", "dir-nomatch"),
    *("dir-firstlast", "dir-first", "dir-last", "dir-instr", "dir-nomore"),
)
_KEYS = (
    *(f"digits/{digit}" for digit in range(10)),
    "digits/star",
    "digits/pound",
    *(f"letters/{letter}" for letter in "abcd"),
)

PRESS_1 = "press-1"
"""The first sound of the default menu, and the word that a caller says."""

LONG = "demo-congrats"
"""A sound of 5 s: it still plays after the next steps of a test."""

QUIET = "silence/5"
"""Silence of the same length."""

SLOW = "demo-thanks"
"""A sound of 1.5 s: long enough to press a key, short enough to hear to its end."""

_MENU = (PRESS_1, "or", "press-2", "you-entered")
_CONFIRMATION = ("followme/no-recording", "followme/options")
_REVIEW = ("vm-review", "vm-star-cancel", "vm-tooshort")

_BANK = (
    *("vm-password", "vm-incorrect", "vm-press", "vm-youhave", "vm-and"),
    *("digits/50", "digits/hundred", "digits/dollars"),
)

_PROGRAMS = ("conf-onlyperson", "vm-messages", "vm-deleted", "vm-nomore")

SOUNDS: Mapping[str, float] = {
    # Long enough to press a key before the end.
    **dict.fromkeys((*_MENU, *_CONFIRMATION), 0.8),
    **dict.fromkeys((*_REMARKS, *_REVIEW, *_KEYS), 0.4),
    **dict.fromkeys((*_DIALPLAN, *_EXPLANATIONS, *_BANK, *_PROGRAMS), 0.2),
    # One word of some length, played by number:20.
    "digits/20": 2.0,
    SLOW: 1.5,
    LONG: 5.0,
    QUIET: 5.0,
}
"""The sounds of the menus, of a failed dial and of the shipped dialplan, in seconds.

Asterisk's own recordings last longer, and Debian does not package all of them.
"""


def write_sounds(folder: Path, seconds: Mapping[str, float]) -> None:
    """Write a WAV file for each sound: a tone, or silence for names in ``silence/``.

    Args:
        folder: where Asterisk looks for sounds.
        seconds: the length of each sound, by its name.
    """
    for name, length in seconds.items():
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(FRAMES_A_SECOND)
            sound.writeframes(
                _silence(length) if name.startswith("silence/") else tone(length)
            )


def _silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * FRAMES_A_SECOND))


@cache
def tone(seconds: float) -> bytes:
    """Return the frames of a tone of `HERTZ`."""
    step = 2 * math.pi * HERTZ / FRAMES_A_SECOND
    frames = round(seconds * FRAMES_A_SECOND)
    samples = (round(8000 * math.sin(step * frame)) for frame in range(frames))
    return struct.pack(f"<{frames}h", *samples)
