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


class RecordingEnd(Enum):
    """How a recording came to its end."""

    DONE = "done"
    """It is stored: a key ended it, silence did, its time was up, or a hangup."""

    FAILED = "failed"
    """Nothing is stored."""


class DialOutcome(Enum):
    """What became of a phone that was rung; the values are those of DIALSTATUS."""

    ANSWERED = "ANSWER"
    BUSY = "BUSY"
    NO_ANSWER = "NOANSWER"
    CONGESTION = "CONGESTION"
    """The network had no way to put the call through."""

    UNAVAILABLE = "CHANUNAVAIL"
    """No such phone, or none that is registered."""


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


class IRecording(Interface):
    """What a caller says, on its way to a file."""

    name: str = Attribute("Its name, which ``recording:NAME`` plays.")
    problem: str = Attribute("Why it failed, once it has; empty where it did not.")
    finished: Deferred[RecordingEnd] = Attribute(
        """Fires once, with a `RecordingEnd`, when it has ended.

        Cancelling it stops the recording; what was said until then is kept.
        """
    )

    def discard() -> Deferred[None]:
        """Stop it where it has not ended, and delete what is stored.

        Errors: `TelephonyError`.
        """


class IOutboundChannel(Interface):
    """A phone that is rung on behalf of a caller.

    When the caller hangs up it is hung up, too: at any time, whatever it does.
    """

    endpoint: str = Attribute("What was dialled: ``PJSIP/410``.")
    outcome: Deferred[DialOutcome] = Attribute(
        """Fires once, with a `DialOutcome`, when it is answered or never will be.

        Cancelling it hangs the phone up.
        """
    )

    def hang_up() -> None:
        """Hang the phone up, ringing or answered; nothing where that is so already."""

    def connect() -> Deferred[None]:
        """Let the caller and the phone that was answered speak with each other.

        Fires when the conversation is over and the caller is alone again: the phone
        was hung up. Whatever plays to the caller has to be stopped before.
        Cancelling it hangs the phone up. Errors: `ChannelGoneError` (the caller has
        hung up), `TelephonyError`.
        """


class IChannel(Interface):
    """A caller's channel in our Stasis application."""

    id: str = Attribute("Asterisk's unique id of the channel.")
    name: str = Attribute("The channel's name: ``PJSIP/alice-00000001``.")
    caller_name: str = Attribute("Who calls, as the network says; may be empty.")
    caller_number: str = Attribute("The number that calls; may be empty.")
    dialled: str = Attribute("The dialplan's extension: the number that was dialled.")
    language: str = Attribute("The language of its sounds, when it entered: ``en``.")

    def answer() -> Deferred[None]:
        """Answer the call; a channel that is up already stays so.

        Errors: `ChannelGoneError`, `TelephonyError`.
        """

    def play(media: str) -> IPlayback:
        """Start a sound, behind whatever plays on the channel already."""

    def hang_up() -> Deferred[None]:
        """Hang up. Errors: `ChannelGoneError`, `TelephonyError`."""

    def continue_in_dialplan(
        *, context: str = "", extension: str = "", priority: int = 0
    ) -> Deferred[None]:
        """Leave the Stasis application for the dialplan.

        Without arguments at its next priority; otherwise there: an ``extension``
        without a context is one of the context that the channel came from.
        Errors: `ChannelGoneError`, `TelephonyError`.
        """

    def set_variable(name: str, value: str) -> Deferred[None]:
        """Set a channel variable, or a function such as ``CHANNEL(language)``.

        Waits until the sound on the channel has ended. Errors: `ChannelGoneError`,
        `TelephonyError`.
        """

    def get_variable(name: str) -> Deferred[str]:
        """Read a channel variable or function; empty where it is not set.

        Errors: `ChannelGoneError`, `TelephonyError`.
        """

    def start_ringing() -> Deferred[None]:
        """Let the caller hear the ring tone, until `stop_ringing`.

        Errors: `ChannelGoneError`, `TelephonyError`.
        """

    def stop_ringing() -> Deferred[None]:
        """End the ring tone. Errors: `ChannelGoneError`, `TelephonyError`."""

    def start_music(music_class: str) -> Deferred[None]:
        """Let the caller hear music on hold, until `stop_music`.

        ``music_class`` is one of musiconhold.conf. Errors: `ChannelGoneError`,
        `TelephonyError`.
        """

    def stop_music() -> Deferred[None]:
        """End the music on hold. Errors: `ChannelGoneError`, `TelephonyError`."""

    def record(
        name: str,
        *,
        max_seconds: int,
        max_silence_seconds: int,
        terminator: str,
        beep: bool,
    ) -> IRecording:
        """Record what the caller says, in Asterisk's folder of recordings.

        ``max_seconds`` and ``max_silence_seconds``: 0 is without a limit.
        ``terminator`` is the key that ends it: ``*``, ``#``, ``any`` or ``none``. An
        earlier recording of the name is overwritten.
        """

    def dial(endpoint: str, *, ring_seconds: int, label: str = "") -> IOutboundChannel:
        """Ring a phone on behalf of the caller.

        The phone shows the caller's number, and the label before the caller's name.
        It stops ringing after ``ring_seconds``.
        """


class IChannelListener(Interface):
    """Whoever attends to a channel: told what its caller does."""

    def dtmf_received(digit: str) -> None:
        """Take the key that the caller pressed: one of 0-9, ``*``, ``#``, A-D."""

    def reconnected() -> None:
        """Learn that the connection to Asterisk is back, after keys may be lost."""

    def hung_up() -> None:
        """Learn that the call is over; `left` follows.

        Sounds on the channel fail from now on.
        """

    def left() -> None:
        """Learn that the channel is no longer in our application: the last call."""


class IStasisApplication(Interface):
    """A program that Asterisk hands channels to."""

    def channel_entered(
        channel: IChannel, arguments: Sequence[str], *, adopted: bool = False
    ) -> IChannelListener:
        """Take charge of a channel that entered the application.

        ``arguments`` are those of the dialplan's ``Stasis(app,argument,…)``. One that
        is ``adopted`` was there before: an earlier run of this program, or a
        connection that was lost, left it without anybody to attend to it.
        """

    def replaced() -> None:
        """Learn that another program has taken the application, with its calls."""
