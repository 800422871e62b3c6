"""The status endpoint: a `Status` in JSON over HTTP.

Monitoring speaks HTTP: `curl`, a load balancer, a container's health check. The
response is 200 while new calls are answered, and 503 otherwise, so that such a client
need not read the JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
)
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.protocols.policies import WrappingFactory
from twisted.web.http import OK, SERVICE_UNAVAILABLE
from zope.interface import implementer

from channel_aa.http_server import Page, TcpOptionIgnored
from channel_aa.server_endpoints import parse_endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IProtocolFactory
    from twisted.web.server import Request

    from channel_aa.service.status import Status

_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - connected to, not bound


class StatusPage(Page):
    """Answers with a `Status`.

    Args:
        read: returns the status.
    """

    def __init__(self, read: Callable[[], Status]) -> None:
        super().__init__()
        self._read = read

    def content(self, request: Request) -> bytes:
        """Return the status."""
        status = self._read()
        request.setResponseCode(OK if status.serving else SERVICE_UNAVAILABLE)
        request.setHeader("Content-Type", "application/json")
        request.setHeader("Cache-Control", "no-store")
        return msgspec.json.encode(status) + b"\n"


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
    kind, names, options = parse_endpoint(description)
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


@implementer(IStreamClientEndpoint)
class _UnixEndpoint:
    """Connects HTTP clients to a UNIX socket."""

    def __init__(self, endpoint: UNIXClientEndpoint) -> None:
        self.endpoint = endpoint

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Connect; see `IStreamClientEndpoint`."""
        wrapped: Any = WrappingFactory(factory)
        wrapped.protocol, wrapped.noisy = TcpOptionIgnored, False
        connecting: Deferred[Any] = self.endpoint.connect(wrapped)
        return connecting.addCallback(lambda connected: connected.wrappedProtocol)
