"""Makes channels, bridges, playbacks and recordings, and adds them to the state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from channel_aa.simulator.bridges import Bridge
from channel_aa.simulator.channels import Channel
from channel_aa.simulator.playbacks import Playback
from channel_aa.simulator.recordings import Recording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.simulator.channels import ChannelSetup
    from channel_aa.simulator.environment import Environment
    from channel_aa.simulator.interfaces import IChannelListener
    from channel_aa.simulator.playbacks import Playbacks
    from channel_aa.simulator.recordings import Limits, Recordings


class Factory:
    """Makes what exists in the simulated Asterisk; each removes itself at its end.

    Args:
        environment: what they depend on.
        channels: where channels are added, by id.
        bridges: where bridges are added, by id.
        playbacks: where playbacks are added.
        recordings: where recordings are added.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        channels: dict[str, Channel],
        bridges: dict[str, Bridge],
        playbacks: Playbacks,
        recordings: Recordings,
    ) -> None:
        self.environment = environment
        self._channels = channels
        self._bridges = bridges
        self._playbacks = playbacks
        self._recordings = recordings
        self._channels_made = 0

    def new_channel(self, setup: ChannelSetup, listener: IChannelListener) -> Channel:
        """Make a channel; it is in no application yet."""
        self._channels_made += 1
        number = f"{self._channels_made:08x}" if setup.name.endswith("-") else ""
        seconds = int(self.environment.timers.clock.seconds())
        channel_id = setup.channel_id or f"{seconds}.{self._channels_made}"
        setup = replace(setup, name=f"{setup.name}{number}", channel_id=channel_id)
        channel = Channel(self.environment, self._channels, setup, listener)
        self._channels[channel.id] = channel
        created = {"channel": channel.snapshot()}
        self.environment.bus.publish_globally("ChannelCreated", created)
        return channel

    def new_bridge(self, bridge_id: str, *, name: str, kind: str) -> Bridge:
        """Make a bridge; no application is subscribed to it yet."""
        bridge = Bridge(
            self.environment, self._bridges, bridge_id=bridge_id, name=name, kind=kind
        )
        self._bridges[bridge_id] = bridge
        created = {"bridge": bridge.snapshot()}
        self.environment.bus.publish_globally("BridgeCreated", created)
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
            self._playbacks,
            channel,
            playback_id=playback_id or str(uuid4()),
            media=media,
            language=language or channel.language,
        )
        self._playbacks.add(playback)
        return playback

    def new_recording(
        self, channel: Channel, *, name: str, kind: str, limits: Limits, beep: bool
    ) -> Recording:
        """Make a recording; `Channel.start` begins it."""
        recording = Recording(
            self.environment,
            self._recordings,
            channel,
            name=name,
            kind=kind,
            limits=limits,
            beep=beep,
        )
        self._recordings.live[name] = recording
        return recording
