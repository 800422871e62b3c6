"""One pass through a menu: prompt, collect digits, find what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.attendant.call_events import KeysEntered, MenuEntered, NoInput
from channel_aa.attendant.keypad import KEYS_LOST
from channel_aa.attendant.navigation import NO_MATCH, SECRET, SILENCE
from channel_aa.attendant.prompts import play_prompt
from channel_aa.interfaces import HangupReason
from channel_aa.logs import Logger
from channel_aa.menus.digits import Match, MatchResult
from channel_aa.menus.menu import MASKED_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.attendant.context import CallContext
    from channel_aa.attendant.keypad import Keypad
    from channel_aa.attendant.navigation import MenuSession
    from channel_aa.menus.actions import Action
    from channel_aa.menus.digits import DigitMap
    from channel_aa.menus.sounds import Prompt

_log = Logger()


async def run_menu(call: CallContext, session: MenuSession) -> Action:
    """Repeat a menu until the caller chooses an action, or a limit is reached.

    After lost keys the menu is played again, and counts neither as silence nor as an
    invalid entry.
    """
    menu = session.menu
    call.emit(MenuEntered, menu=session.name)
    call.hangup_reason = HangupReason.NORMAL
    call.keypad.begin_menu(uses_terminator=not session.digit_map.terminator)
    if session.is_new:
        session.is_new = False
        await call.set_language(menu.language)
        if session.is_greeted:
            await play_prompt(call, menu.greeting)
    while True:
        await play_prompt(call, menu.prompt)
        key = await call.keypad.next_key(menu.timeout)
        if key is None:
            action = await _handle_noinput(call, session)
        elif key == KEYS_LOST:
            continue
        else:
            result = await _collect_digits(
                key, session.digit_map, call.keypad, menu.interdigit_timeout
            )
            if result is None:
                continue
            action = await _handle_entry(call, session, result)
        if action is not None:
            return action


async def _collect_digits(
    key: str, digit_map: DigitMap, keypad: Keypad, seconds: float
) -> MatchResult | None:
    """Collect keys until they match or cannot; ``None`` if keys were lost."""
    keys = key
    result = digit_map.match(keys)
    while result.kind is Match.WAIT:
        next_key = await keypad.next_key(seconds)
        if next_key is None:
            return digit_map.match(keys, is_over=True)
        if next_key == KEYS_LOST:
            return None
        keys += next_key
        result = digit_map.match(keys)
    if keys == result.digits and result.kind is not Match.NO_MATCH:
        # Many callers press the terminator after a complete entry, too.
        keypad.end_entry(digit_map.terminator, seconds)
    return result


async def _handle_entry(
    call: CallContext, session: MenuSession, result: MatchResult
) -> Action | None:
    """Return the action of a valid entry, or of too many invalid ones."""
    menu = session.menu
    shown = MASKED_KEYS if menu.secret else result.digits
    action: Action | None = None
    if result.kind is Match.OPTION:
        action = menu.options[result.digits]
    elif result.kind is Match.EXTENSION and menu.extensions is not None:
        action = menu.extensions.action
    call.entries.add(result.digits, shown=shown, is_invalid=action is None)
    call.emit(KeysEntered, menu=session.name, keys=shown, match=result.kind)
    if action is not None:
        call.path.add(session.name, SECRET if menu.secret else result.digits)
        call.digits = result.digits
        return action
    call.digits = ""
    call.keypad.clear()
    session.nomatches += 1
    if is_reached(session.nomatches, menu.max_nomatch):
        call.path.add(session.name, NO_MATCH)
        return menu.failure
    await play_prompt(call, escalated(menu.nomatch, session.nomatches))
    return None


async def _handle_noinput(call: CallContext, session: MenuSession) -> Action | None:
    """Return the failure action after too many timeouts without a key."""
    menu = session.menu
    _log.info(
        "Channel {channel} stopped paying attention...", channel=call.channel.name
    )
    call.emit(NoInput, menu=session.name)
    call.digits = ""
    session.noinputs += 1
    if is_reached(session.noinputs, menu.max_noinput):
        call.path.add(session.name, SILENCE)
        return menu.failure
    await play_prompt(call, escalated(menu.noinput, session.noinputs))
    return None


def is_reached(count: int, limit: int) -> bool:
    """Check whether a limit is reached; a limit of 0 never is."""
    return 0 < limit <= count


def escalated(prompts: Sequence[Prompt], count: int) -> Prompt:
    """Choose the prompt for the first time, the second, …; the last one repeats.

    Args:
        prompts: in this order; without any, nothing is played.
        count: 1 for the first time.
    """
    return prompts[min(count, len(prompts)) - 1] if prompts else ()
