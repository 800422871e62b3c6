"""The events of ARI, as a union tagged by ``type``."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations
from typing import Any

from msgspec import Struct

from channel_aa.ari.api.models import (  # noqa: TC001 - msgspec reads the annotations
    Bridge,
    Channel,
    ContactInfo,
    DeviceState,
    Endpoint,
    LiveRecording,
    Peer,
    Playback,
    ReferredBy,
    ReferTo,
    TextMessage,
)

__all__ = [
    "ApplicationMoveFailed",
    "ApplicationRegistered",
    "ApplicationReplaced",
    "ApplicationUnregistered",
    "BridgeAttendedTransfer",
    "BridgeBlindTransfer",
    "BridgeCreated",
    "BridgeDestroyed",
    "BridgeMerged",
    "BridgeVideoSourceChanged",
    "CallBroadcast",
    "CallClaimed",
    "ChannelCallerId",
    "ChannelConnectedLine",
    "ChannelCreated",
    "ChannelDestroyed",
    "ChannelDialplan",
    "ChannelDtmfReceived",
    "ChannelEnteredBridge",
    "ChannelHangupRequest",
    "ChannelHold",
    "ChannelLeftBridge",
    "ChannelStateChange",
    "ChannelTalkingFinished",
    "ChannelTalkingStarted",
    "ChannelToneDetected",
    "ChannelTransfer",
    "ChannelUnhold",
    "ChannelUserevent",
    "ChannelVarset",
    "ContactStatusChange",
    "DeviceStateChanged",
    "Dial",
    "EndpointStateChange",
    "Event",
    "MissingParams",
    "PeerStatusChange",
    "PlaybackContinuing",
    "PlaybackFinished",
    "PlaybackStarted",
    "RecordingFailed",
    "RecordingFinished",
    "RecordingStarted",
    "StasisEnd",
    "StasisStart",
    "TextMessageReceived",
]


class Event(Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag=True):
    """An event; its class has the name of its type.

    ``application`` is the Stasis application that gets it; ``timestamp`` is the time of
    Asterisk's clock.
    """

    application: str = ""
    timestamp: datetime | None = None
    asterisk_id: str | None = None


class ApplicationMoveFailed(Event, frozen=True, kw_only=True, gc=False):
    """A channel could not move to another application."""

    channel: Channel
    destination: str
    args: tuple[str, ...]


class ApplicationRegistered(Event, frozen=True, kw_only=True, gc=False):
    """A websocket has registered the application."""


class ApplicationReplaced(Event, frozen=True, kw_only=True, gc=False):
    """Another websocket has registered the application."""


class ApplicationUnregistered(Event, frozen=True, kw_only=True, gc=False):
    """The application has no websocket any more."""


class BridgeAttendedTransfer(Event, frozen=True, kw_only=True, gc=False):
    """A party has made an attended transfer."""

    transferer_first_leg: Channel
    transferer_second_leg: Channel
    replace_channel: Channel | None = None
    transferee: Channel | None = None
    transfer_target: Channel | None = None
    result: str
    is_external: bool
    transferer_first_leg_bridge: Bridge | None = None
    transferer_second_leg_bridge: Bridge | None = None
    destination_type: str
    destination_bridge: str | None = None
    destination_application: str | None = None
    destination_link_first_leg: Channel | None = None
    destination_link_second_leg: Channel | None = None
    destination_threeway_channel: Channel | None = None
    destination_threeway_bridge: Bridge | None = None


class BridgeBlindTransfer(Event, frozen=True, kw_only=True, gc=False):
    """A party has made a blind transfer."""

    channel: Channel
    replace_channel: Channel | None = None
    transferee: Channel | None = None
    exten: str
    context: str
    result: str
    is_external: bool
    bridge: Bridge | None = None


class BridgeCreated(Event, frozen=True, kw_only=True, gc=False):
    """A bridge was made."""

    bridge: Bridge


class BridgeDestroyed(Event, frozen=True, kw_only=True, gc=False):
    """A bridge was removed."""

    bridge: Bridge


class BridgeMerged(Event, frozen=True, kw_only=True, gc=False):
    """The channels of one bridge have moved into another."""

    bridge: Bridge
    bridge_from: Bridge


class BridgeVideoSourceChanged(Event, frozen=True, kw_only=True, gc=False):
    """A bridge shows the video of another channel."""

    bridge: Bridge
    old_video_source_id: str | None = None


class CallBroadcast(Event, frozen=True, kw_only=True, gc=False):
    """The dialplan offers a channel to all applications."""

    channel: Channel
    caller: str | None = None
    called: str | None = None


class CallClaimed(Event, frozen=True, kw_only=True, gc=False):
    """An application has claimed a channel that was offered."""

    channel: Channel
    winner_app: str


class ChannelCallerId(Event, frozen=True, kw_only=True, gc=False):
    """The caller id of a channel has changed."""

    caller_presentation: int
    caller_presentation_txt: str
    channel: Channel


class ChannelConnectedLine(Event, frozen=True, kw_only=True, gc=False):
    """The party that a channel is connected with has changed."""

    channel: Channel


class ChannelCreated(Event, frozen=True, kw_only=True, gc=False):
    """A channel was made."""

    channel: Channel


class ChannelDestroyed(Event, frozen=True, kw_only=True, gc=False):
    """A channel has ended.

    ``cause`` is a cause of Q.850.
    """

    cause: int
    cause_txt: str
    tech_cause: int | None = None
    channel: Channel


class ChannelDialplan(Event, frozen=True, kw_only=True, gc=False):
    """A channel is at another application of the dialplan."""

    channel: Channel
    dialplan_app: str
    dialplan_app_data: str


class ChannelDtmfReceived(Event, frozen=True, kw_only=True, gc=False):
    """A party has pressed, and released, a key.

    ``duration_ms`` is in milliseconds.
    """

    digit: str
    duration_ms: int
    channel: Channel


class ChannelEnteredBridge(Event, frozen=True, kw_only=True, gc=False):
    """A channel has entered a bridge."""

    bridge: Bridge
    channel: Channel | None = None


class ChannelHangupRequest(Event, frozen=True, kw_only=True, gc=False):
    """A hangup of a channel was requested.

    ``cause`` is a cause of Q.850.
    """

    cause: int | None = None
    tech_cause: int | None = None
    soft: bool | None = None
    channel: Channel


class ChannelHold(Event, frozen=True, kw_only=True, gc=False):
    """A party has put the other one on hold."""

    channel: Channel
    musicclass: str | None = None


class ChannelLeftBridge(Event, frozen=True, kw_only=True, gc=False):
    """A channel has left a bridge."""

    bridge: Bridge
    channel: Channel


class ChannelStateChange(Event, frozen=True, kw_only=True, gc=False):
    """The state of a channel has changed."""

    channel: Channel


class ChannelTalkingFinished(Event, frozen=True, kw_only=True, gc=False):
    """A party has stopped talking.

    ``duration`` is in milliseconds.
    """

    channel: Channel
    duration: int


class ChannelTalkingStarted(Event, frozen=True, kw_only=True, gc=False):
    """A party has begun to talk."""

    channel: Channel


class ChannelToneDetected(Event, frozen=True, kw_only=True, gc=False):
    """A tone was detected on a channel."""

    channel: Channel


class ChannelTransfer(Event, frozen=True, kw_only=True, gc=False):
    """A party asks the application to transfer a call."""

    state: str | None = None
    refer_to: ReferTo
    referred_by: ReferredBy


class ChannelUnhold(Event, frozen=True, kw_only=True, gc=False):
    """A party has taken the other one off hold."""

    channel: Channel


class ChannelUserevent(Event, frozen=True, kw_only=True, gc=False):
    """An event of a program's own, or of UserEvent in the dialplan."""

    eventname: str
    channel: Channel | None = None
    bridge: Bridge | None = None
    endpoint: Endpoint | None = None
    userevent: dict[str, Any]


