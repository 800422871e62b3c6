"""Timers in simulated seconds, which can all be cancelled at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Timer:
    """One call to be made later."""

    def __init__(
        self, timers: Timers, seconds: float, call: Callable[[], None]
    ) -> None:
        self._timers = timers
        self._call = call
        self._delayed: IDelayedCall = timers.clock.callLater(
            seconds / timers.speed, self._fire
        )

    def cancel(self) -> None:
        """Cancel the call; does nothing if it was made or cancelled already."""
        if self in self._timers.pending:
            self._timers.pending.discard(self)
            self._delayed.cancel()

    def _fire(self) -> None:
        self._timers.pending.discard(self)
        self._call()


class Timers:
    """Makes timers, and keeps those that are pending.

    Args:
        clock: keeps the time.
        speed: how many simulated seconds pass in one second of the clock.
    """

    def __init__(self, clock: IReactorTime, *, speed: float = 1.0) -> None:
        self.clock = clock
        self.speed = speed
        self.pending: set[Timer] = set()
        self._origin = clock.seconds()

    @property
    def now(self) -> float:
        """Simulated seconds since the timers were made."""
        return (self.clock.seconds() - self._origin) * self.speed

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call something in so many simulated seconds."""
        timer = Timer(self, seconds, call)
        self.pending.add(timer)
        return timer

    def cancel_all(self) -> None:
        """Cancel every pending timer."""
        for timer in tuple(self.pending):
            timer.cancel()
