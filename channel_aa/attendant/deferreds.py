"""A Deferred that can always be cancelled, and a delayed call that can be paused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

T = TypeVar("T")


def cancellable(source: Deferred[T]) -> Deferred[T]:
    """Make a Deferred reliably cancellable.

    Args:
        source: a Deferred whose canceller may do anything: fire it with a result,
            with another error, or not at all.

    Returns:
        Fires as ``source`` does. Cancelling it cancels ``source``, and fails at once
        with `CancelledError`, whatever ``source`` does then.
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


class PausableTimer:
    """Calls a function once, after it has run for a number of seconds in all.

    Args:
        clock: the clock.
        seconds: how long it has to run.
        on_timeout: called then.
    """

    def __init__(
        self, clock: IReactorTime, seconds: float, on_timeout: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._remaining = seconds
        self._on_timeout = on_timeout
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        """Start, or continue with the time that remained at the last `stop`."""
        if self._timer is None:
            self._timer = self._clock.callLater(self._remaining, self._on_timeout)

    def stop(self) -> None:
        """Stop until the next `start`. No delayed call remains."""
        if self._timer is not None and self._timer.active():
            self._remaining = max(0.0, self._timer.getTime() - self._clock.seconds())
            self._timer.cancel()
            self._timer = None
