"""User events: callers vote by key, and each vote is an event that programs get.

Here the program that sends the events gets them, too; other programs would with
``application`` set to theirs. Lead calls to it in the dialplan with
``Stasis(user-events)``, and run it with the URL of Asterisk's HTTP server, and the user
and the password of ari.conf::

    python examples/ari/user_events.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from collections import Counter
from sys import argv
from typing import TYPE_CHECKING

from channel_aa.ari import Address, AriClient, Channel, run
from channel_aa.ari.api.events import ChannelUserevent

if TYPE_CHECKING:
    from collections.abc import Sequence

EVENT = "Vote"


class Poll:
    """The votes so far, by key."""

    def __init__(self, address: Address) -> None:
        self.client = AriClient(address, on_call=self.call)
        self.client.events.on(ChannelUserevent, self.count)
        self.votes: Counter[str] = Counter()

    def count(self, event: ChannelUserevent) -> None:
        """Count a vote."""
        if event.eventname == EVENT:
            self.votes[event.userevent["key"]] += 1
            print(dict(self.votes))

    async def call(self, channel: Channel, _arguments: Sequence[str]) -> None:
        """Ask a caller for a vote, and send it."""
        await channel.answer()
        prompt = ("vm-press", "digits/1", "digits/2", "digits/3")
        key = await channel.dialogue.choose("123", prompt=prompt)
        if key is not None:
            await self.client.api.events.user_event(
                event_name=EVENT,
                application=self.client.address.app,
                source=f"channel:{channel.id}",
                variables={"key": key},
            )
            await channel.dialogue.play("vm-goodbye")


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="user-events")
    run(Poll(address).client)
