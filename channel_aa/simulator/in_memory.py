"""A link to a simulated Asterisk without a socket, for a client in the same process.

An `AriClient` and what stands on it run as in production: its own websocket and HTTP
client talk to the simulator's own server, but over memory and on any `IReactorTime`.
On a `twisted.internet.task.Clock` whole calls take no time, and are the same each
time; `pass_time` and `wait_for` move one.

This module alone of the simulator imports the ARI client, to make one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from channel_aa.ari import Address, AriClient, Transport
from channel_aa.ari.wire.backoff import Backoff
from channel_aa.ari.wire.connection import EventsConnection
from channel_aa.ari.wire.http import HttpSender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.interfaces import (
        IDelayedCall,
        IProtocol,
        IProtocolFactory,
        IReactorTime,
    )
    from twisted.internet.task import Clock

    from channel_aa.ari import CallHandler
    from channel_aa.interfaces import IStasisApplication
    from channel_aa.simulator.simulator import Simulator

__all__ = [
    "Direction",
    "InMemoryLink",
    "NothingHappensError",
    "pass_time",
    "wait_for",
]

T = TypeVar("T")

_SERVER = IPv4Address("TCP", "127.0.0.1", 8088)
_CLIENT = IPv4Address("TCP", "127.0.0.1", 50_000)


class Direction(Enum):
    """What travels, and which way."""

    REQUEST = "a request over HTTP"
    ANSWER = "its answer"
    MESSAGE_TO_ASTERISK = "a message on the websocket: a request"
    MESSAGE_FROM_ASTERISK = "a message on the websocket: an event or an answer"


class InMemoryLink:
    """Connects one program with a simulator, which need not be started.

    What goes over the websocket keeps its order, in either direction; requests over
    HTTP and their answers overtake each other, and the websocket, by their delays.

    Args:
        simulator: the simulated Asterisk.
        clock: keeps the client's time: the simulator's ``reactor``.
        delay: returns the seconds that something takes; called for each.

    Attributes:
        delay: as above; it may be replaced.
        simulator: as above.
        clock: as above.
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        clock: IReactorTime,
        delay: Callable[[Direction], float] = lambda _direction: 0.0,
    ) -> None:
        self.delay = delay
        self.simulator = simulator
        self.clock = clock
        self._http = _Endpoint(self, Direction.REQUEST, Direction.ANSWER)
        self._websocket = _Endpoint(
            self, Direction.MESSAGE_TO_ASTERISK, Direction.MESSAGE_FROM_ASTERISK
        )

    def client(
        self,
        application: IStasisApplication | None = None,
        *,
        on_call: CallHandler | None = None,
        app: str = "channel-aa",
        transport: Transport = Transport.AUTO,
    ) -> AriClient:
        """Make a client, which connects when it is started; see `AriClient`."""
        username, password = self.simulator.credentials
        address = Address(
            url=f"http://{_SERVER.host}:{_SERVER.port}",
            username=username,
            password=password,
            app=app,
        )
        return self.make_client(
            address,
            application,
            on_call=on_call,
            reactor=self.clock,
            transport=transport,
        )

    def make_client(
        self,
        address: Address,
        application: IStasisApplication | None = None,
        **options: Any,  # noqa: ANN401 - passed on
    ) -> AriClient:
        """Make a client with the arguments of `AriClient`; the host does not matter."""
        # Without chance, so that a run is the same each time.
        backoff = Backoff(initial=1.0, maximum=1.0, jitter=0.0)
        return AriClient(
            address,
            application,
            http=HttpSender(address, reactor=self.clock, endpoint=self._http),
            connection=partial(
                EventsConnection, endpoint=self._websocket, backoff=backoff
            ),
            **options,
        )

    def drop(self) -> None:
        """Drop the connections, and all that is on its way.

        The client learns of it in a later turn, and connects again.
        """
        self._websocket.drop()
        self._http.drop()

    def cut(self) -> None:
        """Drop the connections, and refuse new ones until `mend`."""
        self._http.is_cut = self._websocket.is_cut = True
        self.drop()

    def mend(self) -> None:
        """Accept connections again."""
        self._http.is_cut = self._websocket.is_cut = False


class NothingHappensError(Exception):
    """The condition is not met in time, or no timer is left that could meet it."""


def pass_time(clock: Clock, *, until: Callable[[], bool], seconds: float) -> None:
    """Move a clock from one timer to the next until a condition is met.

    Args:
        clock: the clock of everything concerned.
        until: returns whether it is met.
        seconds: how far the clock may go for it.

    Raises:
        NothingHappensError: it is not met by then, or no timer is left.
    """
    deadline = clock.seconds() + seconds
    while not until():
        due = min((call.getTime() for call in clock.getDelayedCalls()), default=None)
        if due is None:
            raise NothingHappensError("it is not met, and no timer is left")
        if due > deadline:
            raise NothingHappensError(f"it is not met within {seconds:g} seconds")
        clock.advance(max(0.0, due - clock.seconds()))


