"""The interfaces between the attendant and the ARI client.

The attendant controls calls through these interfaces without HTTP; the ARI client
provides them without menus. Neither imports the other.

The provider of a ``Deferred`` has the timeouts, so that none waits for ever. "Errors:"
lists the exceptions that it may fail with.
"""

# ruff: noqa: N805 - the methods of a zope Interface are written without self
from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twisted.internet.defer import Deferred


class TelephonyError(Exception):
    """Asterisk answered a request with an error, or not at all."""


class ChannelGoneError(TelephonyError):
    """The channel has hung up, or has left the Stasis application."""


class PlaybackEnd(Enum):
    """The result of a playback."""

    DONE = "done"
    """It was played to its end, or stopped on request."""

    FAILED = "failed"
    """It was not played completely: the sound is missing, or the caller hung up."""


class RecordingEnd(Enum):
    """The result of a recording."""

    DONE = "done"
    """It is stored; a key, silence, its maximum duration or a hangup has ended it."""

    FAILED = "failed"
    """Nothing is stored."""


class DialOutcome(Enum):
    """The outcome of dialling a phone; the values are those of DIALSTATUS."""

    ANSWERED = "ANSWER"
    BUSY = "BUSY"
    NO_ANSWER = "NOANSWER"
    CONGESTION = "CONGESTION"
    """The network could not complete the call."""

    UNAVAILABLE = "CHANUNAVAIL"
    """The endpoint does not exist, or is not registered."""


class IPlayback(Interface):
    """A sound that is played, or is to be played, on a channel."""

    id: str = Attribute("The playback's id, unique among this program's playbacks.")
    media: str = Attribute("The media URI: ``sound:press-1``.")
    problem: str = Attribute("Why it failed; empty if it did not.")
    finished: Deferred[PlaybackEnd] = Attribute(
        """Fires once, with a `PlaybackEnd`, when the sound is over or has failed.

        Cancelling it stops the sound.
        """
    )

    def stop() -> None:
        """Stop the sound; ``finished`` fires when it is over.

        Does nothing if the sound is over or being stopped already.
        """


class IRecording(Interface):
    """A recording of a caller, which Asterisk stores in a file."""

    name: str = Attribute(
        "Its name, final once it has ended; ``recording:NAME`` plays it."
    )
    problem: str = Attribute("Why it failed; empty if it did not.")
    finished: Deferred[RecordingEnd] = Attribute(
        """Fires once, with a `RecordingEnd`, when it has ended or failed.

        Cancelling it stops the recording, and stores it.
        """
    )

    def discard() -> Deferred[None]:
        """Stop the recording if it has not ended, and delete it.

        Errors: `TelephonyError`.
        """


class IOutboundChannel(Interface):
    """The channel of a phone that is dialled on behalf of a caller.

    When the caller hangs up, the phone is hung up, too, ringing or answered.
    """

    endpoint: str = Attribute("The dialled endpoint: ``PJSIP/410``.")
    outcome: Deferred[DialOutcome] = Attribute(
        """Fires once, with a `DialOutcome`, when the phone answers or dialling fails.

        Cancelling it hangs the phone up.
        """
    )

    def hang_up() -> None:
        """Hang the phone up, ringing or answered; do nothing if it is hung up."""

    def connect() -> Deferred[None]:
        """Bridge the caller with the phone, which has answered.

        Fires when the conversation is over: the phone was hung up, and the caller is
        in the application as before. Stop sounds to the caller first. Cancelling it
        hangs the phone up. Errors: `ChannelGoneError` (the caller has hung up),
        `TelephonyError`.
        """


