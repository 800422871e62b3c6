"""Entries: the keys that a party presses, up to where their meaning is known."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from channel_aa.dialogue.digits import Match
from channel_aa.dialogue.keypad import KEYS_LOST

if TYPE_CHECKING:
    from channel_aa.dialogue.digits import DigitMap, MatchResult
    from channel_aa.dialogue.keypad import Keypad


class NoEntry(Enum):
    """Why there is no entry."""

    SILENCE = "silence"
    """No key was pressed in time."""

    KEYS_LOST = "keys lost"
    """The connection to Asterisk was lost meanwhile, and keys may be missing."""


async def collect_entry(
    keypad: Keypad, digit_map: DigitMap, *, first: float, between: float
) -> MatchResult | NoEntry:
    """Collect keys until they match, or cannot match any more.

    Args:
        keypad: the keypad.
        digit_map: matches the keys.
        first: how many seconds to wait for the first key.
        between: how many seconds to wait for each further one; without it, the entry
            is over.

    Returns:
        What the keys match, which is never to wait; or why there is no entry.
    """
    keys, seconds = "", first
    while True:
        key = await keypad.next_key(seconds)
        if key == KEYS_LOST:
            return NoEntry.KEYS_LOST
        if key is None:
            return digit_map.match(keys, is_over=True) if keys else NoEntry.SILENCE
        keys += key
        result = digit_map.match(keys)
        if result.kind is not Match.WAIT:
            break
        seconds = between
    if keys == result.digits and result.kind is not Match.NO_MATCH:
        # Many people press the terminator after a complete entry, too.
        keypad.end_entry(digit_map.terminator, between)
    return result
