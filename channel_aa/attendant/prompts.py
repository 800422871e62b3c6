"""Sounds played to a caller, one after another."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from channel_aa.interfaces import PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.attendant.keypad import Keypad
    from channel_aa.interfaces import IChannel
    from channel_aa.menus.sounds import Sound

_log = Logger()


async def play_prompt(
    channel: IChannel,
    prompt: Iterable[Sound],
    *,
    keypad: Keypad,
    clock: IReactorTime,
    digits: str = "",
    recording: str = "",
) -> None:
    """Play sounds until the last has ended or a key is pressed (barge-in).

    A sound is asked for only when the one before it has ended: Asterisk would
    queue it otherwise, and a key would have to stop the whole queue. A key stops
    the sound that is heard; with a key already pressed nothing is played at all,
    but for what no key interrupts. Cancelling stops the sound, too.

    Args:
        channel: who hears it.
        prompt: what is heard.
        keypad: whose keys interrupt. They stay there, for whoever takes them next.
        clock: keeps the time of what has no end of its own.
        digits: what the caller pressed, for ``{digits}``.
        recording: the caller's last recording, for ``{recording}``.
    """
    for sound in prompt:
        if sound.barge_in and keypad.has_keys:
            continue
        for media in _media(sound, digits, recording):
            playback = channel.play(media)
            if sound.barge_in:
                keypad.interrupt_with(playback.stop)
            end_of_tone = sound.seconds and clock.callLater(
                sound.seconds, playback.stop
            )
            try:
                end = await playback.finished
            finally:
                keypad.interrupt_with(None)
                if end_of_tone and end_of_tone.active():
                    end_of_tone.cancel()
            if sound.barge_in and keypad.has_keys:
                break
            if end is PlaybackEnd.FAILED:
                _log.warn(
                    "{channel} did not hear {media}: {problem}",
                    channel=channel.name,
                    media=media,
                    problem=playback.problem,
                )


@lru_cache(maxsize=1024)
def _media(sound: Sound, digits: str, recording: str) -> tuple[str, ...]:
    """Give what Asterisk is to play; the same few sounds are heard all day."""
    return sound.uris(digits=digits, recording=recording)
