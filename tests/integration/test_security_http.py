"""Answers of a hostile HTTP server: only their request fails."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from channel_aa.ari.wire.address import Address
from channel_aa.ari.wire.errors import AriError, ConnectionLostError
from channel_aa.ari.wire.http import HttpSender
from channel_aa.ari.wire.http_limits import MAX_BODY_BYTES, MAX_HEAD_BYTES
from channel_aa.ari.wire.requests import Request
from tests.support.http_peers import (
    KERNEL_BYTES,
    EndlessSender,
    RawConnection,
    RawPeer,
    WebPeer,
    answering,
    http_answer,
    listening,
)
from tests.support.waiting import TIMEOUT_SECONDS, nothing_left, until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

POST = Request(method="POST", path=("channels", "c1", "answer"))
START = b"HTTP/1.1 200 OK\r\n"
MEGABYTE = 1024 * 1024
LONGEST = MAX_BODY_BYTES + MAX_HEAD_BYTES + KERNEL_BYTES
"""The bytes that a server can send before it is cut off, kernel buffers included."""


def sender_to(reactor: PosixReactorBase, port: int) -> HttpSender:
    address = Address(
        url=f"http://127.0.0.1:{port}", username="alice", password="secret", app="test"
    )
    return HttpSender(address, reactor=reactor, connections=2, timeout=TIMEOUT_SECONDS)


@pytest.mark.parametrize(
    ("beginning", "drop", "words"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50, "headers"),
        (START, b"A: b\r\n" * 1000, "headers"),
        (START + b"A: b\r\n", b" folded\r\n" * 1000, "headers"),
        (START + b"Content-Length: 9999999999\r\n\r\n", b"x" * 65536, "exceeds"),
        (START + b"\r\n", b"x" * 65536, "exceeds"),
        (
            START + b"Transfer-Encoding: chunked\r\n\r\n",
            b"10000\r\n" + b"x" * 65536 + b"\r\n",
            "exceeds",
        ),
        (START + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 65536, None),
        (START + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n" * 999, None),
        (b"", b"x" * 65536, None),
    ],
    ids=[
        "status",
        "headers",
        "folded header",
        "long body",
        "body without end",
        "chunks",
        "chunk extension",
        "trailers",
        "status line",
    ],
)
@pytest_twisted.ensureDeferred
async def test_endless_answer_is_cut_off(
    reactor: PosixReactorBase, beginning: bytes, drop: bytes, words: str | None
) -> None:
    senders = []

    def send_endlessly(connection: RawConnection, _request: bytes) -> None:
        connection.write(beginning)
        senders.append(EndlessSender(connection, drop))

    peer = RawPeer(send_endlessly)
    async with listening(reactor, peer) as port, nothing_left(reactor):
        sender = sender_to(reactor, port)
        with pytest.raises(ConnectionLostError, match=words) as raised:
            await sender.send(POST)
        assert raised.value.outcome_unknown
        assert str(raised.value).isprintable()
        await until(reactor, lambda: peer.lost == 1)
        await sender.close()
    assert senders[0].sent < LONGEST


@pytest_twisted.ensureDeferred
async def test_compressed_answer_is_neither_requested_nor_decompressed(
    reactor: PosixReactorBase,
) -> None:
    """64 MB of zeros are 64 KB with gzip."""
    packed = gzip.compress(bytes(64 * MEGABYTE))
    answer = http_answer("200 OK", packed, "Content-Encoding: gzip")
    peer = RawPeer(answering(answer))
    async with listening(reactor, peer) as port, nothing_left(reactor):
        sender = sender_to(reactor, port)
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            assert await sender.send(POST) == packed
            after = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        await sender.close()
    assert after - before < MEGABYTE
    assert b"accept-encoding" not in peer.requests[0].lower()


@pytest_twisted.ensureDeferred
async def test_cookies_are_not_kept(
    reactor: PosixReactorBase,
) -> None:
    cookies = [f"Set-Cookie: name{number}=value; Path=/" for number in range(100)]
    peer = RawPeer(answering(http_answer("200 OK", b"[]", *cookies)))
    async with listening(reactor, peer) as port, nothing_left(reactor):
        sender = sender_to(reactor, port)
        for _ in range(3):
            await sender.send(POST)
        await sender.close()
    assert not any(b"cookie" in request.lower() for request in peer.requests)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest_twisted.ensureDeferred
async def test_redirect_does_not_leak_the_password(
    reactor: PosixReactorBase, status: int
) -> None:
    elsewhere = WebPeer()
    async with listening(reactor, elsewhere) as other_port:
        for location in (
            f"http://127.0.0.1:{other_port}/ari/channels",
            f"//127.0.0.1:{other_port}/",
            "file:///etc/passwd",
            "../../etc/passwd",
        ):
            headers = (f"Location: {location}", "Refresh: 0")
            peer = RawPeer(answering(http_answer(f"{status} Moved", b"", *headers)))
            async with listening(reactor, peer) as port, nothing_left(reactor):
                sender = sender_to(reactor, port)
                with pytest.raises(AriError) as raised:
                    await sender.send(POST)
                assert raised.value.status == status
                await sender.close()
            assert len(peer.requests) == 1
    assert elsewhere.tcp_connections == 0


@pytest_twisted.ensureDeferred
async def test_unsolicited_data_after_an_answer_is_ignored(
    reactor: PosixReactorBase,
) -> None:
    """A second answer in the segment must not answer the next request."""
    forged = http_answer("200 OK", b'"forged"')
    answer = http_answer("200 OK", b'"first"') + forged
    peer = RawPeer(answering(answer, http_answer("200 OK", b'"second"')))
    async with listening(reactor, peer) as port, nothing_left(reactor):
        sender = sender_to(reactor, port)
        assert await sender.send(POST) == b'"first"'
        assert await sender.send(POST) == b'"second"'
        await sender.close()


@pytest_twisted.ensureDeferred
async def test_malformed_answer_that_has_the_password_is_concealed(
    reactor: PosixReactorBase,
) -> None:
    peer = RawPeer(lambda one, _: one.write_and_close(b"HTTP/1.1 is secret\r\n\r\n"))
    async with listening(reactor, peer) as port, nothing_left(reactor):
        sender = sender_to(reactor, port)
        with pytest.raises(ConnectionLostError, match="is <secret>") as raised:
            await sender.send(POST)
        assert "is secret" not in str(raised.value)
        await sender.close()
