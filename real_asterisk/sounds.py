"""Sounds for a test's Asterisk: short, and of a known length."""

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

_MENU = ("press-1", "or", "press-2", "you-entered")
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

LONG = "demo-congrats"
"""A sound that is still heard when a test has done something else meanwhile."""

QUIET = "silence/5"
"""Nothing to be heard, for as long."""

SLOW = "demo-thanks"
"""A sound that lasts until a key was pressed, and that may be heard to its end."""

SOUNDS: Mapping[str, float] = {
    # Some keys come in the middle of a prompt.
    **dict.fromkeys(_MENU, 0.8),
    **dict.fromkeys((*_REMARKS, *_KEYS), 0.4),
    **dict.fromkeys((*_DIALPLAN, *_EXPLANATIONS), 0.2),
    # One word that can be heard for a while: number:20.
    "digits/20": 2.0,
    SLOW: 1.5,
    LONG: 5.0,
    QUIET: 5.0,
}
"""The sounds of the menus, of a failed dial and of the shipped dialplan, in seconds.

Asterisk's own recordings of some are in a package that Debian does not have, and
none of them is as short as a test would like.
"""


def write_sounds(folder: Path, seconds: Mapping[str, float]) -> None:
    """Write a tone of so many seconds under each name, as Asterisk reads it.

    Those in ``silence/`` have nothing in them but time.
    """
    for name, length in seconds.items():
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(FRAMES_A_SECOND)
            sound.writeframes(
                _silence(length) if name.startswith("silence/") else _tone(length)
            )


def _silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * FRAMES_A_SECOND))


@cache
def _tone(seconds: float) -> bytes:
    step = 2 * math.pi * HERTZ / FRAMES_A_SECOND
    frames = round(seconds * FRAMES_A_SECOND)
    samples = (round(8000 * math.sin(step * frame)) for frame in range(frames))
    return struct.pack(f"<{frames}h", *samples)
