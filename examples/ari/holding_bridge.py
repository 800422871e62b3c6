"""A holding bridge: callers wait with music until an agent calls in, and serves them.

Lead callers to it in the dialplan with ``Stasis(holding)``, and agents with
``Stasis(holding,agent)``. Run it with the URL of Asterisk's HTTP server, and the
user and the password of ari.conf::

    python examples/ari/holding_bridge.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from sys import argv
from typing import TYPE_CHECKING

from twisted.internet.defer import DeferredQueue

from channel_aa.ari import Address, AriClient, Channel, run

if TYPE_CHECKING:
    from collections.abc import Sequence


class WaitingCallers:
    """Callers in a holding bridge, in which each hears the music only."""

    def __init__(self, address: Address) -> None:
        self.client = AriClient(address, on_call=self.call)
        self.bridge = self.client.prepare_bridge(kind="holding", name="waiting")
        self.callers: DeferredQueue[Channel] = DeferredQueue()

    async def call(self, channel: Channel, arguments: Sequence[str]) -> None:
        """Let a caller wait, or an agent serve callers."""
        await channel.answer()
        if "agent" in arguments:
            while True:
                caller = await self.callers.get()
                if not caller.is_hung_up:
                    await self.serve(channel, caller)
        await self.bridge.create()
        await self.bridge.add(channel)
        await self.bridge.start_music()
        self.callers.put(channel)
        await channel.ended()

    async def serve(self, agent: Channel, caller: Channel) -> None:
        """Let an agent and a caller speak; at its end the caller is hung up."""
        conversation = self.client.prepare_bridge(name=caller.name)
        await conversation.create()
        try:
            await conversation.add(agent, caller)
            await caller.ended()
        finally:
            await caller.hang_up()
            await conversation.destroy()


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="holding")
    run(WaitingCallers(address).client)
