"""Sounds played to a caller, one after another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred

from channel_aa.dialogue.playing import Party, check_present, play_media
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.interfaces import IPlayback, ISpeech
    from channel_aa.menus.sounds import Prompt, Sound, Utterance

_log = Logger()


class PromptParty(Party, Protocol):
    """Who hears a prompt: the caller, as a `CallContext`, or who answers a phone."""

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

    def sound_failed(self, media: str) -> None:
        """Act on a media URI that could not be played."""


async def play_prompt(party: PromptParty, prompt: Prompt) -> None:
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
    check_present(party)
    for sound in prompt:
        parts = sound.parts(
            digits=party.digits, recording=party.recording, language=party.language
        )
        for part in parts:
            if _is_interrupted(party, sound):
                break
            await _play_part(party, sound, part)


def _is_interrupted(party: PromptParty, sound: Sound) -> bool:
    return sound.barge_in and party.keypad.has_keys


async def _play_part(party: PromptParty, sound: Sound, part: str | Utterance) -> None:
    limit = sound.seconds
    for media in await _media_of(party, sound, part):
        if _is_interrupted(party, sound):
            return
        playback = await play_media(
            party, media, barge_in=sound.barge_in, seconds=limit
        )
        if playback is None or _is_interrupted(party, sound):
            continue
        instead = _instead_of(party, media)
        if instead is None:
            _report(party, playback)
        for each in instead or ():
            if _is_interrupted(party, sound):
                return
            failed = await play_media(
                party, each, barge_in=sound.barge_in, seconds=limit
            )
            if failed is not None and not _is_interrupted(party, sound):
                _report(party, failed)


async def _media_of(
    party: PromptParty, sound: Sound, part: str | Utterance
) -> Sequence[str]:
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


def _instead_of(party: PromptParty, media: str) -> Sequence[str] | None:
    if party.speech is None:
        return None
    return party.speech.playback_failed(media, party.language)


def _report(party: PromptParty, playback: IPlayback) -> None:
    party.sound_failed(playback.media)
    if party.keypad.is_noisy:
        return
    _log.warn(
        "{media} was not played to {channel}: {problem}",
        channel=party.channel.name,
        media=playback.media,
        problem=playback.problem,
    )
