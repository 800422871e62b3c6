"""Simple media: plays sounds to all callers, and hangs up.

Lead calls to it in the dialplan with ``Stasis(simple-media)``, and run it with the URL
of Asterisk's HTTP server, and the user and the password of ari.conf::

    python examples/ari/simple_media.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from sys import argv
from typing import TYPE_CHECKING

from channel_aa.ari import Address, AriClient, Channel, PlaybackEnd, run

if TYPE_CHECKING:
    from collections.abc import Sequence

SOUNDS = ("sound:demo-thanks", "digits:42", "tone:busy;tonezone=us")


async def call(channel: Channel, _arguments: Sequence[str]) -> None:
    """Play to a caller; a key stops nothing, unlike with ``channel.dialogue``."""
    await channel.answer()
    for media in SOUNDS[:2]:
        playback = channel.play(media)
        if await playback.finished is not PlaybackEnd.DONE:
            print(f"{channel.name} did not hear {media}: {playback.problem}")
    # A tone has no end of its own.
    tone = channel.play(SOUNDS[2])
    await channel.dialogue.wait(2)
    tone.stop()
    await tone.finished


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="simple-media")
    run(AriClient(address, on_call=call))
