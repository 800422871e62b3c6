"""Dialling phones on behalf of a caller, and connecting the two."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from channel_aa.attendant.context import ConversationKeptError
from channel_aa.attendant.deferreds import cancellable
from channel_aa.attendant.denial import may_dial
from channel_aa.attendant.forwards import forward_variables
from channel_aa.attendant.prompts import play_prompt
from channel_aa.interfaces import DialOutcome
from channel_aa.logs import Logger
from channel_aa.menus.actions import REPEAT, with_digits
from channel_aa.menus.sounds import prompt_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from channel_aa.attendant.context import CallContext
    from channel_aa.interfaces import IOutboundChannel
    from channel_aa.menus.actions import Action, Dial

OUTCOME_VARIABLE = "DIALSTATUS"
"""The channel variable with the outcome of the last dial, as Dial() sets it."""

# Made of Asterisk's core sounds, which come with every installation.
EXPLANATIONS = {
    DialOutcome.BUSY: prompt_of("im-sorry", "vm-extension", "vm-isonphone"),
    DialOutcome.NO_ANSWER: prompt_of("number-not-answering"),
    DialOutcome.CONGESTION: prompt_of("all-circuits-busy-now"),
    DialOutcome.UNAVAILABLE: prompt_of("vm-nobodyavail"),
}
"""What callers hear if no phone answered, and the action has no ``else``."""

# Of several outcomes, the one that makes another try most promising is explained.
_BEST_FIRST = (
    DialOutcome.NO_ANSWER,
    DialOutcome.BUSY,
    DialOutcome.CONGESTION,
    DialOutcome.UNAVAILABLE,
)

_log = Logger()


async def dial(call: CallContext, action: Dial) -> Action:
    """Ring phones, and connect the caller with the first that answers.

    However this ends (a hangup at any moment, a stop of the attendant), all phones are
    hung up. The exception is a conversation that is kept when the attendant stops.

    Raises:
        ChannelGoneError: the caller has hung up.
        ConversationKeptError: the attendant detaches from the call.
    """
    phones: list[IOutboundChannel] = []
    try:
        outcome = await _dial(call, action, phones)
    except ConversationKeptError:
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
    await play_prompt(call, EXPLANATIONS[outcome])
    return REPEAT


async def _dial(
    call: CallContext, action: Dial, phones: list[IOutboundChannel]
) -> DialOutcome:
    async with _ringback(call, action.music):
        outcome = await _ring(call, action, phones)
    if outcome is not DialOutcome.ANSWERED:
        return outcome
    (answered,) = phones
    is_over = await call.try_request(
        call.converse(answered.connect()),
        _log.error,
        "Could not connect {channel} with {endpoint}: {error}",
        endpoint=answered.endpoint,
    )
    return outcome if is_over else DialOutcome.CONGESTION


async def _ring(
    call: CallContext, action: Dial, phones: list[IOutboundChannel]
) -> DialOutcome:
    """Ring the phones, all at once or one after another, until one answers.

    ``phones`` has those that ring, and then the one that has answered.
    """
    permitted = [each for each in action.dial if may_dial(call, each)]
    if not permitted:
        return DialOutcome.UNAVAILABLE
    endpoints = [with_digits(each, call.digits) for each in permitted]
    ring_all = action.strategy == "ringall"
    outcomes: list[DialOutcome] = []
    for group in [endpoints] if ring_all else [[each] for each in endpoints]:
        phones[:] = [
            call.channel.dial(
                endpoint,
                ring_seconds=action.ring,
                label=action.label,
                variables=forward_variables(call, endpoint),
            )
            for endpoint in group
        ]
        answered = await _first_answer(call, phones, outcomes)
        if answered is not None:
            for phone in phones:
                if phone is not answered:
                    phone.hang_up()
            phones[:] = [answered]
            return DialOutcome.ANSWERED
    phones.clear()
    return next(each for each in _BEST_FIRST if each in outcomes)


def _first_answer(
    call: CallContext, phones: Sequence[IOutboundChannel], outcomes: list[DialOutcome]
) -> Deferred[IOutboundChannel | None]:
    """Wait for the first phone that answers; append each outcome to ``outcomes``.

    Returns:
        Fires with that phone, or ``None`` if none answers.
    """
    ringing = list(phones)

    def hang_up(_first: Deferred[IOutboundChannel | None]) -> None:
        for phone in phones:
            phone.hang_up()

    def on_outcome(outcome: DialOutcome, phone: IOutboundChannel) -> None:
        if first.called:
            return
        _log.info(
            "Channel {channel} dialled {endpoint}: {outcome}",
            channel=call.channel.name,
            endpoint=phone.endpoint,
            outcome=outcome.value,
        )
        outcomes.append(outcome)
        ringing.remove(phone)
        if outcome is DialOutcome.ANSWERED:
            first.callback(phone)
        elif not ringing:
            first.callback(None)

    first: Deferred[IOutboundChannel | None] = Deferred(hang_up)
    for phone in ringing.copy():
        # The outcome of a phone that is hung up may be an error.
        phone.outcome.addErrback(lambda _: DialOutcome.UNAVAILABLE)
        phone.outcome.addCallback(on_outcome, phone)
    return cancellable(first)


@asynccontextmanager
async def _ringback(call: CallContext, music: str) -> AsyncIterator[None]:
    """Play the ring tone to the caller, or music on hold, while phones ring."""
    channel = call.channel
    problem = "Could not start or stop the ringback of {channel}: {error}"
    try:
        await call.try_request(
            channel.start_music(music) if music else channel.start_ringing(),
            _log.warn,
            problem,
        )
        yield
    finally:
        if not call.is_hung_up:
            await call.try_request(
                channel.stop_music() if music else channel.stop_ringing(),
                _log.warn,
                problem,
            )
