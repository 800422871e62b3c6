"""A mixing bridge: a conference of all callers, who hear a beep when one enters.

Lead calls to it in the dialplan with ``Stasis(conference)``, and run it with the URL of
Asterisk's HTTP server, and the user and the password of ari.conf::

    python examples/ari/conference.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from sys import argv
from typing import TYPE_CHECKING

from channel_aa.ari import Address, AriClient, Channel, run

if TYPE_CHECKING:
    from collections.abc import Sequence


class Conference:
    """A conference; its bridge is made for the first caller, and kept."""

    def __init__(self, address: Address) -> None:
        self.client = AriClient(address, on_call=self.call)
        self.bridge = self.client.prepare_bridge(name="conference")

    async def call(self, channel: Channel, _arguments: Sequence[str]) -> None:
        """Let a caller take part, until the caller hangs up."""
        await channel.answer()
        await self.bridge.create()
        if not self.bridge.channels:
            await channel.dialogue.play("conf-onlyperson")
        await self.bridge.add(channel)
        self.bridge.play("sound:beep")
        await channel.ended()


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="conference")
    run(Conference(address).client)
