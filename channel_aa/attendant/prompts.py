"""Sounds played to a caller, one after another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred

from channel_aa.interfaces import ChannelGoneError, PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.attendant.keypad import Keypad
    from channel_aa.interfaces import IPlayback, ISoundTarget, ISpeech
    from channel_aa.menus.sounds import Prompt, Sound, Utterance

_log = Logger()


class Party(Protocol):
    """Who hears a prompt: the caller, as a `CallContext`, or who answers a phone."""

    @property
    def channel(self) -> ISoundTarget:
        """The channel to play on."""

    @property
    def keypad(self) -> Keypad:
        """The keys that interrupt the prompt."""

    @property
    def clock(self) -> IReactorTime:
        """The clock for the end of tones."""

    @property
    def digits(self) -> str:
        """What ``{digits}`` stands for."""

    @property
    def recording(self) -> str:
        """What ``{recording}`` stands for."""

    @property
    def language(self) -> str:
        """The language of the sounds."""

    @property
    def speech(self) -> ISpeech | None:
        """What speaks texts."""

    @property
    def is_hung_up(self) -> bool:
        """Whether the channel is gone."""


async def play_prompt(party: Party, prompt: Prompt) -> None:
    """Play sounds until the last has ended or a key is pressed (barge-in).

    A sound is requested only when the one before it has ended: Asterisk would queue
    it otherwise, and a key would have to stop the whole queue. A key stops the
    current sound and stays in the keypad. While the keypad has keys, only sounds
    without barge-in are played. Cancelling stops the current sound, too.

    A text, and a sound file that Asterisk does not have, are replaced by what
    `ISpeech` finds for them. Without an `ISpeech`, texts are left out.

    Raises:
        ChannelGoneError: the party has hung up.
    """
    _check_there(party)
    for sound in prompt:
        parts = sound.parts(
            digits=party.digits, recording=party.recording, language=party.language
        )
        for part in parts:
            if _is_interrupted(party, sound):
                break
            await _play_part(party, sound, part)


def _check_there(party: Party) -> None:
    if party.is_hung_up:
        raise ChannelGoneError(f"{party.channel.name} has hung up")


def _is_interrupted(party: Party, sound: Sound) -> bool:
    return sound.barge_in and party.keypad.has_keys


async def _play_part(party: Party, sound: Sound, part: str | Utterance) -> None:
    for media in await _media_of(party, sound, part):
        if _is_interrupted(party, sound):
            return
        playback = await _play(party, sound, media)
        if playback is None or _is_interrupted(party, sound):
            continue
        instead = _instead_of(party, media)
        if instead is None:
            _report(party, playback)
        for each in instead or ():
            if _is_interrupted(party, sound):
                return
            failed = await _play(party, sound, each)
            if failed is not None and not _is_interrupted(party, sound):
                _report(party, failed)


async def _media_of(party: Party, sound: Sound, part: str | Utterance) -> Sequence[str]:
    """Return the media to play; wait for a text that is not spoken yet."""
    if isinstance(part, str):
        speech = party.speech
        return (
            (part,) if speech is None else speech.media_of_sound(part, party.language)
        )
    if party.speech is None:
        return ()
    media = party.speech.media_of_text(part.text, part.language or party.language)
    if isinstance(media, Deferred):
        if sound.barge_in:
            party.keypad.interrupt_with(partial(_give_up, media))
        try:
            media = await media
        finally:
            party.keypad.interrupt_with(None)
    return (media,) if media else ()


def _give_up(waiting: Deferred[str]) -> None:
    if not waiting.called:
        waiting.callback("")


async def _play(party: Party, sound: Sound, media: str) -> IPlayback | None:
    """Play one sound to its end; return its playback if it has failed."""
    playback: IPlayback = party.channel.play(media)
    if sound.barge_in:
        party.keypad.interrupt_with(playback.stop)
    end_of_tone = sound.seconds and party.clock.callLater(sound.seconds, playback.stop)
    try:
        end = await playback.finished
    finally:
        party.keypad.interrupt_with(None)
        if end_of_tone and end_of_tone.active():
            end_of_tone.cancel()
    _check_there(party)
    return playback if end is PlaybackEnd.FAILED else None


def _instead_of(party: Party, media: str) -> Sequence[str] | None:
    if party.speech is None:
        return None
    return party.speech.playback_failed(media, party.language)


def _report(party: Party, playback: IPlayback) -> None:
    if party.keypad.is_noisy:
        return
    _log.warn(
        "{media} was not played to {channel}: {problem}",
        channel=party.channel.name,
        media=playback.media,
        problem=playback.problem,
    )
