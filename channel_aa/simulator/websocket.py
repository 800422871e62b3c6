"""The websockets on which applications hear their events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from autobahn.websocket.types import ConnectionRequest

    from channel_aa.simulator.world import World


class EventsProtocol(WebSocketServerProtocol):
    """One websocket: the events of the applications that it named."""

    factory: EventsFactory

    def onConnect(self, request: ConnectionRequest) -> str | None:  # noqa: N802 - autobahn's name
        """Agree on the subprotocol, which a client need not name."""
        self._names = application_names(request.params.get("app", ()))
        self._hears_everything = request.params.get("subscribeAll") == ["true"]
        if request.protocols and "ari" not in request.protocols:
            raise ConnectionDeny(ConnectionDeny.BAD_REQUEST)
        return "ari" if request.protocols else None

    def onOpen(self) -> None:  # noqa: N802 - autobahn's name
        """Take the applications over."""
        self.factory.sockets.add(self)
        for name in self._names:
            self.factory.world.listen(
                name, self.send_event, to_everything=self._hears_everything
            )

    def onMessage(  # noqa: N802 - autobahn's name
        self,
        payload: bytes,
        isBinary: bool,  # noqa: FBT001, N803 - autobahn's signature
    ) -> None:
        """Take no notice, as an Asterisk does that serves no requests this way."""

    def onClose(  # noqa: N802 - autobahn's name
        self,
        wasClean: bool,  # noqa: FBT001, N803, ARG002 - autobahn's signature
        code: int,  # noqa: ARG002
        reason: str,  # noqa: ARG002
    ) -> None:
        """Give the applications up."""
        if self in self.factory.sockets:
            self.factory.sockets.discard(self)
            for name in self._names:
                self.factory.world.stop_listening(name, self.send_event)

    def send_event(self, event: bytes) -> None:
        """Send one event, encoded."""
        if self.state == self.STATE_OPEN:
            self.sendMessage(event)


class EventsFactory(WebSocketServerFactory):
    """Makes the websockets, and knows the open ones."""

    noisy = False

    def __init__(self, world: World, *, reactor: Any) -> None:  # noqa: ANN401 - autobahn takes any
        super().__init__(protocols=["ari"], reactor=reactor)
        self.protocol = EventsProtocol
        # Autobahn keeps its timers with the global reactor. None is needed: the
        # handshake has arrived before this begins, and whoever stops the server
        # drops the connections.
        self.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0)
        self.world = world
        self.sockets: set[EventsProtocol] = set()


def application_names(values: Iterable[str]) -> list[str]:
    """Read the ``app`` parameter: names with commas between them."""
    return [name for value in values for name in value.split(",") if name]
