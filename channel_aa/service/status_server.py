"""The status endpoint: a `Status` in JSON over HTTP.

Monitoring speaks HTTP: `curl`, a load balancer, a container's health check. The
response is 200 while new calls are answered, and 503 otherwise, so that such a client
need not read the JSON.
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
"""Timeout of an idle connection."""

CONNECTIONS = 32
"""How many connections may be open; further ones are closed."""

_METHODS = (b"GET", b"HEAD")
_PART = re.compile(r"(?:\\.|[^:\\])*")
_OPTION = re.compile(r"(\w+)=(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - connected to, not bound


class StatusPage(Resource):
    """Answers with a `Status`, whatever the path.

    Args:
        read: returns the status.
    """

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, read: Callable[[], Status]) -> None:
        super().__init__()
        self._read = read

    def render(self, request: Request) -> bytes:
        """Answer GET and HEAD; 405 for other methods."""
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
    """Serves the status on an endpoint that may change.

    Args:
        read: returns the status.
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
        self._description = ""
        self._factory: _LimitedFactory | None = None
        self._port: Deferred[IListeningPort] | None = None

    async def listen(self, description: str) -> None:
        """Listen on an endpoint, and close the previous one.

        An error is logged, and not raised: calls matter more.

        Args:
            description: of a server endpoint, as for `serverFromString`; empty: none.
        """
        if description == self._description:
            return
        await self.close()
        self._description = description
        if not description:
            return
        site = _QuietSite(StatusPage(self._read), reactor=self._reactor)
        self._factory = _LimitedFactory(site)
        try:
            endpoint = serverFromString(
                self._reactor, _without_stale_socket(description)
            )
            self._port = endpoint.listen(self._factory)
            await self._port
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - an endpoint may raise anything
            self._port = None
            self._description = ""
            self._log.error(
                "Cannot listen for status requests on {where}: {error}",
                where=description,
                error=error,
            )
        else:
            self._log.info(
                "Listening for status requests on {where}", where=description
            )

    async def close(self) -> None:
        """Stop listening, and close all connections."""
        port, self._port = self._port, None
        factory, self._factory = self._factory, None
        self._description = ""
        if port is None or factory is None:
            return
        port.cancel()
        with suppress(CancelledError):
            await maybeDeferred((await port).stopListening)
        for connection in list(factory.protocols):
            connection.abortConnection()


def client_endpoint(
    description: str,
    reactor: Any,  # noqa: ANN401 - IReactorTCP and IReactorUNIX
) -> IStreamClientEndpoint:
    """Return the client endpoint for a server endpoint on this machine.

    Args:
        description: of the server endpoint.
        reactor: the reactor to connect with.

    Raises:
        ValueError: its type is not ``unix``, ``tcp`` or ``tcp6``.
    """
    kind, names, options = _parse(description)
    if kind == "unix" and names:
        return _UnixEndpoint(UNIXClientEndpoint(reactor, names[0]))
    if kind in {"tcp", "tcp6"} and names and names[0].isdecimal():
        host = options.get("interface", "" if kind == "tcp" else "::")
        client = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
        return client(reactor, _LOOPBACK.get(host, host), int(names[0]))
    raise ValueError(
        f"{description!r} cannot be queried from here; channel-aa status supports"
        " unix:PATH, tcp:PORT:interface=HOST and tcp6:PORT"
    )


class _Connection(ProtocolWrapper):
    """Ignores a TCP option, which a connection over a UNIX socket does not have.

    Twisted's HTTP client and server set it in any case, which fails in 24.10.
    """

    def setTcpNoDelay(self, enabled: object) -> None:  # noqa: N802 - Twisted's name
        """Do nothing."""


@implementer(IStreamClientEndpoint)
class _UnixEndpoint:
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
    """A site without an access log."""

    noisy = False
    displayTracebacks = False  # noqa: N815 - Twisted's name

    def __init__(
        self,
        page: StatusPage,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTime
    ) -> None:
        super().__init__(page, _BodilessRequest, timeout=IDLE_SECONDS, reactor=reactor)

    def log(self, request: object) -> None:
        """Do nothing."""


class _BodilessRequest(Request):
    """Rejects a request with a body, which would be kept in memory or in a file."""

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Close the connection if there is a body."""
        super().gotLength(0)
        if length != 0:
            self.loseConnection()


class _LimitedFactory(WrappingFactory):
    """Accepts at most `CONNECTIONS` connections."""

    noisy = False
    protocol = _Connection

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401, N802 - Twisted's
        """Return a protocol, or None to close the connection."""
        if len(self.protocols) >= CONNECTIONS:
            return None
        return super().buildProtocol(addr)


def _parse(description: str) -> tuple[str, list[str], dict[str, str]]:
    """Split a description into type, positional and keyword arguments, unescaped."""
    names, options = [], {}
    for part in filter(None, _PART.findall(description)):
        option = _OPTION.fullmatch(part)
        if option:
            options[option[1]] = _ESCAPE.sub(r"\1", option[2])
        else:
            names.append(_ESCAPE.sub(r"\1", part))
    return (names[0] if names else ""), names[1:], options


def _without_stale_socket(description: str) -> str:
    """Remove the UNIX socket of a daemon that was killed; return the description.

    Twisted's lock file is not used. It holds the id of the process that listens, but
    after a `kill -9` another process may have that id; in a container it is always the
    same one, our own.

    Raises:
        ValueError: another program listens on the socket.
    """
    kind, names, options = _parse(description)
    if kind != "unix" or not names or "lockfile" in options:
        return description
    path = Path(names[0])
    if path.is_socket():
        if _is_served(path):
            raise ValueError("another program listens there")
        path.unlink(missing_ok=True)
    return f"{description}:lockfile=0"


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:  # it is busy, or we may not connect
            return True
    return True
