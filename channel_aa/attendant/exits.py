"""How a call leaves the attendant: to the dialplan, or with a hangup."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from channel_aa.attendant.call_events import EndReason
from channel_aa.attendant.denial import may_dial
from channel_aa.attendant.dialing import EXPLANATIONS
from channel_aa.attendant.navigation import MENU_SEPARATOR
from channel_aa.attendant.path import assignment, path_variables, report_to_cdr
from channel_aa.attendant.prompts import play_prompt
from channel_aa.interfaces import ChannelGoneError, DialOutcome, TelephonyError
from channel_aa.logs import Logger
from channel_aa.menus.actions import REPEAT, with_digits

if TYPE_CHECKING:
    from channel_aa.attendant.context import CallContext
    from channel_aa.menus.actions import (
        Action,
        Continue,
        Directory,
        Queue,
        Voicemail,
    )

REASON_VARIABLE = "CHANNEL_AA_REASON"
"""The channel variable with the reason why the attendant let a call go."""

CONTEXT_VARIABLES = ("CHANNEL_AA_ARGUMENT", "CHANNEL_AA_MENU", "CHANNEL_AA_DIALLED")
"""The channel variables that the shipped dialplan contexts read.

They are the action's value; the menus that the caller has entered, for the way back
(see `split_return`); and the dialled number, which the contexts keep as the extension.
"""

_DIALLED_NUMBER = re.compile(r"[A-Za-z0-9+*#][A-Za-z0-9+*#._-]+")

REASON_SECONDS = 5.0
"""Timeout for setting `REASON_VARIABLE`.

Asterisk sets no variable while a sound plays, and some sounds cannot be stopped. Over
HTTP, the requests of many calls queue.
"""

_log = Logger()


async def exit_to_dialplan(call: CallContext, reason: EndReason) -> bool:
    """Let the call continue at the next priority in the dialplan.

    If Asterisk rejects that, hang up instead of leaving the caller in silence; not
    while the attendant stops, since its next run adopts the call.

    Args:
        call: the call's context; it may be over already.
        reason: the value for `REASON_VARIABLE`.

    Returns:
        Whether the channel was still there.
    """
    if call.is_hung_up:
        return False
    try:
        await _set_reason(call, reason)
        has_continued = await call.try_request(
            call.channel.continue_in_dialplan(),
            _log.error,
            "Could not continue {channel} in the dialplan: {error}",
        )
    except (CancelledError, ChannelGoneError):
        return False
    if not has_continued and reason is not EndReason.STOPPING:
        with suppress(CancelledError, ChannelGoneError):
            await call.try_request(
                call.channel.hang_up(),
                _log.error,
                "Could not hang up {channel} either: {error}",
            )
    return True


async def hang_up_at_limit(call: CallContext) -> None:
    """Hang up a call that has reached ``max_call_seconds``."""
    if call.is_hung_up:
        return
    _log.info(
        "Hanging up {channel}: the call has reached max_call_seconds",
        channel=call.channel.name,
    )
    with suppress(CancelledError, ChannelGoneError):
        await _set_reason(call, EndReason.LIMIT)
        await call.try_request(
            _hang_up(call),
            _log.error,
            "Could not continue {channel} in the dialplan either: {error}",
        )


async def hang_up(call: CallContext) -> None:
    """Hang up; if Asterisk rejects that, continue in the dialplan."""
    await report_to_cdr(call)
    await _hang_up(call)


async def _hang_up(call: CallContext) -> None:
    call.end_reason = EndReason.ATTENDANT
    if not await call.try_request(
        call.channel.hang_up(call.hangup_reason),
        _log.error,
        "Could not hang up {channel}: {error}",
    ):
        call.end_reason = EndReason.DIALPLAN
        await call.channel.continue_in_dialplan()


async def continue_in_dialplan(call: CallContext, action: Continue) -> Action | None:
    """Continue at a location in the dialplan; the menu again if that is rejected.

    A caller whose digits must not be dialled hears that nobody is available.
    """
    location = action.continue_
    if not may_dial(call, location.extension):
        await play_prompt(call, EXPLANATIONS[DialOutcome.UNAVAILABLE])
        return REPEAT
    extension = with_digits(location.extension, call.digits) or "s"
    if variables := path_variables(call):
        await call.set_variable(*assignment(variables))
    return await _continue_at(
        call,
        context=location.context,
        extension=extension,
        priority=location.priority,
        destination=f"{location.context},{extension},{location.priority}",
    )


async def voicemail(call: CallContext, action: Voicemail) -> Action | None:
    """Continue in the voicemail context of the shipped dialplan."""
    mailbox = with_digits(action.voicemail, call.digits)
    return await _continue_in_context(call, "voicemail", mailbox)


async def queue(call: CallContext, action: Queue) -> Action | None:
    """Continue in the queue context of the shipped dialplan."""
    return await _continue_in_context(call, "queue", action.queue)


async def directory(call: CallContext, action: Directory) -> Action | None:
    """Continue in the directory context of the shipped dialplan."""
    return await _continue_in_context(call, "directory", action.directory)


async def _continue_in_context(
    call: CallContext, kind: str, argument: str
) -> Action | None:
    dialled = call.channel.dialled
    values = (
        argument,
        MENU_SEPARATOR.join(call.history.names),
        # Another text could become several values, or another place in the dialplan.
        dialled if _DIALLED_NUMBER.fullmatch(dialled) else "",
    )
    variables = dict(zip(CONTEXT_VARIABLES, values, strict=True))
    if not await call.set_variable(*assignment(variables | path_variables(call))):
        return REPEAT
    return await _continue_at(
        call,
        context=f"channel-aa-{kind}",
        extension="s",
        priority=1,
        destination=f"{kind} {argument}",
    )


async def _continue_at(
    call: CallContext, *, context: str, extension: str, priority: int, destination: str
) -> Action | None:
    # Asterisk may report that the channel has left before it responds.
    call.end_reason, call.destination = EndReason.DIALPLAN, destination
    has_continued = await call.try_request(
        call.channel.continue_in_dialplan(
            context=context, extension=extension, priority=priority
        ),
        _log.error,
        "Could not continue {channel} at {extension}@{context}: {error}",
        extension=extension,
        context=context,
    )
    if not has_continued:
        call.end_reason, call.destination = None, ""
    return None if has_continued else REPEAT


async def _set_reason(call: CallContext, reason: EndReason) -> None:
    """Set `REASON_VARIABLE`; the call exits even if that fails."""
    variables = {REASON_VARIABLE: reason.value, **path_variables(call)}
    setting = call.channel.set_variable(*assignment(variables))
    try:
        await setting.addTimeout(REASON_SECONDS, call.clock)
    except ChannelGoneError:
        raise
    except (TelephonyError, DeferredTimeoutError) as error:
        _log.debug(
            "Could not set {variable} of {channel}: {error}",
            channel=call.channel.name,
            variable=REASON_VARIABLE,
            error=error,
        )
