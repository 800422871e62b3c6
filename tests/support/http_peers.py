"""HTTP servers on loopback, well-behaved and not."""

# ruff: noqa: N802, N815 - the names that Twisted calls
from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site
from zope.interface import implementer

from real_asterisk.harness import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from twisted.internet.interfaces import IAddress, IProtocolFactory
    from twisted.internet.posixbase import PosixReactorBase
    from twisted.internet.ssl import ContextFactory
    from twisted.python.failure import Failure
    from twisted.web.http import Request

KERNEL_BYTES = sum(
    int(Path(f"/proc/sys/net/ipv4/tcp_{each}").read_text("ascii").split()[2])
    for each in ("rmem", "wmem")
)
"""The most that the buffers of a connection's two sockets can hold."""


@asynccontextmanager
async def listening(
    reactor: PosixReactorBase,
    factory: IProtocolFactory,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    tls: ContextFactory | None = None,
) -> AsyncIterator[int]:
    """Listen on a port of loopback for a block of code; yield the port."""
    if tls is None:
        listener = reactor.listenTCP(port, factory, interface=host)
    else:
        listener = reactor.listenSSL(port, factory, tls, interface=host)
    try:
        yield listener.getHost().port
    finally:
        await maybeDeferred(listener.stopListening)


async def closed_port(reactor: PosixReactorBase) -> int:
    """Return a port that nothing listens on."""
    # Not one of the ephemeral ports, which the system may give to other sockets.
    async with listening(reactor, Factory(), port=free_port()) as port:
        return port


class RawConnection(Protocol):
    """One connection to a `RawPeer`."""

    transport: Any
    factory: RawPeer

    def __init__(self) -> None:
        self.data = b""

    def connectionMade(self) -> None:
        self.factory.connections.append(self)
        self.factory.on_connect(self)

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        while b"\r\n\r\n" in self.data:
            head, _, self.data = self.data.partition(b"\r\n\r\n")
            self.factory.requests.append(head)
            self.factory.on_request(self, head)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.lost += 1

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def write_and_close(self, data: bytes) -> None:
        self.transport.write(data)
        self.transport.loseConnection()

    def abort(self) -> None:
        self.transport.abortConnection()


def do_nothing(*_: object) -> None:
    """Do nothing: the client waits."""


class RawPeer(Factory):
    """A server that sends the bytes that a test chooses; silent by default.

    Args:
        on_request: is called with each request, which must have no body.
        on_connect: is called with each connection.
    """

    protocol = RawConnection  # type: ignore[assignment] # Twisted types it for none
    noisy = False

    def __init__(
        self,
        on_request: Callable[[RawConnection, bytes], None] = do_nothing,
        *,
        on_connect: Callable[[RawConnection], None] = do_nothing,
    ) -> None:
        self.on_request = on_request
        self.on_connect = on_connect
        self.connections: list[RawConnection] = []
        self.requests: list[bytes] = []
        self.lost = 0


@implementer(IPushProducer)
class EndlessSender:
    """Sends the same bytes without end, as fast as they are read."""

    def __init__(self, connection: RawConnection, drop: bytes) -> None:
        self.sent = 0
        self._connection = connection
        self._drop = drop
        self._is_flowing = True
        connection.transport.registerProducer(self, True)  # noqa: FBT003 - Twisted's
        self._flow()

    def _flow(self) -> None:
        while self._is_flowing:
            self._connection.write(self._drop)
            self.sent += len(self._drop)

    def pauseProducing(self) -> None:
        self._is_flowing = False

    def resumeProducing(self) -> None:
        self._is_flowing = True
        self._flow()

    def stopProducing(self) -> None:
        self._is_flowing = False


def http_answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def answering(*answers: bytes) -> Callable[[RawConnection, bytes], None]:
    """Answer each request with the next answer, in the end always with the last."""
    remaining = list(answers)

    def answer(connection: RawConnection, _request: bytes) -> None:
        connection.write(remaining.pop(0) if len(remaining) > 1 else remaining[0])

    return answer


class _LeafResource(Resource):
    isLeaf = True

    def __init__(self, answer: Callable[[Request], bytes | int]) -> None:
        super().__init__()
        self._answer = answer

    def render(self, request: Request) -> bytes | int:
        return self._answer(request)


class WebPeer(Site):
    """An HTTP server; answers 204 at once, or holds requests until `answer_all`."""

    noisy = False

    def __init__(self) -> None:
        super().__init__(_LeafResource(self._render))
        self.tcp_connections = 0
        self.requests: list[Request] = []
        self.waiting: list[Request] = []
        self.bodies: list[bytes] = []
        self.is_holding = False

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401 - Twisted's
        self.tcp_connections += 1
        return super().buildProtocol(addr)

    def log(self, request: object) -> None:
        """Write no access log."""

    def _render(self, request: Request) -> bytes | int:
        self.requests.append(request)
        assert request.content is not None
        self.bodies.append(request.content.read())
        if self.is_holding:
            self.waiting.append(request)
            return NOT_DONE_YET
        request.setResponseCode(204)
        return b""

    def answer_all(self) -> None:
        waiting, self.waiting = self.waiting, []
        for request in waiting:
            request.finish()
