"""Waiting for conditions, and checking that nothing is left in the reactor."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import TYPE_CHECKING, cast

from twisted.internet.task import deferLater

from channel_aa.ari.reconcile import Reconciler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from twisted.internet.base import DelayedCall
    from twisted.internet.posixbase import PosixReactorBase

TIMEOUT_SECONDS = 90.0
"""How many seconds a test waits for a condition before it fails."""

_POLL_SECONDS = 0.002
_REQUEST_POLL_SECONDS = 0.01
"""The interval for conditions that make requests."""

_OWN_MODULES = ("channel_aa.ari", "channel_aa.attendant", "twisted.internet.defer")


async def until(
    reactor: PosixReactorBase,
    condition: Callable[[], object],
    what: str = "",
    *,
    seconds: float = TIMEOUT_SECONDS,
) -> None:
    """Wait until a condition is true.

    Args:
        reactor: the reactor that the test runs on.
        condition: is called again and again; its result may be an awaitable.
        what: what the test waits for, for the error message; empty: the condition's
            name.
        seconds: after how many seconds the test fails.

    Raises:
        AssertionError: the condition was not true in time.
    """
    deadline = reactor.seconds() + seconds
    while True:
        value = condition()
        interval = _POLL_SECONDS
        if isawaitable(value):
            value = await value
            interval = _REQUEST_POLL_SECONDS
        if value:
            return
        what = what or getattr(condition, "__qualname__", repr(condition))
        assert reactor.seconds() < deadline, f"waited {seconds} s in vain for {what}"
        await deferLater(reactor, interval)


def leftover_timers(reactor: PosixReactorBase) -> list[str]:
    """List the timers that calls, playbacks and requests have left in a reactor."""
    timers = [cast("DelayedCall", timer) for timer in reactor.getDelayedCalls()]
    return [
        str(timer)
        for timer in timers
        if timer.func.__module__.startswith(_OWN_MODULES)
        and timer.func.__qualname__ != Reconciler.audit.__qualname__
    ]


@asynccontextmanager
async def nothing_left(reactor: PosixReactorBase) -> AsyncIterator[None]:
    """Fail unless the reactor ends up holding what it held before, or less."""
    before = _held_by(reactor)
    yield
    try:
        await until(reactor, lambda: _held_by(reactor) <= before, "an empty reactor")
    except AssertionError as error:
        left = _held_by(reactor) - before
        raise AssertionError(f"{error}: {[*left.elements()]}") from None


def _held_by(reactor: PosixReactorBase) -> Counter[object]:
    """Count the reactor's timers, readers and writers.

    A timer counts as the function that it calls: some start themselves again.
    """
    return Counter(
        [
            *(cast("DelayedCall", call).func for call in reactor.getDelayedCalls()),
            *reactor.getReaders(),
            *reactor.getWriters(),
        ]
    )
