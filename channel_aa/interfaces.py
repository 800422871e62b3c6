"""What the rooms of this project promise each other.

The attendant speaks to callers through these interfaces and knows no HTTP; the
ARI client provides them and knows no menus. Neither imports the other.

The methods are named for what a caller experiences. Every ``Deferred`` given
here fires within a bounded time: whoever provides it keeps the timer.
"""

# ruff: noqa: N805 - the methods of a zope Interface are written without self
from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.defer import Deferred


class TelephonyError(Exception):
    """Asterisk could not do what was asked of it, or did not answer."""


class ChannelGoneError(TelephonyError):
    """The channel has hung up, or is no longer in our Stasis application."""


class PlaybackEnd(Enum):
    """How a playback came to its end."""

    DONE = "done"
    """It was heard to its end, or stopped on request."""

    FAILED = "failed"
    """It was not heard, or not whole: no such sound, or the caller hung up."""


class IPlayback(Interface):
    """One sound that has been asked for on a channel."""

    id: str = Attribute("The playback's id, unique among this program's playbacks.")
    media: str = Attribute("What is played, as a media URI: ``sound:press-1``.")
    problem: str = Attribute("Why it failed, once it has; empty where it did not.")
    finished: Deferred[PlaybackEnd] = Attribute(
        """Fires once, with a `PlaybackEnd`, when no more of this sound will be heard.

        Cancelling it stops the sound.
        """
    )

    def stop() -> None:
        """Stop the sound; ``finished`` tells when it has fallen silent.

        Does nothing where the sound is over or being stopped already.
        """


class IChannel(Interface):
    """A caller's channel in our Stasis application."""

    id: str = Attribute("Asterisk's unique id of the channel.")
    name: str = Attribute("The channel's name: ``PJSIP/alice-00000001``.")

    def answer() -> Deferred[None]:
        """Answer the call; a channel that is up already stays so.

        Errors: `ChannelGoneError`, `TelephonyError`.
        """

    def play(media: str) -> IPlayback:
        """Start a sound, behind whatever plays on the channel already."""

    def hang_up() -> Deferred[None]:
        """Hang up. Errors: `ChannelGoneError`, `TelephonyError`."""

    def continue_in_dialplan() -> Deferred[None]:
        """Leave the Stasis application for the dialplan's next priority.

        Errors: `ChannelGoneError`, `TelephonyError`.
        """


class IChannelListener(Interface):
    """Whoever attends to a channel: told what its caller does."""

    def dtmf_received(digit: str) -> None:
        """Take the key that the caller pressed: one of 0-9, ``*``, ``#``, A-D."""

    def hung_up() -> None:
        """Learn that the call is over; `left` follows.

        Sounds on the channel fail from now on.
        """

    def left() -> None:
        """Learn that the channel is no longer in our application: the last call."""


class IStasisApplication(Interface):
    """A program that Asterisk hands channels to."""

    def channel_entered(
        channel: IChannel, arguments: Sequence[str]
    ) -> IChannelListener:
        """Take charge of a channel that entered the application.

        ``arguments`` are those of the dialplan's ``Stasis(app,argument,…)``.
        """
