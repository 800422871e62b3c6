"""Waiting for what may not heed that nobody waits any more."""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


def cancellable(source: Deferred[T]) -> Deferred[T]:
    """Give a Deferred that fires as another one does, and can be cancelled for sure.

    Cancelled, it cancels the other one and fails with `CancelledError`, whatever the
    other makes of that: a result after all, another error, or nothing.
    """
    is_cancelled = False

    def cancel(_waiting: Deferred[T]) -> None:
        nonlocal is_cancelled
        is_cancelled = True
        source.cancel()

    def pass_on(result: Any) -> None:  # noqa: ANN401 - a result or a Failure
        if not is_cancelled and not waiting.called:
            waiting.callback(result)

    waiting: Deferred[T] = Deferred(cancel)
    source.addBoth(pass_on)
    return waiting
