"""The state of the simulated Asterisk: what exists in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.environment import Environment
from channel_aa.simulator.event_bus import EventBus
from channel_aa.simulator.factory import Factory
from channel_aa.simulator.phone_behaviour import Phones
from channel_aa.simulator.playbacks import Playbacks
from channel_aa.simulator.recordings import Recordings
from channel_aa.simulator.timers import Timers

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from channel_aa.simulator.bridges import Bridge
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.faults import Faults
    from channel_aa.simulator.simulated_phone import SimulatedPhone
    from channel_aa.simulator.sounds import Sounds


class PbxState:
    """Everything that exists in the simulated Asterisk.

    Args:
        clock: keeps the time.
        sounds: the sounds that can be played.
        faults: the faults to inject.
        speed: every duration is divided by it.
        thread_delay: see `channel_aa.simulator.simulator.Simulator`.
        version: the version of Asterisk that it claims to be.
        phones: the phones that can be dialled; None: none.

    Attributes:
        bus: the applications, and their events.
        environment: what everything in the state depends on.
        channels: the channels, by id.
        bridges: the bridges, by id.
        playbacks: the playbacks that play or wait.
        recordings: the recordings, live and stored.
        phones: how each phone behaves when it is dialled.
        dialled_phones: the phones that ring or are in a call, by their channel's id.
        factory: makes channels, bridges, playbacks and recordings.
        started: when this Asterisk started, as Asterisk writes a time.
    """

    def __init__(
        self,
        *,
        clock: IReactorTime,
        sounds: Sounds,
        faults: Faults,
        speed: float = 1.0,
        thread_delay: float | None = None,
        version: str = "22.10.1",
        phones: Phones | None = None,
    ) -> None:
        self.version = version
        self.bus = EventBus(clock=clock, faults=faults)
        self.environment = Environment(
            bus=self.bus,
            timers=Timers(clock, speed=speed),
            sounds=sounds,
            faults=faults,
            thread_delay=thread_delay,
        )
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.playbacks = Playbacks()
        self.recordings = Recordings(stored=sounds.recordings)
        self.phones = phones or Phones()
        self.dialled_phones: dict[str, SimulatedPhone] = {}
        self.factory = Factory(
            self.environment,
            channels=self.channels,
            bridges=self.bridges,
            playbacks=self.playbacks,
            recordings=self.recordings,
        )
        self.started = self.bus.timestamp()

    def clear(self) -> None:
        """Lose everything but stored recordings, as at a restart, with no event."""
        self.environment.timers.cancel_all()
        channels = tuple(self.channels.values())
        self.channels.clear()
        self.bridges.clear()
        self.bus.clear()
        self.recordings.live.clear()
        self.playbacks.clear()
        for channel in channels:
            channel.forget()
