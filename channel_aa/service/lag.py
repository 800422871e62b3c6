"""Reactor lag: by how much timers are late because the process is busy."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

INTERVAL_SECONDS = 1.0
"""Interval between measurements."""

TOLERATED_SECONDS = 0.5
"""A lag up to this is not logged: callers do not notice it."""

WARNING_SECONDS = 60.0
"""Minimum interval between two warnings."""


class ReactorDelay:
    """Measures how late a timer of the reactor fires, once a second.

    Args:
        clock: the reactor.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._recent: deque[float] = deque(maxlen=60)
        self._timer: IDelayedCall | None = None
        self._next_warning_at = 0.0
        self._unreported: list[float] = []

    @property
    def last(self) -> float:
        """The last measurement, in seconds."""
        return self._recent[-1] if self._recent else 0.0

    @property
    def worst(self) -> float:
        """The maximum of the last 60 measurements, in seconds."""
        return max(self._recent, default=0.0)

    def start(self) -> None:
        """Start measuring."""
        self._next_warning_at = self._clock.seconds()
        self._set_timer()

    def stop(self) -> None:
        """Stop measuring. No delayed call remains."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        due = self._clock.seconds() + INTERVAL_SECONDS
        self._timer = self._clock.callLater(INTERVAL_SECONDS, self._measure, due)

    def _measure(self, due: float) -> None:
        now = self._clock.seconds()
        delay = max(0.0, now - due)
        self._recent.append(delay)
        if delay > TOLERATED_SECONDS:
            self._unreported.append(delay)
        if self._unreported and now >= self._next_warning_at:
            self._warn()
            self._next_warning_at = now + WARNING_SECONDS
        self._set_timer()

    def _warn(self) -> None:
        self._log.warn(
            "The reactor was up to {delay:.1f} s late ({count} times since the last"
            " warning): the process needs more than one core, or was suspended."
            " Callers notice: a key takes that long to interrupt a sound.",
            delay=max(self._unreported),
            count=len(self._unreported),
        )
        self._unreported.clear()
