"""The state of the simulated Asterisk: what exists in it, and how that is made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from channel_aa.simulator.bridges import Bridge
from channel_aa.simulator.channels import Channel, ChannelSetup, IChannelListener
from channel_aa.simulator.environment import Environment, Timers
from channel_aa.simulator.event_bus import EventBus
from channel_aa.simulator.phone_behaviour import Phones
from channel_aa.simulator.playbacks import Playback, Playbacks
from channel_aa.simulator.recordings import Limits, Recording, Recordings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.simulator.faults import Faults
    from channel_aa.simulator.sounds import Sounds


class PbxState:
    """Everything that exists in the simulated Asterisk.

    Channels, bridges, playbacks and recordings are made here, and each removes itself
    at its end. Arguments that are not explained here are the `Simulator`'s.

    Args:
        clock: keeps the time.
        version: the version of Asterisk that it claims to be.
        phones: the phones that can be dialled; None: none.

    Attributes:
        bus: the applications, and their events.
        environment: what everything in the state depends on.
        channels: the channels, by id.
        bridges: the bridges, by id.
        playbacks: the playbacks that play or wait.
        recordings: the recordings, live and stored.
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
        self.started = self.bus.timestamp()
        self._channels_made = 0

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

    def new_channel(self, setup: ChannelSetup, listener: IChannelListener) -> Channel:
        """Make a channel; it is in no application yet."""
        self._channels_made += 1
        number = f"{self._channels_made:08x}" if setup.name.endswith("-") else ""
        seconds = int(self.environment.timers.clock.seconds())
        channel_id = setup.channel_id or f"{seconds}.{self._channels_made}"
        setup = replace(setup, name=f"{setup.name}{number}", channel_id=channel_id)
        channel = Channel(self.environment, self.channels, setup, listener)
        self.channels[channel.id] = channel
        self.bus.publish("ChannelCreated", {"channel": channel.snapshot()}, to=())
        return channel

    def new_bridge(self, bridge_id: str, *, name: str, kind: str) -> Bridge:
        """Make a bridge; no application is subscribed to it yet."""
        bridge = Bridge(
            self.environment, self.bridges, bridge_id=bridge_id, name=name, kind=kind
        )
        self.bridges[bridge_id] = bridge
        self.bus.publish("BridgeCreated", {"bridge": bridge.snapshot()}, to=())
        return bridge

    def new_playback(
        self,
        channel: Channel,
        media: Sequence[str],
        *,
        playback_id: str = "",
        language: str = "",
    ) -> Playback:
        """Make a playback; `Channel.start` plays it."""
        playback = Playback(
            self.environment,
            self.playbacks,
            channel,
            playback_id=playback_id or str(uuid4()),
            media=media,
            language=language or channel.language,
        )
        self.playbacks.add(playback)
        return playback

    def new_recording(
        self, channel: Channel, *, name: str, kind: str, limits: Limits, beep: bool
    ) -> Recording:
        """Make a recording; `Channel.start` begins it."""
        recording = Recording(
            self.environment,
            self.recordings,
            channel,
            name=name,
            kind=kind,
            limits=limits,
            beep=beep,
        )
        self.recordings.live[name] = recording
        return recording
