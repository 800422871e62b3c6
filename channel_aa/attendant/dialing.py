"""Ringing phones on behalf of a caller, and connecting the two."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from channel_aa.attendant.deferreds import cancellable
from channel_aa.interfaces import ChannelGoneError, DialOutcome, TelephonyError
from channel_aa.logs import Logger
from channel_aa.menus.actions import REPEAT
from channel_aa.menus.sounds import prompt_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from channel_aa.attendant.call import Call
    from channel_aa.interfaces import IOutboundChannel
    from channel_aa.menus.actions import Action, Dial

OUTCOME_VARIABLE = "DIALSTATUS"
"""The channel variable that tells what became of the last dial, as after Dial()."""

# In the words of Asterisk's core sounds, which come with every installation.
EXPLANATIONS = {
    DialOutcome.BUSY: prompt_of("im-sorry", "vm-extension", "vm-isonphone"),
    DialOutcome.NO_ANSWER: prompt_of("number-not-answering"),
    DialOutcome.CONGESTION: prompt_of("all-circuits-busy-now"),
    DialOutcome.UNAVAILABLE: prompt_of("vm-nobodyavail"),
}
"""What callers hear where nobody answered, and the file does not say what to do."""

# Of several phones, what is said is what promises most for another try.
_BEST_FIRST = (
    DialOutcome.NO_ANSWER,
    DialOutcome.BUSY,
    DialOutcome.CONGESTION,
    DialOutcome.UNAVAILABLE,
)

_log = Logger()


class LeftStandingError(Exception):
    """The attendant stops, and leaves a conversation as it is."""


async def dial(call: Call, action: Dial) -> Action:
    """Ring the phones, and connect the caller with the first that answers.

    Whatever ends this (a hangup at any moment, the attendant's end) leaves no phone
    ringing, but a conversation that the attendant leaves standing when it stops.
    """
    phones: list[IOutboundChannel] = []
    try:
        outcome = await _dial(call, action, phones)
    except LeftStandingError:
        phones.clear()
        raise
    finally:
        for phone in phones:
            phone.hang_up()
    await call.set_variable(OUTCOME_VARIABLE, outcome.value)
    if outcome is DialOutcome.ANSWERED:
        return action.then
    if action.else_ is not None:
        return action.else_
    await call.say(EXPLANATIONS[outcome])
    return REPEAT


async def _dial(
    call: Call, action: Dial, phones: list[IOutboundChannel]
) -> DialOutcome:
    async with _heard_meanwhile(call, action.music):
        if action.strategy == "ringall":
            outcome = await _ring_all(call, action, phones)
        else:
            outcome = await _hunt(call, action, phones)
    if outcome is not DialOutcome.ANSWERED:
        return outcome
    (answered,) = phones
    try:
        await call.converse(answered.connect())
    except ChannelGoneError:
        raise
    except TelephonyError as error:
        _log.error(
            "{channel} could not be connected with {endpoint}: {error}",
            channel=call.channel.name,
            endpoint=answered.endpoint,
            error=error,
        )
        return DialOutcome.CONGESTION
    return outcome


async def _hunt(
    call: Call, action: Dial, phones: list[IOutboundChannel]
) -> DialOutcome:
    """Ring one phone after another; leave the one that answered in ``phones``."""
    outcomes = []
    for endpoint in action.endpoints(call.digits):
        phone = _ring(call, action, endpoint)
        phones.append(phone)
        outcome = await cancellable(phone.outcome)
        _log_outcome(call, phone, outcome)
        if outcome is DialOutcome.ANSWERED:
            return outcome
        phones.remove(phone)
        outcomes.append(outcome)
    return _best(outcomes)


async def _ring_all(
    call: Call, action: Dial, phones: list[IOutboundChannel]
) -> DialOutcome:
    """Ring all phones at once; leave the first that answers in ``phones``."""
    phones += [
        _ring(call, action, endpoint) for endpoint in action.endpoints(call.digits)
    ]
    outcomes: list[DialOutcome] = []
    answered = await _first_answer(call, phones, outcomes)
    for phone in phones:
        if phone is not answered:
            phone.hang_up()
    if answered is None:
        return _best(outcomes)
    phones[:] = [answered]
    return DialOutcome.ANSWERED


def _first_answer(
    call: Call, phones: Sequence[IOutboundChannel], outcomes: list[DialOutcome]
) -> Deferred[IOutboundChannel | None]:
    """Tell which phone answers first, and ``outcomes`` of those that do not."""

    def hang_up(_first: Deferred[IOutboundChannel | None]) -> None:
        for phone in phones:
            phone.hang_up()

    def told(outcome: DialOutcome, phone: IOutboundChannel) -> None:
        if first.called:
            return
        _log_outcome(call, phone, outcome)
        outcomes.append(outcome)
        if outcome is DialOutcome.ANSWERED:
            first.callback(phone)
        elif len(outcomes) == len(phones):
            first.callback(None)

    first: Deferred[IOutboundChannel | None] = Deferred(hang_up)
    for phone in phones:
        # A phone that is hung up may say so in whichever way it likes.
        phone.outcome.addErrback(lambda _: DialOutcome.UNAVAILABLE)
        phone.outcome.addCallback(told, phone)
    return cancellable(first)


def _ring(call: Call, action: Dial, endpoint: str) -> IOutboundChannel:
    return call.channel.dial(endpoint, ring_seconds=action.ring, label=action.label)


def _best(outcomes: Sequence[DialOutcome]) -> DialOutcome:
    return next(each for each in _BEST_FIRST if each in outcomes)


def _log_outcome(call: Call, phone: IOutboundChannel, outcome: DialOutcome) -> None:
    _log.info(
        "Channel {channel} dialled {endpoint}: {outcome}",
        channel=call.channel.name,
        endpoint=phone.endpoint,
        outcome=outcome.value,
    )


@asynccontextmanager
async def _heard_meanwhile(call: Call, music: str) -> AsyncIterator[None]:
    """Let the caller hear the ring tone, or music, while phones ring."""
    channel = call.channel
    try:
        await _attempt(
            call, channel.start_music(music) if music else channel.start_ringing()
        )
        yield
    finally:
        if not call.is_hung_up:
            await _attempt(
                call, channel.stop_music() if music else channel.stop_ringing()
            )


async def _attempt(call: Call, request: Deferred[None]) -> None:
    """Wait for what a dial does not depend on."""
    try:
        await request
    except ChannelGoneError:
        raise
    except TelephonyError as error:
        _log.warn(
            "{channel} does not hear what it should while phones ring: {error}",
            channel=call.channel.name,
            error=error,
        )
