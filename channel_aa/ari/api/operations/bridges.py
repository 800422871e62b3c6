"""The operations on bridges."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
# ruff: noqa: A002 - the names are Asterisk's
from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from channel_aa.ari.api.models import (
    Bridge,
    LiveRecording,
    Playback,
    Variable,
    Variables,
)
from channel_aa.ari.api.operation import (
    Body,
    Count,
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
    "Bridges",
]

_LIST = Operation(
    "bridges.list",
    "GET",
    "/bridges",
    tuple[Bridge, ...],
    since=("12.0.0",),
    idempotent=True,
)
_CREATE = Operation(
    "bridges.create",
    "POST",
    "/bridges",
    Bridge,
    Query("type", "type", str),
    Query("bridgeId", "bridge_id", str),
    Query("name", "name", str),
    Body("variables", "variables", dict[str, str | ReportedVariable]),
    since=("12.0.0",),
    idempotent=False,
)
_CREATE_WITH_ID = Operation(
    "bridges.create_with_id",
    "POST",
    "/bridges/{bridgeId}",
    Bridge,
    Query("type", "type", str),
    Segment("bridgeId", "bridge_id", str),
    Query("name", "name", str),
    Body("variables", "variables", dict[str, str | ReportedVariable]),
    since=("12.2.0",),
    idempotent=False,
)
_GET = Operation(
    "bridges.get",
    "GET",
    "/bridges/{bridgeId}",
    Bridge,
    Segment("bridgeId", "bridge_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_DESTROY = Operation(
    "bridges.destroy",
    "DELETE",
    "/bridges/{bridgeId}",
    type(None),
    Segment("bridgeId", "bridge_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_GET_BRIDGE_VAR = Operation(
    "bridges.get_bridge_var",
    "GET",
    "/bridges/{bridgeId}/variable",
    Variable,
    Segment("bridgeId", "bridge_id", str),
    Query("variable", "variable", str, required=True),
    since=("20.20.0", "22.10.0", "23.4.0"),
    idempotent=True,
)
_SET_BRIDGE_VAR = Operation(
    "bridges.set_bridge_var",
    "POST",
    "/bridges/{bridgeId}/variable",
    type(None),
    Segment("bridgeId", "bridge_id", str),
    Query("variable", "variable", str, required=True),
    Query("value", "value", str),
    Query("report_events", "report_events", bool),
    since=("20.20.0", "22.10.0", "23.4.0"),
    idempotent=True,
)
_GET_BRIDGE_VARS = Operation(
    "bridges.get_bridge_vars",
    "GET",
    "/bridges/{bridgeId}/variables",
    Variables,
    Segment("bridgeId", "bridge_id", str),
    QueryList("variables", "variables", str, required=True),
    since=("20.20.0", "22.10.0", "23.4.0"),
    idempotent=True,
)
_SET_BRIDGE_VARS = Operation(
    "bridges.set_bridge_vars",
    "POST",
    "/bridges/{bridgeId}/variables",
    type(None),
    Segment("bridgeId", "bridge_id", str),
    Body("variables", "variables", dict[str, str | ReportedVariable], required=True),
    since=("20.20.0", "22.10.0", "23.4.0"),
    idempotent=True,
)
_ADD_CHANNEL = Operation(
    "bridges.add_channel",
    "POST",
    "/bridges/{bridgeId}/addChannel",
    type(None),
    Segment("bridgeId", "bridge_id", str),
    QueryList("channel", "channel", str, required=True),
    Query("role", "role", str),
    Query("absorbDTMF", "absorb_dtmf", bool),
    Query("mute", "mute", bool),
    Query("inhibitConnectedLineUpdates", "inhibit_connected_line_updates", bool),
    since=("12.0.0",),
    idempotent=False,
)
_REMOVE_CHANNEL = Operation(
    "bridges.remove_channel",
    "POST",
    "/bridges/{bridgeId}/removeChannel",
    type(None),
    Segment("bridgeId", "bridge_id", str),
    QueryList("channel", "channel", str, required=True),
    since=("12.0.0",),
    idempotent=False,
)
_SET_VIDEO_SOURCE = Operation(
    "bridges.set_video_source",
    "POST",
    "/bridges/{bridgeId}/videoSource/{channelId}",
    type(None),
    Segment("bridgeId", "bridge_id", str),
    Segment("channelId", "channel_id", str),
    since=("13.13.0", "14.2.0"),
    idempotent=True,
)
_CLEAR_VIDEO_SOURCE = Operation(
    "bridges.clear_video_source",
    "DELETE",
    "/bridges/{bridgeId}/videoSource",
    type(None),
    Segment("bridgeId", "bridge_id", str),
    since=("13.13.0", "14.2.0"),
    idempotent=True,
)
_START_MOH = Operation(
    "bridges.start_moh",
    "POST",
    "/bridges/{bridgeId}/moh",
    type(None),
    Segment("bridgeId", "bridge_id", str),
    Query("mohClass", "moh_class", str),
    since=("12.0.0",),
    idempotent=True,
)
_STOP_MOH = Operation(
    "bridges.stop_moh",
    "DELETE",
    "/bridges/{bridgeId}/moh",
    type(None),
    Segment("bridgeId", "bridge_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_PLAY = Operation(
    "bridges.play",
    "POST",
    "/bridges/{bridgeId}/play",
    Playback,
    Segment("bridgeId", "bridge_id", str),
    QueryList("media", "media", str, required=True),
    Query("announcer_format", "announcer_format", str),
    Query("lang", "lang", str),
    Query("offsetms", "offset_ms", Count),
    Query("skipms", "skip_ms", Count),
    Query("playbackId", "playback_id", str),
    since=("12.0.0",),
    idempotent=False,
)
_PLAY_WITH_ID = Operation(
    "bridges.play_with_id",
    "POST",
    "/bridges/{bridgeId}/play/{playbackId}",
    Playback,
    Segment("bridgeId", "bridge_id", str),
    Segment("playbackId", "playback_id", str),
    QueryList("media", "media", str, required=True),
    Query("announcer_format", "announcer_format", str),
    Query("lang", "lang", str),
    Query("offsetms", "offset_ms", Count),
    Query("skipms", "skip_ms", Count),
    since=("12.3.0",),
    idempotent=False,
)
_RECORD = Operation(
    "bridges.record",
    "POST",
    "/bridges/{bridgeId}/record",
    LiveRecording,
    Segment("bridgeId", "bridge_id", str),
    Query("name", "name", str, required=True),
    Query("format", "format", str, required=True),
    Query("recorder_format", "recorder_format", str),
    Query("maxDurationSeconds", "max_duration_seconds", Count),
    Query("maxSilenceSeconds", "max_silence_seconds", Count),
    Query("ifExists", "if_exists", Literal["fail", "overwrite", "append"]),
    Query("beep", "beep", bool),
    Query("terminateOn", "terminate_on", Literal["none", "any", "*", "#"]),
    since=("12.0.0",),
    idempotent=False,
)


class Bridges(Resource):
    """The operations on bridges."""

    def list(self) -> Deferred[tuple[Bridge, ...]]:
        """Read all bridges.

        ``GET /bridges``.
        """
        return self._call(_LIST)

    def create(
        self,
        *,
        type: str | None = None,
        bridge_id: str | None = None,
        name: str | None = None,
        variables: Mapping[str, str | ReportedVariable] | None = None,
    ) -> Deferred[Bridge]:
        """Make a bridge, with an id of Asterisk's unless one is given.

        ``POST /bridges``. ``type``: such as ``mixing`` or ``holding``, more with
        commas.
        """
        return self._call(_CREATE, type, bridge_id, name, variables)

    def create_with_id(
        self,
        *,
        bridge_id: str,
        type: str | None = None,
        name: str | None = None,
        variables: Mapping[str, str | ReportedVariable] | None = None,
    ) -> Deferred[Bridge]:
        """Make a bridge with this id.

        ``POST /bridges/{bridgeId}``. ``type``: such as ``mixing`` or ``holding``, more
        with commas.
        """
        return self._call(_CREATE_WITH_ID, type, bridge_id, name, variables)

    def get(self, *, bridge_id: str) -> Deferred[Bridge]:
        """Read a bridge.

        ``GET /bridges/{bridgeId}``.
        """
        return self._call(_GET, bridge_id)

    def destroy(self, *, bridge_id: str) -> Deferred[None]:
        """Remove the bridge; its channels stay in the application.

        ``DELETE /bridges/{bridgeId}``.
        """
        return self._call(_DESTROY, bridge_id)

    def get_bridge_var(self, *, bridge_id: str, variable: str) -> Deferred[Variable]:
        """Read a variable of the bridge.

        ``GET /bridges/{bridgeId}/variable``. Needs Asterisk 20.20.0, 22.10.0, 23.4.0 or
        later.
        """
        return self._call(_GET_BRIDGE_VAR, bridge_id, variable)

    def set_bridge_var(
        self,
        *,
        bridge_id: str,
        variable: str,
        value: str | None = None,
        report_events: bool | None = None,
    ) -> Deferred[None]:
        """Set a variable of the bridge.

        ``POST /bridges/{bridgeId}/variable``. ``report_events``: by default false.
        Needs Asterisk 20.20.0, 22.10.0, 23.4.0 or later.
        """
        return self._call(_SET_BRIDGE_VAR, bridge_id, variable, value, report_events)

    def get_bridge_vars(
        self, *, bridge_id: str, variables: str | Sequence[str]
    ) -> Deferred[Variables]:
        """Read several variables of the bridge.

        ``GET /bridges/{bridgeId}/variables``. Needs Asterisk 20.20.0, 22.10.0, 23.4.0
        or later.
        """
        return self._call(_GET_BRIDGE_VARS, bridge_id, variables)

    def set_bridge_vars(
        self, *, bridge_id: str, variables: Mapping[str, str | ReportedVariable]
    ) -> Deferred[None]:
        """Set several variables of the bridge.

        ``POST /bridges/{bridgeId}/variables``. Needs Asterisk 20.20.0, 22.10.0, 23.4.0
        or later.
        """
        return self._call(_SET_BRIDGE_VARS, bridge_id, variables)

    def add_channel(
        self,
        *,
        bridge_id: str,
        channel: str | Sequence[str],
        role: str | None = None,
        absorb_dtmf: bool | None = None,
        mute: bool | None = None,
        inhibit_connected_line_updates: bool | None = None,
    ) -> Deferred[None]:
        """Add channels to the bridge.

        ``POST /bridges/{bridgeId}/addChannel``. ``absorb_dtmf``: by default false.
        ``mute``: by default false. ``inhibit_connected_line_updates``: by default
        false.
        """
        return self._call(
            _ADD_CHANNEL,
            bridge_id,
            channel,
            role,
            absorb_dtmf,
            mute,
            inhibit_connected_line_updates,
        )

    def remove_channel(
        self, *, bridge_id: str, channel: str | Sequence[str]
    ) -> Deferred[None]:
        """Take channels out of the bridge.

        ``POST /bridges/{bridgeId}/removeChannel``.
        """
        return self._call(_REMOVE_CHANNEL, bridge_id, channel)

    def set_video_source(self, *, bridge_id: str, channel_id: str) -> Deferred[None]:
        """Show the video of one channel to all others.

        ``POST /bridges/{bridgeId}/videoSource/{channelId}``.
        """
        return self._call(_SET_VIDEO_SOURCE, bridge_id, channel_id)

    def clear_video_source(self, *, bridge_id: str) -> Deferred[None]:
        """Return the bridge's video to its own choice.

        ``DELETE /bridges/{bridgeId}/videoSource``.
        """
        return self._call(_CLEAR_VIDEO_SOURCE, bridge_id)

    def start_moh(
        self, *, bridge_id: str, moh_class: str | None = None
    ) -> Deferred[None]:
        """Play music on hold to the bridge.

        ``POST /bridges/{bridgeId}/moh``.
        """
        return self._call(_START_MOH, bridge_id, moh_class)

    def stop_moh(self, *, bridge_id: str) -> Deferred[None]:
        """Stop the bridge's music on hold.

        ``DELETE /bridges/{bridgeId}/moh``.
        """
        return self._call(_STOP_MOH, bridge_id)

    def play(
        self,
        *,
        bridge_id: str,
        media: str | Sequence[str],
        announcer_format: str | None = None,
        lang: str | None = None,
        offset_ms: int | None = None,
        skip_ms: int | None = None,
        playback_id: str | None = None,
    ) -> Deferred[Playback]:
        """Play media to all channels of the bridge.

        ``POST /bridges/{bridgeId}/play``. ``media``: URIs such as ``sound:hello``,
        played one after another. ``offset_ms``: in milliseconds; of the first media
        only; by default 0. ``skip_ms``: in milliseconds: how far `control` winds; by
        default 3000.
        """
        return self._call(
            _PLAY,
            bridge_id,
            media,
            announcer_format,
            lang,
            offset_ms,
            skip_ms,
            playback_id,
        )

    def play_with_id(
        self,
        *,
        bridge_id: str,
        playback_id: str,
        media: str | Sequence[str],
        announcer_format: str | None = None,
        lang: str | None = None,
        offset_ms: int | None = None,
        skip_ms: int | None = None,
    ) -> Deferred[Playback]:
        """Play media to the bridge as a playback with this id.

        ``POST /bridges/{bridgeId}/play/{playbackId}``. ``media``: URIs such as
        ``sound:hello``, played one after another. ``offset_ms``: in milliseconds; of
        the first media only; by default 0. ``skip_ms``: in milliseconds: how far
        `control` winds; by default 3000.
        """
        return self._call(
            _PLAY_WITH_ID,
            bridge_id,
            playback_id,
            media,
            announcer_format,
            lang,
            offset_ms,
            skip_ms,
        )

    def record(
        self,
        *,
        bridge_id: str,
        name: str,
        format: str,
        recorder_format: str | None = None,
        max_duration_seconds: int | None = None,
        max_silence_seconds: int | None = None,
        if_exists: Literal["fail", "overwrite", "append"] | None = None,
        beep: bool | None = None,
        terminate_on: Literal["none", "any", "*", "#"] | None = None,
    ) -> Deferred[LiveRecording]:
        """Record what the bridge's channels say.

        ``POST /bridges/{bridgeId}/record``. ``max_duration_seconds``: in seconds, 0 for
        no limit; by default 0. ``max_silence_seconds``: in seconds, 0 for no limit; by
        default 0. ``if_exists``: by default fail. ``beep``: by default false.
        ``terminate_on``: by default none.
        """
        return self._call(
            _RECORD,
            bridge_id,
            name,
            format,
            recorder_format,
            max_duration_seconds,
            max_silence_seconds,
            if_exists,
            beep,
            terminate_on,
        )
