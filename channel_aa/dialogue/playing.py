"""Sounds that a key stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from channel_aa.interfaces import ChannelGoneError, PlaybackEnd

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from channel_aa.dialogue.keypad import Keypad
    from channel_aa.interfaces import IPlayback, ISoundTarget


class Party(Protocol):
    """The person at a phone, who hears sounds and presses keys."""

    @property
    def channel(self) -> ISoundTarget:
        """The channel to play on."""

    @property
    def keypad(self) -> Keypad:
        """The keys that stop sounds."""

    @property
    def clock(self) -> IReactorTime:
        """The clock for the end of tones."""

    @property
    def is_hung_up(self) -> bool:
        """Whether the channel is gone."""


def check_present(party: Party) -> None:
    """Check that the party has not hung up.

    Raises:
        ChannelGoneError: the party has hung up.
    """
    if party.is_hung_up:
        raise ChannelGoneError(f"{party.channel.name} has hung up")


async def play_media(
    party: Party, media: str, *, barge_in: bool = True, seconds: float | None = None
) -> IPlayback | None:
    """Play one sound, until its end or until a key is pressed.

    The key stays in the keypad. Cancelling stops the sound, too.

    Args:
        party: who hears it.
        media: a media URI.
        barge_in: whether a key stops it.
        seconds: when to stop it; ``None``: at its end.

    Returns:
        The playback if it has failed.

    Raises:
        ChannelGoneError: the party has hung up.
    """
    playback: IPlayback = party.channel.play(media)
    if barge_in:
        party.keypad.interrupt_with(playback.stop)
    limit = seconds and party.clock.callLater(seconds, playback.stop)
    try:
        end = await playback.finished
    finally:
        party.keypad.interrupt_with(None)
        if limit and limit.active():
            limit.cancel()
    check_present(party)
    return playback if end is PlaybackEnd.FAILED else None