class IChannel(Interface):
    """A caller's channel in the Stasis application."""

    id: str = Attribute("Asterisk's unique id of the channel.")
    name: str = Attribute("The channel's name: ``PJSIP/alice-00000001``.")
    caller_name: str = Attribute("The name, from the network; may be empty.")
    caller_number: str = Attribute("The number, from the network; may be empty.")
    dialled: str = Attribute("The dialled number: the extension in the dialplan.")
    language: str = Attribute("The language of sounds at the entry: ``en``.")

    def answer() -> Deferred[None]:
        """Answer the call; no error if it is answered already.

        Errors: `ChannelGoneError`, `TelephonyError`.
        """

    def play(media: str) -> IPlayback:
        """Play a sound; Asterisk queues it behind those that play on the channel."""

    def hang_up() -> Deferred[None]:
        """Hang up. Errors: `ChannelGoneError`, `TelephonyError`."""

    def continue_in_dialplan(
        *, context: str = "", extension: str = "", priority: int = 0
    ) -> Deferred[None]:
        """Let the channel leave the Stasis application and continue in the dialplan.

        Without arguments it continues at the next priority. An ``extension`` without
        a ``context`` is in the context that the channel came from. Errors:
        `ChannelGoneError`, `TelephonyError`.
        """

    def set_variable(name: str, value: str) -> Deferred[None]:
        """Set a channel variable, or a function such as ``CHANNEL(language)``.

        Asterisk does so when the sound on the channel has ended. Errors:
        `ChannelGoneError`, `TelephonyError`.
        """

    def get_variable(name: str) -> Deferred[str]:
        """Read a channel variable or function; fires with "" if it is not set.

        Errors: `ChannelGoneError`, `TelephonyError`.
        """

    def start_ringing() -> Deferred[None]:
        """Play the ring tone to the caller until `stop_ringing`.

        Errors: `ChannelGoneError`, `TelephonyError`.
        """

    def stop_ringing() -> Deferred[None]:
        """End the ring tone. Errors: `ChannelGoneError`, `TelephonyError`."""

    def start_music(music_class: str) -> Deferred[None]:
        """Play music on hold to the caller until `stop_music`.

        ``music_class`` is a class of musiconhold.conf. Errors: `ChannelGoneError`,
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
        overwrite: bool = False,
    ) -> IRecording:
        """Record the caller to a file in Asterisk's recording directory.

        ``max_seconds`` and ``max_silence_seconds`` end it; 0: no limit.
        ``terminator`` is the key that ends it: ``*``, ``#``, ``any`` or ``none``. If
        there is a recording of the same name, ``overwrite`` replaces it; otherwise the
        new one gets a suffix, and its ``name`` changes.
        """

    def dial(
        endpoint: str,
        *,
        ring_seconds: int,
        label: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> IOutboundChannel:
        """Dial a phone on behalf of the caller, for at most ``ring_seconds``.

        The phone shows the caller's number, and ``label`` before the caller's name.
        ``variables`` are set on its channel; Asterisk copies those whose name begins
        with ``__`` to the channels that this channel's call leads to.
        """


class IChannelListener(Interface):
    """Receives the events of a channel."""

    def dtmf_received(digit: str) -> None:
        """Handle a key that the caller has pressed: 0-9, ``*``, ``#`` or A-D."""

    def reconnected() -> None:
        """Handle the end of a lost connection to Asterisk: keys may be missing."""

    def hung_up() -> None:
        """Handle the caller's hangup; `left` follows.

        Playbacks on the channel fail from now on.
        """

    def left() -> None:
        """Handle the channel's exit from the application: no event follows."""


class IStasisApplication(Interface):
    """The program behind a Stasis application."""

    def channel_entered(
        channel: IChannel, arguments: Sequence[str], *, adopted: bool = False
    ) -> IChannelListener:
        """Accept a channel that has entered; return the listener for its events.

        ``arguments`` are those of the dialplan's ``Stasis(app,argument,…)``. An
        ``adopted`` channel was in the application before: this program was restarted,
        or a connection was lost together with the channel's `StasisStart`.
        """

    def replaced() -> None:
        """Handle the loss of the application and its channels to another program."""