class ChannelVarset(Event, frozen=True, kw_only=True, gc=False):
    """A variable was set; a global one if ``channel`` is None."""

    variable: str
    value: str
    channel: Channel | None = None


class ContactStatusChange(Event, frozen=True, kw_only=True, gc=False):
    """The status of a contact has changed."""

    endpoint: Endpoint
    contact_info: ContactInfo


class DeviceStateChanged(Event, frozen=True, kw_only=True, gc=False):
    """The state of a device has changed."""

    device_state: DeviceState


class Dial(Event, frozen=True, kw_only=True, gc=False):
    """The state of dialing ``peer`` has changed.

    ``dialstatus`` is empty at first, then as the dialplan's ``DIALSTATUS``.
    """

    caller: Channel | None = None
    peer: Channel
    forward: str | None = None
    forwarded: Channel | None = None
    dialstring: str | None = None
    dialstatus: str


class EndpointStateChange(Event, frozen=True, kw_only=True, gc=False):
    """The state of an endpoint has changed."""

    endpoint: Endpoint


class MissingParams(Event, frozen=True, kw_only=True, gc=False):
    """The request of the websocket lacked parameters."""

    params: tuple[str, ...]


class PeerStatusChange(Event, frozen=True, kw_only=True, gc=False):
    """The status of a peer has changed."""

    endpoint: Endpoint
    peer: Peer


class PlaybackContinuing(Event, frozen=True, kw_only=True, gc=False):
    """A playback goes on with its next media."""

    playback: Playback


class PlaybackFinished(Event, frozen=True, kw_only=True, gc=False):
    """A playback has ended."""

    playback: Playback


class PlaybackStarted(Event, frozen=True, kw_only=True, gc=False):
    """A playback has started."""

    playback: Playback


class RecordingFailed(Event, frozen=True, kw_only=True, gc=False):
    """A recording could not be made."""

    recording: LiveRecording


class RecordingFinished(Event, frozen=True, kw_only=True, gc=False):
    """A recording has ended."""

    recording: LiveRecording


class RecordingStarted(Event, frozen=True, kw_only=True, gc=False):
    """A recording has started."""

    recording: LiveRecording


class StasisEnd(Event, frozen=True, kw_only=True, gc=False):
    """A channel has left the application."""

    channel: Channel


class StasisStart(Event, frozen=True, kw_only=True, gc=False):
    """A channel has entered the application."""

    args: tuple[str, ...]
    channel: Channel
    replace_channel: Channel | None = None


class TextMessageReceived(Event, frozen=True, kw_only=True, gc=False):
    """A text message has arrived."""

    message: TextMessage
    endpoint: Endpoint | None = None
