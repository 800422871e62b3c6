"""One pass through a menu: prompt, collect digits, find what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.attendant.call_events import KeysEntered, MenuEntered, NoInput
from channel_aa.attendant.navigation import NO_MATCH, SECRET, SILENCE
from channel_aa.attendant.prompts import play_prompt
from channel_aa.dialogue.collecting import NoEntry, collect_entry
from channel_aa.dialogue.digits import Match, MatchResult
from channel_aa.interfaces import HangupReason
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.attendant.context import CallContext
    from channel_aa.attendant.navigation import MenuSession
    from channel_aa.menus.actions import Action
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
        entry = await collect_entry(
            call.keypad,
            session.digit_map,
            first=menu.timeout,
            between=menu.interdigit_timeout,
        )
        if entry is NoEntry.KEYS_LOST:
            continue
        if isinstance(entry, NoEntry):
            action = await _handle_noinput(call, session)
        else:
            action = await _handle_entry(call, session, entry)
        if action is not None:
            return action


async def _handle_entry(
    call: CallContext, session: MenuSession, result: MatchResult
) -> Action | None:
    """Return the action of a valid entry, or of too many invalid ones."""
    menu = session.menu
    shown = session.secret_keys.shown(result)
    action: Action | None = None
    if result.kind is Match.OPTION:
        action = menu.options[result.digits]
    elif result.kind is Match.EXTENSION and menu.extensions is not None:
        action = menu.extensions.action
    call.entries.add(result.digits, shown=shown, is_invalid=action is None)
    call.emit(KeysEntered, menu=session.name, keys=shown, match=result.kind)
    if action is not None:
        call.is_secret = shown != result.digits
        call.path.add(session.name, SECRET if call.is_secret else result.digits)
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
