"""What a channel is: its properties, as Asterisk describes it in its events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channel_aa.simulator.dialplan import CallerId, DialplanLocation, variable_name
from channel_aa.simulator.event_bus import EventSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channel_aa.simulator.event_bus import Application, EventBus

_BLIND_STATES = frozenset({"Down", "Rsrvd", "Ringing"})


@dataclass(frozen=True, kw_only=True)
class ChannelSetup:
    """What a channel begins with.

    Args:
        channel_id: empty: any.
        name: a number is put behind its last ``-`` if it ends there, or with ``;1``.
        state: ``Ring`` for a call that comes in, ``Down``, ….
        context: the context that it enters the dialplan in.
        extension: the extension that was dialled.
        caller: who is at the far end.
        connected: who is connected to that.
        dialplan_seconds: how long it stays in the dialplan outside of applications.
    """

    channel_id: str = ""
    name: str = "PJSIP/alice-"
    state: str = "Ring"
    context: str = "default"
    extension: str = "1000"
    caller: CallerId = field(default_factory=CallerId)
    connected: CallerId = field(default_factory=CallerId)
    language: str = "en"
    variables: Mapping[str, str] = field(default_factory=dict)
    dialplan_seconds: float = 0.0


class ChannelState(EventSource):
    """The properties of a channel; they describe it in its events.

    Attributes:
        application: the Stasis application that it is in.
        is_replaced: whether another channel has taken its place there.
    """

    kind = "channel"

    def __init__(self, bus: EventBus, setup: ChannelSetup) -> None:
        super().__init__(bus, setup.channel_id)
        self.name = setup.name
        self.state = setup.state
        self.application: Application | None = None
        self.is_replaced = False
        self.variables = {
            variable_name(name): value for name, value in setup.variables.items()
        }
        self.caller = setup.caller
        self.language = setup.language
        self.location = DialplanLocation(setup.context, setup.extension, 1)
        self.app_name = ""
        self.app_data = ""
        self.connected = setup.connected
        self._created = bus.timestamp()

    def snapshot(self) -> dict[str, Any]:
        """Describe the channel as Asterisk does."""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "protocol_id": "",
            "caller": self.caller.snapshot(),
            "connected": self.connected.snapshot(),
            "accountcode": "",
            "dialplan": {
                **self.location.snapshot(),
                "app_name": self.app_name,
                "app_data": self.app_data,
            },
            "creationtime": self._created,
            "language": self.language,
        }

    @property
    def device(self) -> str:
        """The device that it belongs to: ``PJSIP/alice``."""
        return self.name.rpartition("-")[0]

    @property
    def is_in_valid_state(self) -> bool:
        """Whether it is not an outbound channel that still rings."""
        return self.state not in _BLIND_STATES

    @property
    def subscribers(self) -> tuple[Application, ...]:
        """The applications that get its events, the one that it is in included."""
        own = None if self.is_replaced else self.application
        if not self.subscriptions:
            return () if own is None else (own,)
        others = (each for each in self.subscriptions.values() if each is not own)
        return tuple(others) if own is None else (own, *others)

    def change_state(self, state: str) -> None:
        """Change the state: ``Ringing``, ``Up``."""
        if self.state != state:
            self.state = state
            self.publish("ChannelStateChange", {})

    def set_status(self, status: str) -> None:
        """Set STASISSTATUS; the channel's own application gets no event of it."""
        self.variables["STASISSTATUS"] = status
        fields = {"variable": "STASISSTATUS", "value": status}
        self.publish_to_subscriptions("ChannelVarset", fields)

    def publish(self, event_type: str, fields: Mapping[str, Any]) -> None:
        """Send an event that describes the channel to its subscribers."""
        self.send_event(event_type, **fields, channel=self.snapshot())

    def publish_to_subscriptions(
        self, event_type: str, fields: Mapping[str, Any]
    ) -> None:
        """Send an event that the application does not get that the channel is in."""
        event = {**fields, "channel": self.snapshot()}
        self.bus.publish(event_type, event, to=tuple(self.subscriptions.values()))
