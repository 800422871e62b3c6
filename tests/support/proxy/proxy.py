"""A TCP proxy between the daemon and Asterisk that simulates a faulty network."""

from __future__ import annotations

import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone

from tests.support.proxy.faults import HANDSHAKE, Fault
from tests.support.proxy.messages import Direction, MessageParser
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IAddress, IDelayedCall
    from twisted.internet.posixbase import PosixReactorBase
    from twisted.internet.tcp import Port
    from twisted.python.failure import Failure

    from tests.support.proxy.faults import MessageFilter
    from tests.support.proxy.messages import Message

_FLUSH_SECONDS = 0.02
"""The seconds within which the kernel sends the bytes written to a socket."""


class Proxy:
    """Forwards connections to a port of 127.0.0.1.

    By default it forwards everything. Its methods make it lose, delay, repeat or change
    messages, and cut or freeze the connections.

    Args:
        reactor: the reactor that it runs on.
        port: the port of Asterisk's HTTP server.

    Attributes:
        latency: the delay in either direction, in seconds.
        bytes_a_second: the bandwidth of each connection and direction; 0: unlimited.
        opened: when each websocket was opened, in the reactor's time.
        is_frozen: whether nothing is forwarded; see `freeze`.
        connections: the connections that are open.
    """

    def __init__(self, reactor: PosixReactorBase, port: int) -> None:
        self.reactor = reactor
        self.latency = 0.0
        self.bytes_a_second = 0.0
        self.opened: list[float] = []
        self.is_frozen = False
        self.asterisk = clientFromString(reactor, f"tcp:127.0.0.1:{port}")
        self.connections: set[ProxiedConnection] = set()
        self._faults: list[Fault] = []
        self._listener: Port | None = None
        self.port = 0
        self.listen()

    @property
    def url(self) -> str:
        """The base URL for the daemon, in place of Asterisk's."""
        return f"http://127.0.0.1:{self.port}"

    async def opens(self, before: int) -> float:
        """Wait for another websocket than those before; return when it was opened."""
        await until(self.reactor, lambda: len(self.opened) > before, "a websocket")
        return self.opened[before]

    def listen(self) -> None:
        """Accept connections; after `refuse`, on the same port as before."""
        accepting = _EndFactory(lambda: ProxiedConnection(self).daemon)
        listening: Any = self.reactor.listenTCP(
            self.port, accepting, interface="127.0.0.1"
        )
        self._listener = listening
        self.port = listening.getHost().port

    async def refuse(self) -> None:
        """Refuse new connections."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await cast("Deferred[None]", listener.stopListening())

    async def close(self) -> None:
        """Cut all connections, and stop listening."""
        self.heal()
        self.cut()
        await self.refuse()

    def cut(self, *, with_reset: bool = True) -> None:
        """Close all connections, with a reset or in order; accept new ones."""
        for connection in list(self.connections):
            connection.cut(with_reset=with_reset)

    def cut_soon(self, seconds: float) -> None:
        """Read nothing more, and cut all connections after some seconds."""
        for connection in self.connections:
            connection.freeze()
        # Sockets are written in the reactor's next iteration: count from there.
        self.reactor.callLater(0, self.reactor.callLater, seconds, self.cut)

    def cut_at(
        self,
        which: MessageFilter,
        *,
        nth: int = 1,
        delivered: bool = False,
        dying: float = _FLUSH_SECONDS,
    ) -> Deferred[None]:
        """Cut all connections at the n-th selected message, once.

        Args:
            which: selects messages.
            nth: the message's number, from 1.
            delivered: whether the message is forwarded.
            dying: the seconds from the message to the cut; nothing is forwarded
                meanwhile, and neither side can notice.

        Returns:
            Fires when the message arrives here.
        """
        fault = Fault(
            which,
            lambda data: [(0, data)] if delivered else [],
            begins=nth,
            times=1,
            cuts_after=dying,
        )
        return self.add(fault).happened

    def swallow(self, which: MessageFilter, *, times: float = float("inf")) -> Fault:
        """Lose the selected messages."""
        return self.add(Fault(which, lambda _: [], times=times))

    def repeat(self, which: MessageFilter) -> Fault:
        """Forward the selected messages twice."""
        return self.add(Fault(which, lambda data: [(0, data), (0, data)]))

    def delay(self, which: MessageFilter, seconds: float) -> Fault:
        """Delay the selected messages: later messages overtake them."""
        return self.add(Fault(which, lambda data: [(seconds, data)]))

    def corrupt(
        self, which: MessageFilter, change: Callable[[bytes], bytes], *, nth: int = 1
    ) -> Fault:
        """Change the bytes of the n-th selected message."""
        fault = Fault(which, lambda data: [(0, change(data))], begins=nth, times=1)
        return self.add(fault)

    def add(self, fault: Fault) -> Fault:
        """Apply a fault from now on, until `heal`."""
        self._faults.append(fault)
        return fault

    def heal(self) -> None:
        """End all faults; frozen connections forward what has arrived meanwhile."""
        self._faults.clear()
        self.latency = self.bytes_a_second = 0.0
        self.is_frozen = False
        if self._listener is not None:
            self._listener.startReading()
        for connection in self.connections:
            connection.thaw()

    def freeze(self) -> None:
        """Forward nothing, not even a close, as if all packets were lost.

        New connections are not answered, either.
        """
        self.is_frozen = True
        if self._listener is not None:
            self._listener.stopReading()
        for connection in self.connections:
            connection.freeze()

    def fault_for(self, message: Message) -> Fault | None:
        """Return the first fault that applies to a message; every fault counts it."""
        if HANDSHAKE.matches(message):
            self.opened.append(self.reactor.seconds())
        applying = [fault for fault in self._faults if fault.applies_to(message)]
        return applying[0] if applying else None


# Linux sends a reset when a socket with a linger time of 0 is closed.
_NO_LINGERING = struct.pack("ii", 1, 0)


class ProxiedConnection:
    """A connection of the daemon, and the one to Asterisk that it is forwarded to.

    Attributes:
        daemon: the end that the daemon is connected to.
        asterisk: the end that is connected to Asterisk.
    """

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.daemon = ConnectionEnd(self, Direction.TO_ASTERISK)
        self.asterisk = ConnectionEnd(self, Direction.TO_DAEMON)
        self.parser = MessageParser()
        self._is_over = False
        proxy.connections.add(self)

    def begin(self) -> None:
        """Connect to Asterisk, when the daemon has connected."""
        Deferred.fromCoroutine(self._connect()).addErrback(lambda _: self.cut())

    async def _connect(self) -> None:
        await self.proxy.asterisk.connect(_EndFactory(lambda: self.asterisk))
        if self._is_over:
            self.asterisk.close(with_reset=True)

    def receiving_end(self, direction: Direction) -> ConnectionEnd:
        """Return the end that sends the messages of a direction on."""
        return self.asterisk if direction is Direction.TO_ASTERISK else self.daemon

    def cut(self, *, with_reset: bool = True) -> None:
        """Close both connections."""
        self._is_over = True
        self.proxy.connections.discard(self)
        for end in (self.daemon, self.asterisk):
            end.close(with_reset=with_reset)

    def freeze(self) -> None:
        """Stop reading and sending."""
        for end in (self.daemon, self.asterisk):
            end.freeze()

    def thaw(self) -> None:
        """Read and send again."""
        for end in (self.daemon, self.asterisk):
            end.thaw()


class _EndFactory(Factory):
    """Makes the protocols of connections."""

    noisy = False

    def __init__(self, make_end: Callable[[], ConnectionEnd]) -> None:
        self._make_end = make_end

    def buildProtocol(self, addr: IAddress | None) -> ConnectionEnd:  # noqa: N802 - Twisted's name
        return self._make_end()


class ConnectionEnd(Protocol):
    """One of the two connections; what it receives is sent by the other.

    Args:
        connection: the pair that it belongs to.
        direction: the direction of the messages that it receives.
    """

    transport: Any = None  # a TCP connection, with its socket

    def __init__(self, connection: ProxiedConnection, direction: Direction) -> None:
        self._connection = connection
        self._direction = direction
        self._outgoing: deque[tuple[float, bytes]] = deque()
        self._timer: IDelayedCall | None = None
        self._free_at = 0.0
        self._is_ending = False

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        self.transport.setTcpNoDelay(True)
        if self._direction is Direction.TO_ASTERISK:
            self._connection.begin()
        if self._connection.proxy.is_frozen:
            self.freeze()
        else:
            self._send_due()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        proxy = self._connection.proxy
        other = self._connection.receiving_end(self._direction)
        for message in self._connection.parser.feed(self._direction, data):
            fault = proxy.fault_for(message)
            pieces = (
                [(0.0, message.data)] if fault is None else fault.replace(message.data)
            )
            for delay, piece in pieces:
                if delay:
                    proxy.reactor.callLater(delay, other.send, piece)
                else:
                    other.send(piece)
            if fault is not None and not fault.happened.called:
                fault.happened.callback(None)
            if fault is not None and fault.cuts_after:
                proxy.cut_soon(fault.cuts_after)
                return

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._connection.cut(with_reset=not reason.check(ConnectionDone))

    def send(self, data: bytes) -> None:
        """Send data with the proxy's latency and bandwidth."""
        proxy = self._connection.proxy
        now = proxy.reactor.seconds()
        due = max(now + proxy.latency, self._free_at)
        if proxy.bytes_a_second:
            due += len(data) / proxy.bytes_a_second
        self._free_at = due
        self._outgoing.append((due, data))
        self._send_due()

    def close(self, *, with_reset: bool) -> None:
        """Close this connection."""
        if self.transport is None or self.transport.disconnected:
            return
        if with_reset:
            handle = self.transport.getHandle()
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
            self.transport.abortConnection()
        elif self._outgoing:
            self._is_ending = True
        else:
            self.transport.loseConnection()

    def freeze(self) -> None:
        """Stop reading and sending."""
        if self.transport is not None:
            self.transport.stopReading()

    def thaw(self) -> None:
        """Read and send again."""
        if self.transport is not None and not self.transport.disconnecting:
            self.transport.startReading()
            self._send_due()

    def _send_due(self) -> None:
        proxy = self._connection.proxy
        if self.transport is None or proxy.is_frozen:
            return
        now = proxy.reactor.seconds()
        while self._outgoing and self._outgoing[0][0] <= now:
            self.transport.write(self._outgoing.popleft()[1])
        if self._outgoing and self._timer is None:
            seconds = self._outgoing[0][0] - now
            self._timer = proxy.reactor.callLater(seconds, self._wake)
        elif self._is_ending and not self._outgoing:
            self.transport.loseConnection()

    def _wake(self) -> None:
        self._timer = None
        self._send_due()
