"""Dialling phones on behalf of a caller, and connecting the two."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred

from channel_aa.attendant.call_events import PhoneDialled
from channel_aa.attendant.confirmation import is_confirmed
from channel_aa.attendant.context import WITHHELD, ConversationKeptError
from channel_aa.attendant.deferreds import cancellable
from channel_aa.attendant.denial import may_dial
from channel_aa.attendant.forwards import forward_variables
from channel_aa.attendant.path import report_to_cdr
from channel_aa.attendant.prompts import play_prompt
from channel_aa.interfaces import DialOutcome, HangupReason, TelephonyError
from channel_aa.logs import Logger
from channel_aa.menus.actions import REPEAT, with_digits
from channel_aa.menus.sounds import prompt_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from twisted.python.failure import Failure

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

_HANGUP_REASONS = {
    DialOutcome.BUSY: HangupReason.BUSY,
    DialOutcome.CONGESTION: HangupReason.CONGESTION,
}
"""Why a caller is hung up who was connected with no phone, as after Dial()."""

# Of several outcomes, the one that makes another try most promising is explained.
_BEST_FIRST = (
    DialOutcome.NO_ANSWER,
    DialOutcome.BUSY,
    DialOutcome.CONGESTION,
    DialOutcome.UNAVAILABLE,
)

_RINGBACK_FAILED = "Could not start or stop the ringback of {channel}: {error}"

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
    await report_to_cdr(call)
    try:
        outcome = await _dial(call, action, phones)
    except ConversationKeptError:
        phones.clear()
        raise
    finally:
        for phone in phones:
            phone.hang_up()
    call.hangup_reason = _HANGUP_REASONS.get(outcome, HangupReason.NORMAL)
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
        call.converse(answered.connect(), answered.endpoint),
        _log.error,
        "Could not connect {channel} with {endpoint}: {error}",
        endpoint=answered.endpoint,
    )
    return outcome if is_over else DialOutcome.CONGESTION


async def _ring(
    call: CallContext, action: Dial, phones: list[IOutboundChannel]
) -> DialOutcome:
    """Ring the phones, all at once or one after another, until one takes the call.

    ``phones`` has those that ring, and then the one that takes it.
    """
    permitted = [each for each in action.dial if may_dial(call, each)]
    if not permitted:
        return DialOutcome.UNAVAILABLE
    endpoints = [with_digits(each, call.digits) for each in permitted]
    ring_all = action.strategy == "ringall"
    outcomes: list[DialOutcome] = []
    is_withheld = action.early_media and await call.caller_number() == WITHHELD
    for group in [endpoints] if ring_all else [[each] for each in endpoints]:
        if outcomes and action.early_media:
            # Early media of the phone before has ended the ring tone.
            await _start_ringback(call)
        phones[:] = [
            call.channel.dial(
                endpoint,
                ring_seconds=action.ring,
                label=action.label,
                caller_id=action.own_caller_id,
                variables=forward_variables(call, endpoint),
                early_media=action.early_media,
                is_withheld=is_withheld,
            )
            for endpoint in group
        ]
        answered = await _Ringing(call, action, phones, outcomes).first
        if answered is not None:
            phones[:] = [answered]
            return DialOutcome.ANSWERED
    phones.clear()
    return next(each for each in _BEST_FIRST if each in outcomes)


class _Ringing:
    """Phones that ring at the same time, until one of them takes the call.

    Args:
        call: the call.
        action: what is dialled.
        phones: the phones.
        outcomes: the outcome of each is appended.

    Attributes:
        first: fires with the phone that takes the call, or with ``None`` if none does.
            The others are hung up then. Cancelling it hangs up all.
    """

    def __init__(
        self,
        call: CallContext,
        action: Dial,
        phones: Sequence[IOutboundChannel],
        outcomes: list[DialOutcome],
    ) -> None:
        self._call = call
        self._phones = list(phones)
        self._outcomes = outcomes
        self._attempts: list[Deferred[None]] = []
        first: Deferred[IOutboundChannel | None] = Deferred(self._cancel)
        self._first = first
        for phone in phones:
            attempt = Deferred.fromCoroutine(_attempt(call, action, phone))
            self._attempts.append(attempt.addCallback(self._end_attempt, phone))
            attempt.addErrback(self._attempt_failed)
        self.first = cancellable(first)

    def _end_attempt(self, outcome: DialOutcome, phone: IOutboundChannel) -> None:
        if phone not in self._phones:
            return
        self._phones.remove(phone)
        _log.info(
            "Channel {channel} dialled {endpoint}: {outcome}",
            channel=self._call.channel.name,
            endpoint=phone.endpoint,
            outcome=outcome.value,
        )
        self._call.emit(PhoneDialled, endpoint=phone.endpoint, outcome=outcome.value)
        self._outcomes.append(outcome)
        if outcome is DialOutcome.ANSWERED:
            losers, self._phones = self._phones, []
            self._hang_up(losers, HangupReason.ANSWERED_ELSEWHERE)
            self._first.callback(phone)
        elif not self._phones:
            self._first.callback(None)

    def _attempt_failed(self, failure: Failure) -> None:
        # An attempt is cancelled when its phone is hung up.
        if not failure.check(CancelledError):
            self._first.errback(failure)

    def _cancel(self, _first: Deferred[IOutboundChannel | None]) -> None:
        self._hang_up(self._phones.copy(), HangupReason.NORMAL)

    def _hang_up(
        self, phones: Sequence[IOutboundChannel], reason: HangupReason
    ) -> None:
        for phone in phones:
            phone.hang_up(reason)
        for attempt in self._attempts:
            attempt.cancel()


async def _attempt(
    call: CallContext, action: Dial, phone: IOutboundChannel
) -> DialOutcome:
    """Wait until a phone takes the call, with a confirmation if it needs one."""
    try:
        outcome = await phone.outcome
    except TelephonyError:
        return DialOutcome.UNAVAILABLE
    if outcome is not DialOutcome.ANSWERED or not action.confirm:
        return outcome
    if await is_confirmed(call, phone, action.confirm):
        return outcome
    phone.hang_up()
    return DialOutcome.NO_ANSWER


@asynccontextmanager
async def _ringback(call: CallContext, music: str) -> AsyncIterator[None]:
    """Play the ring tone to the caller, or music on hold, while phones ring."""
    channel = call.channel
    try:
        await _start_ringback(call, music)
        yield
    finally:
        if not call.is_hung_up:
            await call.try_request(
                channel.stop_music() if music else channel.stop_ringing(),
                _log.warn,
                _RINGBACK_FAILED,
            )


async def _start_ringback(call: CallContext, music: str = "") -> None:
    channel = call.channel
    await call.try_request(
        channel.start_music(music) if music else channel.start_ringing(),
        _log.warn,
        _RINGBACK_FAILED,
    )
