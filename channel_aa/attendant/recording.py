"""Recording what a caller says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.interfaces import RecordingEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from channel_aa.attendant.call import Call
    from channel_aa.menus.actions import Action, Record

_log = Logger()


async def record(call: Call, action: Record) -> Action:
    """Record what the caller says; a hangup meanwhile keeps it.

    The keys that are pressed meanwhile belong to the recording, the terminator
    among them.
    """
    channel = call.channel
    recording = channel.record(
        action.name(
            channel=channel.id, caller=channel.caller_number, at=call.offer.now()
        ),
        max_seconds=action.max_seconds,
        max_silence_seconds=action.max_silence,
        terminator=action.terminator,
        beep=action.beep,
    )
    end = await recording.finished
    call.keypad.clear()
    if end is RecordingEnd.FAILED:
        _log.error(
            "{channel} could not be recorded: {problem}",
            channel=channel.name,
            problem=recording.problem,
        )
        return action.then if action.else_ is None else action.else_
    _log.info(
        "Channel {channel} left the recording {recording}",
        channel=channel.name,
        recording=recording.name,
    )
    call.recording = recording.name
    return action.then
