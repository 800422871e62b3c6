"""Sounds played to a caller, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.interfaces import ChannelGoneError, PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from channel_aa.attendant.context import CallContext
    from channel_aa.menus.sounds import Prompt

_log = Logger()


async def play_prompt(call: CallContext, prompt: Prompt) -> None:
    """Play sounds until the last has ended or a key is pressed (barge-in).

    A sound is requested only when the one before it has ended: Asterisk would queue
    it otherwise, and a key would have to stop the whole queue. A key stops the
    current sound and stays in the keypad. While the keypad has keys, only sounds
    without barge-in are played. Cancelling stops the current sound, too.

    Raises:
        ChannelGoneError: the caller has hung up.
    """
    if call.is_hung_up:
        raise ChannelGoneError("the caller has hung up")
    channel, keypad = call.channel, call.keypad
    for sound in prompt:
        if sound.barge_in and keypad.has_keys:
            continue
        for media in sound.uris(digits=call.digits, recording=call.recording):
            playback = channel.play(media)
            if sound.barge_in:
                keypad.interrupt_with(playback.stop)
            end_of_tone = sound.seconds and call.clock.callLater(
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
            if end is PlaybackEnd.FAILED and not keypad.is_noisy:
                _log.warn(
                    "{media} was not played to {channel}: {problem}",
                    channel=channel.name,
                    media=media,
                    problem=playback.problem,
                )
