"""The status endpoint: how an attendant is, in JSON over HTTP.

An endpoint, since what has to be known is in the running daemon, and what asks for it
speaks HTTP already: `curl`, a load balancer, a container's health check. It answers
with 200 where calls are attended to, and with 503 where they are not, so that nobody
has to read the JSON to know.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
    serverFromString,
)
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.http import NOT_ALLOWED, OK, SERVICE_UNAVAILABLE
from twisted.web.resource import Resource
from twisted.web.server import Request, Site
from zope.interface import implementer

from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import (
        IAddress,
        IListeningPort,
        IProtocolFactory,
    )

    from channel_aa.service.status import Status

IDLE_SECONDS = 10
"""How long a connection may be silent."""

CONNECTIONS = 32
"""How many may be open at once; further ones are closed."""

_METHODS = (b"GET", b"HEAD")
_PART = re.compile(r"(?:\\.|[^:\\])*")
_OPTION = re.compile(r"(\w+)=(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked for, not bound


class StatusPage(Resource):
    """Answers with a `Status`, whatever the path.

    Args:
        read: gives the status.
    """

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, read: Callable[[], Status]) -> None:
        super().__init__()
        self._read = read

    def render(self, request: Request) -> bytes:
        """Answer a GET, and with its head a HEAD; nothing else can be asked."""
        if request.method not in _METHODS:
            request.setResponseCode(NOT_ALLOWED)
            request.setHeader("Allow", b", ".join(_METHODS))
            return b""
        status = self._read()
        request.setResponseCode(OK if status.serving else SERVICE_UNAVAILABLE)
        request.setHeader("Content-Type", "application/json")
        request.setHeader("Cache-Control", "no-store")
        return msgspec.json.encode(status) + b"\n"


class StatusServer:
    """Serves the status, where it is told to.

    Args:
        read: gives the status.
        reactor: the reactor to listen with.
    """

    _log = Logger()

    def __init__(
        self,
        read: Callable[[], Status],
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTCP, IReactorUNIX and more at once
    ) -> None:
        self._reactor = reactor
        self._read = read
        self._where = ""
        self._factory: _LimitedFactory | None = None
        self._port: Deferred[IListeningPort] | None = None

    async def listen(self, where: str) -> None:
        """Listen there, and no more where it listened before.

        That it cannot is logged, and is no error: calls matter more.

        Args:
            where: a server endpoint, as for `twisted.internet.endpoints`; empty: none.
        """
        if where == self._where:
            return
        await self.close()
        self._where = where
        if not where:
            return
        self._factory = _LimitedFactory(_QuietSite(StatusPage(self._read)))
        try:
            endpoint = serverFromString(self._reactor, _prepared(where))
            self._port = endpoint.listen(self._factory)
            await self._port
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - an endpoint may raise anything
            self._port = None
            self._where = ""
            self._log.error(
                "Nobody can ask for the status at {where}: {error}",
                where=where,
                error=error,
            )
        else:
            self._log.info("The status is told at {where}", where=where)

    async def close(self) -> None:
        """Listen no more, and close every connection."""
        port, self._port = self._port, None
        factory, self._factory = self._factory, None
        self._where = ""
        if port is None or factory is None:
            return
        port.cancel()
        with suppress(CancelledError):
            await maybeDeferred((await port).stopListening)
        for connection in list(factory.protocols):
            connection.abortConnection()


def client_endpoint(
    where: str,
    reactor: Any,  # noqa: ANN401 - IReactorTCP and IReactorUNIX
) -> IStreamClientEndpoint:
    """Give the way to a server endpoint on this machine.

    Raises:
        ValueError: its kind is not ``unix``, ``tcp`` or ``tcp6``.
    """
    kind, names, options = _parsed(where)
    if kind == "unix" and names:
        return _UnixWay(UNIXClientEndpoint(reactor, names[0]))
    if kind in {"tcp", "tcp6"} and names and names[0].isdecimal():
        host = options.get("interface", "" if kind == "tcp" else "::")
        client = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
        return client(reactor, _LOOPBACK.get(host, host), int(names[0]))
    raise ValueError(
        f"{where!r} is served, but cannot be asked from here: only unix:PATH,"
        " tcp:PORT:interface=HOST and tcp6:PORT can"
    )


class _Connection(ProtocolWrapper):
    """A connection that may go over a UNIX socket, which has no option of TCP's.

    Twisted's HTTP sets one all the same, on both sides, and in 24.10 that fails.
    """

    def setTcpNoDelay(self, enabled: object) -> None:  # noqa: N802 - Twisted's name
        """Do without."""


@implementer(IStreamClientEndpoint)
class _UnixWay:
    """Connects HTTP clients to a UNIX socket."""

    def __init__(self, endpoint: UNIXClientEndpoint) -> None:
        self.endpoint = endpoint

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Connect; see `IStreamClientEndpoint`."""
        wrapped: Any = WrappingFactory(factory)
        wrapped.protocol, wrapped.noisy = _Connection, False
        connecting: Deferred[Any] = self.endpoint.connect(wrapped)
        return connecting.addCallback(lambda connected: connected.wrappedProtocol)


class _QuietSite(Site):
    """A site that writes no line for each request."""

    noisy = False
    displayTracebacks = False  # noqa: N815 - Twisted's name

    def __init__(self, page: StatusPage) -> None:
        super().__init__(page, _BodilessRequest, timeout=IDLE_SECONDS)

    def log(self, request: object) -> None:
        """Write nothing."""


class _BodilessRequest(Request):
    """A request that may have no body, which would be kept in memory or in a file."""

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Drop a request with a body."""
        super().gotLength(0)
        if length != 0:
            self.loseConnection()


class _LimitedFactory(WrappingFactory):
    """Accepts so many connections, and no more."""

    noisy = False
    protocol = _Connection

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401, N802 - Twisted's
        """Serve a connection; without a protocol, it is closed."""
        if len(self.protocols) >= CONNECTIONS:
            return None
        return super().buildProtocol(addr)


def _parsed(where: str) -> tuple[str, list[str], dict[str, str]]:
    """Take an endpoint's description apart, by the rules of Twisted's endpoints."""
    names, options = [], {}
    for part in filter(None, _PART.findall(where)):
        option = _OPTION.fullmatch(part)
        if option:
            options[option[1]] = _ESCAPE.sub(r"\1", option[2])
        else:
            names.append(_ESCAPE.sub(r"\1", part))
    return (names[0] if names else ""), names[1:], options


def _prepared(where: str) -> str:
    """Make sure that a UNIX socket of a daemon that was killed is in nobody's way.

    Twisted's own lock file holds the number of the process that made it. After a
    `kill -9` another process may have that number; in a container it is always the
    same one, our own.
    """
    kind, names, options = _parsed(where)
    if kind != "unix" or not names or "lockfile" in options:
        return where
    path = Path(names[0])
    if path.is_socket():
        if _is_served(path):
            raise ValueError("another program listens there")
        path.unlink(missing_ok=True)
    return f"{where}:lockfile=0"


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:  # it is busy, or not ours to connect to
            return True
    return True
