"""Sounds played to a caller, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.interfaces import PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from channel_aa.attendant.keypad import Keypad
    from channel_aa.interfaces import IChannel

_log = Logger()


async def play_prompt(
    channel: IChannel, sounds: Iterable[str], *, keypad: Keypad
) -> None:
    """Play sounds until the last has ended or a key is pressed (barge-in).

    A sound is asked for only when the one before it has ended: Asterisk would
    queue it otherwise, and a key would have to stop the whole queue. A key stops
    the sound that is heard; with a key already pressed nothing is played at all.
    Cancelling stops the sound, too.

    Args:
        channel: who hears it.
        sounds: media URIs: ``sound:press-1``.
        keypad: whose keys interrupt. They stay there, for whoever takes them next.
    """
    for media in sounds:
        if keypad.has_keys:
            return
        playback = channel.play(media)
        keypad.interrupt_with(playback.stop)
        try:
            end = await playback.finished
        finally:
            keypad.interrupt_with(None)
        if end is PlaybackEnd.FAILED and not keypad.has_keys:
            _log.warn(
                "{channel} did not hear {media}: {problem}",
                channel=channel.name,
                media=media,
                problem=playback.problem,
            )
