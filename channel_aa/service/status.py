"""How an attendant is: what its status endpoint tells."""

from datetime import datetime

import msgspec


class AsteriskStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The Asterisk that is served.

    Attributes:
        url: where it is.
        application: the Stasis application.
        connected: whether the events websocket is open, and events come over it.
        since: since when that is so; None while it is not.
        version: Asterisk's; empty before it was told.
        replaced: whether another program has taken the application's name.
    """

    url: str
    application: str
    connected: bool
    since: datetime | None
    version: str
    replaced: bool


class CallsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The calls.

    Attributes:
        now: how many are in progress.
        conversations: how many of these speak with a phone.
        attended: how many were attended to, since the start.
        refused: how many were above ``max_calls``, since the start.
        limit: ``max_calls``; 0: there is none.
    """

    now: int
    conversations: int
    attended: int
    refused: int
    limit: int


class RequestsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The requests to Asterisk that are not answered yet.

    Attributes:
        pending: how many.
        queued: how many of these wait for their turn, or for a connection.
    """

    pending: int
    queued: int


class DelayStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How late the reactor is, in seconds.

    Attributes:
        last: the last measurement.
        worst: the worst of the last minute.
    """

    last: float
    worst: float


class ConfigurationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What holds.

    Attributes:
        file: where it stands; empty where there is no file.
        loaded: since when it holds.
        refused: when the file was last read and refused, for mistakes that the log
            names; None where what was read last holds.
    """

    file: str
    loaded: datetime
    refused: datetime | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How an attendant is. No secret is in it.

    Attributes:
        serving: whether calls are attended to now: it is connected, was not replaced,
            and does not stop.
        draining: whether it stops, and lets calls come to their end.
        version: channel-aa's.
        started: when it was started.
        asterisk: the Asterisk that is served.
        calls: the calls.
        requests: the requests to Asterisk.
        reactor_delay: how late the reactor is.
        configuration: what holds.
    """

    serving: bool
    draining: bool
    version: str
    started: datetime
    asterisk: AsteriskStatus
    calls: CallsStatus
    requests: RequestsStatus
    reactor_delay: DelayStatus
    configuration: ConfigurationStatus
