"""How a call leaves the attendant: for the dialplan, or for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from channel_aa.interfaces import ChannelGoneError, TelephonyError
from channel_aa.logs import Logger
from channel_aa.menus.actions import REPEAT, with_digits

if TYPE_CHECKING:
    from channel_aa.attendant.call import Call
    from channel_aa.menus.actions import (
        Action,
        Continue,
        Directory,
        Queue,
        Voicemail,
    )

REASON_VARIABLE = "CHANNEL_AA_REASON"
"""The channel variable that tells the dialplan why a call was not attended to."""

ARGUMENT_VARIABLE = "CHANNEL_AA_ARGUMENT"
"""The channel variable that the shipped dialplan contexts read."""

STOPPING = "stopping"
OVERLOAD = "overload"
ERROR = "error"
LIMIT = "limit"

REASON_SECONDS = 5.0
"""How long a call waits at most for its reason to be set.

Asterisk sets no variable while a sound plays, and some sounds cannot be stopped. In a
crowd of calls over HTTP, each waits for its turn.
"""

_log = Logger()


async def leave(call: Call, reason: str = "") -> bool:
    """Let the call go on at the next priority in the dialplan.

    Whom Asterisk does not let go on is hung up, rather than left in silence; not when
    the attendant stops, for the next one to start attends to them.

    Args:
        call: the call, which may be over already.
        reason: why, for `REASON_VARIABLE`; empty: there is nothing to tell.

    Returns:
        Whether the channel was still there.
    """
    if call.is_hung_up:
        return False
    try:
        if reason:
            await _tell(call, reason)
        await call.channel.continue_in_dialplan()
    except (CancelledError, ChannelGoneError):
        return False
    except TelephonyError as error:
        _log.error(
            "{channel} could not go on in the dialplan: {error}",
            channel=call.channel.name,
            error=error,
        )
        if reason != STOPPING:
            await _hang_up_at_last(call)
    return True


async def end_at_limit(call: Call) -> None:
    """Hang up a call that has taken as long as a call may."""
    if call.is_hung_up:
        return
    _log.info(
        "{channel} is hung up: no call may take longer", channel=call.channel.name
    )
    try:
        await _tell(call, LIMIT)
        await hang_up(call)
    except (CancelledError, ChannelGoneError):
        return
    except TelephonyError as error:
        _log.error(
            "{channel} could not go on in the dialplan either: {error}",
            channel=call.channel.name,
            error=error,
        )


async def hang_up(call: Call) -> None:
    """Hang up; whom Asterisk does not hang up, the dialplan gets."""
    try:
        await call.channel.hang_up()
    except ChannelGoneError:
        raise
    except TelephonyError as error:
        _log.error(
            "{channel} could not be hung up: {error}",
            channel=call.channel.name,
            error=error,
        )
        await call.channel.continue_in_dialplan()


async def continue_in_dialplan(call: Call, action: Continue) -> Action | None:
    """Leave for a place in the dialplan."""
    place = action.continue_
    return await _leave_for(
        call,
        context=place.context,
        extension=with_digits(place.extension, call.digits) or "s",
        priority=place.priority,
    )


async def voicemail(call: Call, action: Voicemail) -> Action | None:
    """Leave for the shipped dialplan's voicemail."""
    mailbox = with_digits(action.voicemail, call.digits)
    return await _leave_with(call, "channel-aa-voicemail", mailbox)


async def queue(call: Call, action: Queue) -> Action | None:
    """Leave for the shipped dialplan's queues."""
    return await _leave_with(call, "channel-aa-queue", action.queue)


async def directory(call: Call, action: Directory) -> Action | None:
    """Leave for the shipped dialplan's directory."""
    return await _leave_with(call, "channel-aa-directory", action.directory)


async def _leave_with(call: Call, context: str, argument: str) -> Action | None:
    if not await call.set_variable(ARGUMENT_VARIABLE, argument):
        return REPEAT
    return await _leave_for(call, context=context, extension="s", priority=1)


async def _leave_for(
    call: Call, *, context: str, extension: str, priority: int
) -> Action | None:
    try:
        await call.channel.continue_in_dialplan(
            context=context, extension=extension, priority=priority
        )
    except ChannelGoneError:
        raise
    except TelephonyError as error:
        _log.error(
            "{channel} could not go on at {extension}@{context}: {error}",
            channel=call.channel.name,
            extension=extension,
            context=context,
            error=error,
        )
        return REPEAT
    return None


async def _hang_up_at_last(call: Call) -> None:
    try:
        await call.channel.hang_up()
    except (CancelledError, ChannelGoneError):
        return
    except TelephonyError as error:
        _log.error(
            "{channel} could not be hung up either: {error}",
            channel=call.channel.name,
            error=error,
        )


async def _tell(call: Call, reason: str) -> None:
    """Tell the dialplan why; that it cannot be told keeps no call from going on."""
    telling = call.channel.set_variable(REASON_VARIABLE, reason)
    try:
        await telling.addTimeout(REASON_SECONDS, call.clock)
    except ChannelGoneError:
        raise
    except (TelephonyError, DeferredTimeoutError) as error:
        _log.debug(
            "{channel}: {variable} could not be set: {error}",
            channel=call.channel.name,
            variable=REASON_VARIABLE,
            error=error,
        )
