"""The status that the status endpoint returns; attributes are its JSON fields."""

from datetime import datetime

import msgspec

__all__ = [
    "AsteriskStatus",
    "CallsStatus",
    "ConfigurationStatus",
    "DelayStatus",
    "RecordsStatus",
    "RequestsStatus",
    "Status",
]


class AsteriskStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The connection to Asterisk.

    Attributes:
        url: of Asterisk's HTTP server.
        application: the name of the Stasis application.
        connected: whether the events websocket is open and serves this program.
        since: when it was opened; None while it is not.
        version: Asterisk's version; empty before it is known.
        replaced: whether another program has taken the application's name.
        problem: why it is not connected, with what to do; empty if it is.
    """

    url: str
    application: str
    connected: bool
    since: datetime | None
    version: str
    replaced: bool
    problem: str


class CallsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of calls.

    Attributes:
        now: calls in progress.
        conversations: those of them in a conversation with a phone.
        attended: calls accepted since the start.
        refused: calls rejected because of ``max_calls`` since the start.
        limit: ``max_calls``; 0: the most, 5000.
    """

    now: int
    conversations: int
    attended: int
    refused: int
    limit: int


class RequestsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of requests to Asterisk without an answer yet.

    Attributes:
        pending: all of them.
        queued: those not sent yet, because of a limit or a lost connection.
    """

    pending: int
    queued: int


class DelayStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The reactor's lag, in seconds.

    Attributes:
        last: the last measurement.
        worst: the maximum of the last minute.
    """

    last: float
    worst: float


class ConfigurationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration in force.

    Attributes:
        file: its path; empty without a file.
        loaded: when it was loaded.
        refused: when a later reload was rejected because of errors, which the log has;
            None if there was none.
    """

    file: str
    loaded: datetime
    refused: datetime | None


class RecordsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Events of calls on their way to the database of records.

    Attributes:
        queued: events in memory.
        spooled: events in a file, because the database could not be written.
        lost: events that were dropped since the start.
        problem: why the database cannot be written; empty if it can.
    """

    queued: int
    spooled: int
    lost: int
    problem: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The status of an attendant; it contains no secret.

    Attributes:
        serving: whether new calls are answered: connected, not replaced, not stopping.
        draining: whether it is stopping.
        version: channel-aa's version.
        started: when it was started.
        asterisk: the connection to Asterisk.
        calls: counts of calls.
        requests: counts of requests to Asterisk.
        reactor_delay: the reactor's lag.
        configuration: the configuration in force.
        records: the records of calls; None: they are not stored.
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
    records: RecordsStatus | None = None
