"""A bridge: channels that hear each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.environment import Environment
    from channel_aa.simulator.event_bus import Application

TYPES = frozenset(
    {"mixing", "holding", "dtmf_events", "proxy_media", "video_sfu", "video_single"}
)
"""The types that a bridge can be created with."""


class Bridge:
    """Channels that hear each other; its kind is ``mixing`` or ``holding``.

    It removes itself from the registry, the bridges that exist by id, at its end. Its
    channels are in it by id, too.
    """

    def __init__(
        self,
        environment: Environment,
        registry: dict[str, Bridge],
        *,
        bridge_id: str,
        name: str,
        kind: str,
    ) -> None:
        self.id = bridge_id
        self.channels: dict[str, Channel] = {}
        self._bus = environment.bus
        self._registry = registry
        self._name = name
        self._kind = kind
        self._created = self._bus.timestamp()
        self._subscribers: dict[str, Application] = {}

    def snapshot(self) -> dict[str, Any]:
        """Describe the bridge as Asterisk does."""
        kind = "holding" if self._kind == "holding" else "simple"
        return {
            "id": self.id,
            "technology": f"{kind}_bridge",
            "bridge_type": self._kind,
            "bridge_class": "stasis",
            "creator": "Stasis",
            "name": self._name,
            "channels": sorted(self.channels),
            "creationtime": self._created,
            "video_mode": "talker",
        }

    def subscribe(self, application: Application) -> None:
        """Send its events to an application from now on."""
        self._subscribers[application.name] = application
        application.subscribed_bridges.add(self.id)

    def unsubscribe(self, application: Application) -> None:
        """Undo `subscribe`."""
        self._subscribers.pop(application.name, None)
        application.subscribed_bridges.discard(self.id)
        self._bus.drop_if_unused(application)

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
        subscribers = tuple(self._subscribers.values())
        had_few_channels = len(self.channels) <= 1
        for channel in tuple(self.channels.values()):
            channel.leave_bridge()
        if had_few_channels:
            self._publish("BridgeDestroyed")
        else:
            self._bus.publish("BridgeDestroyed", {"bridge": self.snapshot()}, to=())
        for application in subscribers:
            self.unsubscribe(application)

    def _publish(self, event_type: str, **fields: Any) -> None:  # noqa: ANN401 - JSON
        event = {"bridge": self.snapshot(), **fields}
        self._bus.publish(event_type, event, to=tuple(self._subscribers.values()))

    def _update_voices(self) -> None:
        for channel in self.channels.values():
            others = [
                each.device for each in self.channels.values() if each is not channel
            ]
            if others:
                channel.indications.start(f"voice:{others[0]}")
            else:
                channel.indications.stop("voice:")
