"""What channels, bridges, playbacks, recordings and phones depend on: time and events.

Timers count simulated seconds, and can all be cancelled at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from channel_aa.simulator.event_bus import EventBus

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from channel_aa.simulator.faults import Faults
    from channel_aa.simulator.sounds import Sounds


class Timers:
    """Calls to be made later.

    Args:
        clock: keeps the time.
        speed: how many simulated seconds pass in one second of the clock.
    """

    def __init__(self, clock: IReactorTime, *, speed: float) -> None:
        self._clock = clock
        self._speed = speed
        self._pending: set[IDelayedCall] = set()
        self._origin = clock.seconds()

    @property
    def now(self) -> float:
        """Simulated seconds since the timers were made."""
        return (self._clock.seconds() - self._origin) * self._speed

    def later(self, seconds: float, call: Callable[[], object]) -> IDelayedCall:
        """Call something in so many simulated seconds; `cancel` takes the result."""

        def fire() -> None:
            self._pending.discard(timer)
            call()

        timer: IDelayedCall = self._clock.callLater(seconds / self._speed, fire)
        self._pending.add(timer)
        return timer

    def passed(self, seconds: float) -> Deferred[None]:
        """Fire when so many seconds have passed."""
        passed: Deferred[None] = Deferred()
        self.later(seconds, lambda: passed.callback(None))
        return passed

    def cancel(self, timer: IDelayedCall | None) -> None:
        """Cancel a call; does nothing if it was made or cancelled, or is None."""
        if timer is not None and timer in self._pending:
            self._pending.discard(timer)
            timer.cancel()

    def cancel_all(self) -> None:
        """Cancel every pending call."""
        for timer in tuple(self._pending):
            self.cancel(timer)


@dataclass(kw_only=True, eq=False)
class Environment:
    """The services that every simulated object uses.

    Args:
        clock: keeps the time.
        sounds: the sounds and recordings that can be played.
        faults: the faults to inject.
        speed: see `Timers`.

    Attributes:
        bus: the applications, and their events.
        timers: keeps the time of all objects, in simulated seconds.
    """

    clock: IReactorTime
    sounds: Sounds
    faults: Faults
    speed: float = 1.0

    def __post_init__(self) -> None:
        self.bus = EventBus(clock=self.clock, faults=self.faults)
        self.timers = Timers(self.clock, speed=self.speed)
