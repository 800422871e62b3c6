"""Turns of the reactor, on a `Clock`."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, cast

from twisted.internet.base import DelayedCall
from twisted.internet.task import Clock

if TYPE_CHECKING:
    from collections.abc import Callable


class FastClock(Clock):
    """A clock for thousands of delayed calls: `Clock` sorts all of them at each."""

    def callLater(  # noqa: N802 - Twisted's name
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 - Twisted's name
        *args: object,
        **kw: object,
    ) -> DelayedCall:
        time = self.seconds() + delay
        call = DelayedCall(
            time, callable, args, kw, self.calls.remove, lambda _: None, self.seconds
        )
        insort(self.calls, call, key=DelayedCall.getTime)
        return call


def run_turn(clock: Clock) -> bool:
    """Run the delayed calls that are due, as one turn of a reactor does.

    Those that are added meanwhile have to wait for the next turn; `Clock.advance` runs
    them at once.

    Returns:
        Whether one was due.
    """
    waiting = cast("list[DelayedCall]", clock.getDelayedCalls())
    due = [each for each in waiting if each.getTime() <= clock.seconds()]
    for each in due:
        if each.active():
            clock.calls.remove(each)
            each.called = 1
            each.func(*each.args, **each.kw)
    return bool(due)
