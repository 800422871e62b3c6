"""A bridge: channels that hear each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from channel_aa.simulator.applications import Application
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.state import PbxState

TYPES = frozenset(
    {"mixing", "holding", "dtmf_events", "proxy_media", "video_sfu", "video_single"}
)
"""What a bridge can be asked to be."""


class Bridge:
    """Channels that hear each other.

    Attributes:
        channels: those that are in it, by their id.
    """

    def __init__(
        self, world: PbxState, *, bridge_id: str, name: str = "", kind: str = "mixing"
    ) -> None:
        self.id = bridge_id
        self.channels: dict[str, Channel] = {}
        self._world = world
        self._name = name
        self._kind = kind
        self._created = world.timestamp()
        self._hearers: dict[str, Application] = {}

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

    def create(self) -> None:
        """Tell of it: no application of its own hears that."""
        self._world.publish_to_all("BridgeCreated", {"bridge": self.snapshot()})

    def be_watched_by(self, application: Application) -> None:
        """Have an application hear of it from now on."""
        self._hearers[application.name] = application
        application.bridges[self.id] = self

    def be_watched_no_more_by(self, application: Application) -> None:
        """Have an application hear of it no more."""
        self._hearers.pop(application.name, None)
        application.bridges.pop(self.id, None)
        self._world.drop_if_unused(application)

    def enter(self, channel: Channel) -> None:
        """Let a channel in. Its own application hears of the bridge from now on."""
        self.channels[channel.id] = channel
        if channel.application is not None:
            self.be_watched_by(channel.application)
        self._say("ChannelEnteredBridge", channel=channel.snapshot())
        self._tell_what_is_heard()

    def leave(self, channel: Channel) -> None:
        """Let a channel out."""
        del self.channels[channel.id]
        self._say("ChannelLeftBridge", channel=channel.snapshot())
        channel.hearing.stop("voice:")
        self._tell_what_is_heard()

    def destroy(self) -> None:
        """Let everybody out, and be no more.

        Asterisk tells an application of the end of a bridge only where no two
        channels were left in it.
        """
        hearers = tuple(self._hearers.values())
        is_told = len(self.channels) <= 1
        for channel in tuple(self.channels.values()):
            channel.leave_bridge()
        if is_told:
            self._say("BridgeDestroyed")
        else:
            self._world.publish_to_all("BridgeDestroyed", {"bridge": self.snapshot()})
        for application in hearers:
            self.be_watched_no_more_by(application)

    def _say(self, event_type: str, **fields: Any) -> None:  # noqa: ANN401 - JSON
        event = {"bridge": self.snapshot(), **fields}
        self._world.publish(event_type, event, to=tuple(self._hearers.values()))

    def _tell_what_is_heard(self) -> None:
        for channel in self.channels.values():
            others = [
                each.device for each in self.channels.values() if each is not channel
            ]
            if others:
                channel.hearing.start(f"voice:{others[0]}")
            else:
                channel.hearing.stop("voice:")
