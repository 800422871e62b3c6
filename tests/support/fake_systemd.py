"""The notification socket of systemd; see sd_notify(3)."""

from __future__ import annotations

import socket


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
