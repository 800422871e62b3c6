"""Voicemail: records a message, which the caller can hear, keep and record again.

Lead calls to it in the dialplan with ``Stasis(voicemail,410)`` for the mailbox 410;
mailbox.py plays the messages. Run it with the URL of Asterisk's HTTP server, and the
user and the password of ari.conf::

    python examples/ari/voicemail.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from datetime import UTC, datetime
from sys import argv
from typing import TYPE_CHECKING

from channel_aa.ari import Address, AriClient, Channel, run

if TYPE_CHECKING:
    from collections.abc import Sequence

KEEP, LISTEN, AGAIN = "123"
"""The keys that vm-review names."""


async def call(channel: Channel, arguments: Sequence[str]) -> None:
    """Record a message; one that a hangup ends is kept."""
    (mailbox,) = arguments
    name = f"voicemail/{mailbox}/{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    await channel.answer()
    dialogue = channel.dialogue
    await dialogue.play("vm-intro")
    choice: str | None = AGAIN
    while choice in {AGAIN, LISTEN}:
        if choice == AGAIN:
            await dialogue.record(
                name, max_seconds=120, max_silence_seconds=5, overwrite=True
            )
        else:
            await dialogue.play(f"recording:{name}")
        choice = await dialogue.choose((KEEP, LISTEN, AGAIN), prompt="vm-review")
    await dialogue.play("vm-msgsaved", "vm-goodbye")


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="voicemail")
    run(AriClient(address, on_call=call))
