"""Records callers, and lets them review what they have recorded."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError

from channel_aa.attendant.call_events import CallerRecorded, RecordingFailed
from channel_aa.attendant.prompts import play_prompt
from channel_aa.interfaces import RecordingEnd, TelephonyError
from channel_aa.logs import Logger
from channel_aa.menus.actions import REPEAT
from channel_aa.menus.sounds import prompt_of

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from channel_aa.attendant.context import CallContext
    from channel_aa.interfaces import IRecording
    from channel_aa.menus.actions import Action, Record

# These prompts are of Asterisk's core sounds, which come with every installation.
RECORDING_FAILED = prompt_of("im-sorry", "please-try-call-later")
"""What callers hear if a recording failed, and the action has no ``else``."""

REVIEW = prompt_of("vm-review", "vm-star-cancel")
"""Names the keys `KEEP`, `HEAR`, `AGAIN` and `DROP`."""

KEPT = prompt_of("vm-msgsaved")
EMPTY = prompt_of("vm-tooshort")

KEEP, HEAR, AGAIN, DROP = "123*"

REVIEW_SUFFIX = "-review-"
"""What a recording has between its name and a random part until it is kept."""

REVIEW_SECONDS = 5.0
REVIEW_TRIES = 3
"""How long to wait for a key, and how often in a row to ask in vain."""

MAX_EMPTY = 3
"""After how many empty recordings in a row none is made any more."""

_log = Logger()


async def record(call: CallContext, action: Record) -> Action:
    """Record the caller; return the next action.

    Keys pressed during the recording, such as the terminator, are discarded. A hangup
    ends the recording, which is kept, unless it would have been reviewed.
    """
    name = await _name(call, action)
    if action.review:
        return await _record_and_review(call, action, name)
    recording = _begin(call, action, name)
    if await _has_failed(call, recording):
        return await _next_after_failure(call, action)
    _report(call, recording)
    return action.then


async def _record_and_review(call: CallContext, action: Record, name: str) -> Action:
    """Record under another name until the caller keeps a recording, or drops it."""
    empty = 0
    while empty < MAX_EMPTY:
        recording = _begin(call, action, f"{name}{REVIEW_SUFFIX}{token_hex(4)}")
        is_of_use = False
        try:
            if await _has_failed(call, recording):
                return await _next_after_failure(call, action)
            if recording.talking_seconds == 0:
                empty += 1
                await play_prompt(call, EMPTY)
                continue
            empty = 0
            key = await _choice(call, recording)
            if key == KEEP:
                is_of_use = True
                if not await _replace(call, recording, name):
                    return await _next_after_failure(call, action)
                _report(call, recording)
                await play_prompt(call, KEPT)
                return action.then
            if key != AGAIN:
                break
        finally:
            if not is_of_use:  # also if the caller has hung up
                recording.discard().addErrback(_log_leftover, recording.name)
    _log.info(
        "Channel {channel} dropped a recording of {recording}",
        channel=call.channel.name,
        recording=name,
    )
    return action.else_ or REPEAT


async def _replace(call: CallContext, recording: IRecording, name: str) -> bool:
    """Give a recording its final name; return whether it has that now."""
    try:
        await recording.replace(name)
    except TelephonyError as error:
        # Its name is in the log, because the earlier one may be deleted already.
        _log_failure(call, f"{name} is stored as {recording.name}: {error}")
        return False
    return True


async def _choice(call: CallContext, recording: IRecording) -> str:
    """Play the recording, and ask what becomes of it: `KEEP`, `AGAIN` or `DROP`."""
    heard = prompt_of(f"recording:{recording.name}")
    prompt = heard + REVIEW
    tries = 0
    while tries < REVIEW_TRIES:
        await play_prompt(call, prompt)
        key = await call.keypad.next_key(REVIEW_SECONDS)
        if key in {KEEP, AGAIN, DROP}:
            return str(key)
        if key == HEAR:
            tries = 0
            prompt = heard + REVIEW
        else:
            tries += 1
            prompt = REVIEW
    return DROP


async def _name(call: CallContext, action: Record) -> str:
    caller = await call.caller_number() if action.names_caller else ""
    return action.name(channel=call.channel.id, caller=caller, at=call.plan.now())


def _begin(call: CallContext, action: Record, name: str) -> IRecording:
    recording: IRecording = call.channel.record(
        name,
        max_seconds=action.max_seconds,
        max_silence_seconds=action.max_silence,
        terminator=action.terminator,
        beep=action.beep,
        overwrite=action.overwrite,
    )
    return recording


async def _has_failed(call: CallContext, recording: IRecording) -> bool:
    """Wait for the end of a recording."""
    end = await recording.finished
    call.keypad.clear()
    if end is not RecordingEnd.FAILED:
        return False
    _log_failure(call, recording.problem)
    return True


async def _next_after_failure(call: CallContext, action: Record) -> Action:
    if action.else_ is None:
        await play_prompt(call, RECORDING_FAILED)
    return action.else_ or REPEAT


def _log_failure(call: CallContext, problem: str) -> None:
    call.emit(RecordingFailed)
    _log.error(
        "Could not record {channel}: {problem}",
        channel=call.channel.name,
        problem=problem,
    )


def _log_leftover(failure: Failure, name: str) -> None:
    if failure.check(CancelledError):  # the client stops
        return
    failure.trap(TelephonyError)
    _log.warn(
        "The recording {name}, which is of no use any more, could not be deleted:"
        " {error}",
        name=name,
        error=failure.value,
    )


def _report(call: CallContext, recording: IRecording) -> None:
    _log.info(
        "Channel {channel} recorded {recording}",
        channel=call.channel.name,
        recording=recording.name,
    )
    call.recording = recording.name
    call.emit(CallerRecorded, name=recording.name)
