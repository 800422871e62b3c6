"""The tone of each phone, in µ-law (ITU-T G.711), and its detection.

Each frequency is a multiple of 50 Hz, so that a packet of 20 ms has whole periods: all
packets of a tone are the same, and no tone is seen at the frequency of another.
"""

from __future__ import annotations

import math
from functools import lru_cache

from real_asterisk.sounds import HERTZ

SAMPLES = 160
"""The samples of a packet: 20 ms."""

_NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")
TONES = {name: 1000 + 300 * number for number, name in enumerate(_NAMES)}
"""The frequency of each phone, in hertz, by its name."""

ASTERISK = "asterisk"
"""The name for the tone of Asterisk: its sounds, music on hold and ringing tone."""

_SAMPLES_A_SECOND = 8000
_AMPLITUDE = 6000
_HEARD_AMPLITUDE = 1500
QUIET_AMPLITUDE = 100
"""A packet is silent whose samples are smaller on average."""
_COEFFICIENTS = {
    name: 2 * math.cos(2 * math.pi * hertz / _SAMPLES_A_SECOND)
    for name, hertz in {**TONES, ASTERISK: HERTZ}.items()
}


def _decoded(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 132 << ((code & 0x70) >> 4)) - 132
    return -magnitude if code & 0x80 else magnitude


DECODED = tuple(_decoded(code) for code in range(256))
"""The linear sample, of 16 bits, of each code of µ-law."""


def tone(hertz: int) -> bytes:
    """Return a packet of a tone, in µ-law."""
    step = 2 * math.pi * hertz / _SAMPLES_A_SECOND
    return bytes(
        _encoded(round(_AMPLITUDE * math.sin(step * number)))
        for number in range(SAMPLES)
    )


@lru_cache(maxsize=4096)
def heard(payload: bytes) -> frozenset[str]:
    """Return whose tones are in a packet, with Goertzel's algorithm.

    Most packets repeat an earlier one, hence the cache.
    """
    samples = [DECODED[code] for code in payload]
    needed = (_HEARD_AMPLITUDE * len(samples) / 2) ** 2
    return frozenset(
        name
        for name, coefficient in _COEFFICIENTS.items()
        if _power(samples, coefficient) > needed
    )


@lru_cache(maxsize=4096)
def is_sound(payload: bytes) -> bool:
    """Return whether a packet in µ-law is louder than the noise of a line."""
    loudness = sum(abs(DECODED[code]) for code in payload) / max(1, len(payload))
    return loudness > QUIET_AMPLITUDE


def _power(samples: list[int], coefficient: float) -> float:
    last = before = 0.0
    for sample in samples:
        last, before = sample + coefficient * last - before, last
    return last * last + before * before - coefficient * last * before


@lru_cache
def _encoded(sample: int) -> int:
    return min(range(256), key=lambda code: abs(DECODED[code] - sample))
