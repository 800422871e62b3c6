"""A clock with fake UDP ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock

if TYPE_CHECKING:
    from twisted.internet.protocol import DatagramProtocol


class FakeUdpPort:
    """A UDP port that keeps what is sent.

    Attributes:
        protocol: receives datagrams.
        sent: the datagrams that were sent, each with its destination.
        is_open: whether it still listens.
    """

    def __init__(self, number: int, protocol: DatagramProtocol) -> None:
        self.protocol = protocol
        self.sent: list[tuple[bytes, tuple[str, int]]] = []
        self.is_open = True
        self._number = number

    def getHost(self) -> IPv4Address:  # noqa: N802 - Twisted's name
        return IPv4Address("UDP", "127.0.0.1", self._number)

    def write(self, datagram: bytes, address: tuple[str, int]) -> None:
        self.sent.append((datagram, address))

    def stopListening(self) -> None:  # noqa: N802 - Twisted's name
        self.is_open = False


class FakeUdpReactor(Clock):
    """A clock that opens fake UDP ports."""

    def __init__(self) -> None:
        super().__init__()
        self.ports: list[FakeUdpPort] = []

    @property
    def as_reactor(self) -> Any:  # noqa: ANN401 - stands for a PosixReactorBase
        return self

    def listenUDP(  # noqa: N802 - Twisted's name
        self, port: int, protocol: DatagramProtocol, interface: str = ""
    ) -> FakeUdpPort:
        self.ports.append(FakeUdpPort(40000 + len(self.ports), protocol))
        return self.ports[-1]
