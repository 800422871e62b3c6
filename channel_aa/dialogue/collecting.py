"""Entries: the keys that a party presses, up to where their meaning is known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from inspect import isawaitable
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from channel_aa.dialogue.digits import Match
from channel_aa.dialogue.keypad import KEYS_LOST
from channel_aa.dialogue.playing import check_present

if TYPE_CHECKING:
    from channel_aa.dialogue.digits import DigitMap, MatchResult
    from channel_aa.dialogue.keypad import Keypad
    from channel_aa.dialogue.playing import Party

P = TypeVar("P")

Validator: TypeAlias = Callable[[str], bool | Awaitable[bool]]
"""Tells whether an entry is valid, at once or by an awaitable."""


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


async def ask(
    party: Party,
    play: Callable[[P], Awaitable[None]],
    digit_map: DigitMap,
    *,
    prompt: P | None,
    invalid: P | None,
    first: float,
    between: float,
    retries: int,
    valid: Validator | None = None,
    waiting: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> str | None:
    """Ask for an entry, until it is valid or the tries are used up.

    Args:
        party: who is asked.
        play: plays a prompt to the party.
        digit_map: matches the keys.
        prompt: the prompt, at each try. After lost keys it is played again, which is
            no further try.
        invalid: the prompt after an invalid entry.
        first: how many seconds after the prompt to wait for the first key.
        between: how many seconds to wait for each further one.
        retries: how often to ask again after silence or an invalid entry.
        valid: tells whether an entry that matches is valid.
        waiting: makes the context in which to wait for the party.

    Returns:
        The entry; ``None`` after the last try.

    Raises:
        ChannelGoneError: the party has hung up.
        KeypadInUseError: something else waits for keys.
    """
    keypad = party.keypad
    keypad.begin_menu(uses_terminator=not digit_map.terminator)
    tries = 0
    while tries <= retries:
        with waiting():
            if prompt is not None:
                await play(prompt)
            entry = await collect_entry(keypad, digit_map, first=first, between=between)
            check_present(party)
        if entry is NoEntry.KEYS_LOST:
            continue
        tries += 1
        if isinstance(entry, NoEntry):
            continue
        if entry.kind is not Match.NO_MATCH and await _is_valid(entry.digits, valid):
            return entry.digits
        keypad.clear()
        if invalid is not None:
            with waiting():
                await play(invalid)
    return None


async def _is_valid(digits: str, valid: Validator | None) -> bool:
    result = True if valid is None else valid(digits)
    return await result if isawaitable(result) else bool(result)
