"""External media: gets what a caller says as RTP, and prints what arrives.

Lead calls to it in the dialplan with ``Stasis(media)``. Run it on Asterisk's
host, with the URL of its HTTP server, and the user and the password of ari.conf::

    python examples/ari/external_media.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from sys import argv
from typing import TYPE_CHECKING

from twisted.internet.protocol import DatagramProtocol

from channel_aa.ari import Address, AriClient, Channel, run

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST = "127.0.0.1"
HEADER_BYTES = 12
"""The length of the header of an RTP packet (RFC 3550)."""


class Receiver(DatagramProtocol):
    """Receives RTP: 50 packets in a second, of 20 ms of µ-law each."""

    def __init__(self) -> None:
        self.packets = 0
        self.audio = b""

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:  # noqa: N802 - Twisted's name
        """Receive a packet, and print a line each second."""
        self.packets += 1
        self.audio += datagram[HEADER_BYTES:]
        if self.packets % 50 == 0:
            codes = len(set(self.audio))
            print(f"{addr}: {len(self.audio)} samples of {codes} different values")
            self.audio = b""


class ExternalMedia:
    """Calls whose audio goes to a UDP port of this program."""

    def __init__(self, address: Address) -> None:
        self.client = AriClient(address, on_call=self.call)

    async def call(self, channel: Channel, _arguments: Sequence[str]) -> None:
        """Send a caller's audio to a port, until the caller hangs up."""
        await channel.answer()
        reactor = self.client.clock
        port = reactor.listenUDP(0, Receiver(), interface=HOST)
        bridge = self.client.prepare_bridge(name="external media")
        media = await self.client.open_external_media(HOST, port.getHost().port)
        try:
            await bridge.create()
            await bridge.add(channel, media)
            await channel.ended()
        finally:
            port.stopListening()
            await media.hang_up()
            await bridge.destroy()


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="media")
    run(ExternalMedia(address).client)
