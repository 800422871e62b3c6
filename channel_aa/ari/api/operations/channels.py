"""The operations on channels."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
# ruff: noqa: A002 - the names are Asterisk's
from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from channel_aa.ari.api.models import (
    Channel,
    LiveRecording,
    Playback,
    RTPstat,
    Variable,
    Variables,
)
from channel_aa.ari.api.operation import (
    Body,
    Count,
    Int,
    Operation,
    Query,
    QueryList,
    ReportedVariable,
    Resource,
    Segment,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twisted.internet.defer import Deferred

__all__ = [
    "Channels",
]

_LIST = Operation(
    "channels.list",
    "GET",
    "/channels",
    tuple[Channel, ...],
    since=("12.0.0",),
    idempotent=True,
)
_ORIGINATE = Operation(
    "channels.originate",
    "POST",
    "/channels",
    Channel,
    Query("endpoint", "endpoint", str, required=True),
    Query("extension", "extension", str),
    Query("context", "context", str),
    Query("priority", "priority", Int),
    Query("label", "label", str),
    Query("app", "app", str),
    Query("appArgs", "app_args", str),
    Query("callerId", "caller_id", str),
    Query("timeout", "timeout", Int),
    Body("variables", "variables", dict[str, str | ReportedVariable]),
    Query("channelId", "channel_id", str),
    Query("otherChannelId", "other_channel_id", str),
    Query("originator", "originator", str),
    Query("formats", "formats", str),
    since=("12.0.0",),
    idempotent=False,
)
_CREATE = Operation(
    "channels.create",
    "POST",
    "/channels/create",
    Channel,
    Query("endpoint", "endpoint", str, required=True),
    Query("app", "app", str, required=True),
    Query("appArgs", "app_args", str),
    Query("channelId", "channel_id", str),
    Query("otherChannelId", "other_channel_id", str),
    Query("originator", "originator", str),
    Query("formats", "formats", str),
    Body("variables", "variables", dict[str, str | ReportedVariable]),
    since=("14.0.0",),
    idempotent=False,
)
_GET = Operation(
    "channels.get",
    "GET",
    "/channels/{channelId}",
    Channel,
    Segment("channelId", "channel_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_ORIGINATE_WITH_ID = Operation(
    "channels.originate_with_id",
    "POST",
    "/channels/{channelId}",
    Channel,
    Segment("channelId", "channel_id", str),
    Query("endpoint", "endpoint", str, required=True),
    Query("extension", "extension", str),
    Query("context", "context", str),
    Query("priority", "priority", Int),
    Query("label", "label", str),
    Query("app", "app", str),
    Query("appArgs", "app_args", str),
    Query("callerId", "caller_id", str),
    Query("timeout", "timeout", Int),
    Body("variables", "variables", dict[str, str | ReportedVariable]),
    Query("otherChannelId", "other_channel_id", str),
    Query("originator", "originator", str),
    Query("formats", "formats", str),
    since=("12.2.0",),
    idempotent=False,
)
_HANGUP = Operation(
    "channels.hangup",
    "DELETE",
    "/channels/{channelId}",
    type(None),
    Segment("channelId", "channel_id", str),
    Query("reason_code", "reason_code", str),
    Query(
        "reason",
        "reason",
        Literal[
            "normal",
            "busy",
            "congestion",
            "no_answer",
            "timeout",
            "rejected",
            "unallocated",
            "normal_unspecified",
            "number_incomplete",
            "codec_mismatch",
            "interworking",
            "failure",
            "answered_elsewhere",
        ],
    ),
    since=("12.0.0",),
    idempotent=True,
)
_CONTINUE_IN_DIALPLAN = Operation(
    "channels.continue_in_dialplan",
    "POST",
    "/channels/{channelId}/continue",
    type(None),
    Segment("channelId", "channel_id", str),
    Query("context", "context", str),
    Query("extension", "extension", str),
    Query("priority", "priority", Int),
    Query("label", "label", str),
    since=("12.0.0",),
    idempotent=False,
)
_MOVE = Operation(
    "channels.move",
    "POST",
    "/channels/{channelId}/move",
    type(None),
    Segment("channelId", "channel_id", str),
    Query("app", "app", str, required=True),
    Query("appArgs", "app_args", str),
    since=("13.26.0", "16.3.0"),
    idempotent=False,
)
_REDIRECT = Operation(
    "channels.redirect",
    "POST",
    "/channels/{channelId}/redirect",
    type(None),
    Segment("channelId", "channel_id", str),
    Query("endpoint", "endpoint", str, required=True),
    since=("13.3.0",),
    idempotent=False,
)
_ANSWER = Operation(
    "channels.answer",
    "POST",
    "/channels/{channelId}/answer",
    type(None),
    Segment("channelId", "channel_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_RING = Operation(
    "channels.ring",
    "POST",
    "/channels/{channelId}/ring",
    type(None),
    Segment("channelId", "channel_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_RING_STOP = Operation(
    "channels.ring_stop",
    "DELETE",
    "/channels/{channelId}/ring",
    type(None),
    Segment("channelId", "channel_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_PROGRESS = Operation(
    "channels.progress",
    "POST",
    "/channels/{channelId}/progress",
    type(None),
    Segment("channelId", "channel_id", str),
    since=("22.6.0", "21.11.0", "20.16.0"),
    idempotent=True,
)
_SEND_DTMF = Operation(
    "channels.send_dtmf",
    "POST",
    "/channels/{channelId}/dtmf",
    type(None),
    Segment("channelId", "channel_id", str),
    Query("dtmf", "dtmf", str, required=True),
    Query("before", "before", Count),
    Query("between", "between", Count),
    Query("duration", "duration", Count),
    Query("after", "after", Count),
    since=("12.0.0",),
    idempotent=False,
)
_MUTE = Operation(
    "channels.mute",
    "POST",
    "/channels/{channelId}/mute",
    type(None),
    Segment("channelId", "channel_id", str),
    Query("direction", "direction", Literal["both", "in", "out"], required=True),
    since=("12.0.0",),
    idempotent=True,
)
_UNMUTE = Operation(
    "channels.unmute",
    "DELETE",
    "/channels/{channelId}/mute",
    type(None),
    Segment("channelId", "channel_id", str),
    Query("direction", "direction", Literal["both", "in", "out"], required=True),
    since=("12.0.0",),
    idempotent=True,
)
_HOLD = Operation(
    "channels.hold",
    "POST",
    "/channels/{channelId}/hold",
    type(None),
    Segment("channelId", "channel_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_UNHOLD = Operation(
    "channels.unhold",
    "DELETE",
    "/channels/{channelId}/hold",
    type(None),
    Segment("channelId", "channel_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_START_MOH = Operation(
    "channels.start_moh",
    "POST",
    "/channels/{channelId}/moh",
    type(None),
    Segment("channelId", "channel_id", str),
    Query("mohClass", "moh_class", str),
    since=("12.0.0",),
    idempotent=True,
)
_STOP_MOH = Operation(
    "channels.stop_moh",
    "DELETE",
    "/channels/{channelId}/moh",
    type(None),
    Segment("channelId", "channel_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_START_SILENCE = Operation(
    "channels.start_silence",
    "POST",
    "/channels/{channelId}/silence",
    type(None),
    Segment("channelId", "channel_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_STOP_SILENCE = Operation(
    "channels.stop_silence",
    "DELETE",
    "/channels/{channelId}/silence",
    type(None),
    Segment("channelId", "channel_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_PLAY = Operation(
    "channels.play",
    "POST",
    "/channels/{channelId}/play",
    Playback,
    Segment("channelId", "channel_id", str),
    QueryList("media", "media", str, required=True),
    Query("lang", "lang", str),
    Query("offsetms", "offset_ms", Int),
    Query("skipms", "skip_ms", Int),
    Query("playbackId", "playback_id", str),
    since=("12.0.0",),
    idempotent=False,
)
_PLAY_WITH_ID = Operation(
    "channels.play_with_id",
    "POST",
    "/channels/{channelId}/play/{playbackId}",
    Playback,
    Segment("channelId", "channel_id", str),
    Segment("playbackId", "playback_id", str),
    QueryList("media", "media", str, required=True),
    Query("lang", "lang", str),
    Query("offsetms", "offset_ms", Int),
    Query("skipms", "skip_ms", Int),
    since=("12.2.0",),
    idempotent=False,
)
_RECORD = Operation(
    "channels.record",
    "POST",
    "/channels/{channelId}/record",
    LiveRecording,
    Segment("channelId", "channel_id", str),
    Query("name", "name", str, required=True),
    Query("format", "format", str, required=True),
    Query("maxDurationSeconds", "max_duration_seconds", Count),
    Query("maxSilenceSeconds", "max_silence_seconds", Count),
    Query("ifExists", "if_exists", Literal["fail", "overwrite", "append"]),
    Query("beep", "beep", bool),
    Query("terminateOn", "terminate_on", Literal["none", "any", "*", "#"]),
    since=("12.0.0",),
    idempotent=False,
)
_GET_CHANNEL_VAR = Operation(
    "channels.get_channel_var",
    "GET",
    "/channels/{channelId}/variable",
    Variable,
    Segment("channelId", "channel_id", str),
    Query("variable", "variable", str, required=True),
    since=("12.0.0",),
    idempotent=True,
)
_SET_CHANNEL_VAR = Operation(
    "channels.set_channel_var",
    "POST",
    "/channels/{channelId}/variable",
    type(None),
    Segment("channelId", "channel_id", str),
    Query("variable", "variable", str, required=True),
    Query("value", "value", str),
    Query("report_events", "report_events", bool),
    since=("12.0.0",),
    idempotent=True,
)
_GET_CHANNEL_VARS = Operation(
    "channels.get_channel_vars",
    "GET",
    "/channels/{channelId}/variables",
    Variables,
    Segment("channelId", "channel_id", str),
    QueryList("variables", "variables", str, required=True),
    since=("20.20.0", "22.10.0", "23.4.0"),
    idempotent=True,
)
_SET_CHANNEL_VARS = Operation(
    "channels.set_channel_vars",
    "POST",
    "/channels/{channelId}/variables",
    type(None),
    Segment("channelId", "channel_id", str),
    Body("variables", "variables", dict[str, str | ReportedVariable], required=True),
    since=("20.20.0", "22.10.0", "23.4.0"),
    idempotent=True,
)
_SNOOP_CHANNEL = Operation(
    "channels.snoop_channel",
    "POST",
    "/channels/{channelId}/snoop",
    Channel,
    Segment("channelId", "channel_id", str),
    Query("spy", "spy", Literal["none", "both", "out", "in"]),
    Query("whisper", "whisper", Literal["none", "both", "out", "in"]),
    Query("app", "app", str, required=True),
    Query("appArgs", "app_args", str),
    Query("snoopId", "snoop_id", str),
    since=("12.0.0",),
    idempotent=False,
)
_SNOOP_CHANNEL_WITH_ID = Operation(
    "channels.snoop_channel_with_id",
    "POST",
    "/channels/{channelId}/snoop/{snoopId}",
    Channel,
    Segment("channelId", "channel_id", str),
    Segment("snoopId", "snoop_id", str),
    Query("spy", "spy", Literal["none", "both", "out", "in"]),
    Query("whisper", "whisper", Literal["none", "both", "out", "in"]),
    Query("app", "app", str, required=True),
    Query("appArgs", "app_args", str),
    since=("12.2.0",),
    idempotent=False,
)
_DIAL = Operation(
    "channels.dial",
    "POST",
    "/channels/{channelId}/dial",
    type(None),
    Segment("channelId", "channel_id", str),
    Query("caller", "caller", str),
    Query("timeout", "timeout", Count),
    since=("14.0.0",),
    idempotent=False,
)
_RTP_STATISTICS = Operation(
    "channels.rtp_statistics",
    "GET",
    "/channels/{channelId}/rtp_statistics",
    RTPstat,
    Segment("channelId", "channel_id", str),
    since=("13.27.0", "16.4.0"),
    idempotent=True,
)
_EXTERNAL_MEDIA = Operation(
    "channels.external_media",
    "POST",
    "/channels/externalMedia",
    Channel,
    Query("channelId", "channel_id", str),
    Query("app", "app", str, required=True),
    Body("variables", "variables", dict[str, str | ReportedVariable]),
    Query("external_host", "external_host", str),
    Query("encapsulation", "encapsulation", Literal["rtp", "audiosocket", "none"]),
    Query("transport", "transport", Literal["udp", "tcp", "websocket"]),
    Query("connection_type", "connection_type", Literal["client", "server"]),
    Query("format", "format", str, required=True),
    Query("direction", "direction", Literal["both"]),
    Query("data", "data", str),
    Query("transport_data", "transport_data", str),
    since=("16.6.0", "17.1.0"),
    idempotent=False,
)
_TRANSFER_PROGRESS = Operation(
    "channels.transfer_progress",
    "POST",
    "/channels/{channelId}/transfer_progress",
    type(None),
    Segment("channelId", "channel_id", str),
    Query("states", "states", str, required=True),
    since=("22.3.0", "21.8.0", "20.13.0"),
    idempotent=False,
)


class Channels(Resource):
    """The operations on channels."""

    def list(self) -> Deferred[tuple[Channel, ...]]:
        """Read all channels.

        ``GET /channels``.
        """
        return self._call(_LIST)

    def originate(
        self,
        *,
        endpoint: str,
        extension: str | None = None,
        context: str | None = None,
        priority: int | None = None,
        label: str | None = None,
        app: str | None = None,
        app_args: str | None = None,
        caller_id: str | None = None,
        timeout: int | None = None,
        variables: Mapping[str, str | ReportedVariable] | None = None,
        channel_id: str | None = None,
        other_channel_id: str | None = None,
        originator: str | None = None,
        formats: str | None = None,
    ) -> Deferred[Channel]:
        """Dial an endpoint; once it answers, it enters a place.

        ``POST /channels``. ``app_args``: with commas between. ``caller_id``: such as
        ``Alice <410>``. ``timeout``: in seconds, -1 for no limit; by default 30.
        ``formats``: names with commas between; not together with ``originator``.
        """
        return self._call(
            _ORIGINATE,
            endpoint,
            extension,
            context,
            priority,
            label,
            app,
            app_args,
            caller_id,
            timeout,
            variables,
            channel_id,
            other_channel_id,
            originator,
            formats,
        )

    def create(
        self,
        *,
        endpoint: str,
        app: str,
        app_args: str | None = None,
        channel_id: str | None = None,
        other_channel_id: str | None = None,
        originator: str | None = None,
        formats: str | None = None,
        variables: Mapping[str, str | ReportedVariable] | None = None,
    ) -> Deferred[Channel]:
        """Make an outbound channel, without dialing it yet.

        ``POST /channels/create``. ``app_args``: with commas between. ``formats``: names
        with commas between; not together with ``originator``.
        """
        return self._call(
            _CREATE,
            endpoint,
            app,
            app_args,
            channel_id,
            other_channel_id,
            originator,
            formats,
            variables,
        )

    def get(self, *, channel_id: str) -> Deferred[Channel]:
        """Read a channel.

        ``GET /channels/{channelId}``.
        """
        return self._call(_GET, channel_id)

    def originate_with_id(
        self,
        *,
        channel_id: str,
        endpoint: str,
        extension: str | None = None,
        context: str | None = None,
        priority: int | None = None,
        label: str | None = None,
        app: str | None = None,
        app_args: str | None = None,
        caller_id: str | None = None,
        timeout: int | None = None,
        variables: Mapping[str, str | ReportedVariable] | None = None,
        other_channel_id: str | None = None,
        originator: str | None = None,
        formats: str | None = None,
    ) -> Deferred[Channel]:
        """Dial an endpoint as a channel with this id.

        ``POST /channels/{channelId}``. ``app_args``: with commas between.
        ``caller_id``: such as ``Alice <410>``. ``timeout``: in seconds, -1 for no
        limit; by default 30. ``formats``: names with commas between; not together with
        ``originator``.
        """
        return self._call(
            _ORIGINATE_WITH_ID,
            channel_id,
            endpoint,
            extension,
            context,
            priority,
            label,
            app,
            app_args,
            caller_id,
            timeout,
            variables,
            other_channel_id,
            originator,
            formats,
        )

    def hangup(
        self,
        *,
        channel_id: str,
        reason_code: str | None = None,
        reason: Literal[
            "normal",
            "busy",
            "congestion",
            "no_answer",
            "timeout",
            "rejected",
            "unallocated",
            "normal_unspecified",
            "number_incomplete",
            "codec_mismatch",
            "interworking",
            "failure",
            "answered_elsewhere",
        ]
        | None = None,
    ) -> Deferred[None]:
        """Hang the channel up.

        ``DELETE /channels/{channelId}``. ``reason_code``: a cause of Q.850 as text; not
        together with ``reason``.
        """
        return self._call(_HANGUP, channel_id, reason_code, reason)

    def continue_in_dialplan(
        self,
        *,
        channel_id: str,
        context: str | None = None,
        extension: str | None = None,
        priority: int | None = None,
        label: str | None = None,
    ) -> Deferred[None]:
        """Return the channel to the dialplan.

        ``POST /channels/{channelId}/continue``.
        """
        return self._call(
            _CONTINUE_IN_DIALPLAN, channel_id, context, extension, priority, label
        )

    def move(
        self, *, channel_id: str, app: str, app_args: str | None = None
    ) -> Deferred[None]:
        """Hand the channel over to another Stasis application.

        ``POST /channels/{channelId}/move``. ``app_args``: with commas between. Needs
        Asterisk 16.3.0 or later.
        """
        return self._call(_MOVE, channel_id, app, app_args)

    def redirect(self, *, channel_id: str, endpoint: str) -> Deferred[None]:
        """Have the caller's side call another endpoint instead.

        ``POST /channels/{channelId}/redirect``.
        """
        return self._call(_REDIRECT, channel_id, endpoint)

    def answer(self, *, channel_id: str) -> Deferred[None]:
        """Answer the call.

        ``POST /channels/{channelId}/answer``.
        """
        return self._call(_ANSWER, channel_id)

    def ring(self, *, channel_id: str) -> Deferred[None]:
        """Indicate ringing to the caller.

        ``POST /channels/{channelId}/ring``.
        """
        return self._call(_RING, channel_id)

    def ring_stop(self, *, channel_id: str) -> Deferred[None]:
        """Stop indicating ringing to the caller.

        ``DELETE /channels/{channelId}/ring``.
        """
        return self._call(_RING_STOP, channel_id)

    def progress(self, *, channel_id: str) -> Deferred[None]:
        """Indicate progress of the call (early media).

        ``POST /channels/{channelId}/progress``. Needs Asterisk 20.16.0, 21.11.0, 22.6.0
        or later.
        """
        return self._call(_PROGRESS, channel_id)

    def send_dtmf(
        self,
        *,
        channel_id: str,
        dtmf: str,
        before: int | None = None,
        between: int | None = None,
        duration: int | None = None,
        after: int | None = None,
    ) -> Deferred[None]:
        """Send DTMF digits to the channel's party.

        ``POST /channels/{channelId}/dtmf``. ``before``: in milliseconds; by default 0.
        ``between``: in milliseconds; by default 100. ``duration``: in milliseconds; by
        default 100. ``after``: in milliseconds; by default 0.
        """
        return self._call(
            _SEND_DTMF, channel_id, dtmf, before, between, duration, after
        )

    def mute(
        self, *, channel_id: str, direction: Literal["both", "in", "out"]
    ) -> Deferred[None]:
        """Mute the channel's audio.

        ``POST /channels/{channelId}/mute``.
        """
        return self._call(_MUTE, channel_id, direction)

    def unmute(
        self, *, channel_id: str, direction: Literal["both", "in", "out"]
    ) -> Deferred[None]:
        """Unmute the channel's audio.

        ``DELETE /channels/{channelId}/mute``.
        """
        return self._call(_UNMUTE, channel_id, direction)

    def hold(self, *, channel_id: str) -> Deferred[None]:
        """Put the other party on hold.

        ``POST /channels/{channelId}/hold``.
        """
        return self._call(_HOLD, channel_id)

    def unhold(self, *, channel_id: str) -> Deferred[None]:
        """Take the other party off hold.

        ``DELETE /channels/{channelId}/hold``.
        """
        return self._call(_UNHOLD, channel_id)

    def start_moh(
        self, *, channel_id: str, moh_class: str | None = None
    ) -> Deferred[None]:
        """Play music on hold to the channel.

        ``POST /channels/{channelId}/moh``.
        """
        return self._call(_START_MOH, channel_id, moh_class)

    def stop_moh(self, *, channel_id: str) -> Deferred[None]:
        """Stop the channel's music on hold.

        ``DELETE /channels/{channelId}/moh``.
        """
        return self._call(_STOP_MOH, channel_id)

    def start_silence(self, *, channel_id: str) -> Deferred[None]:
        """Play silence to the channel, for peers that need RTP.

        ``POST /channels/{channelId}/silence``.
        """
        return self._call(_START_SILENCE, channel_id)

    def stop_silence(self, *, channel_id: str) -> Deferred[None]:
        """Stop the silence that `start_silence` plays.

        ``DELETE /channels/{channelId}/silence``.
        """
        return self._call(_STOP_SILENCE, channel_id)

    def play(
        self,
        *,
        channel_id: str,
        media: str | Sequence[str],
        lang: str | None = None,
        offset_ms: int | None = None,
        skip_ms: int | None = None,
        playback_id: str | None = None,
    ) -> Deferred[Playback]:
        """Play media to the channel.

        ``POST /channels/{channelId}/play``. ``media``: URIs such as ``sound:hello``,
        played one after another. ``offset_ms``: in milliseconds; of the first media
        only. ``skip_ms``: in milliseconds: how far `control` winds; by default 3000.
        """
        return self._call(
            _PLAY, channel_id, media, lang, offset_ms, skip_ms, playback_id
        )

    def play_with_id(
        self,
        *,
        channel_id: str,
        playback_id: str,
        media: str | Sequence[str],
        lang: str | None = None,
        offset_ms: int | None = None,
        skip_ms: int | None = None,
    ) -> Deferred[Playback]:
        """Play media to the channel as a playback with this id.

        ``POST /channels/{channelId}/play/{playbackId}``. ``media``: URIs such as
        ``sound:hello``, played one after another. ``offset_ms``: in milliseconds; of
        the first media only. ``skip_ms``: in milliseconds: how far `control` winds; by
        default 3000.
        """
        return self._call(
            _PLAY_WITH_ID, channel_id, playback_id, media, lang, offset_ms, skip_ms
        )

    def record(
        self,
        *,
        channel_id: str,
        name: str,
        format: str,
        max_duration_seconds: int | None = None,
        max_silence_seconds: int | None = None,
        if_exists: Literal["fail", "overwrite", "append"] | None = None,
        beep: bool | None = None,
        terminate_on: Literal["none", "any", "*", "#"] | None = None,
    ) -> Deferred[LiveRecording]:
        """Record what the channel's party says.

        ``POST /channels/{channelId}/record``. ``max_duration_seconds``: in seconds, 0
        for no limit; by default 0. ``max_silence_seconds``: in seconds, 0 for no limit;
        by default 0. ``if_exists``: by default fail. ``beep``: by default false.
        ``terminate_on``: by default none.
        """
        return self._call(
            _RECORD,
            channel_id,
            name,
            format,
            max_duration_seconds,
            max_silence_seconds,
            if_exists,
            beep,
            terminate_on,
        )

    def get_channel_var(self, *, channel_id: str, variable: str) -> Deferred[Variable]:
        """Read a variable or a function of the channel.

        ``GET /channels/{channelId}/variable``.
        """
        return self._call(_GET_CHANNEL_VAR, channel_id, variable)

    def set_channel_var(
        self,
        *,
        channel_id: str,
        variable: str,
        value: str | None = None,
        report_events: bool | None = None,
    ) -> Deferred[None]:
        """Set a variable or a function of the channel.

        ``POST /channels/{channelId}/variable``. ``report_events``: by default false.
        """
        return self._call(_SET_CHANNEL_VAR, channel_id, variable, value, report_events)

    def get_channel_vars(
        self, *, channel_id: str, variables: str | Sequence[str]
    ) -> Deferred[Variables]:
        """Read several variables or functions of the channel.

        ``GET /channels/{channelId}/variables``. Needs Asterisk 20.20.0, 22.10.0, 23.4.0
        or later.
        """
        return self._call(_GET_CHANNEL_VARS, channel_id, variables)

    def set_channel_vars(
        self, *, channel_id: str, variables: Mapping[str, str | ReportedVariable]
    ) -> Deferred[None]:
        """Set several variables or functions of the channel.

        ``POST /channels/{channelId}/variables``. Needs Asterisk 20.20.0, 22.10.0,
        23.4.0 or later.
        """
        return self._call(_SET_CHANNEL_VARS, channel_id, variables)

    def snoop_channel(
        self,
        *,
        channel_id: str,
        app: str,
        spy: Literal["none", "both", "out", "in"] | None = None,
        whisper: Literal["none", "both", "out", "in"] | None = None,
        app_args: str | None = None,
        snoop_id: str | None = None,
    ) -> Deferred[Channel]:
        """Make a channel that listens to or speaks into this one.

        ``POST /channels/{channelId}/snoop``. ``spy``: by default none. ``whisper``: by
        default none. ``app_args``: with commas between.
        """
        return self._call(
            _SNOOP_CHANNEL, channel_id, spy, whisper, app, app_args, snoop_id
        )

    def snoop_channel_with_id(
        self,
        *,
        channel_id: str,
        snoop_id: str,
        app: str,
        spy: Literal["none", "both", "out", "in"] | None = None,
        whisper: Literal["none", "both", "out", "in"] | None = None,
        app_args: str | None = None,
    ) -> Deferred[Channel]:
        """Snoop on the channel, by one with this id.

        ``POST /channels/{channelId}/snoop/{snoopId}``. ``spy``: by default none.
        ``whisper``: by default none. ``app_args``: with commas between.
        """
        return self._call(
            _SNOOP_CHANNEL_WITH_ID, channel_id, snoop_id, spy, whisper, app, app_args
        )

    def dial(
        self, *, channel_id: str, caller: str | None = None, timeout: int | None = None
    ) -> Deferred[None]:
        """Dial a channel that `create` has made.

        ``POST /channels/{channelId}/dial``. ``timeout``: in seconds, 0 for no limit; by
        default 0.
        """
        return self._call(_DIAL, channel_id, caller, timeout)

    def rtp_statistics(self, *, channel_id: str) -> Deferred[RTPstat]:
        """Read the statistics of the channel's RTP.

        ``GET /channels/{channelId}/rtp_statistics``. Needs Asterisk 16.4.0 or later.
        """
        return self._call(_RTP_STATISTICS, channel_id)

    def external_media(
        self,
        *,
        app: str,
        format: str,
        channel_id: str | None = None,
        variables: Mapping[str, str | ReportedVariable] | None = None,
        external_host: str | None = None,
        encapsulation: Literal["rtp", "audiosocket", "none"] | None = None,
        transport: Literal["udp", "tcp", "websocket"] | None = None,
        connection_type: Literal["client", "server"] | None = None,
        direction: Literal["both"] | None = None,
        data: str | None = None,
        transport_data: str | None = None,
    ) -> Deferred[Channel]:
        """Make a channel that carries audio to another program.

        ``POST /channels/externalMedia``. ``encapsulation``: by default rtp.
        ``transport``: by default udp. ``connection_type``: by default client.
        ``direction``: by default both. Needs Asterisk 16.6.0, 17.1.0 or later.
        """
        return self._call(
            _EXTERNAL_MEDIA,
            channel_id,
            app,
            variables,
            external_host,
            encapsulation,
            transport,
            connection_type,
            format,
            direction,
            data,
            transport_data,
        )

    def transfer_progress(self, *, channel_id: str, states: str) -> Deferred[None]:
        """Tell the transferring party how its transfer goes.

        ``POST /channels/{channelId}/transfer_progress``. Needs Asterisk 20.13.0,
        21.8.0, 22.3.0 or later.
        """
        return self._call(_TRANSFER_PROGRESS, channel_id, states)
