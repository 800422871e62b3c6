"""Asterisk's REST interface (ARI) for Twisted, with no idea of menus.

`Address` says which Asterisk, as whom and for which Stasis application;
`AriClient` serves that application. What enters it is given to an
`IStasisApplication` as `Channel`.
"""

from channel_aa.ari.address import Address
from channel_aa.ari.channels import Channel
from channel_aa.ari.client import AriClient
from channel_aa.ari.dialled import DialledPhone
from channel_aa.ari.errors import (
    AriError,
    ConflictError,
    ConnectionLostError,
    NotFoundError,
    RequestTimeoutError,
    ServerError,
    UnauthorizedError,
)
from channel_aa.ari.playbacks import Playback
from channel_aa.ari.recordings import Recording
from channel_aa.ari.tls import TLS
from channel_aa.ari.transports import Transport

__all__ = [
    "TLS",
    "Address",
    "AriClient",
    "AriError",
    "Channel",
    "ConflictError",
    "ConnectionLostError",
    "DialledPhone",
    "NotFoundError",
    "Playback",
    "Recording",
    "RequestTimeoutError",
    "ServerError",
    "Transport",
    "UnauthorizedError",
]
