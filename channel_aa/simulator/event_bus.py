"""The event bus: applications, and which events each of them gets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from twisted.internet.defer import Deferred, succeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.simulator.faults import Faults

ENTITY_ID = "02:00:00:00:00:01"
"""The simulated Asterisk's own id: the ``asterisk_id`` of each event."""

_encode = msgspec.json.Encoder().encode


class Application:
    """A Stasis application; it exists while it has a websocket, or is subscribed.

    Attributes:
        channels: the ids of the channels that are in it.
        sources: the channels and bridges that it is subscribed to.
        send: sends an encoded event to its websocket; None: it has none.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.channels: set[str] = set()
        self.sources: set[EventSource] = set()
        self.send: Callable[[bytes], None] | None = None
        self._allowed: list[str] = []
        self._disallowed: list[str] = []

    @property
    def is_in_use(self) -> bool:
        """Whether it has a websocket, a channel or a subscription."""
        return self.send is not None or bool(self.channels or self.sources)

    def filter(
        self, *, allowed: list[str] | None = None, disallowed: list[str] | None = None
    ) -> None:
        """Set which types of events it gets.

        Args:
            allowed: only these; empty: all.
            disallowed: none of these.

        None leaves a list as it is; both None: it gets everything.
        """
        if allowed is None and disallowed is None:
            allowed = disallowed = []
        self._allowed = self._allowed if allowed is None else allowed
        self._disallowed = self._disallowed if disallowed is None else disallowed

    def accepts(self, event_type: str) -> bool:
        """Return whether events of this type pass its filter."""
        is_allowed = not self._allowed or event_type in self._allowed
        return is_allowed and event_type not in self._disallowed

    def snapshot(self) -> dict[str, Any]:
        """Describe the application as Asterisk does."""
        ids: dict[str, set[str]] = {"channel": set(self.channels), "bridge": set()}
        for source in self.sources:
            ids[source.kind].add(source.id)
        return {
            "name": self.name,
            "channel_ids": sorted(ids["channel"]),
            "bridge_ids": sorted(ids["bridge"]),
            "endpoint_ids": [],
            "device_names": [],
            "events_allowed": [{"type": each} for each in self._allowed],
            "events_disallowed": [{"type": each} for each in self._disallowed],
        }


class EventBus:
    """Publishes events to the Stasis applications.

    Args:
        clock: gives events their timestamps.
        faults: which events are dropped.

    Attributes:
        applications: the applications that exist, by name.
    """

    def __init__(self, *, clock: IReactorTime, faults: Faults) -> None:
        self.applications: dict[str, Application] = {}
        self._clock = clock
        self._faults = faults
        self._subscribed_to_all: dict[str, Application] = {}
        self._awaiting: dict[str, list[Deferred[None]]] = {}

    def timestamp(self) -> str:
        """Return the current time as Asterisk writes it."""
        now = datetime.fromtimestamp(self._clock.seconds(), UTC)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "+0000")

    def register(
        self, name: str, send: Callable[[bytes], None], *, subscribe_all: bool = False
    ) -> None:
        """Send the events of an application there, instead of anywhere else.

        Args:
            name: the application's name.
            send: takes each event, encoded.
            subscribe_all: whether it gets all events of Asterisk.
        """
        application = self.applications.get(name)
        if application is None:
            application = self.applications[name] = Application(name)
        elif application.send is not None:
            self._send(application, "ApplicationReplaced", {})
        application.send = send
        if subscribe_all:
            self._subscribed_to_all[name] = application
        for registered in self._awaiting.pop(name, ()):
            registered.callback(None)

    def unregister(self, name: str, send: Callable[[bytes], None]) -> None:
        """Undo `register`, unless another ``send`` has taken the name since."""
        application = self.applications.get(name)
        if application is not None and application.send == send:
            application.send = None
            self._subscribed_to_all.pop(name, None)
            self.drop_if_unused(application)

    def when_registered(self, name: str) -> Deferred[None]:
        """Fire as soon as an application has a websocket."""
        application = self.applications.get(name)
        if application is not None and application.send is not None:
            return succeed(None)
        awaiting = self._awaiting.setdefault(name, [])
        registered: Deferred[None] = Deferred(awaiting.remove)
        awaiting.append(registered)
        return registered

    def publish(
        self, event_type: str, fields: Mapping[str, Any], *, to: Iterable[Application]
    ) -> None:
        """Send an event to these applications, and to those subscribed to all."""
        if not to and not self._subscribed_to_all:
            return
        if self._faults.drops(event_type):
            return
        for application in to:
            self._send(application, event_type, fields)
        for application in self._subscribed_to_all.values():
            if application not in to:
                self._send(application, event_type, fields)

    def send_to(
        self, application: Application, event_type: str, fields: Mapping[str, Any]
    ) -> None:
        """Send an event to one application, and to no others."""
        if not self._faults.drops(event_type):
            self._send(application, event_type, fields)

    def response(self, app: str, fields: Mapping[str, Any]) -> bytes | None:
        """Encode the response to a request over a websocket.

        Args:
            app: the first application of the websocket.
            fields: the fields of the ``RESTResponse``.

        Returns:
            The message; None if the application's filter or a fault drops it.
        """
        application = self.applications.get(app)
        is_filtered = application and not application.accepts("RESTResponse")
        if is_filtered or self._faults.drops("RESTResponse"):
            return None
        return self._message("RESTResponse", app, fields)

    def drop_if_unused(self, application: Application) -> None:
        """Remove an application that has no websocket, channel or subscription."""
        if not application.is_in_use:
            self.applications.pop(application.name, None)

    def clear(self) -> None:
        """Remove all applications, without an event."""
        self.applications.clear()
        self._subscribed_to_all.clear()

    def _send(
        self, application: Application, event_type: str, fields: Mapping[str, Any]
    ) -> None:
        if application.send is not None and application.accepts(event_type):
            application.send(self._message(event_type, application.name, fields))

    def _message(self, kind: str, app: str, fields: Mapping[str, Any]) -> bytes:
        message = {
            "type": kind,
            "timestamp": self.timestamp(),
            **fields,
            "asterisk_id": ENTITY_ID,
            "application": app,
        }
        return _encode(message)


class EventSource:
    """A channel or a bridge: sends its events to the applications subscribed to it.

    Attributes:
        kind: ``channel`` or ``bridge``.
        subscriptions: the applications that are subscribed, by name.
    """

    kind: ClassVar[str]

    def __init__(self, bus: EventBus, source_id: str) -> None:
        self.id = source_id
        self.bus = bus
        self.subscriptions: dict[str, Application] = {}

    @property
    def subscribers(self) -> tuple[Application, ...]:
        """The applications that get its events."""
        return tuple(self.subscriptions.values())

    def subscribe(self, application: Application) -> None:
        """Send its events to an application for as long as it exists."""
        self.subscriptions[application.name] = application
        application.sources.add(self)

    def unsubscribe(self, application: Application) -> None:
        """Undo `subscribe`."""
        self.subscriptions.pop(application.name, None)
        application.sources.discard(self)
        self.bus.drop_if_unused(application)

    def send_event(self, event_type: str, **fields: Any) -> None:  # noqa: ANN401 - JSON
        """Send an event to its subscribers."""
        self.bus.publish(event_type, fields, to=self.subscribers)
