"""A channel's time in the dialplan, which then ends the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_aa.simulator.timers import Timer, Timers


class Dialplan:
    """Where a channel is when it is in no application.

    Args:
        timers: what keeps time.
        seconds: how long a channel stays there.
        when_over: called at the end of that.
    """

    def __init__(
        self, timers: Timers, *, seconds: float, when_over: Callable[[], None]
    ) -> None:
        self._timers = timers
        self._seconds = seconds
        self._when_over = when_over
        self._timer: Timer | None = None

    def run(self) -> None:
        """Begin; it is over at once where it takes no time."""
        if self._seconds:
            self._timer = self._timers.later(self._seconds, self._when_over)
        else:
            self._when_over()

    def leave(self) -> None:
        """End before its time."""
        if self._timer is not None:
            self._timer.cancel()
