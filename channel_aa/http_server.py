"""An HTTP server for one resource, on an endpoint that may change.

It trusts no client: a connection is for one request, without a body, and has a time
limit for all of it; the oldest connection gives way to a new one above a limit; and a
request for another host's name, which a web page can send by DNS rebinding, is refused.
There is no access log.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.http import NOT_ALLOWED, HTTPChannel
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from channel_aa.logs import Logger
from channel_aa.server_endpoints import ready_to_listen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from twisted.internet.interfaces import (
        IAddress,
        IDelayedCall,
        IListeningPort,
        ITCPTransport,
    )
    from twisted.python.failure import Failure

EXCHANGE_SECONDS = 20
"""How long a connection may last, until the last byte of the response is sent."""

CONNECTIONS = 64
"""How many connections may be open; above that, the oldest is closed."""

CLIENT_CONNECTIONS = 32
"""How many of them may come from one address."""

RETRY_SECONDS = 5.0
"""After which time to listen again, if that failed: a daemon that is to end may still
listen there."""

_METHODS = (b"GET", b"HEAD")
_MISDIRECTED_REQUEST = 421  # RFC 9110


class Page(Resource, ABC):
    """Answers GET and HEAD, whatever the path, and 405 for other methods."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def render(self, request: Request) -> bytes | int:
        """Answer a request; see `content`."""
        if request.method not in _METHODS:
            request.setResponseCode(NOT_ALLOWED)
            request.setHeader("Allow", b", ".join(_METHODS))
            return b""
        return self.content(request)

    @abstractmethod
    def content(self, request: Request) -> bytes | int:
        """Set the code and the headers, and return the body.

        Returns:
            The body, or `NOT_DONE_YET` if a producer writes it.
        """


class _OtherHost(Page):
    """Refuses requests for other hosts."""

    def content(self, request: Request) -> bytes:
        """Say how the server is to be called."""
        request.setResponseCode(_MISDIRECTED_REQUEST)
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        return (
            b"This is not the host that the request names. Use an IP address,"
            b" localhost, this machine's name, or a name that is configured.\n"
        )


