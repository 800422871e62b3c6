"""The events websockets: applications receive events and send requests there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny

from channel_aa.simulator.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from autobahn.websocket.types import ConnectionRequest

    from channel_aa.simulator.event_bus import EventBus
    from channel_aa.simulator.request_handler import RequestHandler

MAX_PAYLOAD_BYTES = 65_527
"""What Asterisk reads in one frame: 65,535 bytes with its head, which takes 8."""


class EventsProtocol(WebSocketServerProtocol):
    """One events websocket. Asterisk ignores binary messages."""

    factory: EventsFactory
    session: Session

    def onConnect(self, request: ConnectionRequest) -> str | None:  # noqa: N802 - autobahn's name
        """Agree on the subprotocol, which is optional."""
        self.session = Session(
            self.factory.bus,
            self.factory.handler,
            names=application_names(request.params.get("app", ())),
            send=self.send_event,
            drop=lambda: self.dropConnection(abort=True),
            subscribe_all=request.params.get("subscribeAll") == ["true"],
        )
        if request.protocols and "ari" not in request.protocols:
            raise ConnectionDeny(ConnectionDeny.BAD_REQUEST)
        return "ari" if request.protocols else None

    def onOpen(self) -> None:  # noqa: N802 - autobahn's name
        """Open the session."""
        self.factory.sockets.add(self)
        self.session.open()

    def onMessage(  # noqa: N802 - autobahn's name
        self,
        payload: bytes,
        isBinary: bool,  # noqa: FBT001, N803 - autobahn's signature
    ) -> None:
        """Serve a request."""
        if self.factory.serves_requests and not isBinary:
            self.session.received(payload)

    def onClose(  # noqa: N802 - autobahn's name
        self,
        wasClean: bool,  # noqa: FBT001, N803, ARG002 - autobahn's signature
        code: int,  # noqa: ARG002
        reason: str,  # noqa: ARG002
    ) -> None:
        """Close the session."""
        if self in self.factory.sockets:
            self.factory.sockets.discard(self)
            self.session.close()

    def send_event(self, event: bytes) -> None:
        """Send an encoded event."""
        if self.state == self.STATE_OPEN:
            self.sendMessage(event)


class EventsFactory(WebSocketServerFactory):
    """Makes the websockets, and keeps the open ones.

    Args:
        bus: the applications and their events.
        handler: serves requests.
        serves_requests: whether requests are served; else they are ignored.
        reactor: the reactor.
    """

    noisy = False

    def __init__(
        self,
        bus: EventBus,
        handler: RequestHandler,
        *,
        serves_requests: bool,
        reactor: Any,  # noqa: ANN401 - autobahn takes any
    ) -> None:
        super().__init__(protocols=["ari"], reactor=reactor)
        self.protocol = EventsProtocol
        # Autobahn keeps its timers with the global reactor. None is needed: the
        # handshake has arrived before this begins, and whoever stops the server
        # drops the connections.
        self.setProtocolOptions(
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            maxFramePayloadSize=MAX_PAYLOAD_BYTES,
            failByDrop=False,
        )
        self.bus = bus
        self.serves_requests = serves_requests
        self.handler = handler
        self.sockets: set[EventsProtocol] = set()


def application_names(values: Iterable[str]) -> list[str]:
    """Read the ``app`` parameter: names with commas between them."""
    return [name for value in values for name in value.split(",") if name]
