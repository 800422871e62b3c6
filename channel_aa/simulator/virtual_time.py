"""Virtual time: a `Clock` that is moved from one timer to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.internet.task import Clock

T = TypeVar("T")


class NothingHappensError(Exception):
    """The condition is not met in time, or no timer is left that could meet it."""


def pass_time(clock: Clock, *, until: Callable[[], bool], seconds: float) -> None:
    """Move a clock from one timer to the next until a condition is met.

    Args:
        clock: the clock of everything concerned.
        until: returns whether it is met.
        seconds: how far the clock may go for it.

    Raises:
        NothingHappensError: it is not met by then, or no timer is left.
    """
    deadline = clock.seconds() + seconds
    while not until():
        due = min((call.getTime() for call in clock.getDelayedCalls()), default=None)
        if due is None:
            raise NothingHappensError("no timer is left")
        if due > deadline:
            raise NothingHappensError(f"waited {seconds:g} seconds in vain")
        clock.advance(max(0.0, due - clock.seconds()))


def wait_for(clock: Clock, deferred: Deferred[T], *, seconds: float) -> T:
    """Move a clock until a Deferred has fired, and return its result.

    Args:
        clock: the clock of everything concerned.
        deferred: it is used up.
        seconds: how far the clock may go for it.

    Raises:
        NothingHappensError: it has not fired by then, or no timer is left; any other
            error is the Deferred's own.
    """
    results: list[T | Failure] = []
    deferred.addBoth(results.append)
    pass_time(clock, until=lambda: bool(results), seconds=seconds)
    result = results[0]
    if isinstance(result, Failure):
        result.raiseException()
    return result
