"""What channels, bridges, playbacks, recordings and phones depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channel_aa.simulator.event_bus import EventBus
    from channel_aa.simulator.faults import Faults
    from channel_aa.simulator.sounds import Sounds
    from channel_aa.simulator.timers import Timers


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
