"""The messages of the events websocket, as typed data.

The names are Asterisk's own: see its documentation of ARI's data models. A field
that is not listed here is ignored, and one that older versions do not send has a
default.

These are only the events and fields that calls depend on, so that no call loses an
event because of a field that it does not need; `channel_aa.ari.api.events` has all.
Decoding those costs about the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Union

import msgspec

from channel_aa.ari.wire.requests import MAX_ID
from channel_aa.ari.wire.websocket_sender import RESTResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TEXT = 300
"""The most characters that are kept of a name, a number, an extension or a language.

In Asterisk a channel's name, an extension and a language have at most 80 bytes
(AST_CHANNEL_NAME, AST_MAX_EXTENSION, MAX_LANGUAGE); a caller's name has any length."""

MAX_ARGUMENTS = 8192
"""The most characters that are kept of the arguments of ``Stasis(app,argument,…)``, the
commas between them included; Asterisk's own limit of what a dialplan application gets
(pbx_exec substitutes at most EXT_DATA_SIZE, 8191 bytes)."""

MAX_VARIABLE = 65_536
"""The most characters that are kept of a channel variable's value; a variable that a
dialplan function fills may be long, others have at most 4095 (VAR_BUF_SIZE)."""

MAX_LISTED = 20_000
"""The most channels, or bridges, that a list of Asterisk may have: three for each call
that an application may have. Another response is not valid."""


def cut_arguments(arguments: Sequence[str]) -> Sequence[str]:
    """Cut the arguments of a channel to `MAX_ARGUMENTS` characters in all."""
    if len(arguments) + sum(map(len, arguments)) <= MAX_ARGUMENTS:
        return arguments
    return ",".join(arguments)[:MAX_ARGUMENTS].split(",")


class CallerId(msgspec.Struct, frozen=True, gc=False):
    """The name and number of a party; both may be empty."""

    name: str = ""
    number: str = ""


class DialplanPosition(msgspec.Struct, frozen=True, gc=False):
    """Where in the dialplan a channel is, or was when it entered Stasis.

    ``app_name`` and ``app_data`` are the dialplan application that it is in, and the
    arguments of that.
    """

    context: str = ""
    exten: str = ""
    priority: int = 0
    app_name: str = ""
    app_data: str = ""


Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
"""An object's id.

`channel_aa.ari.wire.requests.is_segment` tells whether a request can contain it.
"""


class ChannelData(msgspec.Struct, frozen=True, gc=False):
    """A channel at the time of an event."""

    id: Id
    name: str = ""
    state: str = ""
    caller: CallerId = CallerId()
    connected: CallerId = CallerId()
    dialplan: DialplanPosition = DialplanPosition()
    language: str = ""

    @property
    def is_in_stasis(self) -> bool:
        """Whether it is in a Stasis application."""
        return self.dialplan.app_name == "Stasis"

    @property
    def is_near_half(self) -> bool:
        """Whether it is the near half of a Local channel."""
        return self.name.startswith("Local/") and self.name.endswith(";1")

    @property
    def is_dialed(self) -> bool:
        """Whether it was originated, and has not been answered."""
        return self.dialplan.app_name == "AppDial2"

    @property
    def application(self) -> tuple[str, list[str]]:
        """The Stasis application that it is in, and the arguments of that."""
        app, *arguments = self.dialplan.app_data.split(",")
        return app.strip(), arguments


class PlaybackData(msgspec.Struct, frozen=True, gc=False):
    """A playback at the time of an event.

    ``state`` is ``queued``, ``playing``, ``continuing``, ``done`` or ``failed``.
    """

    id: Id
    media_uri: str = ""
    target_uri: str = ""
    state: str = ""


class RecordingData(msgspec.Struct, frozen=True, gc=False):
    """A recording at the time of an event.

    ``cause`` is why it failed. ``talking_duration`` is in seconds; None: not measured.
    """

    name: str
    state: str = ""
    cause: str = ""
    talking_duration: int | None = None


class BridgeData(msgspec.Struct, frozen=True, gc=False):
    """A bridge, and the ids of the channels that are in it."""

    id: Id
    name: str = ""
    channels: Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_LISTED)] = ()


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Any event; ``timestamp`` is Asterisk's, in ISO 8601."""

    timestamp: str = ""
    application: str = ""


class KnownEvent(Event, frozen=True, kw_only=True, tag_field="type", tag=True):
    """An event whose type has a class here, of the same name."""


class StasisStart(KnownEvent, frozen=True, kw_only=True):
    """A channel has entered the application.

    ``replace_channel`` is the channel whose place it takes, after a transfer; that one
    leaves. ``args`` are empty then.
    """

    channel: ChannelData
    args: tuple[str, ...] = ()
    replace_channel: ChannelData | None = None


