"""A server for the events websocket, and a client that records its callbacks."""

# ruff: noqa: N802, N803 - the names that autobahn calls
from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.logger import LogLevel
from txaio.tx import make_logger, set_global_log_level

from channel_aa.ari.wire.backoff import Backoff
from channel_aa.ari.wire.connection import QUIET_SECONDS, EventsConnection
from tests.support.ari_fakes import PASSWORD, LogRecorder, make_address
from tests.support.waiting import nothing_left

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from autobahn.websocket.types import ConnectionRequest
    from twisted.internet.interfaces import IStreamClientEndpoint, ITCPTransport
    from twisted.internet.posixbase import PosixReactorBase


class EventsServerProtocol(WebSocketServerProtocol):
    """One websocket of an `EventsServer`."""

    factory: EventsServer
    # It would log the request's headers, which contain the password.
    log = make_logger(level="critical")

    def onConnect(self, request: ConnectionRequest) -> str | None:
        self.factory.requests.append(request)
        return "ari" if "ari" in request.protocols else None

    def onOpen(self) -> None:
        self.factory.open.append(self)

    def onPing(self, payload: bytes) -> None:
        self.factory.pings += 1
        if self.factory.answers_pings:
            super().onPing(payload)

    def onPong(self, payload: bytes) -> None:
        self.factory.pongs += 1

    def onCloseFrame(self, code: int, reasonRaw: bytes) -> bool | None:
        self.factory.close_codes.append(code)
        if not self.factory.answers_closes:
            return None
        return super().onCloseFrame(code, reasonRaw)

    def drop(self) -> None:
        cast("ITCPTransport", self.transport).abortConnection()


class EventsServer(WebSocketServerFactory):
    """A websocket server that records handshakes, pings and closes."""

    protocol = EventsServerProtocol  # type: ignore[assignment] # half typed
    noisy = False

    def __init__(self, reactor: PosixReactorBase) -> None:
        super().__init__(reactor=reactor)
        self.requests: list[ConnectionRequest] = []
        self.open: list[EventsServerProtocol] = []
        self.close_codes: list[int] = []
        self.pings = 0
        self.pongs = 0
        self.answers_pings = True
        self.answers_closes = True


class CountingBackoff(Backoff):
    """A back-off with very short delays; records them."""

    def __init__(self, *, initial: float = 0.001, maximum: float = 0.008) -> None:
        super().__init__(initial=initial, maximum=maximum, jitter=0.0)
        self.delays: list[float] = []
        self.resets = 0

    def next_delay(self) -> float:
        delay = super().next_delay()
        self.delays.append(delay)
        return delay

    def reset(self) -> None:
        super().reset()
        self.resets += 1


class RecordingClient:
    """An `EventsConnection` that records its callbacks."""

    def __init__(
        self,
        reactor: PosixReactorBase,
        url: str,
        *,
        endpoint: IStreamClientEndpoint | None = None,
        backoff: CountingBackoff | None = None,
        quiet_seconds: float = QUIET_SECONDS,
        **options: object,
    ) -> None:
        self.log = LogRecorder()
        self.backoff = backoff or CountingBackoff()
        self.calls: list[str] = []
        self.messages: list[bytes] = []
        self.connection = EventsConnection(
            make_address(url),
            on_open=lambda: self.calls.append("open"),
            on_message=self.messages.append,
            on_lost=lambda: self.calls.append("lost"),
            reactor=reactor,
            endpoint=endpoint,
            backoff=self.backoff,
            quiet_seconds=quiet_seconds,
        )
        # The times of autobahn are whole seconds: 1 means within a second.
        self.connection._factory.setProtocolOptions(**options)

    @property
    def errors(self) -> list[str]:
        return self.log.texts(level=LogLevel.error)

    @property
    def tries(self) -> int:
        """The number of connections that failed or ended."""
        return len(self.backoff.delays)

    def assert_no_password_logged(self) -> None:
        encoded = self.connection.address.authorization.split()[1]
        for event in self.log.events:
            text = f"{event!r} {event.get('log_format')}"
            assert PASSWORD not in text, text
            assert encoded not in text, text


def http_url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def assert_one_error(client: RecordingClient, *words: str) -> None:
    """Check that one error was logged, and that it contains the words."""
    [line] = client.errors
    for word in words:
        assert word in line
    assert "Trying again in" in line


@asynccontextmanager
async def connecting(
    reactor: PosixReactorBase,
    url: str,
    **options: Any,  # noqa: ANN401 - passed on
) -> AsyncIterator[RecordingClient]:
    """Run a client for a block of code, with all logging enabled.

    At the end nothing may be left in the reactor, and no password in the log.
    """
    set_global_log_level("trace")
    client = RecordingClient(reactor, url, **options)
    try:
        async with nothing_left(reactor):
            client.connection.start()
            try:
                yield client
            finally:
                await client.connection.stop()
        client.assert_no_password_logged()
        assert not client.connection.is_open
    finally:
        client.log.stop()
        set_global_log_level("info")
