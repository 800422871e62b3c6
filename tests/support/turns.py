"""Turns of the reactor, on a `Clock`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from twisted.internet.base import DelayedCall
    from twisted.internet.task import Clock


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
