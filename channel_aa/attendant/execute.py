"""Executes the actions of a call flow, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channel_aa.attendant import dialing, exits
from channel_aa.attendant.call_events import ActionStarted, EndReason
from channel_aa.attendant.custom_actions import run_custom_action
from channel_aa.attendant.menu_session import run_menu
from channel_aa.attendant.prompts import play_prompt
from channel_aa.attendant.recording import record
from channel_aa.menus import actions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from channel_aa.attendant.context import CallContext
    from channel_aa.attendant.custom_actions import CustomAction
    from channel_aa.menus.actions import Action

MAX_ACTIONS_WITHOUT_KEY = 100
"""How many actions may follow one another before the caller presses a key.

Menus whose limits lead to each other, and custom actions that return each other, would
go on until the call's time limit, possibly with no caller there.
"""


class ActionLoopError(Exception):
    """`MAX_ACTIONS_WITHOUT_KEY` actions were executed without a key."""

    def __init__(self) -> None:
        super().__init__(
            f"{MAX_ACTIONS_WITHOUT_KEY} actions ran without a key in between; the"
            " call continues in the dialplan. Check whether actions lead to each"
            " other in a loop."
        )


async def execute_all(
    call: CallContext, action: Action, custom_actions: Mapping[str, CustomAction]
) -> None:
    """Execute an action and those that follow it, until the call exits.

    Args:
        call: the call's context.
        action: the first action.
        custom_actions: what the embedding program registered, by name.

    Raises:
        ActionLoopError: the call has executed `MAX_ACTIONS_WITHOUT_KEY` actions since
            the last key.
    """
    next_action: Action | None = action
    presses = call.keypad.presses
    count = 0
    while next_action is not None:
        if presses != call.keypad.presses:
            presses = call.keypad.presses
            count = 0
        count += 1
        if count > MAX_ACTIONS_WITHOUT_KEY:
            raise ActionLoopError
        resolved = call.plan.resolve(next_action)
        call.emit(ActionStarted, verb=actions.verb_of(resolved), label=resolved.label)
        if isinstance(resolved, actions.Run):
            next_action = await run_custom_action(call, resolved, custom_actions)
        else:
            next_action = await _EXECUTORS[type(resolved)](call, resolved)


async def _play(call: CallContext, action: actions.Play) -> Action:
    await play_prompt(call, action.play)
    return action.then


async def _go_to(call: CallContext, action: actions.GoTo) -> Action:
    return await run_menu(call, call.history.enter(action.menu))


async def _keyword(call: CallContext, action: actions.Keyword) -> Action | None:
    word, history = action.word, call.history  # to compare models takes longer
    if word == actions.HANGUP.word:
        await exits.hang_up(call)
        return None
    if word == actions.BACK.word:
        session = history.back()
    elif word == actions.TOP.word:
        session = history.top()
    else:
        session = history.session
    if session is not None:
        return await run_menu(call, session)
    # A route bypassed the menus, so there is none to return to.
    call.end_reason = EndReason.DIALPLAN
    await call.channel.continue_in_dialplan()
    return None


async def _set_variables(call: CallContext, action: actions.SetVariables) -> Action:
    for name, value in action.set_.items():
        await call.set_variable(name, actions.with_digits(value, call.digits))
    return action.then


async def _set_language(call: CallContext, action: actions.Language) -> Action:
    await call.set_language(action.language)
    return action.then


_EXECUTORS: Mapping[
    type[Action], Callable[[CallContext, Any], Awaitable[Action | None]]
] = {
    actions.Keyword: _keyword,
    actions.Play: _play,
    actions.GoTo: _go_to,
    actions.Dial: dialing.dial,
    actions.Record: record,
    actions.Continue: exits.continue_in_dialplan,
    actions.Voicemail: exits.voicemail,
    actions.Queue: exits.queue,
    actions.Directory: exits.directory,
    actions.SetVariables: _set_variables,
    actions.Language: _set_language,
}
"""Execute an action; return the next one, or ``None`` when the call has exited."""
