"""Sounds played to a caller, one after another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from channel_aa.interfaces import ChannelGoneError, PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.attendant.context import CallContext
    from channel_aa.interfaces import IPlayback
    from channel_aa.menus.sounds import Prompt, Sound, Utterance

_log = Logger()


async def play_prompt(call: CallContext, prompt: Prompt) -> None:
    """Play sounds until the last has ended or a key is pressed (barge-in).

    A sound is requested only when the one before it has ended: Asterisk would queue
    it otherwise, and a key would have to stop the whole queue. A key stops the
    current sound and stays in the keypad. While the keypad has keys, only sounds
    without barge-in are played. Cancelling stops the current sound, too.

    A text, and a sound file that Asterisk does not have, are replaced by what
    `ISpeech` finds for them. Without an `ISpeech`, texts are left out.

    Raises:
        ChannelGoneError: the caller has hung up.
    """
    if call.is_hung_up:
        raise ChannelGoneError("the caller has hung up")
    for sound in prompt:
        parts = sound.parts(
            digits=call.digits, recording=call.recording, language=call.language
        )
        for part in parts:
            if _is_interrupted(call, sound):
                break
            await _play_part(call, sound, part)


def _is_interrupted(call: CallContext, sound: Sound) -> bool:
    return sound.barge_in and call.keypad.has_keys


async def _play_part(call: CallContext, sound: Sound, part: str | Utterance) -> None:
    for media in await _media_of(call, sound, part):
        if _is_interrupted(call, sound):
            return
        playback = await _play(call, sound, media)
        if playback is None or _is_interrupted(call, sound):
            continue
        instead = _instead_of(call, media)
        if instead is None:
            _report(call, playback)
        for each in instead or ():
            if _is_interrupted(call, sound):
                return
            failed = await _play(call, sound, each)
            if failed is not None and not _is_interrupted(call, sound):
                _report(call, failed)


async def _media_of(
    call: CallContext, sound: Sound, part: str | Utterance
) -> Sequence[str]:
    """Return the media to play; wait for a text that is not spoken yet."""
    if isinstance(part, str):
        speech = call.speech
        return (part,) if speech is None else speech.media_of_sound(part, call.language)
    if call.speech is None:
        return ()
    media = call.speech.media_of_text(part.text, part.language or call.language)
    if isinstance(media, Deferred):
        if sound.barge_in:
            call.keypad.interrupt_with(partial(_give_up, media))
        try:
            media = await media
        finally:
            call.keypad.interrupt_with(None)
    return (media,) if media else ()


def _give_up(waiting: Deferred[str]) -> None:
    if not waiting.called:
        waiting.callback("")


async def _play(call: CallContext, sound: Sound, media: str) -> IPlayback | None:
    """Play one sound to its end; return its playback if it has failed."""
    playback: IPlayback = call.channel.play(media)
    if sound.barge_in:
        call.keypad.interrupt_with(playback.stop)
    end_of_tone = sound.seconds and call.clock.callLater(sound.seconds, playback.stop)
    try:
        end = await playback.finished
    finally:
        call.keypad.interrupt_with(None)
        if end_of_tone and end_of_tone.active():
            end_of_tone.cancel()
    return playback if end is PlaybackEnd.FAILED else None


def _instead_of(call: CallContext, media: str) -> Sequence[str] | None:
    if call.speech is None:
        return None
    return call.speech.playback_failed(media, call.language)


def _report(call: CallContext, playback: IPlayback) -> None:
    _log.warn(
        "{media} was not played to {channel}: {problem}",
        channel=call.channel.name,
        media=playback.media,
        problem=playback.problem,
    )
