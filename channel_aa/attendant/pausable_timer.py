"""A time that runs out, and that can be stopped meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime


class PausableTimer:
    """Calls a function when so many seconds have passed while it ran.

    Args:
        clock: keeps the time.
        seconds: how long it takes.
        on_over: called then, once.
    """

    def __init__(
        self, clock: IReactorTime, seconds: float, on_over: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._left = seconds
        self._on_over = on_over
        self._timer: IDelayedCall | None = None

    def run(self) -> None:
        """Let the time pass, from where it was stopped."""
        if self._timer is None:
            self._timer = self._clock.callLater(self._left, self._on_over)

    def stop(self) -> None:
        """Let no time pass until it is to `run` again; no timer is left."""
        if self._timer is not None and self._timer.active():
            self._left = max(0.0, self._timer.getTime() - self._clock.seconds())
            self._timer.cancel()
            self._timer = None
