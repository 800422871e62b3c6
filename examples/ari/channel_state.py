"""The state of a channel: rings, answers, hangs up, and prints each change.

Lead calls to it in the dialplan with ``Stasis(states)``, and run it with the URL
of Asterisk's HTTP server, and the user and the password of ari.conf::

    python examples/ari/channel_state.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from sys import argv
from typing import TYPE_CHECKING

from channel_aa.ari import Address, AriClient, Channel, HangupReason, run
from channel_aa.ari.api.events import ChannelHangupRequest, ChannelStateChange

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 2.0
"""How long each state lasts."""


def state_changed(event: ChannelStateChange) -> None:
    """Print the state of a channel: ``Ring``, ``Up`` and others."""
    print(f"{event.channel.name} is {event.channel.state}")


def hangup_requested(event: ChannelHangupRequest) -> None:
    """Print that the caller hangs up, with the cause of Q.850: 16 is normal."""
    print(f"{event.channel.name} hangs up, cause {event.cause}")


async def call(channel: Channel, _arguments: Sequence[str]) -> None:
    """Let a call ring, answer it, and hang up."""
    channel.on(ChannelStateChange, state_changed)
    channel.on(ChannelHangupRequest, hangup_requested)
    await channel.start_ringing()
    await channel.dialogue.wait(SECONDS)
    await channel.stop_ringing()
    await channel.answer()
    await channel.dialogue.wait(SECONDS)
    await channel.hang_up(HangupReason.NORMAL)


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="states")
    run(AriClient(address, on_call=call))
