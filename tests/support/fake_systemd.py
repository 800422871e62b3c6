"""The notification socket of systemd; see sd_notify(3)."""

from __future__ import annotations

import os
import socket

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.daemon.systemd import Notifier, Supervision


class FakeSystemd:
    """Receives notifications at an address."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.settimeout(0)

    def heard(self) -> list[dict[str, str]]:
        """Return the datagrams since the last time, as variables and values."""
        datagrams: list[dict[str, str]] = []
        while True:
            try:
                lines = self._socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return datagrams
            datagrams.append(dict(line.split("=", 1) for line in lines))

    def close(self) -> None:
        self._socket.close()


class SystemdCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.address = f"@channel-aa-test-{os.getpid()}-{id(self)}"
        self.systemd = FakeSystemd(f"\0{self.address[1:]}")
        self.addCleanup(self.systemd.close)
        self.is_connected = False
        self.status = "not connected"

    def supervision(self, watchdog: float = 0.0) -> Supervision:
        supervision = Supervision(
            Notifier(self.address),
            clock=self.clock,
            is_ready=lambda: self.is_connected,
            describe=lambda: self.status,
            watchdog=watchdog,
        )
        self.addCleanup(supervision.stop)
        return supervision

    def names(self) -> list[list[str]]:
        return [sorted(datagram) for datagram in self.systemd.heard()]