def wait_for(clock: Clock, deferred: Deferred[T], *, seconds: float) -> T:
    """Move a clock until a Deferred has fired, and return its result.

    Args:
        clock: the clock of everything concerned.
        deferred: it is used up.
        seconds: how far the clock may go for it.

    Raises:
        NothingHappensError: it has not fired by then, or no timer is left; any other
            error is the Deferred's own.
    """
    results: list[T | Failure] = []
    deferred.addBoth(results.append)
    pass_time(clock, until=lambda: bool(results), seconds=seconds)
    result = results[0]
    if isinstance(result, Failure):
        result.raiseException()
    return result


@implementer(IStreamClientEndpoint)
class _Endpoint:
    """Connects clients with a server, unless it is cut.

    Nothing arrives in the turn of the reactor that it was sent in, and what one
    connection carries in one direction keeps its order.
    """

    def __init__(
        self, link: InMemoryLink, to_server: Direction, to_client: Direction
    ) -> None:
        self.link = link
        self.clock = link.clock
        self.to_server = to_server
        self.to_client = to_client
        self.is_cut = False
        self.connections: dict[_Connection, None] = {}  # in the order of their making

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
        for connection in tuple(self.connections):
            connection.close(error.ConnectionLost())

    def _connect(self, factory: IProtocolFactory) -> IProtocol:
        if hasattr(factory, "setProtocolOptions"):
            # Autobahn's timers are the global reactor's, whatever it is given.
            factory.setProtocolOptions(
                openHandshakeTimeout=0,
                closeHandshakeTimeout=0,
                serverConnectionDropTimeout=0,
            )
        client = factory.buildProtocol(_SERVER)
        server = self.link.simulator.server.buildProtocol(_CLIENT)
        if client is None or server is None:
            raise error.ConnectionRefusedError
        connection = _Connection(self, client, server)
        self.connections[connection] = None
        server.makeConnection(connection.server)
        client.makeConnection(connection.client)
        return client


class _Connection:
    """A client's and a server's protocol, and the transport of each."""

    def __init__(
        self, endpoint: _Endpoint, client: IProtocol, server: IProtocol
    ) -> None:
        self.endpoint = endpoint
        self.client = _Transport(self, endpoint.to_server, _CLIENT, _SERVER, to=server)
        self.server = _Transport(self, endpoint.to_client, _SERVER, _CLIENT, to=client)

    def close(self, reason: Exception) -> None:
        """Close both ends; the client learns of it in a later turn."""
        if self not in self.endpoint.connections:
            return
        del self.endpoint.connections[self]
        self.client.lose()
        self.server.lose()
        failure = Failure(reason)
        self.client.to.connectionLost(failure)
        self.endpoint.clock.callLater(0.0, self.server.to.connectionLost, failure)


@dataclass
class _Packet:
    """Bytes that arrive together; empty: the end of the stream."""

    sent: float
    due: float
    data: bytes


class _Transport(StringTransport):
    """One end of a connection: what is written there arrives later at the other.

    Over HTTP all that is written at a time, a request or an answer, arrives at a time.
    On a websocket each write is a message.
    """

    def __init__(
        self,
        connection: _Connection,
        direction: Direction,
        host: IPv4Address,
        peer: IPv4Address,
        *,
        to: IProtocol,
    ) -> None:
        super().__init__(hostAddress=host, peerAddress=peer, lenient=True)
        self.to = to
        self._connection = connection
        self._clock = connection.endpoint.clock
        self._direction = direction
        self._merges = direction in {Direction.REQUEST, Direction.ANSWER}
        self._packets: deque[_Packet] = deque()
        self._timer: IDelayedCall | None = None

    def write(self, data: bytes) -> None:
        if self.disconnecting or not data:
            return
        last = self._packets[-1] if self._packets else None
        if self._merges and last and last.sent == self._clock.seconds():
            last.data += data
        else:
            self._put(data, self._connection.endpoint.link.delay(self._direction))

    def writeSequence(self, data: Iterable[bytes]) -> None:  # noqa: N802 - Twisted's name
        self.write(b"".join(data))

    def loseConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Close the connection once everything has arrived."""
        if not self.disconnecting:
            self.disconnecting = True
            self._put(b"", 0.0)

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        self._connection.close(error.ConnectionLost())

    def lose(self) -> None:
        """Lose what is on its way, and accept nothing more."""
        self.disconnecting = True
        self._packets.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _put(self, data: bytes, delay: float) -> None:
        now = self._clock.seconds()
        self._packets.append(_Packet(now, now + delay, data))
        if self._timer is None:
            self._timer = self._clock.callLater(delay, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        # What is written meanwhile waits for a turn of its own.
        for _ in range(len(self._packets)):
            if not self._packets or self._packets[0].due > now:
                break
            data = self._packets.popleft().data
            if data:
                self.to.dataReceived(data)
            else:
                self._connection.close(error.ConnectionDone())
        if self._packets and self._timer is None:
            wait = max(0.0, self._packets[0].due - now)
            self._timer = self._clock.callLater(wait, self._deliver)
