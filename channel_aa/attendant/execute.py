"""Doing for a caller what an action says, and whatever follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channel_aa.attendant import custom_actions, dialing, exits, recording
from channel_aa.attendant.limits import MAX_ACTIONS_WITHOUT_KEY, ActionLoopError
from channel_aa.attendant.menu_session import run_menu
from channel_aa.menus import actions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from channel_aa.attendant.call import Call
    from channel_aa.menus.actions import Action


async def follow(call: Call, action: Action) -> None:
    """Perform an action and those that follow, until the call has left.

    Raises:
        ActionLoopError: there were `MAX_ACTIONS_WITHOUT_KEY` without a key.
    """
    following: Action | None = action
    presses = call.keypad.presses
    unattended = 0
    while following is not None:
        if presses != call.keypad.presses:
            presses = call.keypad.presses
            unattended = 0
        unattended += 1
        if unattended > MAX_ACTIONS_WITHOUT_KEY:
            raise ActionLoopError
        following = await perform(call, following)


def perform(call: Call, action: Action) -> Awaitable[Action | None]:
    """Do what an action says; give what is next, or ``None`` once the call leaves."""
    action = call.offer.resolve(action)
    return _PERFORMERS[type(action)](call, action)


async def _play(call: Call, action: actions.Play) -> Action:
    await call.say(action.play)
    return action.then


async def _go_to(call: Call, action: actions.GoTo) -> Action:
    return await run_menu(call, call.way.enter(action.menu))


async def _keyword(call: Call, action: actions.Keyword) -> Action | None:
    if action == actions.HANGUP:
        await exits.hang_up(call)
        return None
    way = call.way
    if action == actions.BACK:
        visit = way.back()
    elif action == actions.TOP:
        visit = way.top()
    else:
        visit = way.visit
    if visit is not None:
        return await run_menu(call, visit)
    # A route led past the menus, so there is none to come back to.
    await call.channel.continue_in_dialplan()
    return None


async def _set(call: Call, action: actions.SetVariables) -> Action:
    for name, value in action.set_.items():
        await call.set_variable(name, actions.with_digits(value, call.digits))
    return action.then


async def _language(call: Call, action: actions.Language) -> Action:
    await call.speak(action.language)
    return action.then


_PERFORMERS: Mapping[type[Action], Callable[[Call, Any], Awaitable[Action | None]]] = {
    actions.Keyword: _keyword,
    actions.Play: _play,
    actions.GoTo: _go_to,
    actions.Dial: dialing.dial,
    actions.Record: recording.record,
    actions.Continue: exits.continue_in_dialplan,
    actions.Voicemail: exits.voicemail,
    actions.Queue: exits.queue,
    actions.Directory: exits.directory,
    actions.SetVariables: _set,
    actions.Language: _language,
    actions.Run: custom_actions.run,
}
