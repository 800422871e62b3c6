"""Snoop and whisper: a supervisor hears a conversation, and speaks to the agent only.

Lead callers to it in the dialplan with ``Stasis(snoop)``: it connects them with the
agent. Lead supervisors to it with ``Stasis(snoop,supervisor)``. Run it with the URL of
Asterisk's HTTP server, and the user and the password of ari.conf::

    python examples/ari/snoop.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from sys import argv
from typing import TYPE_CHECKING

from channel_aa.ari import Address, AriClient, Channel, DialOutcome, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.ari import OutboundChannel

AGENT = "PJSIP/410"


class Supervision:
    """Conversations with agents, which a supervisor hears."""

    def __init__(self, address: Address) -> None:
        self.client = AriClient(address, on_call=self.call)
        self.agents: list[OutboundChannel] = []

    async def call(self, channel: Channel, arguments: Sequence[str]) -> None:
        """Connect a caller with the agent, or a supervisor with a conversation."""
        await channel.answer()
        if "supervisor" in arguments:
            await self.supervise(channel)
            return
        agent = channel.dial(AGENT, ring_seconds=20)
        if await agent.outcome is DialOutcome.ANSWERED:
            self.agents.append(agent)
            try:
                await agent.connect()
            finally:
                self.agents.remove(agent)

    async def supervise(self, supervisor: Channel) -> None:
        """Let a supervisor hear the latest conversation, and whisper to its agent."""
        if not self.agents:
            await supervisor.dialogue.play("vm-nobodyavail")
            return
        snoop = await self.client.snoop(self.agents[-1], spy="both", whisper="out")
        bridge = self.client.prepare_bridge(name="supervision")
        try:
            await bridge.create()
            await bridge.add(supervisor, snoop)
            await snoop.ended()
        finally:
            await snoop.hang_up()
            await bridge.destroy()


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="snoop")
    run(Supervision(address).client)
