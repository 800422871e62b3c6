"""In-memory connections to the simulator's HTTP server, in virtual time.

A client protocol and the server's own protocol exchange bytes as over TCP, but each
write takes the time that a function says, by any `IReactorTime`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint, ITransport
from twisted.python.failure import Failure
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.interfaces import (
        IDelayedCall,
        IProtocol,
        IProtocolFactory,
        IReactorTime,
    )

SERVER = IPv4Address("TCP", "127.0.0.1", 8088)
CLIENT = IPv4Address("TCP", "127.0.0.1", 50_000)


class Direction(Enum):
    """What travels, and which way."""

    REQUEST = "a request over HTTP"
    ANSWER = "its answer"
    MESSAGE_TO_ASTERISK = "a message on the websocket: a request"
    MESSAGE_FROM_ASTERISK = "a message on the websocket: an event or an answer"


@implementer(IStreamClientEndpoint)
class InMemoryEndpoint:
    """Connects clients with a server.

    Nothing arrives in the turn of the reactor that it was sent in, and what one
    connection carries in one direction keeps its order.

    Args:
        server: the factory of the server's protocols.
        clock: keeps the time of both ends.
        delay: returns the seconds that something takes, by its direction.
        to_server: the direction of what clients send.
        to_client: the direction of what the server sends.

    Attributes:
        is_cut: whether new connections are refused.
    """

    def __init__(
        self,
        server: IProtocolFactory,
        *,
        clock: IReactorTime,
        delay: Callable[[Direction], float],
        to_server: Direction,
        to_client: Direction,
    ) -> None:
        self.clock = clock
        self.delay = delay
        self.to_server = to_server
        self.to_client = to_client
        self.is_cut = False
        self._server = server
        self._connections: dict[_Connection, None] = {}  # in the order of their making

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect a client protocol in a later turn; see `IStreamClientEndpoint`."""

        def connect() -> None:
            if self.is_cut:
                connected.errback(error.ConnectionRefusedError())
            else:
                connected.callback(self._connect(factory))

        connected: Deferred[IProtocol] = Deferred(lambda _: timer.cancel())
        timer = self.clock.callLater(0.0, connect)
        return connected

    def drop(self) -> None:
        """Drop every connection, with all that is on its way.

        The server learns of it at once, clients in a later turn.
        """
        for connection in tuple(self._connections):
            connection.close(error.ConnectionLost())

    def _connect(self, factory: IProtocolFactory) -> IProtocol:
        if hasattr(factory, "setProtocolOptions"):
            # Autobahn's timers are the global reactor's, whatever it is given.
            factory.setProtocolOptions(
                openHandshakeTimeout=0,
                closeHandshakeTimeout=0,
                serverConnectionDropTimeout=0,
            )
        client, server = (
            factory.buildProtocol(SERVER),
            self._server.buildProtocol(CLIENT),
        )
        if client is None or server is None:
            raise error.ConnectionRefusedError
        connection = _Connection(self, client, server, forget=self._connections.pop)
        self._connections[connection] = None
        connection.open()
        return client


class _Connection:
    """A client's and a server's protocol, and the transport of each."""

    def __init__(
        self,
        endpoint: InMemoryEndpoint,
        client: IProtocol,
        server: IProtocol,
        *,
        forget: Callable[[_Connection], object],
    ) -> None:
        self.clock = endpoint.clock
        self._forget = forget
        self._is_closed = False
        self._client = _Transport(self, endpoint, endpoint.to_server, client, CLIENT)
        self._server = _Transport(self, endpoint, endpoint.to_client, server, SERVER)
        self._client.peer, self._server.peer = self._server, self._client

    def open(self) -> None:
        """Give both protocols their transports."""
        self._server.protocol.makeConnection(self._server)
        self._client.protocol.makeConnection(self._client)

    def close(self, reason: Exception) -> None:
        """Close both ends; the client learns of it in a later turn."""
        if self._is_closed:
            return
        self._is_closed = True
        self._client.clear()
        self._server.clear()
        self._forget(self)
        failure = Failure(reason)
        self._server.protocol.connectionLost(failure)
        self.clock.callLater(0.0, self._client.protocol.connectionLost, failure)


@dataclass
class _Packet:
    """Bytes that arrive together; empty: the end of the stream."""

    sent: float
    due: float
    data: bytes


@implementer(ITransport)
class _Transport:
    """One end of a connection: what is written there arrives later at the other.

    Over HTTP all that is written at a time, a request or an answer, arrives at a time.
    On a websocket each write is a message.
    """

    peer: _Transport

    def __init__(
        self,
        connection: _Connection,
        endpoint: InMemoryEndpoint,
        direction: Direction,
        protocol: IProtocol,
        address: IPv4Address,
    ) -> None:
        self.protocol = protocol
        self.disconnecting = False
        self._connection = connection
        self._endpoint = endpoint
        self._direction = direction
        self._address = address
        self._merges = direction in {Direction.REQUEST, Direction.ANSWER}
        self._packets: deque[_Packet] = deque()
        self._timer: IDelayedCall | None = None

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self.disconnecting or not data:
            return
        last = self._packets[-1] if self._packets else None
        if self._merges and last and last.sent == self._endpoint.clock.seconds():
            last.data += data
        else:
            self._put(data, self._endpoint.delay(self._direction))

    def writeSequence(self, data: Iterable[bytes]) -> None:  # noqa: N802 - Twisted's name
        """Send bytes."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Close the connection once everything has arrived."""
        if not self.disconnecting:
            self.disconnecting = True
            self._put(b"", 0.0)

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Close the connection; what is on its way is lost."""
        self._connection.close(error.ConnectionLost())

    def getHost(self) -> IPv4Address:  # noqa: N802 - Twisted's name
        """Return the address of this end."""
        return self._address

    def getPeer(self) -> IPv4Address:  # noqa: N802 - Twisted's name
        """Return the address of the other end."""
        return self.peer.getHost()

    def registerProducer(self, producer: object, streaming: bool) -> None:  # noqa: FBT001, N802 - Twisted's
        """Do nothing: the buffer has no limit."""

    def unregisterProducer(self) -> None:  # noqa: N802 - Twisted's name
        """Do nothing."""

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Do nothing: a server pauses only while it serves a request."""

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Do nothing."""

    def clear(self) -> None:
        """Lose what is on its way, and accept nothing more."""
        self.disconnecting = True
        self._packets.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _put(self, data: bytes, delay: float) -> None:
        now = self._endpoint.clock.seconds()
        self._packets.append(_Packet(now, now + delay, data))
        if self._timer is None:
            self._timer = self._endpoint.clock.callLater(delay, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        now = self._endpoint.clock.seconds()
        # What is written meanwhile waits for a turn of its own.
        for _ in range(len(self._packets)):
            if not self._packets or self._packets[0].due > now:
                break
            data = self._packets.popleft().data
            if data:
                self.peer.protocol.dataReceived(data)
            else:
                self._connection.close(error.ConnectionDone())
        if self._packets and self._timer is None:
            wait = max(0.0, self._packets[0].due - now)
            self._timer = self._endpoint.clock.callLater(wait, self._deliver)
