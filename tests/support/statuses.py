"""An example of a status, and a server for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from channel_aa.http_server import HttpServer
from channel_aa.service.status import (
    AsteriskStatus,
    CallsStatus,
    ConfigurationStatus,
    DelayStatus,
    RequestsStatus,
    Status,
)
from channel_aa.service.status_server import StatusPage

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def a_status(*, serving: bool = True) -> Status:
    return Status(
        serving=serving,
        draining=False,
        version="1.2.3",
        started=NOON,
        asterisk=AsteriskStatus(
            url="http://localhost:8088",
            application="channel-aa",
            connected=serving,
            since=NOON if serving else None,
            version="22.10.1",
            replaced=False,
            problem="" if serving else "Nothing listens at localhost:8088.",
        ),
        calls=CallsStatus(now=3, conversations=1, attended=7, refused=0, limit=100),
        requests=RequestsStatus(pending=2, queued=0),
        reactor_delay=DelayStatus(last=0.001, worst=0.25),
        configuration=ConfigurationStatus(
            file="/etc/channel-aa/twistd.conf", loaded=NOON, refused=None
        ),
    )


def status_server(read: Callable[[], Status], reactor: Any) -> HttpServer:  # noqa: ANN401 - several interfaces
    return HttpServer(StatusPage(read), purpose="status requests", reactor=reactor)
