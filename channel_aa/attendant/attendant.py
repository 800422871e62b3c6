"""All the calls that are attended to now."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, DeferredList
from zope.interface import implementer

from channel_aa.attendant.call import Call
from channel_aa.attendant.call_plan import CallPlan
from channel_aa.attendant.exits import OVERLOAD, STOPPING
from channel_aa.attendant.overload_log import OverloadLog
from channel_aa.interfaces import IStasisApplication

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.attendant.custom_actions import CustomAction
    from channel_aa.interfaces import IChannel
    from channel_aa.menus.flow import CallFlow

_NONE: Mapping[str, CustomAction] = MappingProxyType({})


@implementer(IStasisApplication)
class Attendant:
    """Gives every channel that enters a `Call` of its own.

    Args:
        flow: what callers experience.
        clock: keeps the calls' time.
        now: tells the date and time, with its time zone.
        actions: what ``run`` finds by these names.
        max_calls: how many calls are attended to at once; 0: no limit. Those above
            it go on in the dialplan.
        on_replaced: called when another program has taken the application.

    Attributes:
        calls: the calls in progress, but for those that were turned away.
        turned_away: calls that are on their way to the dialplan.
        attended: how many calls were attended to so far.
        is_closing: whether new calls are sent on, from `close` on until `open`.
    """

    def __init__(
        self,
        flow: CallFlow,
        *,
        clock: IReactorTime,
        now: Callable[[], datetime],
        actions: Mapping[str, CustomAction] = _NONE,
        max_calls: int = 0,
        on_replaced: Callable[[], None] | None = None,
    ) -> None:
        self.calls: set[Call] = set()
        self.turned_away: set[Call] = set()
        self.attended = 0
        self.max_calls = max_calls
        self._clock = clock
        self._now = now
        self._actions = actions
        self._on_replaced = on_replaced
        self._refusals = OverloadLog(clock)
        self.is_closing = False
        self._drained: Deferred[None] | None = None
        self.flow = flow

    @property
    def flow(self) -> CallFlow:
        """What callers experience; calls in progress keep what they began with."""
        return self._offer.flow

    @flow.setter
    def flow(self, flow: CallFlow) -> None:
        self._offer = CallPlan(flow, actions=self._actions, now=self._now)

    @property
    def refused(self) -> int:
        """How many calls were turned away so far because there were too many."""
        return self._refusals.total

    @property
    def conversations(self) -> int:
        """How many of the calls speak with somebody now."""
        return sum(call.is_in_conversation for call in self.calls)

    def channel_entered(
        self, channel: IChannel, arguments: Sequence[str], *, adopted: bool = False
    ) -> Call:
        """Attend to a channel; see `IStasisApplication`.

        One that is adopted is attended to even where there are too many: it was
        promised to be.
        """
        call = Call(
            channel,
            self._offer,
            clock=self._clock,
            arguments=arguments,
            on_change=self._changed,
        )
        if self.is_closing:
            self._turn_away(call, STOPPING)
        elif 0 < self.max_calls <= len(self.calls) and not adopted:
            self._refusals.count()
            self._turn_away(call, OVERLOAD)
        else:
            self.attended += 1
            self.calls.add(call)
            call.start(is_adopted=adopted)
        return call

    def replaced(self) -> None:
        """Let all calls go: they are another program's; see `IStasisApplication`."""
        for call in [*self.calls, *self.turned_away]:
            call.abandon()
        if self._on_replaced is not None:
            self._on_replaced()

    async def close(self, *, drain_timeout: float = 0) -> None:
        """Let every call go on in the dialplan, and those that come meanwhile.

        Conversations are left standing. Closing again while calls are waited for
        ends the waiting.

        Args:
            drain_timeout: how many seconds the calls in a menu may take to end by
                themselves before.
        """
        self.is_closing = True
        self._stop_waiting()
        if drain_timeout and self._is_anybody_in_a_menu():
            self._drained = Deferred()
            limit = self._clock.callLater(drain_timeout, self._stop_waiting)
            try:
                await self._drained
            finally:
                self._drained = None
                if limit.active():
                    limit.cancel()
        await DeferredList(
            [call.release(STOPPING) for call in [*self.calls, *self.turned_away]]
        )
        self._refusals.stop()

    def open(self) -> None:
        """Attend to new calls, as at the beginning."""
        self.is_closing = False

    def _turn_away(self, call: Call, reason: str) -> None:
        self.turned_away.add(call)
        call.turn_away(reason)

    def _changed(self, call: Call) -> None:
        if call.has_left:
            self.calls.discard(call)
            self.turned_away.discard(call)
        if self._drained is not None and not self._is_anybody_in_a_menu():
            self._stop_waiting()

    def _is_anybody_in_a_menu(self) -> bool:
        return not all(call.is_in_conversation for call in self.calls)

    def _stop_waiting(self) -> None:
        if self._drained is not None and not self._drained.called:
            self._drained.callback(None)
