"""Sounds played to a caller, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from channel_aa.interfaces import ChannelGoneError, PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from channel_aa.attendant.keypad import Keypad
    from channel_aa.interfaces import ISoundTarget
    from channel_aa.menus.sounds import Prompt

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
    def is_hung_up(self) -> bool:
        """Whether the channel is gone."""


async def play_prompt(party: Party, prompt: Prompt) -> None:
    """Play sounds until the last has ended or a key is pressed (barge-in).

    A sound is requested only when the one before it has ended: Asterisk would queue
    it otherwise, and a key would have to stop the whole queue. A key stops the
    current sound and stays in the keypad. While the keypad has keys, only sounds
    without barge-in are played. Cancelling stops the current sound, too.

    Raises:
        ChannelGoneError: the party has hung up.
    """
    _check_there(party)
    channel, keypad = party.channel, party.keypad
    for sound in prompt:
        if sound.barge_in and keypad.has_keys:
            continue
        for media in sound.uris(digits=party.digits, recording=party.recording):
            playback = channel.play(media)
            if sound.barge_in:
                keypad.interrupt_with(playback.stop)
            end_of_tone = sound.seconds and party.clock.callLater(
                sound.seconds, playback.stop
            )
            try:
                end = await playback.finished
            finally:
                keypad.interrupt_with(None)
                if end_of_tone and end_of_tone.active():
                    end_of_tone.cancel()
            _check_there(party)
            if sound.barge_in and keypad.has_keys:
                break
            if end is PlaybackEnd.FAILED:
                _log.warn(
                    "{media} was not played to {channel}: {problem}",
                    channel=channel.name,
                    media=media,
                    problem=playback.problem,
                )


def _check_there(party: Party) -> None:
    if party.is_hung_up:
        raise ChannelGoneError(f"{party.channel.name} has hung up")
