"""The calls in progress: admission, overload, drain, reload."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, DeferredList
from zope.interface import implementer

from channel_aa.attendant.call import Call
from channel_aa.attendant.call_events import EndReason
from channel_aa.attendant.navigation import CallPlan
from channel_aa.interfaces import IStasisApplication
from channel_aa.logs import Logger
from channel_aa.menus.flow import MAX_CALLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from channel_aa.attendant.call_events import CallEvent
    from channel_aa.attendant.custom_actions import CustomAction
    from channel_aa.interfaces import IChannel, ISpeech
    from channel_aa.menus.flow import CallFlow

OVERLOAD_LOG_SECONDS = 60
"""Interval between log lines about rejected calls."""

_NO_ACTIONS: Mapping[str, CustomAction] = MappingProxyType({})
_log = Logger()


@implementer(IStasisApplication)
class Attendant:
    """Runs a `Call` for every channel that enters the application.

    Args:
        flow: the call flow for new calls.
        clock: the clock for the calls' timers.
        now: returns the date and time, with a time zone.
        actions: the custom actions that ``run`` names.
        max_calls: how many calls may be in progress; 0: `MAX_CALLS`. Further ones
            continue in the dialplan.
        on_replaced: called when another program has taken the application's name.
        speech: speaks texts; ``None``: texts are left out.

    Attributes:
        calls: the calls in progress, without the rejected ones.
        observers: called with each `CallEvent` of each call.
        rejected: rejected calls that have not left the application yet.
        attended: how many calls were accepted since the start.
        is_closing: whether new calls are rejected, from `close` on until `open`.
    """

    def __init__(
        self,
        flow: CallFlow,
        *,
        clock: IReactorTime,
        now: Callable[[], datetime],
        actions: Mapping[str, CustomAction] = _NO_ACTIONS,
        max_calls: int = 0,
        on_replaced: Callable[[], None] | None = None,
        speech: ISpeech | None = None,
    ) -> None:
        self.calls: set[Call] = set()
        self.observers: list[Callable[[CallEvent], None]] = []
        self.rejected: set[Call] = set()
        self.attended = 0
        self.max_calls = max_calls
        self._clock = clock
        self._now = now
        self._actions = actions
        self._on_replaced = on_replaced
        self._speech = speech
        self._overload_log = OverloadLog(clock)
        self.is_closing = False
        self._drained: Deferred[None] | None = None
        self.flow = flow

    @property
    def flow(self) -> CallFlow:
        """The call flow for new calls; calls in progress keep theirs."""
        return self._plan.flow

    @flow.setter
    def flow(self, flow: CallFlow) -> None:
        self._plan = CallPlan(flow, now=self._now)

    @property
    def overload_rejections(self) -> int:
        """How many calls were rejected because of ``max_calls`` since the start."""
        return self._overload_log.total

    @property
    def conversations(self) -> int:
        """How many of the calls are in a conversation with a phone."""
        return sum(call.is_in_conversation for call in self.calls)

    def channel_entered(
        self, channel: IChannel, arguments: Sequence[str], *, adopted: bool = False
    ) -> Call:
        """Start or reject a call; see `IStasisApplication`.

        An adopted call is never rejected because of ``max_calls``: an earlier run has
        accepted it.
        """
        call = Call(
            channel,
            self._plan,
            clock=self._clock,
            arguments=arguments,
            custom_actions=self._actions,
            on_change=self._call_changed,
            observers=self.observers,
            speech=self._speech,
        )
        if self.is_closing:
            self._reject(call, EndReason.STOPPING)
        elif (self.max_calls or MAX_CALLS) <= len(self.calls) and not adopted:
            self._overload_log.count_rejection()
            self._reject(call, EndReason.OVERLOAD)
        else:
            self.attended += 1
            self.calls.add(call)
            call.start(is_adopted=adopted)
        return call

    def replaced(self) -> None:
        """Detach from all calls: another program controls them now."""
        for call in [*self.calls, *self.rejected]:
            call.detach()
        if self._on_replaced is not None:
            self._on_replaced()

    async def close(self, *, drain_timeout: float = 0) -> None:
        """Let all calls continue in the dialplan, and reject new ones.

        Conversations are kept connected. A second call ends the drain of the first.

        Args:
            drain_timeout: how many seconds calls in a menu may take to end before.
        """
        self.is_closing = True
        self._end_drain()
        if drain_timeout and self._has_calls_in_menus():
            self._drained = Deferred()
            timeout = self._clock.callLater(drain_timeout, self._end_drain)
            try:
                await self._drained
            finally:
                self._drained = None
                if timeout.active():
                    timeout.cancel()
        await DeferredList(
            [
                call.exit_to_dialplan(EndReason.STOPPING)
                for call in [*self.calls, *self.rejected]
            ]
        )
        self._overload_log.stop()

    def open(self) -> None:
        """Accept new calls again after `close`."""
        self.is_closing = False

    def _reject(self, call: Call, reason: EndReason) -> None:
        self.rejected.add(call)
        call.reject(reason)

    def _call_changed(self, call: Call) -> None:
        if call.has_left:
            self.calls.discard(call)
            self.rejected.discard(call)
        if self._drained is not None and not self._has_calls_in_menus():
            self._end_drain()

    def _has_calls_in_menus(self) -> bool:
        return not all(call.is_in_conversation for call in self.calls)

    def _end_drain(self) -> None:
        if self._drained is not None and not self._drained.called:
            self._drained.callback(None)


class OverloadLog:
    """Logs the first rejected call at once, and further ones once a minute.

    Args:
        clock: the clock for that interval.

    Attributes:
        total: how many calls were rejected so far.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.total = 0
        self._clock = clock
        self._logged = 0
        self._timer: IDelayedCall | None = None

    def count_rejection(self) -> None:
        """Count a rejected call."""
        self.total += 1
        if self._timer is None:
            self._log_and_wait()

    def stop(self) -> None:
        """Log rejections that were not logged yet, and cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._log_new()

    def _log_and_wait(self) -> None:
        self._timer = None
        if self._log_new():
            self._timer = self._clock.callLater(
                OVERLOAD_LOG_SECONDS, self._log_and_wait
            )

    def _log_new(self) -> bool:
        count = self.total - self._logged
        if count:
            _log.warn(
                "Too many calls: {count} continued in the dialplan ({total} so far)",
                count=count,
                total=self.total,
            )
            self._logged = self.total
        return count > 0
