"""One connection of the daemon's, and what the faulty network does to it."""

from __future__ import annotations

import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone

from tests.support.wire_messages import Direction, WireReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IAddress, IDelayedCall
    from twisted.python.failure import Failure

    from tests.support.proxy import Proxy

# Linux sends a reset when a socket is closed that lingers for no time.
_NO_LINGERING = struct.pack("ii", 1, 0)


class Link:
    """One connection of the daemon's, and the one to Asterisk that it stands for."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.daemon = Side(self, Direction.TO_ASTERISK)
        self.asterisk = Side(self, Direction.TO_DAEMON)
        self.dialogue = WireReader()
        self._is_over = False
        proxy.links.add(self)

    def begin(self) -> None:
        """Connect to Asterisk, for a daemon that has connected."""
        Deferred.fromCoroutine(self._connect()).addErrback(lambda _: self.cut())

    async def _connect(self) -> None:
        await self.proxy.asterisk.connect(Handing(lambda: self.asterisk))
        if self._is_over:
            self.asterisk.end(with_reset=True)

    def to(self, way: Direction) -> Side:
        """Give the side that something on its way arrives at."""
        return self.asterisk if way is Direction.TO_ASTERISK else self.daemon

    def cut(self, *, with_reset: bool = True) -> None:
        """End it on both sides."""
        self._is_over = True
        self.proxy.links.discard(self)
        for side in (self.daemon, self.asterisk):
            side.end(with_reset=with_reset)

    def freeze(self) -> None:
        """Read nothing more, and send nothing."""
        for side in (self.daemon, self.asterisk):
            side.freeze()

    def thaw(self) -> None:
        """Go on."""
        for side in (self.daemon, self.asterisk):
            side.thaw()


class Handing(Factory):
    """Hands out the sides of links as connections come to be."""

    noisy = False

    def __init__(self, side: Callable[[], Side]) -> None:
        self._side = side

    def buildProtocol(self, addr: IAddress | None) -> Side:  # noqa: N802 - Twisted's name
        """Give the side that a connection is for."""
        return self._side()


class Side(Protocol):
    """One end of a link: what it hears goes out at the other."""

    transport: Any = None  # a TCP connection, with its socket

    def __init__(self, link: Link, way: Direction) -> None:
        self._link = link
        self._way = way  # of what is heard here
        self._outgoing: deque[tuple[float, bytes]] = deque()
        self._timer: IDelayedCall | None = None
        self._free_at = 0.0
        self._is_ending = False

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        self.transport.setTcpNoDelay(True)
        if self._way is Direction.TO_ASTERISK:
            self._link.begin()
        if self._link.proxy.is_frozen:
            self.freeze()
        else:
            self._send_due()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        proxy = self._link.proxy
        other = self._link.to(self._way)
        for message in self._link.dialogue.read(self._way, data):
            rule = proxy.fault_for(message)
            pieces = (
                [(0.0, message.data)] if rule is None else rule.becomes(message.data)
            )
            for delay, piece in pieces:
                if delay:
                    proxy.reactor.callLater(delay, other.send, piece)
                else:
                    other.send(piece)
            if rule is not None and not rule.happened.called:
                rule.happened.callback(None)
            if rule is not None and rule.cuts_after:
                proxy.cut_soon(rule.cuts_after)
                return

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._link.cut(with_reset=not reason.check(ConnectionDone))

    def send(self, data: bytes) -> None:
        """Send something, as late and as slowly as the proxy is."""
        proxy = self._link.proxy
        now = proxy.reactor.seconds()
        due = max(now + proxy.latency, self._free_at)
        if proxy.bytes_a_second:
            due += len(data) / proxy.bytes_a_second
        self._free_at = due
        self._outgoing.append((due, data))
        self._send_due()

    def end(self, *, with_reset: bool) -> None:
        """End this connection."""
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
        """Read nothing more, and send nothing."""
        if self.transport is not None:
            self.transport.stopReading()

    def thaw(self) -> None:
        """Go on."""
        if self.transport is not None and not self.transport.disconnecting:
            self.transport.startReading()
            self._send_due()

    def _send_due(self) -> None:
        proxy = self._link.proxy
        if self.transport is None or proxy.is_frozen:
            return
        now = proxy.reactor.seconds()
        while self._outgoing and self._outgoing[0][0] <= now:
            self.transport.write(self._outgoing.popleft()[1])
        if self._outgoing and self._timer is None:
            until_then = self._outgoing[0][0] - now
            self._timer = proxy.reactor.callLater(until_then, self._wake)
        elif self._is_ending and not self._outgoing:
            self.transport.loseConnection()

    def _wake(self) -> None:
        self._timer = None
        self._send_due()
