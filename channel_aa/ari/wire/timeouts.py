"""Timers of one length for many who wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

T = TypeVar("T", bound="Hashable")


class Timeouts(Generic[T]):
    """Wakes each of many sleepers when it has slept for the same length of time.

    All alarms are of one length, so the order they were set in is the order they ring
    in: one timer of the reactor's is enough, the first one's. To set an alarm and to
    take it back, as happens to nearly all, is to write and to delete an entry.

    Args:
        seconds: how long each sleeps.
        ring: wakes one of them; it has no alarm then, and may set another.
        clock: what time is kept with.
    """

    def __init__(
        self, seconds: float, ring: Callable[[T], None], *, clock: IReactorTime
    ) -> None:
        self._seconds = seconds
        self._ring = ring
        self._clock = clock
        self._deadlines: dict[T, float] = {}
        self._timer: IDelayedCall | None = None

    def set(self, sleeper: T) -> None:
        """Wake somebody in so many seconds; an alarm set before counts no more."""
        self._deadlines.pop(sleeper, None)
        self._deadlines[sleeper] = self._clock.seconds() + self._seconds
        if self._timer is None:
            self._timer = self._clock.callLater(self._seconds, self._ring_due)

    def take_back(self, sleeper: T) -> None:
        """Let somebody sleep, if there is an alarm."""
        self._deadlines.pop(sleeper, None)
        if not self._deadlines and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def is_due(self, sleeper: T) -> bool:
        """Tell whether somebody's time has come, or there is no alarm."""
        return self._deadlines.get(sleeper, 0.0) <= self._clock.seconds()

    def _ring_due(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        due = []
        for sleeper, deadline in self._deadlines.items():
            if deadline > now:
                self._timer = self._clock.callLater(deadline - now, self._ring_due)
                break
            due.append(sleeper)
        for sleeper in due:
            # Waking one may have taken another's alarm back, or set it anew.
            if self._deadlines.get(sleeper, now + 1) <= now:
                del self._deadlines[sleeper]
                self._ring(sleeper)
        if not self._deadlines and self._timer is not None:
            self._timer.cancel()
            self._timer = None
