"""The state of the simulated Asterisk: everything that exists in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from channel_aa.simulator.channels import Channel, IChannelListener
from channel_aa.simulator.environment import Environment
from channel_aa.simulator.phone_behaviour import Phones

if TYPE_CHECKING:
    from channel_aa.simulator.bridges import Bridge
    from channel_aa.simulator.channel_state import ChannelSetup
    from channel_aa.simulator.playbacks import Playback
    from channel_aa.simulator.recordings import Recording


@dataclass(kw_only=True, eq=False)
class PbxState(Environment):
    """Everything that exists in the simulated Asterisk.

    Channels, bridges, playbacks and recordings each remove themselves at their end.

    Args:
        version: the version of Asterisk that it claims to be.
        phones: the phones that can be dialled.

    Attributes:
        channels: the channels, by id.
        bridges: the bridges, by id.
        playbacks: the playbacks that play or wait; Asterisk accepts an id in use.
        recordings: the live recordings, by name; the stored ones are with the sounds.
        started: when this Asterisk started, as Asterisk writes a time.
    """

    version: str = "22.10.1"
    phones: Phones = field(default_factory=Phones)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.playbacks: list[Playback] = []
        self.recordings: dict[str, Recording] = {}
        self.started = self.bus.timestamp()
        self._channels_made = 0

    def clear(self) -> None:
        """Lose everything but stored recordings, as at a restart, with no event."""
        self.timers.cancel_all()
        channels = tuple(self.channels.values())
        self.channels.clear()
        self.bridges.clear()
        self.bus.clear()
        self.recordings.clear()
        self.playbacks.clear()
        for channel in channels:
            channel.forget()

    def new_channel(self, setup: ChannelSetup, listener: IChannelListener) -> Channel:
        """Make a channel; it is in no application yet."""
        self._channels_made += 1
        head, dash, half = setup.name.rpartition("-")
        number = f"{self._channels_made:08x}" if half in {"", ";1"} else ""
        seconds = int(self.clock.seconds())
        channel_id = setup.channel_id or f"{seconds}.{self._channels_made}"
        name = f"{head}{dash}{number}{half}"
        setup = replace(setup, name=name, channel_id=channel_id)
        channel = Channel(self, self.channels, setup, listener)
        self.channels[channel.id] = channel
        self.bus.publish("ChannelCreated", {"channel": channel.snapshot()}, to=())
        return channel
