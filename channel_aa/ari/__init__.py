"""Asterisk's REST interface (ARI) for Twisted, with no idea of menus.

`Address` says which Asterisk, as whom and for which Stasis application;
`AriClient` serves that application. What enters it is given to an
`IStasisApplication` as `Channel`.
"""

from channel_aa.ari.channel import Channel
from channel_aa.ari.client import AriClient
from channel_aa.ari.outbound import OutboundChannel
from channel_aa.ari.playback import Playback
from channel_aa.ari.recording import Recording
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

__all__ = [
    "TLS",
    "Address",
    "AriClient",
    "AriError",
    "Channel",
    "ConflictError",
    "ConnectionLostError",
    "ForbiddenError",
    "NotFoundError",
    "OutboundChannel",
    "Playback",
    "Recording",
    "RequestTimeoutError",
    "ServerError",
    "Transport",
    "UnauthorizedError",
]
