"""A mailbox: plays the messages that voicemail.py has recorded, controlled by keys.

While a message plays, 1 winds back, 2 pauses, 3 winds forward, 4 begins again, 5 goes
on after a pause, 7 deletes, and # ends the message. Lead calls to it in the dialplan
with ``Stasis(mailbox,410)``, and run it with the URL of Asterisk's HTTP server, and the
user and the password of ari.conf::

    python examples/ari/mailbox.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from sys import argv
from typing import TYPE_CHECKING

from channel_aa.ari import Address, AriClient, Channel, Playback, run
from channel_aa.ari.api.events import ChannelDtmfReceived

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTROLS = {
    "1": Playback.skip_back,
    "2": Playback.pause,
    "3": Playback.skip_forward,
    "4": Playback.restart,
    "5": Playback.resume,
}
DELETE, END = "7#"


class Mailbox:
    """The messages of a mailbox, the oldest first."""

    def __init__(self, address: Address) -> None:
        self.client = AriClient(address, on_call=self.call)

    async def call(self, channel: Channel, arguments: Sequence[str]) -> None:
        """Play all messages of a mailbox to a caller."""
        (mailbox,) = arguments
        await channel.answer()
        dialogue, recordings = channel.dialogue, self.client.api.recordings
        stored = [each.name for each in await recordings.list_stored()]
        names = sorted(it for it in stored if it.startswith(f"voicemail/{mailbox}/"))
        count = dialogue.say.number(len(names))
        await dialogue.play("vm-youhave", count, "vm-messages")
        for name in names:
            if DELETE in await self.play(channel, f"recording:{name}"):
                await recordings.delete_stored(recording_name=name)
                await dialogue.play("vm-deleted")
        await dialogue.play("vm-nomore", "vm-goodbye")

    async def play(self, channel: Channel, media: str) -> str:
        """Play a message, and return the keys that were pressed meanwhile."""
        keys: list[str] = []
        playback = channel.play(media)

        async def control(event: ChannelDtmfReceived) -> None:
            keys.append(event.digit)
            if event.digit in CONTROLS:
                await CONTROLS[event.digit](playback)
            elif event.digit in {DELETE, END}:
                playback.stop()

        controlled = channel.on(ChannelDtmfReceived, control)
        await playback.finished
        controlled.cancel()
        channel.dialogue.keypad.clear()
        return "".join(keys)


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="mailbox")
    run(Mailbox(address).client)