class HttpServer:
    """Serves a page on an endpoint that may change.

    Args:
        page: the page.
        purpose: what clients request, for the log: ``status requests``.
        reactor: the reactor to listen with.

    Attributes:
        purpose: as above; it may change.
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
        self.purpose = purpose
        self._description = ""
        self._hosts = frozenset[str]()
        self._factory: _BoundedFactory | None = None
        self._port: Deferred[IListeningPort] | None = None
        self._address: Any = None
        self._retry: IDelayedCall | None = None
        self._reported: tuple[str, str] | None = None

    @property
    def port(self) -> int:
        """The TCP port that it listens on; 0: none."""
        return getattr(self._address, "port", 0)

    async def listen(self, description: str, *, hosts: Iterable[str] = ()) -> None:
        """Listen on an endpoint, and close the previous one.

        An error is logged once, and not raised: calls matter more. It tries again each
        `RETRY_SECONDS`.

        Args:
            description: of a server endpoint, as for `serverFromString`; empty: none.
            hosts: names of this host in requests, besides IP addresses, ``localhost``
                and the name that the system knows.
        """
        known = {"localhost", socket.gethostname(), *hosts}
        self._hosts = frozenset(name.lower().rstrip(".") for name in known)
        if description == self._description:
            return
        await self.close()
        self._description = description
        if not description:
            return
        site = _QuietSite(self._page, hosts=lambda: self._hosts, reactor=self._reactor)
        self._factory = _BoundedFactory(site, reactor=self._reactor)
        try:
            endpoint = serverFromString(self._reactor, ready_to_listen(description))
            self._port = endpoint.listen(self._factory)
            self._address = (await self._port).getHost()
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - an endpoint may raise anything
            self._port = None
            self._description = ""
            self._report(description, _reason(error))
            self._retry = self._reactor.callLater(
                RETRY_SECONDS, self._listen_again, description, hosts
            )
        else:
            self._reported = None
            self._log.info(
                "Listening for {purpose} on {where}",
                purpose=self.purpose,
                where=description,
            )

    def _listen_again(self, description: str, hosts: Iterable[str]) -> None:
        Deferred.fromCoroutine(self.listen(description, hosts=hosts)).addErrback(
            lambda failure: self._log.failure("Listening again failed", failure)
        )

    def _report(self, description: str, reason: str) -> None:
        if (problem := (description, reason)) == self._reported:
            return
        self._reported = problem
        self._log.error(
            "Cannot listen for {purpose} on {where}: {reason}. Trying again every"
            " {seconds:g} s",
            purpose=self.purpose,
            where=description,
            reason=reason,
            seconds=RETRY_SECONDS,
        )

    async def close(self) -> None:
        """Stop listening, and close all connections."""
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
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


def _reason(error: Exception) -> str:
    """Say why an endpoint cannot be listened on, without repeating which one."""
    cause = error.socketError if isinstance(error, CannotListenError) else error
    return getattr(cause, "strerror", None) or str(cause)


class TcpOptionIgnored(ProtocolWrapper):
    """Ignores a TCP option, which a connection over a UNIX socket does not have.

    Twisted's HTTP client and server set it in any case, which fails in 24.10.
    """

    def setTcpNoDelay(self, enabled: object) -> None:  # noqa: N802 - Twisted's name
        """Do nothing."""


class _OneRequestChannel(HTTPChannel):
    """Answers one request, so that answers cannot pile up."""

    def checkPersistence(self, request: Request, _version: bytes) -> bool:  # noqa: N802 - Twisted's name
        """Close the connection behind the response."""
        request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        return False


class _QuietSite(Site):
    """A site without an access log, for requests that name one of its hosts."""

    noisy = False
    displayTracebacks = False  # noqa: N815 - Twisted's name
    protocol: Any = _OneRequestChannel

    def __init__(
        self,
        page: Page,
        *,
        hosts: Callable[[], Collection[str]],
        reactor: Any,  # noqa: ANN401 - IReactorTime
    ) -> None:
        # _BoundedConnection limits the time.
        super().__init__(page, _BodilessRequest, timeout=None, reactor=reactor)
        self._hosts = hosts

    def log(self, request: object) -> None:
        """Do nothing."""

    def getResourceFor(self, request: Request) -> Any:  # noqa: ANN401, N802 - Twisted's
        """Return the page, or the one that refuses the request."""
        resource = super().getResourceFor(request)
        return resource if _names_host(request, self._hosts()) else _OtherHost()


def _names_host(request: Request, hosts: Collection[str]) -> bool:
    """Tell whether the host that a request names is one of these, or an address.

    A web page has the name of its own host in each request, even if the name has been
    given our address meanwhile (DNS rebinding). An address cannot be rebound, and no
    web page reaches a UNIX socket.
    """
    named = request.getHeader("Host")
    # HTTP/1.0 has no Host; every browser sends it.
    if named is None or isinstance(request.getHost(), UNIXAddress):
        return True
    try:
        host = urlsplit(f"//{named}").hostname or ""
        if host.rstrip(".") in hosts:
            return True
        ip_address(host)
    except ValueError:
        return False
    return True


class _BodilessRequest(Request):
    """Rejects a request with a body, which would be kept in memory or in a file."""

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Close the connection if there is a body."""
        super().gotLength(0)
        if length != 0:
            self.loseConnection()


class _BoundedConnection(TcpOptionIgnored):
    """A connection that has a time limit, whatever arrives over it or is sent."""

    factory: _BoundedFactory
    client = ""

    def makeConnection(self, transport: ITCPTransport) -> None:  # noqa: N802 - Twisted's name
        """Start the time limit."""
        self._limit = self.factory.reactor.callLater(
            EXCHANGE_SECONDS, transport.abortConnection
        )
        super().makeConnection(transport)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Stop the time limit."""
        if self._limit.active():
            self._limit.cancel()
        super().connectionLost(reason)


class _BoundedFactory(WrappingFactory):
    """Limits the number and the time of connections.

    An honest client's connection lasts milliseconds, so the oldest gives way: many that
    stay open do not keep others out.
    """

    noisy = False
    protocol = _BoundedConnection

    def __init__(
        self,
        site: Site,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTime
    ) -> None:
        super().__init__(site)
        self.reactor = reactor

    def logPrefix(self) -> str:  # noqa: N802 - Twisted's name
        """Return the name in Twisted's log line about the port."""
        return "HTTP server"

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401, N802 - Twisted's
        """Return a protocol, after closing the oldest one above a limit."""
        client = getattr(addr, "host", "")
        oldest_first: list[_BoundedConnection] = list(self.protocols)
        of_client = [each for each in oldest_first if each.client == client]
        if len(of_client) >= CLIENT_CONNECTIONS:
            of_client[0].abortConnection()
        elif len(oldest_first) >= CONNECTIONS:
            oldest_first[0].abortConnection()
        connection: Any = super().buildProtocol(addr)
        connection.client = client
        return connection
