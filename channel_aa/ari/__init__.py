"""Asterisk's REST interface (ARI) for Twisted, with no idea of menus.

`Address` says which Asterisk, as whom and for which Stasis application;
`AriClient` serves that application. Each call that enters it runs a coroutine function
of the program (``on_call``), or is given to an `IStasisApplication`, as a `Channel`,
whose `Dialogue` plays sounds and takes keys.
"""

from channel_aa.ari.bridge import Bridge
from channel_aa.ari.channel import Channel
from channel_aa.ari.client import AriClient
from channel_aa.ari.coroutine_calls import CallHandler
from channel_aa.ari.outbound import OutboundChannel
from channel_aa.ari.playback import Playback
from channel_aa.ari.prepared_call import NotAnsweredError, PreparedCall
from channel_aa.ari.recording import Recording
from channel_aa.ari.run import run
from channel_aa.ari.subscriptions import Events, EventStream, Subscription
from channel_aa.ari.wire.address import Address
from channel_aa.ari.wire.errors import (
    AriError,
    ConflictError,
    ConnectionLostError,
    ForbiddenError,
    NotFoundError,
    RequestTimeoutError,
    ServerError,
    UnauthorizedError,
)
from channel_aa.ari.wire.routing import Transport
from channel_aa.ari.wire.tls import TLS
from channel_aa.dialogue.dialogue import Dialogue
from channel_aa.dialogue.keypad import KeypadInUseError
from channel_aa.dialogue.say import Say
from channel_aa.interfaces import (
    ChannelGoneError,
    DialOutcome,
    HangupReason,
    IChannelListener,
    IStasisApplication,
    PlaybackEnd,
    RecordingEnd,
    TelephonyError,
)

__all__ = [
    "TLS",
    "Address",
    "AriClient",
    "AriError",
    "Bridge",
    "CallHandler",
    "Channel",
    "ChannelGoneError",
    "ConflictError",
    "ConnectionLostError",
    "DialOutcome",
    "Dialogue",
    "EventStream",
    "Events",
    "ForbiddenError",
    "HangupReason",
    "IChannelListener",
    "IStasisApplication",
    "KeypadInUseError",
    "NotAnsweredError",
    "NotFoundError",
    "OutboundChannel",
    "Playback",
    "PlaybackEnd",
    "PreparedCall",
    "Recording",
    "RecordingEnd",
    "RequestTimeoutError",
    "Say",
    "ServerError",
    "Subscription",
    "TelephonyError",
    "Transport",
    "UnauthorizedError",
    "run",
]
