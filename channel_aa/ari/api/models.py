"""The models of ARI: what its operations return, and its events hold.

Unknown fields are ignored; one that Asterisk may omit is None then.
"""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations
from typing import Any

from msgspec import Struct, field

__all__ = [
    "AdditionalParam",
    "Application",
    "AsteriskInfo",
    "AsteriskPing",
    "Bridge",
    "BuildInfo",
    "CallerID",
    "Channel",
    "ConfigInfo",
    "ConfigTuple",
    "ContactInfo",
    "DeviceState",
    "DialplanCEP",
    "Endpoint",
    "FormatLangPair",
    "LiveRecording",
    "LogChannel",
    "Mailbox",
    "Module",
    "Peer",
    "Playback",
    "RTPstat",
    "ReferTo",
    "ReferredBy",
    "RequiredDestination",
    "SetId",
    "Sound",
    "StatusInfo",
    "StoredRecording",
    "SystemInfo",
    "TextMessage",
    "Variable",
    "Variables",
]


class AdditionalParam(Struct, frozen=True, kw_only=True, gc=False):
    """A parameter that the protocol of a transfer adds."""

    parameter_name: str
    parameter_value: str


class Application(Struct, frozen=True, kw_only=True, gc=False):
    """A Stasis application, and the sources of its events."""

    name: str
    channel_ids: tuple[str, ...]
    bridge_ids: tuple[str, ...]
    endpoint_ids: tuple[str, ...]
    device_names: tuple[str, ...]
    events_allowed: tuple[dict[str, str], ...]
    events_disallowed: tuple[dict[str, str], ...]


class AsteriskInfo(Struct, frozen=True, kw_only=True, gc=False):
    """What Asterisk says of itself; what was not asked for is None."""

    build: BuildInfo | None = None
    system: SystemInfo | None = None
    config: ConfigInfo | None = None
    status: StatusInfo | None = None


class AsteriskPing(Struct, frozen=True, kw_only=True, gc=False):
    """Asterisk's answer to a ping."""

    asterisk_id: str
    ping: str
    timestamp: str


class Bridge(Struct, frozen=True, kw_only=True, gc=False):
    """A bridge, and the ids of the channels in it.

    ``bridge_type`` is ``mixing`` or ``holding``.
    """

    id: str
    technology: str
    bridge_type: str
    bridge_class: str
    creator: str
    name: str
    channels: tuple[str, ...]
    video_mode: str | None = None
    video_source_id: str | None = None
    creationtime: datetime
    bridgevars: dict[str, str] | None = None


class BuildInfo(Struct, frozen=True, kw_only=True, gc=False):
    """How Asterisk was built."""

    os: str
    kernel: str
    options: str
    machine: str
    date: str
    user: str


class CallerID(Struct, frozen=True, kw_only=True, gc=False):
    """The name and number of a party; both may be empty."""

    name: str
    number: str


class Channel(Struct, frozen=True, kw_only=True, gc=False):
    """A channel.

    ``state`` is ``Down``, ``Rsrved``, ``OffHook``, ``Dialing``, ``Ring``, ``Ringing``,
    ``Up``, ``Busy``, ``Dialing Offhook``, ``Pre-ring`` or ``Unknown``.
    """

    id: str
    protocol_id: str
    name: str
    state: str
    caller: CallerID
    connected: CallerID
    accountcode: str
    dialplan: DialplanCEP
    creationtime: datetime
    language: str
    channelvars: dict[str, str] | None = None
    caller_rdnis: str | None = None
    tenantid: str | None = None


class ConfigInfo(Struct, frozen=True, kw_only=True, gc=False):
    """Asterisk's settings."""

    name: str
    default_language: str
    max_channels: int | None = None
    max_open_files: int | None = None
    max_load: float | None = None
    setid: SetId


class ConfigTuple(Struct, frozen=True, kw_only=True, gc=False):
    """An attribute of an object of the dynamic configuration."""

    attribute: str
    value: str


class ContactInfo(Struct, frozen=True, kw_only=True, gc=False):
    """A contact of an endpoint: a registered phone.

    ``contact_status`` is ``Unreachable``, ``Reachable``, ``Unknown``, ``NonQualified``
    or ``Removed``. ``roundtrip_usec`` is in microseconds.
    """

    uri: str
    contact_status: str
    aor: str
    roundtrip_usec: str | None = None


class DeviceState(Struct, frozen=True, kw_only=True, gc=False):
    """A device, and its state.

    ``state`` is ``UNKNOWN``, ``NOT_INUSE``, ``INUSE``, ``BUSY``, ``INVALID``,
    ``UNAVAILABLE``, ``RINGING``, ``RINGINUSE`` or ``ONHOLD``.
    """

    name: str
    state: str


class DialplanCEP(Struct, frozen=True, kw_only=True, gc=False):
    """A place in the dialplan: context, extension and priority."""

    context: str
    exten: str
    priority: int
    app_name: str
    app_data: str


class Endpoint(Struct, frozen=True, kw_only=True, gc=False):
    """An endpoint, and the ids of its channels.

    ``state`` is ``unknown``, ``offline`` or ``online``.
    """

    technology: str
    resource: str
    state: str | None = None
    channel_ids: tuple[str, ...]