class StasisEnd(KnownEvent, frozen=True, kw_only=True):
    """A channel has left the application: hung up, or continued in the dialplan."""

    channel: ChannelData


class ChannelDtmfReceived(KnownEvent, frozen=True, kw_only=True):
    """The caller has pressed, and released, a key."""

    channel: ChannelData
    digit: Annotated[str, msgspec.Meta(min_length=1, max_length=1)]
    duration_ms: int = 0


class ChannelHangupRequest(KnownEvent, frozen=True, kw_only=True):
    """A hangup of the channel was requested."""

    channel: ChannelData
    cause: int = 0
    soft: bool = False


class ChannelDestroyed(KnownEvent, frozen=True, kw_only=True):
    """The channel does not exist any more."""

    channel: ChannelData
    cause: int = 0
    cause_txt: str = ""


class ChannelStateChange(KnownEvent, frozen=True, kw_only=True):
    """The channel's state has changed, to ``Up`` when it was answered."""

    channel: ChannelData


class ChannelVarset(KnownEvent, frozen=True, kw_only=True):
    """A channel variable has been set; a global one where ``channel`` is absent."""

    variable: str
    value: str
    channel: ChannelData | None = None


class ChannelDialplan(KnownEvent, frozen=True, kw_only=True):
    """The channel is at another application of the dialplan."""

    channel: ChannelData
    dialplan_app: str = ""
    dialplan_app_data: str = ""


class Dial(KnownEvent, frozen=True, kw_only=True):
    """The state of dialing the outbound channel ``peer`` has changed.

    ``dialstatus`` is empty at the beginning; then ``RINGING``, ``ANSWER``, ``BUSY``, ….
    """

    peer: ChannelData
    dialstatus: str = ""


class ChannelLeftBridge(KnownEvent, frozen=True, kw_only=True):
    """A channel has left a bridge; others may still be in it."""

    bridge: BridgeData
    channel: ChannelData


class RecordingFinished(KnownEvent, frozen=True, kw_only=True):
    """A recording has ended, and is stored."""

    recording: RecordingData


class RecordingFailed(KnownEvent, frozen=True, kw_only=True):
    """A recording could not be made."""

    recording: RecordingData


class PlaybackStarted(KnownEvent, frozen=True, kw_only=True):
    """A playback has started."""

    playback: PlaybackData


class PlaybackFinished(KnownEvent, frozen=True, kw_only=True):
    """A playback has ended; ``playback.state`` is ``done`` or ``failed``."""

    playback: PlaybackData


class ApplicationReplaced(KnownEvent, frozen=True, kw_only=True):
    """Another websocket has registered the application; this one gets no events."""


class UnknownEvent(Event, frozen=True, kw_only=True):
    """An event of a type that has no class here; ``payload`` is the whole message."""

    type: str
    payload: bytes


class _Envelope(msgspec.Struct):
    type: str


class MalformedEventError(ValueError):
    """A message that is not valid for its type, or has none.

    Args:
        kind: its type, or the error of the whole message; equal for messages that
            are wrong in the same way.
        reason: the error.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


_KNOWN: list[type[KnownEvent | RESTResponse]] = [
    RESTResponse,
    *KnownEvent.__subclasses__(),
]
_KNOWN_NAMES = frozenset(kind.__name__ for kind in _KNOWN)
_known_decoder: msgspec.json.Decoder[KnownEvent | RESTResponse] = msgspec.json.Decoder(
    Union[tuple(_KNOWN)]  # noqa: UP007 - made from a list
)
_envelope_decoder = msgspec.json.Decoder(_Envelope)
_NOT_JSON = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def decode(payload: bytes) -> Event | RESTResponse:
    """Decode one message of the events websocket.

    Raises:
        MalformedEventError: it is not JSON, has no type, or lacks a field that its
            type has in every version of Asterisk.
    """
    try:
        return _known_decoder.decode(payload)
    except msgspec.ValidationError as invalid:
        reason = str(invalid)
    except _NOT_JSON as error:
        raise MalformedEventError("not JSON", str(error)) from error
    # The first decoder stopped at the error: the rest may be invalid as well.
    try:
        name = _envelope_decoder.decode(payload).type
    except msgspec.ValidationError as error:
        raise MalformedEventError("not an event", str(error)) from error
    except _NOT_JSON as error:
        raise MalformedEventError("not JSON", str(error)) from error
    if name in _KNOWN_NAMES:
        raise MalformedEventError(name, reason)
    return UnknownEvent(type=name, payload=payload)
