"""What channels, bridges, playbacks, recordings and phones depend on: time and events.

Timers count simulated seconds, and can all be cancelled at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from channel_aa.simulator.event_bus import EventBus
    from channel_aa.simulator.faults import Faults
    from channel_aa.simulator.sounds import Sounds


class Timers:
    """Calls to be made later.

    Args:
        clock: keeps the time.
        speed: how many simulated seconds pass in one second of the clock.
    """

    def __init__(self, clock: IReactorTime, *, speed: float = 1.0) -> None:
        self.clock = clock
        self._speed = speed
        self._pending: set[IDelayedCall] = set()
        self._origin = clock.seconds()

    @property
    def now(self) -> float:
        """Simulated seconds since the timers were made."""
        return (self.clock.seconds() - self._origin) * self._speed

    def later(self, seconds: float, call: Callable[[], None]) -> IDelayedCall:
        """Call something in so many simulated seconds; `cancel` takes the result."""

        def fire() -> None:
            self._pending.discard(timer)
            call()

        timer: IDelayedCall = self.clock.callLater(seconds / self._speed, fire)
        self._pending.add(timer)
        return timer

    def cancel(self, timer: IDelayedCall | None) -> None:
        """Cancel a call; does nothing if it was made or cancelled, or is None."""
        if timer is not None and timer in self._pending:
            self._pending.discard(timer)
            timer.cancel()

    def cancel_all(self) -> None:
        """Cancel every pending call."""
        for timer in tuple(self._pending):
            self.cancel(timer)


@dataclass(kw_only=True)
class Environment:
    """The services that every simulated object uses.

    Attributes:
        bus: publishes their events.
        timers: keeps their time, in simulated seconds.
        sounds: the sounds and recordings that can be played.
        faults: the faults to inject.
        thread_delay: see `channel_aa.simulator.simulator.Simulator`.
    """

    bus: EventBus
    timers: Timers
    sounds: Sounds
    faults: Faults
    thread_delay: float | None = None
