"""Names that resolve to loopback, for systems whose ``/etc/hosts`` has no localhost."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IHostnameResolver, IHostResolution
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twisted.internet.interfaces import IAddress, IResolutionReceiver
    from twisted.internet.posixbase import PosixReactorBase


@implementer(IHostResolution)
class Resolution:
    """The resolution of a name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Do nothing: it was complete at once."""


@implementer(IHostnameResolver)
class LoopbackResolver:
    """Resolves every name to 127.0.0.1."""

    def resolveHostName(  # noqa: N802 - Twisted's name
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803 - Twisted's name
        hostName: str,  # noqa: N803 - Twisted's name
        portNumber: int = 0,  # noqa: N803 - Twisted's name
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803 - Twisted's name
        transportSemantics: str = "TCP",  # noqa: N803 - Twisted's name
    ) -> IHostResolution:
        resolution = Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        address = IPv4Address("TCP", "127.0.0.1", portNumber)
        resolutionReceiver.addressResolved(address)
        resolutionReceiver.resolutionComplete()
        return resolution


@contextmanager
def resolving_to_loopback(reactor: PosixReactorBase) -> Iterator[None]:
    """Resolve every name to 127.0.0.1 during a block of code."""
    previous = reactor.installNameResolver(LoopbackResolver())
    try:
        yield
    finally:
        reactor.installNameResolver(previous)
