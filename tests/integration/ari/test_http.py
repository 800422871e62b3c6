"""`HttpSender` on real connections."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, gatherResults
from zope.interface.verify import verifyObject

from channel_aa.ari.wire.address import Address
from channel_aa.ari.wire.errors import (
    AriError,
    ConnectionLostError,
    NotFoundError,
    RequestTimeoutError,
    ServerError,
    UnauthorizedError,
)
from channel_aa.ari.wire.http import HttpSender
from channel_aa.ari.wire.requests import IRequestSender, Request
from tests.support.http_peers import (
    RawConnection,
    RawPeer,
    WebPeer,
    answering,
    closed_port,
    http_answer,
    listening,
)
from tests.support.waiting import TIMEOUT_SECONDS, nothing_left, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.internet.posixbase import PosixReactorBase

GET = Request(method="GET", path=("channels",))
POST = Request(method="POST", path=("channels", "c1", "answer"))
OK = http_answer("200 OK", b"[]")


@asynccontextmanager
async def sending(
    reactor: PosixReactorBase,
    port: int,
    *,
    host: str = "127.0.0.1",
    connections: int = 64,
    timeout: float = TIMEOUT_SECONDS,  # noqa: ASYNC109 - of the requests
) -> AsyncIterator[HttpSender]:
    """Make a sender for a block of code; then nothing may be left of it."""
    async with nothing_left(reactor):
        address = Address(
            url=f"http://{host}:{port}", username="alice", password="secret", app="test"
        )
        sender = HttpSender(
            address, reactor=reactor, connections=connections, timeout=timeout
        )
        verifyObject(IRequestSender, sender)
        try:
            yield sender
        finally:
            await sender.close()
        assert sender.pending == 0


@pytest_twisted.ensureDeferred
async def test_request_arrives_unchanged(reactor: PosixReactorBase) -> None:
    peer = WebPeer()
    async with listening(reactor, peer) as port, sending(reactor, port) as sender:
        request = Request(
            method="POST",
            path=("channels", "../a b/ö%2F?", "play"),
            query={"media": "sound:a+b&c=d"},
            body={"variables": {"x": "ö"}},
        )
        assert await sender.send(request) == b""
    [arrived] = peer.requests
    assert arrived.method == b"POST"
    assert arrived.uri == (
        b"/ari/channels/..%2Fa%20b%2F%C3%B6%252F%3F/play?media=sound%3Aa%2Bb%26c%3Dd"
    )
    assert peer.bodies == ['{"variables":{"x":"ö"}}'.encode()]
    assert arrived.getHeader("Authorization") == "Basic YWxpY2U6c2VjcmV0"
    assert arrived.getHeader("Content-Type") == "application/json"


@pytest_twisted.ensureDeferred
async def test_server_may_have_an_ipv6_address(reactor: PosixReactorBase) -> None:
    peer = WebPeer()
    async with (
        listening(reactor, peer, host="::1") as port,
        sending(reactor, port, host="[::1]") as sender,
    ):
        await sender.send(GET)
    assert peer.requests[0].getHeader("Host") == f"[::1]:{port}"


@pytest_twisted.ensureDeferred
async def test_request_without_body_has_no_body_headers(
    reactor: PosixReactorBase,
) -> None:
    peer = WebPeer()
    async with listening(reactor, peer) as port, sending(reactor, port) as sender:
        await sender.send(POST)
    assert peer.bodies == [b""]
    assert peer.requests[0].getHeader("Content-Type") is None


@pytest_twisted.ensureDeferred
async def test_result_is_the_body_of_the_answer(reactor: PosixReactorBase) -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\n{}\r\n1\r\n \r\n0\r\n\r\n"
    )
    peer = RawPeer(answering(OK, chunked))
    async with listening(reactor, peer) as port, sending(reactor, port) as sender:
        assert await sender.send(GET) == b"[]"
        assert await sender.send(GET) == b"{} "


@pytest_twisted.ensureDeferred
async def test_consecutive_requests_share_one_connection(
    reactor: PosixReactorBase,
) -> None:
    peer = WebPeer()
    async with listening(reactor, peer) as port, sending(reactor, port) as sender:
        for _ in range(10):
            await sender.send(POST)
    assert len(peer.requests) == 10
    assert peer.tcp_connections == 1


@pytest_twisted.ensureDeferred
async def test_error_response_keeps_the_connection(
    reactor: PosixReactorBase,
) -> None:
    refusal = http_answer("404 Not Found", b'{"message":"Channel not found"}')
    peer = RawPeer(answering(refusal))
    async with listening(reactor, peer) as port, sending(reactor, port) as sender:
        for _ in range(5):
            with pytest.raises(NotFoundError):
                await sender.send(POST)
    assert len(peer.connections) == 1


@pytest_twisted.ensureDeferred
async def test_number_of_concurrent_requests_is_limited(
    reactor: PosixReactorBase,
) -> None:
    peer = WebPeer()
    peer.is_holding = True
    async with (
        listening(reactor, peer) as port,
        sending(reactor, port, connections=8) as sender,
    ):
        answers = [sender.send(POST) for _ in range(500)]
        assert sender.pending == 500
        await until(reactor, lambda: len(peer.waiting) == 8)
        while sender.pending:
            await until(reactor, lambda: peer.waiting or not sender.pending)
            assert len(peer.waiting) <= 8
            peer.answer_all()
        await gatherResults(answers)
    assert len(peer.requests) == 500
    assert peer.tcp_connections == 8


@pytest_twisted.ensureDeferred
async def test_idle_connection_is_closed_before_asterisk_closes_it(
    reactor: PosixReactorBase,
) -> None:
    async with sending(reactor, 1, connections=8) as sender:
        assert sender._pool.persistent
        assert 0 < sender._pool.cachedConnectionTimeout < 15
        assert sender._pool.maxPersistentPerHost == 8


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        ("401 Unauthorized", b"", UnauthorizedError, ""),
        ("404 Not Found", b'{"message":"Channel not found"}', NotFoundError, "Chan"),
        ("404 Not Found", b"<html>lost</html>", NotFoundError, "<html>lost"),
        ("418 Teapot", b"{}", AriError, ""),
        ("500 Internal Server Error", b'{"message":"Could not"}', ServerError, "Could"),
        ("503 Service Unavailable", b'{"error":"booting"}', ServerError, "booting"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_error_response_raises_an_error_with_its_reason(
    reactor: PosixReactorBase,
    status: str,
    body: bytes,
    kind: type[AriError],
    message: str,
) -> None:
    peer = RawPeer(answering(http_answer(status, body)))
    async with listening(reactor, peer) as port, sending(reactor, port) as sender:
        with pytest.raises(kind) as raised:
            await sender.send(POST)
    assert raised.value.status == int(status[:3])
    assert raised.value.path == "channels/c1/answer"
    assert raised.value.message.startswith(message)


@pytest_twisted.ensureDeferred
async def test_redirect_is_not_followed(reactor: PosixReactorBase) -> None:
    elsewhere = WebPeer()
    async with listening(reactor, elsewhere) as other_port:
        location = f"Location: http://127.0.0.1:{other_port}/"
        peer = RawPeer(answering(http_answer("302 Found", b"", location)))
        async with listening(reactor, peer) as port, sending(reactor, port) as sender:
            with pytest.raises(AriError) as raised:
                await sender.send(GET)
    assert raised.value.status == 302
    assert elsewhere.tcp_connections == 0


HALF_AN_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 ", HALF_AN_ANSWER])
@pytest_twisted.ensureDeferred
async def test_request_without_answer_times_out(
    reactor: PosixReactorBase, answer: bytes
) -> None:
    peer = RawPeer(answering(answer))
    async with (
        listening(reactor, peer) as port,
        sending(reactor, port, timeout=1.0) as sender,
    ):
        with pytest.raises(RequestTimeoutError, match="within 1 s") as raised:
            await sender.send(POST)
        assert raised.value.outcome_unknown
        assert sender.pending == 0
        await until(reactor, lambda: peer.lost == 1)


@pytest_twisted.ensureDeferred
async def test_time_in_the_queue_counts_towards_the_timeout(
    reactor: PosixReactorBase,
) -> None:
    peer = RawPeer()
    async with (
        listening(reactor, peer) as port,
        sending(reactor, port, timeout=1.0, connections=1) as sender,
    ):
        answers = [sender.send(POST) for _ in range(5)]
        for answer in answers:
            with pytest.raises(RequestTimeoutError):
                await answer
        assert sender.pending == 0
    assert len(peer.requests) == 1


@pytest_twisted.ensureDeferred
async def test_queued_request_is_sent_after_a_timeout(
    reactor: PosixReactorBase,
) -> None:
    for answer in (b"", HALF_AN_ANSWER):
        peer = RawPeer(answering(answer, OK))
        async with (
            listening(reactor, peer) as port,
            sending(reactor, port, timeout=1.0, connections=1) as sender,
        ):
            with pytest.raises(RequestTimeoutError):
                await sender.send(POST)
            assert await sender.send(GET) == b"[]"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 ", HALF_AN_ANSWER])
@pytest_twisted.ensureDeferred
async def test_connection_closed_before_the_answer_is_a_connection_lost_error(
    reactor: PosixReactorBase, answer: bytes
) -> None:
    peer = RawPeer(lambda connection, _request: connection.write_and_close(answer))
    async with listening(reactor, peer) as port, sending(reactor, port) as sender:
        with pytest.raises(ConnectionLostError) as raised:
            await sender.send(POST)
    assert raised.value.message
    assert raised.value.status is None
    assert raised.value.outcome_unknown
    assert len(peer.requests) == 1


@pytest_twisted.ensureDeferred
async def test_server_at_its_session_limit_is_a_connection_lost_error(
    reactor: PosixReactorBase,
) -> None:
    peer = RawPeer(on_connect=RawConnection.abort)
    async with listening(reactor, peer) as port, sending(reactor, port) as sender:
        with pytest.raises(ConnectionLostError):
            await sender.send(POST)


@pytest_twisted.ensureDeferred
async def test_closed_port_is_a_not_connected_error(
    reactor: PosixReactorBase,
) -> None:
    async with sending(reactor, await closed_port(reactor)) as sender:
        with pytest.raises(ConnectionLostError, match="refused") as raised:
            await sender.send(POST)
        assert not raised.value.outcome_unknown


@pytest_twisted.ensureDeferred
async def test_response_that_is_not_http_is_an_error(reactor: PosixReactorBase) -> None:
    peer = RawPeer(lambda connection, _: connection.write_and_close(b"SSH-2.0-x\r\n"))
    async with listening(reactor, peer) as port, sending(reactor, port) as sender:
        with pytest.raises(AriError):
            await sender.send(POST)


@pytest_twisted.ensureDeferred
async def test_only_idempotent_requests_are_sent_again(
    reactor: PosixReactorBase,
) -> None:
    """A kept connection may be found closed only when it is used."""

    def once_per_connection(connection: RawConnection, request: bytes) -> None:
        if peer.connections[-1] is connection and connection not in used:
            used.append(connection)
            connection.write(OK)
        else:
            connection.abort()

    used: list[RawConnection] = []
    peer = RawPeer(once_per_connection)
    async with listening(reactor, peer) as port, sending(reactor, port) as sender:
        assert await sender.send(GET) == b"[]"
        assert await sender.send(GET) == b"[]"
        assert len(peer.requests) == 3
        with pytest.raises(ConnectionLostError):
            await sender.send(POST)
        assert len(peer.requests) == 4


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 ", HALF_AN_ANSWER])
@pytest_twisted.ensureDeferred
async def test_cancelling_a_request_affects_no_other(
    reactor: PosixReactorBase, answer: bytes
) -> None:
    peer = RawPeer(answering(answer))
    async with listening(reactor, peer) as port, sending(reactor, port) as sender:
        waiting = sender.send(POST)
        await until(reactor, lambda: peer.requests)
        waiting.cancel()
        with pytest.raises(CancelledError):
            await waiting
        assert sender.pending == 0
        await until(reactor, lambda: peer.lost == 1)


@pytest_twisted.ensureDeferred
async def test_queued_request_can_be_cancelled(
    reactor: PosixReactorBase,
) -> None:
    peer = RawPeer()
    async with (
        listening(reactor, peer) as port,
        sending(reactor, port, connections=1) as sender,
    ):
        connecting, queued = sender.send(POST), sender.send(POST)
        queued.cancel()
        connecting.cancel()
        for waiting in (connecting, queued):
            with pytest.raises(CancelledError):
                await waiting
    assert peer.requests == []


@pytest_twisted.ensureDeferred
async def test_pending_requests_fail_when_the_websocket_is_lost(
    reactor: PosixReactorBase,
) -> None:
    peer = RawPeer(answering(OK, b"", OK))
    async with (
        listening(reactor, peer) as port,
        sending(reactor, port, connections=1) as sender,
    ):
        await sender.send(GET)
        sent, waiting = sender.send(POST), sender.send(POST)
        await until(reactor, lambda: len(peer.requests) == 2)
        sender.fail_pending()
        for answer, outcome_unknown in ((sent, True), (waiting, False)):
            with pytest.raises(ConnectionLostError) as raised:
                await answer
            assert raised.value.outcome_unknown is outcome_unknown
        assert sender.pending == 0
        assert await sender.send(GET) == b"[]"
        assert len(peer.connections) == 2


@pytest_twisted.ensureDeferred
async def test_close_cancels_requests_and_closes_connections(
    reactor: PosixReactorBase,
) -> None:
    peer = RawPeer(answering(OK, b"", b"HTTP/1.1 200 ", HALF_AN_ANSWER))
    async with (
        listening(reactor, peer) as port,
        nothing_left(reactor),
        sending(reactor, port, connections=3) as sender,
    ):
        assert await sender.send(GET) == b"[]"
        waiting = [sender.send(POST) for _ in range(6)]
        await until(reactor, lambda: len(peer.requests) == 4)
        await sender.close()
        for answer in waiting:
            with pytest.raises(CancelledError):
                await answer
        assert sender.pending == 0
        await until(reactor, lambda: peer.lost == len(peer.connections))
