"""A bridge: channels that hear each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channel_aa.simulator.event_bus import EventSource

if TYPE_CHECKING:
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.environment import Environment

TYPES = frozenset(
    {"mixing", "holding", "dtmf_events", "proxy_media", "video_sfu", "video_single"}
)
"""The types that a bridge can be created with."""


class Bridge(EventSource):
    """Channels that hear each other; its type is ``mixing`` or ``holding``.

    It adds itself to the registry, the bridges that exist by id, and removes itself at
    its end. Its channels are in it by id, too.
    """

    kind = "bridge"

    def __init__(
        self,
        environment: Environment,
        registry: dict[str, Bridge],
        *,
        bridge_id: str,
        name: str,
        bridge_type: str,
    ) -> None:
        super().__init__(environment.bus, bridge_id)
        self.channels: dict[str, Channel] = {}
        self._registry = registry
        self._name = name
        self._type = bridge_type
        self._created = self.bus.timestamp()
        registry[bridge_id] = self
        self._publish("BridgeCreated")

    def snapshot(self) -> dict[str, Any]:
        """Describe the bridge as Asterisk does."""
        technology = "holding" if self._type == "holding" else "simple"
        return {
            "id": self.id,
            "technology": f"{technology}_bridge",
            "bridge_type": self._type,
            "bridge_class": "stasis",
            "creator": "Stasis",
            "name": self._name,
            "channels": sorted(self.channels),
            "creationtime": self._created,
            "video_mode": "talker",
        }

    def add(self, channel: Channel) -> None:
        """Add a channel, and subscribe the application that it is in."""
        self.channels[channel.id] = channel
        if channel.application is not None:
            self.subscribe(channel.application)
        self._publish("ChannelEnteredBridge", channel=channel.snapshot())
        self._update_voices()

    def remove(self, channel: Channel) -> None:
        """Remove a channel."""
        del self.channels[channel.id]
        self._publish("ChannelLeftBridge", channel=channel.snapshot())
        channel.indications.stop("voice:")
        self._update_voices()

    def destroy(self) -> None:
        """Remove every channel, then the bridge itself.

        Asterisk sends the end of a bridge to its subscribers only if at most one
        channel was left in it.
        """
        del self._registry[self.id]
        subscribers = self.subscribers
        had_few_channels = len(self.channels) <= 1
        for channel in tuple(self.channels.values()):
            channel.leave_bridge()
        if had_few_channels:
            self._publish("BridgeDestroyed")
        else:
            self.bus.publish("BridgeDestroyed", {"bridge": self.snapshot()}, to=())
        for application in subscribers:
            self.unsubscribe(application)

    def _publish(self, event_type: str, **fields: Any) -> None:  # noqa: ANN401 - JSON
        self.send_event(event_type, bridge=self.snapshot(), **fields)

    def _update_voices(self) -> None:
        for channel in self.channels.values():
            others = [
                each.device for each in self.channels.values() if each is not channel
            ]
            if others:
                channel.indications.start(f"voice:{others[0]}")
            else:
                channel.indications.stop("voice:")
