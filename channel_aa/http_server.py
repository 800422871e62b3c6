"""An HTTP server for one resource, on an endpoint that may change.

It serves little to few: without bodies of requests, with limits on connections and
idle time, and without an access log.
"""

from __future__ import annotations

import re
import socket
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.http import NOT_ALLOWED
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IListeningPort

IDLE_SECONDS = 10
"""Timeout of an idle connection."""

CONNECTIONS = 32
"""How many connections may be open; further ones are closed."""

_METHODS = (b"GET", b"HEAD")
_PART = re.compile(r"(?:\\.|[^:\\])*")
_OPTION = re.compile(r"(\w+)=(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class Page(Resource, ABC):
    """Answers GET and HEAD, whatever the path, and 405 for other methods."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def render(self, request: Request) -> bytes:
        """Answer a request; see `content`."""
        if request.method not in _METHODS:
            request.setResponseCode(NOT_ALLOWED)
            request.setHeader("Allow", b", ".join(_METHODS))
            return b""
        return self.content(request)

    @abstractmethod
    def content(self, request: Request) -> bytes:
        """Set the code and the headers, and return the body."""


class HttpServer:
    """Serves a page on an endpoint that may change.

    Args:
        page: the page.
        purpose: what clients request, for the log: ``status requests``.
        reactor: the reactor to listen with.
    """

    _log = Logger()

    def __init__(
        self,
        page: Page,
        *,
        purpose: str,
        reactor: Any,  # noqa: ANN401 - IReactorTCP, IReactorUNIX and more at once
    ) -> None:
        self._reactor = reactor
        self._page = page
        self._purpose = purpose
        self._description = ""
        self._factory: _LimitedFactory | None = None
        self._port: Deferred[IListeningPort] | None = None
        self._address: Any = None

    @property
    def port(self) -> int:
        """The TCP port that it listens on; 0: none."""
        return getattr(self._address, "port", 0)

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
        site = _QuietSite(self._page, reactor=self._reactor)
        self._factory = _LimitedFactory(site)
        try:
            endpoint = serverFromString(
                self._reactor, _without_stale_socket(description)
            )
            self._port = endpoint.listen(self._factory)
            self._address = (await self._port).getHost()
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - an endpoint may raise anything
            self._port = None
            self._description = ""
            self._log.error(
                "Cannot listen for {purpose} on {where}: {error}",
                purpose=self._purpose,
                where=description,
                error=error,
            )
        else:
            self._log.info(
                "Listening for {purpose} on {where}",
                purpose=self._purpose,
                where=description,
            )

    async def close(self) -> None:
        """Stop listening, and close all connections."""
        port, self._port = self._port, None
        factory, self._factory = self._factory, None
        self._description = ""
        self._address = None
        if port is None or factory is None:
            return
        port.cancel()
        with suppress(CancelledError):
            await maybeDeferred((await port).stopListening)
        for connection in list(factory.protocols):
            connection.abortConnection()


class TcpOptionIgnored(ProtocolWrapper):
    """Ignores a TCP option, which a connection over a UNIX socket does not have.

    Twisted's HTTP client and server set it in any case, which fails in 24.10.
    """

    def setTcpNoDelay(self, enabled: object) -> None:  # noqa: N802 - Twisted's name
        """Do nothing."""


class _QuietSite(Site):
    """A site without an access log."""

    noisy = False
    displayTracebacks = False  # noqa: N815 - Twisted's name

    def __init__(
        self,
        page: Page,
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
    protocol = TcpOptionIgnored

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401, N802 - Twisted's
        """Return a protocol, or None to close the connection."""
        if len(self.protocols) >= CONNECTIONS:
            return None
        return super().buildProtocol(addr)


def parse_endpoint(description: str) -> tuple[str, list[str], dict[str, str]]:
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
    kind, names, options = parse_endpoint(description)
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
