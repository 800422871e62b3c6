"""The errors of the events websocket: each is logged once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.http_peers import (
    RawPeer,
    answering,
    closed_port,
    http_answer,
    listening,
)
from tests.support.waiting import until
from tests.support.websocket_peers import assert_one_error, connecting, http_url

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

BOOTING = http_answer("503 Service Unavailable", b'{"error":"booting"}')


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("400 Bad Request", ["'channel-aa'", "Check app"]),
        ("401 Unauthorized", ["'alice'", "username and password", "ari.conf"]),
        ("403 Forbidden", ["'alice'", "ari.conf"]),
        ("404 Not Found", ["/ari", "prefix", "http.conf", "res_ari"]),
        ("503 Service Unavailable", ["still starting"]),
        ("200 OK", ["200 OK", "Check that it is Asterisk's HTTP server."]),
        ("302 Found", ["302 Found", "Check that it is Asterisk's HTTP server."]),
        ("500 Internal Server Error", ["500 Internal Server Error"]),
        ("502", ["502"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_refused_handshake_is_logged_once(
    reactor: PosixReactorBase, status: str, words: list[str]
) -> None:
    peer = RawPeer(answering(http_answer(status, b"<html></html>")))
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: client.tries >= 4)
        assert_one_error(client, *words)
    assert client.calls == []


@pytest_twisted.ensureDeferred
async def test_closed_port_is_logged_once(
    reactor: PosixReactorBase,
) -> None:
    port = await closed_port(reactor)
    async with connecting(reactor, http_url(port)) as client:
        await until(reactor, lambda: client.tries >= 4)
        assert_one_error(client, f"Nothing listens at 127.0.0.1:{port}", "http.conf")


@pytest_twisted.ensureDeferred
async def test_server_without_answer_is_logged_once(
    reactor: PosixReactorBase,
) -> None:
    async with (
        listening(reactor, RawPeer()) as port,
        connecting(reactor, http_url(port), openHandshakeTimeout=1) as client,
    ):
        await until(reactor, lambda: client.tries >= 2)
        assert_one_error(client, "did not open a websocket", "no answer within 1 sec")


@pytest.mark.parametrize(
    "speak",
    [
        lambda connection, _: connection.write_and_close(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        lambda connection, _: connection.write_and_close(b"\x00\xff not HTTP\r\n\r\n"),
        lambda connection, _: connection.write_and_close(b"HTTP/1.1 x y\r\n\r\n"),
        lambda connection, _: connection.abort(),
        answering(b"RTSP/1.0 200 OK\r\n\r\n"),
        answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: else\r\n\r\n"),
    ],
    ids=["ssh", "binary", "no status", "abort", "rtsp", "another upgrade"],
)
@pytest_twisted.ensureDeferred
async def test_server_of_another_protocol_is_logged_once(
    reactor: PosixReactorBase, speak: object
) -> None:
    peer = RawPeer(speak)  # type: ignore[arg-type] # one of the above
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: client.tries >= 4)
        assert_one_error(
            client, f"127.0.0.1:{port}", "Check that it is Asterisk's HTTP server"
        )


@pytest_twisted.ensureDeferred
async def test_server_that_sends_first_is_logged_once(
    reactor: PosixReactorBase,
) -> None:
    peer = RawPeer(
        on_connect=lambda connection: connection.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")
    )
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, http_url(port), openHandshakeTimeout=1) as client,
    ):
        await until(reactor, lambda: client.tries >= 2)
        assert_one_error(client, "did not open a websocket")


@pytest_twisted.ensureDeferred
async def test_tls_to_a_plain_server_is_logged_once(
    reactor: PosixReactorBase,
) -> None:
    peer = RawPeer(on_connect=lambda connection: connection.write_and_close(BOOTING))
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, f"https://127.0.0.1:{port}") as client,
    ):
        await until(reactor, lambda: client.tries >= 4)
        assert_one_error(client, "No TLS connection", "serves https")


@pytest_twisted.ensureDeferred
async def test_different_error_is_logged_again(reactor: PosixReactorBase) -> None:
    refused = http_answer("401 Unauthorized")
    peer = RawPeer(answering(BOOTING, BOOTING, refused, refused, BOOTING))
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: client.tries >= 7)
        first, second, third = client.errors
        assert "still starting" in first
        assert "password" in second
        assert "still starting" in third
