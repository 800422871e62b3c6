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

__all__ = [
    "ChannelGoneError",
    "DialOutcome",
    "HangupReason",
    "IChannel",
    "IChannelListener",
    "IKeyListener",
    "IOutboundChannel",
    "IPlayback",
    "IRecording",
    "ISoundTarget",
    "ISpeech",
    "IStasisApplication",
    "PlaybackEnd",
    "RecordingEnd",
    "TelephonyError",
]


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


class HangupReason(Enum):
    """Why a channel is hung up; the values are those of ARI.

    Each is a cause (ITU-T Q.850), which SIP phones get in the header ``Reason`` (RFC
    3326).
    """

    NORMAL = "normal"
    """Cause 16, normal call clearing."""

    BUSY = "busy"
    """Cause 17."""

    NO_ANSWER = "no_answer"
    """Cause 19: the phone has rung for its time."""

    ANSWERED_ELSEWHERE = "answered_elsewhere"
    """Cause 26: another phone has answered. The phone lists no missed call."""

    CONGESTION = "congestion"
    """Cause 34."""


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
    talking_seconds: int | None = Attribute(
        """Seconds in which somebody talked, once it has ended; ``None``: not known.

        Known if silence might have ended the recording.
        """
    )
    finished: Deferred[RecordingEnd] = Attribute(
        """Fires once, with a `RecordingEnd`, when it has ended or failed.

        Cancelling it stops the recording, and stores it.
        """
    )

    def discard() -> Deferred[None]:
        """Stop the recording if it has not ended, and delete it.

        Errors: `TelephonyError`.
        """

    def replace(name: str) -> Deferred[None]:
        """Give a recording that has ended another name, instead of what has it now.

        Errors: `TelephonyError`; the recording still has its old name then.
        """


class ISoundTarget(Interface):
    """A channel that sounds can be played on."""

    name: str = Attribute("Its name in the log.")

    def play(media: str) -> IPlayback:
        """Play a sound; Asterisk queues it behind those that play on the channel."""


class IKeyListener(Interface):
    """Receives what comes from the phone of a channel."""

    def dtmf_received(digit: str) -> None:
        """Handle a key that was pressed: 0-9, ``*``, ``#`` or A-D."""

    def hung_up() -> None:
        """Handle the hangup: playbacks on the channel fail from now on."""


class IOutboundChannel(ISoundTarget):
    """The channel of a phone that is dialled on behalf of a caller.

    When the caller hangs up, the phone is hung up, too, ringing or answered.
    """

    endpoint: str = Attribute("The dialled endpoint: ``PJSIP/410``.")
    listener: IKeyListener | None = Attribute(
        "Receives keys and the hangup once the phone has answered; may be set then."
    )
    outcome: Deferred[DialOutcome] = Attribute(
        """Fires once, with a `DialOutcome`, when the phone answers or dialling fails.

        Cancelling it hangs the phone up.
        """
    )

    def hang_up(reason: HangupReason = HangupReason.NORMAL) -> None:
        """Hang the phone up, ringing or answered; do nothing if it is hung up."""

    def connect() -> Deferred[None]:
        """Bridge the caller with the phone, which has answered.

        Fires when the conversation is over: the phone was hung up, and the caller is
        in the application as before. Stop sounds to the caller first. Cancelling it
        hangs the phone up. Errors: `ChannelGoneError` (the caller has hung up),
        `TelephonyError`.
        """


class IChannel(ISoundTarget):
    """A caller's channel in the Stasis application."""

    id: str = Attribute("Asterisk's unique id of the channel.")
    name: str = Attribute("The channel's name: ``PJSIP/alice-00000001``.")
    caller_name: str = Attribute(
        "The name, from the network; may be empty, and may be withheld."
    )
    caller_number: str = Attribute(
        "The number, from the network; may be empty, and may be withheld."
    )
    dialled: str = Attribute("The dialled number: the extension in the dialplan.")
    language: str = Attribute("The language of sounds at the entry: ``en``.")
    hangup_cause: int = Attribute(
        "Why the caller has hung up (ITU-T Q.850); 0: has not, or it is unknown."
    )

    def answer() -> Deferred[None]:
        """Answer the call; no error if it is answered already.

        Errors: `ChannelGoneError`, `TelephonyError`.
        """

    def hang_up(reason: HangupReason = HangupReason.NORMAL) -> Deferred[None]:
        """Hang up; do nothing if the channel is gone. Errors: `TelephonyError`."""

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
        caller_id: tuple[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        early_media: bool = False,
        is_withheld: bool = False,
    ) -> IOutboundChannel:
        """Dial a phone on behalf of the caller, for at most ``ring_seconds``.

        The phone shows the caller's number, and ``label`` before the caller's name; as
        withheld if the caller withholds them. With ``caller_id``, a name that may be
        empty and a number, it shows these instead of all that, and never as withheld.
        ``variables`` are set on its channel; Asterisk copies those whose name begins
        with ``__`` to the channels that this channel's call leads to. With
        ``early_media`` the caller hears what the phone's network sends before the
        answer, which ends the ring tone but not music; only for one phone at a time.
        ``is_withheld`` has to tell then whether the caller withholds name and number.
        """


class ISpeech(Interface):
    """Finds what to play for texts, and for sound files that Asterisk lacks."""

    def media_of_text(text: str, language: str) -> str | Deferred[str]:
        """Return the media URI of a spoken text; empty: it cannot be spoken.

        A text that is not ready gets a ``Deferred`` with the same result, which fires
        within seconds. It does not fail, and may be cancelled.
        """

    def media_of_sound(media: str, language: str) -> Sequence[str]:
        """Return what to play for a media URI of a call in this language.

        Mostly the media URI alone. Other media where Asterisk has no such file; empty:
        there is nothing to play instead.
        """

    def playback_failed(media: str, language: str) -> Sequence[str] | None:
        """Record that Asterisk could not play a media URI.

        Returns what to play instead; ``None``: nothing is known of this media URI, so
        that the failure has to be reported.
        """


class IChannelListener(IKeyListener):
    """Receives the events of a caller's channel; `left` follows `hung_up`."""

    def reconnected() -> None:
        """Handle the end of a lost connection to Asterisk: keys may be missing."""

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
