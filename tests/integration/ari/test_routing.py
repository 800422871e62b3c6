"""Requests over a real websocket: pipelined, unanswered, and lost with it."""

# ruff: noqa: N802, N803 - the names that autobahn calls
from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
import pytest_twisted
from twisted.internet.defer import DeferredList, gatherResults
from twisted.python.failure import Failure

from channel_aa.ari import events
from channel_aa.ari.wire.connection import QUIET_SECONDS, EventsConnection
from channel_aa.ari.wire.errors import (
    AriError,
    ConnectionLostError,
    RequestTimeoutError,
)
from channel_aa.ari.wire.requests import Request
from channel_aa.ari.wire.routing import RoutingSender, Transport
from channel_aa.ari.wire.websocket_sender import (
    MAX_FRAME_BYTES,
    RESTResponse,
    WebSocketSender,
)
from tests.support.ari_fakes import FakeSender, LogRecorder, make_address
from tests.support.http_peers import listening
from tests.support.waiting import TIMEOUT_SECONDS, nothing_left, until
from tests.support.websocket_peers import (
    CountingBackoff,
    EventsServer,
    EventsServerProtocol,
    http_url,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IPushProducer
    from twisted.internet.posixbase import PosixReactorBase

GET = Request(method="GET", path=("channels", "c1"))


def numbered(number: int, *, letters: int = 0) -> Request:
    return Request(method="GET", path=("channels", f"{number}{'x' * letters}"))


class RequestsServerProtocol(EventsServerProtocol):
    """One websocket that serves requests."""

    factory: RequestsServer

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: FBT001
        request = json.loads(payload)
        self.factory.uris.append(request["uri"])
        if self.factory.is_answering:
            self.answer(request)
        else:
            self.factory.held.append(request)

    def answer(self, request: dict[str, Any]) -> None:
        answer = {
            "type": "RESTResponse",
            "request_id": request["request_id"],
            "status_code": 200,
            "message_body": request["uri"],
        }
        self.sendMessage(json.dumps(answer).encode())

    def stop_reading(self) -> None:
        cast("IPushProducer", self.transport).pauseProducing()

    def read_on(self) -> None:
        cast("IPushProducer", self.transport).resumeProducing()


class RequestsServer(EventsServer):
    """Answers each request with its URI, at once or on the test's command."""

    protocol = RequestsServerProtocol

    def __init__(self, reactor: PosixReactorBase) -> None:
        super().__init__(reactor)
        self.uris: list[str] = []
        self.held: list[dict[str, Any]] = []
        self.is_answering = True

    @property
    def last(self) -> RequestsServerProtocol:
        return cast("RequestsServerProtocol", self.open[-1])


class Requester:
    """A `RoutingSender` with a real websocket and a fake HTTP sender."""

    def __init__(
        self,
        reactor: PosixReactorBase,
        url: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self.http = FakeSender()
        self.connection = EventsConnection(
            make_address(url),
            on_open=self._opened,
            on_message=self._received,
            on_lost=self._lost,
            reactor=reactor,
            backoff=CountingBackoff(),
            quiet_seconds=quiet_seconds,
        )
        self.websocket = WebSocketSender(
            self.connection.send, clock=reactor, conceal=str, timeout=timeout
        )
        self.transports = RoutingSender(
            Transport.AUTO, http=self.http, websocket=self.websocket, clock=reactor
        )
        # Long times show here only how busy the machine is.
        self.websocket.on_slow = None

    def _opened(self) -> None:
        self.transports.probe()

    def _lost(self) -> None:
        self.transports.fail_pending()

    def _received(self, payload: bytes) -> None:
        event = events.decode(payload)
        if isinstance(event, RESTResponse):
            self.websocket.receive(event)

    @property
    def is_over_websocket(self) -> bool:
        return self.transports.in_use is Transport.WEBSOCKET

    def send_many(self, count: int, *, letters: int = 0) -> list[Deferred[bytes]]:
        return [
            self.transports.send(numbered(number, letters=letters))
            for number in range(count)
        ]


@asynccontextmanager
async def requesting(
    reactor: PosixReactorBase,
    server: RequestsServer,
    **options: Any,  # noqa: ANN401 - passed on
) -> AsyncIterator[Requester]:
    """Run a requester for a block of code, with requests over the websocket."""
    log = LogRecorder()
    try:
        async with listening(reactor, server) as port, nothing_left(reactor):
            requester = Requester(reactor, http_url(port), **options)
            requester.connection.start()
            try:
                await until(reactor, lambda: requester.is_over_websocket)
                yield requester
            finally:
                await requester.connection.stop()
                await requester.transports.close()
            assert requester.transports.pending == 0
    finally:
        log.stop()


async def errors_of(answers: list[Deferred[bytes]]) -> list[AriError]:
    """Wait for the failures of all these requests, and return the errors."""
    failures = [result for _, result in await DeferredList(answers, consumeErrors=True)]
    assert all(isinstance(failure, Failure) for failure in failures)
    return [cast("AriError", cast("Failure", each).value) for each in failures]


@pytest_twisted.ensureDeferred
async def test_two_thousand_requests_at_once_are_all_answered(
    reactor: PosixReactorBase,
) -> None:
    server = RequestsServer(reactor)
    async with requesting(reactor, server) as requester:
        answers = requester.send_many(2000)
        assert requester.transports.queued == 1000
        bodies = await gatherResults(answers)
        assert bodies == [f"channels/{number}".encode() for number in range(2000)]
        assert server.uris[1:] == [f"channels/{number}" for number in range(2000)]
        assert requester.http.lines == []


@pytest_twisted.ensureDeferred
async def test_answers_out_of_order_reach_their_requests(
    reactor: PosixReactorBase,
) -> None:
    server = RequestsServer(reactor)
    async with requesting(reactor, server) as requester:
        server.is_answering = False
        answers = requester.send_many(300)
        await until(reactor, lambda: len(server.held) == 300)
        for request in reversed(server.held):
            server.last.answer(request)
        bodies = await gatherResults(answers)
        assert bodies == [f"channels/{number}".encode() for number in range(300)]


@pytest.mark.parametrize("letters", [0, 100, 1000, 30000, MAX_FRAME_BYTES - 100])
@pytest_twisted.ensureDeferred
async def test_requests_and_answers_of_any_length_arrive(
    reactor: PosixReactorBase, letters: int
) -> None:
    server = RequestsServer(reactor)
    async with requesting(reactor, server) as requester:
        answers = requester.send_many(20, letters=letters)
        bodies = await gatherResults(answers)
        assert bodies == [
            numbered(number, letters=letters).uri.encode() for number in range(20)
        ]
        assert requester.http.lines == []


@pytest_twisted.ensureDeferred
async def test_pending_requests_fail_at_once_when_the_connection_is_lost(
    reactor: PosixReactorBase,
) -> None:
    server = RequestsServer(reactor)
    async with requesting(reactor, server, timeout=1000.0) as requester:
        server.is_answering = False
        answers = requester.send_many(1002)
        await until(reactor, lambda: len(server.held) == 1000)
        server.is_answering = True
        server.last.drop()
        errors = await errors_of(answers)
        assert {type(error) for error in errors} == {ConnectionLostError}
        assert [error.outcome_unknown for error in errors] == [True] * 1000 + [
            False
        ] * 2
        await until(reactor, lambda: requester.is_over_websocket)
        assert await requester.transports.send(GET) == b"channels/c1"


@pytest_twisted.ensureDeferred
async def test_pending_requests_fail_when_the_server_closes_the_websocket(
    reactor: PosixReactorBase,
) -> None:
    server = RequestsServer(reactor)
    async with requesting(reactor, server, timeout=1000.0) as requester:
        server.is_answering = False
        answers = requester.send_many(3)
        await until(reactor, lambda: len(server.held) == 3)
        server.is_answering = True
        server.last.sendCloseFrame(code=1001)
        # Frames sent between the two close frames are lost.
        await until(reactor, lambda: server.close_codes)
        errors = await errors_of(answers)
        assert {type(error) for error in errors} == {ConnectionLostError}
        await until(reactor, lambda: requester.is_over_websocket)


@pytest_twisted.ensureDeferred
async def test_no_frame_is_sent_after_the_close_frame(
    reactor: PosixReactorBase,
) -> None:
    server = RequestsServer(reactor)
    async with requesting(reactor, server) as requester:
        stopped = requester.connection.stop()
        answer = requester.transports.send(GET)
        [error] = await errors_of([answer])
        assert isinstance(error, ConnectionLostError)
        await stopped
        assert server.uris == ["asterisk/ping"]
        assert server.close_codes == [1000]


@pytest_twisted.ensureDeferred
async def test_requests_go_over_http_when_the_server_stops_reading(
    reactor: PosixReactorBase,
) -> None:
    server = RequestsServer(reactor)
    async with requesting(reactor, server, timeout=1.0) as requester:
        server.last.stop_reading()
        # More than the socket buffers of both ends.
        answers = requester.send_many(250, letters=60000)
        errors = await errors_of(answers)
        assert {type(error) for error in errors} == {RequestTimeoutError}
        assert requester.transports.pending == 0
        assert not requester.is_over_websocket
        requester.transports.send(GET)
        requester.http.only_unanswered().accept()
        # Requests that are read late are answered after their timeout.
        server.last.read_on()
        await until(reactor, lambda: len(server.uris) == 251)
        assert requester.connection.is_open


@pytest_twisted.ensureDeferred
async def test_connection_is_dropped_when_the_server_never_reads_again(
    reactor: PosixReactorBase,
) -> None:
    server = RequestsServer(reactor)
    options = {"timeout": 1000.0, "quiet_seconds": 0.5}
    async with requesting(reactor, server, **options) as requester:
        stuck = server.last
        stuck.stop_reading()
        errors = await errors_of(requester.send_many(250, letters=60000))
        assert {type(error) for error in errors} == {ConnectionLostError}
        await until(reactor, lambda: requester.is_over_websocket)
        assert await requester.transports.send(GET) == b"channels/c1"
        stuck.drop()


@pytest_twisted.ensureDeferred
async def test_events_between_answers_keep_their_order(
    reactor: PosixReactorBase,
) -> None:
    server = RequestsServer(reactor)
    async with requesting(reactor, server) as requester:
        heard: list[str] = []
        protocol = requester.connection._protocol
        assert protocol is not None
        pass_on = protocol.message_received

        def listen(payload: bytes) -> None:
            heard.append(json.loads(payload)["type"])
            pass_on(payload)

        protocol.message_received = listen
        server.is_answering = False
        answers = requester.send_many(50)
        await until(reactor, lambda: len(server.held) == 50)
        for number, request in enumerate(server.held):
            if number % 7 == 0:
                server.last.sendPing(b"?")
            server.last.sendMessage(b'{"type":"Between"}')
            server.last.answer(request)
        await gatherResults(answers)
        assert heard == ["Between", "RESTResponse"] * 50
        await until(reactor, lambda: server.pongs == 8)
