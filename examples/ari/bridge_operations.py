"""Bridge operations by key: 1 mutes and unmutes, 2 moves to the other room, 3 beeps.

There are two conferences; callers begin in the first one. Lead calls to it in the
dialplan with ``Stasis(rooms)``, and run it with the URL of Asterisk's HTTP
server, and the user and the password of ari.conf::

    python examples/ari/bridge_operations.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from sys import argv
from typing import TYPE_CHECKING

from channel_aa.ari import Address, AriClient, Channel, run

if TYPE_CHECKING:
    from collections.abc import Sequence


class Rooms:
    """Two conferences."""

    def __init__(self, address: Address) -> None:
        self.client = AriClient(address, on_call=self.call)
        self.first = self.client.prepare_bridge(name="first room")
        self.second = self.client.prepare_bridge(name="second room")

    async def call(self, channel: Channel, _arguments: Sequence[str]) -> None:
        """Let a caller take part, until the caller hangs up."""
        await channel.answer()
        await self.first.create()
        await self.second.create()
        here, there, is_muted = self.first, self.second, False
        await here.add(channel, absorb_dtmf=True)
        while True:
            match await channel.dialogue.next_key(60):
                case "1":
                    is_muted = not is_muted
                    channels = self.client.api.channels
                    change = channels.mute if is_muted else channels.unmute
                    await change(channel_id=channel.id, direction="in")
                case "2":
                    here, there = there, here
                    await here.add(channel, absorb_dtmf=True)
                case "3":
                    here.play("sound:beep")
                case _:
                    """Another key, or none for a minute."""


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="rooms")
    run(Rooms(address).client)