class FormatLangPair(Struct, frozen=True, kw_only=True, gc=False):
    """A format and a language that a sound is available in."""

    language: str
    format: str


class LiveRecording(Struct, frozen=True, kw_only=True, gc=False):
    """A recording in progress, or at its end.

    ``state`` is ``queued``, ``recording``, ``paused``, ``done``, ``failed`` or
    ``canceled``. ``duration`` is in seconds. ``talking_duration`` is in seconds.
    ``silence_duration`` is in seconds.
    """

    name: str
    format: str
    target_uri: str
    state: str
    duration: int | None = None
    talking_duration: int | None = None
    silence_duration: int | None = None
    cause: str | None = None


class LogChannel(Struct, frozen=True, kw_only=True, gc=False):
    """A channel of Asterisk's log."""

    channel: str
    type: str
    status: str
    configuration: str


class Mailbox(Struct, frozen=True, kw_only=True, gc=False):
    """A mailbox that ARI controls."""

    name: str
    old_messages: int
    new_messages: int


class Module(Struct, frozen=True, kw_only=True, gc=False):
    """A module of Asterisk."""

    name: str
    description: str
    use_count: int
    status: str
    support_level: str


class Peer(Struct, frozen=True, kw_only=True, gc=False):
    """The status of a peer."""

    peer_status: str
    cause: str | None = None
    address: str | None = None
    port: str | None = None
    time: str | None = None


class Playback(Struct, frozen=True, kw_only=True, gc=False):
    """A playback.

    ``state`` is ``queued``, ``playing``, ``continuing``, ``done`` or ``failed``.
    """

    id: str
    media_uri: str
    next_media_uri: str | None = None
    target_uri: str
    language: str | None = None
    state: str


class RTPstat(Struct, frozen=True, kw_only=True, gc=False):
    """The statistics of the RTP of a channel.

    ``rtt`` is in seconds.
    """

    txcount: int
    rxcount: int
    txjitter: float | None = None
    rxjitter: float | None = None
    remote_maxjitter: float | None = None
    remote_minjitter: float | None = None
    remote_normdevjitter: float | None = None
    remote_stdevjitter: float | None = None
    local_maxjitter: float | None = None
    local_minjitter: float | None = None
    local_normdevjitter: float | None = None
    local_stdevjitter: float | None = None
    txploss: int
    rxploss: int
    remote_maxrxploss: float | None = None
    remote_minrxploss: float | None = None
    remote_normdevrxploss: float | None = None
    remote_stdevrxploss: float | None = None
    local_maxrxploss: float | None = None
    local_minrxploss: float | None = None
    local_normdevrxploss: float | None = None
    local_stdevrxploss: float | None = None
    rtt: float | None = None
    maxrtt: float | None = None
    minrtt: float | None = None
    normdevrtt: float | None = None
    stdevrtt: float | None = None
    local_ssrc: int
    remote_ssrc: int
    txoctetcount: int
    rxoctetcount: int
    channel_uniqueid: str
    txmes: float | None = None
    rxmes: float | None = None
    remote_maxmes: float | None = None
    remote_minmes: float | None = None
    remote_normdevmes: float | None = None
    remote_stdevmes: float | None = None
    local_maxmes: float | None = None
    local_minmes: float | None = None
    local_normdevmes: float | None = None
    local_stdevmes: float | None = None


class ReferTo(Struct, frozen=True, kw_only=True, gc=False):
    """Where a transfer shall go to."""

    requested_destination: RequiredDestination
    destination_channel: Channel | None = None
    connected_channel: Channel | None = None
    bridge: Bridge | None = None


class ReferredBy(Struct, frozen=True, kw_only=True, gc=False):
    """Who asks for a transfer."""

    source_channel: Channel
    connected_channel: Channel | None = None
    bridge: Bridge | None = None


class RequiredDestination(Struct, frozen=True, kw_only=True, gc=False):
    """The destination of a transfer."""

    protocol_id: str | None = None
    destination: str | None = None
    additional_protocol_params: tuple[AdditionalParam, ...] | None = None


class SetId(Struct, frozen=True, kw_only=True, gc=False):
    """The user and the group that Asterisk runs as."""

    user: str
    group: str


class Sound(Struct, frozen=True, kw_only=True, gc=False):
    """A sound."""

    id: str
    text: str | None = None
    formats: tuple[FormatLangPair, ...]


class StatusInfo(Struct, frozen=True, kw_only=True, gc=False):
    """When Asterisk was started, and last reloaded."""

    startup_time: datetime
    last_reload_time: datetime


class StoredRecording(Struct, frozen=True, kw_only=True, gc=False):
    """A stored recording."""

    name: str
    format: str


class SystemInfo(Struct, frozen=True, kw_only=True, gc=False):
    """Asterisk's version and entity id."""

    version: str
    entity_id: str


class TextMessage(Struct, frozen=True, kw_only=True, gc=False):
    """A text message."""

    from_: str = field(name="from")
    to: str
    body: str
    variables: dict[str, Any] | None = None


class Variable(Struct, frozen=True, kw_only=True, gc=False):
    """The value of a variable."""

    value: str


class Variables(Struct, frozen=True, kw_only=True, gc=False):
    """The values of several variables, by name."""

    variables: dict[str, str]
