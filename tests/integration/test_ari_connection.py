"""The events websocket on real sockets: opened, kept open, and closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS
from twisted.logger import LogLevel
from zope.interface import implementer
from zope.interface.verify import verifyObject

from channel_aa.ari.connection import MAX_MESSAGE_BYTES
from tests.integration.ari_peers import (
    RawPeer,
    answering,
    closed_port,
    http_answer,
    listening,
    until,
)
from tests.integration.ari_websockets import (
    SERVER_NAME,
    CountingBackoff,
    EventsServer,
    WatchedClient,
    connecting,
    self_signed,
)
from tests.unit.ari_fakes import make_address

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.internet.interfaces import IProtocol, IProtocolFactory
    from twisted.internet.posixbase import PosixReactorBase
    from twisted.internet.ssl import Certificate

BOOTING = http_answer("503 Service Unavailable", b'{"error":"booting"}')


def http_url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    "url", ["http://localhost:8088", "https://localhost", "https://[::1]"]
)
def test_an_address_gives_an_endpoint_for_streams(
    reactor: PosixReactorBase, url: str
) -> None:
    verifyObject(IStreamClientEndpoint, make_address(url).endpoint(reactor))


def assert_one_error(client: WatchedClient, *words: str) -> None:
    """Look that the trouble was logged once, with its remedy."""
    [line] = client.errors
    for word in words:
        assert word in line
    assert "Trying again in" in line


@pytest_twisted.ensureDeferred
async def test_it_asks_for_the_events_of_the_application(
    reactor: PosixReactorBase,
) -> None:
    server = EventsServer(reactor)
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port) + "/prefix") as client,
    ):
        await until(reactor, lambda: client.calls)
        assert client.connection.is_open
        [request] = server.requests
        assert request.path == "/prefix/ari/events"
        assert request.params == {"app": ["channel-aa"]}
        assert request.protocols == ["ari"]
        address = client.connection.address
        assert request.headers["authorization"] == address.authorization
        assert client.log.texts(level=LogLevel.info) == [
            f"Connected to {http_url(port)}/prefix/ari as application channel-aa"
        ]
    assert client.calls == ["open", "lost"]
    assert client.errors == []


@pytest_twisted.ensureDeferred
async def test_messages_are_passed_on_as_they_came(reactor: PosixReactorBase) -> None:
    server = EventsServer(reactor)
    longest = b"x" * MAX_MESSAGE_BYTES
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: server.open)
        for message in (b'{"type":"A"}', "ö".encode(), longest):
            server.open[0].sendMessage(message)
        await until(reactor, lambda: len(client.messages) == 3)
    assert client.messages == [b'{"type":"A"}', "ö".encode(), longest]


# Why there is no connection: one line, however often it is tried.


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("400 Bad Request", ["'channel-aa'", "Check app"]),
        ("401 Unauthorized", ["'alice'", "username and password", "ari.conf"]),
        ("403 Forbidden", ["'alice'", "ari.conf"]),
        ("404 Not Found", ["/ari", "prefix", "http.conf", "res_ari"]),
        ("503 Service Unavailable", ["still starting"]),
        ("200 OK", ["200 OK", "Is it Asterisk's HTTP server?"]),
        ("302 Found", ["302 Found", "Is it Asterisk's HTTP server?"]),
        ("500 Internal Server Error", ["500 Internal Server Error"]),
        ("502", ["502"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_refused_handshake_is_explained_once(
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
async def test_a_port_where_nothing_listens_is_explained_once(
    reactor: PosixReactorBase,
) -> None:
    port = await closed_port(reactor)
    async with connecting(reactor, http_url(port)) as client:
        await until(reactor, lambda: client.tries >= 4)
        assert_one_error(client, f"Nothing listens at 127.0.0.1:{port}", "http.conf")


@pytest_twisted.ensureDeferred
async def test_a_server_that_never_answers_is_explained_once(
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
        lambda connection, _: connection.say_and_close(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        lambda connection, _: connection.say_and_close(b"\x00\xff not HTTP\r\n\r\n"),
        lambda connection, _: connection.say_and_close(b"HTTP/1.1 x y\r\n\r\n"),
        lambda connection, _: connection.abort(),
        answering(b"RTSP/1.0 200 OK\r\n\r\n"),
        answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: else\r\n\r\n"),
    ],
    ids=["ssh", "binary", "no status", "abort", "rtsp", "another upgrade"],
)
@pytest_twisted.ensureDeferred
async def test_a_server_of_another_kind_is_explained_once(
    reactor: PosixReactorBase, speak: object
) -> None:
    peer = RawPeer(speak)  # type: ignore[arg-type] # one of the above
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: client.tries >= 4)
        assert_one_error(client, f"127.0.0.1:{port}", "Is it Asterisk's HTTP server")


@pytest_twisted.ensureDeferred
async def test_a_server_that_talks_first_and_waits_is_explained_once(
    reactor: PosixReactorBase,
) -> None:
    peer = RawPeer(
        on_connect=lambda connection: connection.say(b"SSH-2.0-OpenSSH_9.2p1\r\n")
    )
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, http_url(port), openHandshakeTimeout=1) as client,
    ):
        await until(reactor, lambda: client.tries >= 2)
        assert_one_error(client, "did not open a websocket")


@pytest_twisted.ensureDeferred
async def test_a_certificate_nobody_trusts_is_explained_once(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    tls, _ = self_signed(tmp_path)
    async with listening(reactor, RawPeer(), tls=tls) as port:
        endpoint = tls_endpoint(reactor, port, name=SERVER_NAME)
        url = f"https://{SERVER_NAME}:{port}"
        async with connecting(reactor, url, endpoint=endpoint) as client:
            await until(reactor, lambda: client.tries >= 4)
            assert_one_error(client, "No TLS connection", "certificate verify failed")


def tls_endpoint(
    reactor: PosixReactorBase, port: int, *, name: str, trust: Certificate | None = None
) -> IStreamClientEndpoint:
    endpoint: IStreamClientEndpoint = wrapClientTLS(
        optionsForClientTLS(name, trustRoot=trust),
        TCP4ClientEndpoint(reactor, "127.0.0.1", port),
    )
    return endpoint


@pytest_twisted.ensureDeferred
async def test_a_certificate_for_another_name_is_explained_once(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    tls, trust = self_signed(tmp_path)
    async with listening(reactor, RawPeer(), tls=tls) as port:
        endpoint = tls_endpoint(reactor, port, name="other.example", trust=trust)
        url = f"https://other.example:{port}"
        async with connecting(reactor, url, endpoint=endpoint) as client:
            await until(reactor, lambda: client.tries >= 4)
            assert_one_error(client, "No TLS connection", "for another name")


@pytest_twisted.ensureDeferred
async def test_tls_where_the_server_speaks_none_is_explained_once(
    reactor: PosixReactorBase,
) -> None:
    peer = RawPeer(on_connect=lambda connection: connection.say_and_close(BOOTING))
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, f"https://127.0.0.1:{port}") as client,
    ):
        await until(reactor, lambda: client.tries >= 4)
        assert_one_error(client, "No TLS connection", "serves https")


@pytest_twisted.ensureDeferred
async def test_a_trusted_certificate_opens_the_websocket(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    tls, trust = self_signed(tmp_path)
    server = EventsServer(reactor)
    async with listening(reactor, server, tls=tls) as port:
        endpoint = tls_endpoint(reactor, port, name=SERVER_NAME, trust=trust)
        url = f"https://{SERVER_NAME}:{port}"
        async with connecting(reactor, url, endpoint=endpoint) as client:
            await until(reactor, lambda: client.connection.is_open)
    assert client.errors == []
    assert server.close_codes == [1000]


@pytest_twisted.ensureDeferred
async def test_another_trouble_is_news(reactor: PosixReactorBase) -> None:
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


# The delays between tries.


@pytest_twisted.ensureDeferred
async def test_only_a_completed_handshake_resets_the_delays(
    reactor: PosixReactorBase,
) -> None:
    """A TCP connection alone is none: Asterisk answers 503 while it boots."""
    peer = RawPeer(answering(BOOTING))
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: client.tries >= 6)
        assert client.backoff.resets == 0
        assert client.backoff.delays[:6] == [0.001, 0.002, 0.004, 0.008, 0.008, 0.008]


@pytest_twisted.ensureDeferred
async def test_a_booting_asterisk_is_connected_to_when_it_is_ready(
    reactor: PosixReactorBase,
) -> None:
    port = await closed_port(reactor)
    server = EventsServer(reactor)
    async with connecting(reactor, http_url(port)) as client:
        async with listening(reactor, RawPeer(answering(BOOTING)), port=port):
            await until(reactor, lambda: "starting" in " ".join(client.errors))
        async with listening(reactor, server, port=port):
            await until(reactor, lambda: client.connection.is_open)
        assert client.calls == ["open"]
        assert client.backoff.resets == 1


# Losing it, and coming back.


@pytest_twisted.ensureDeferred
async def test_a_lost_connection_comes_back(reactor: PosixReactorBase) -> None:
    server = EventsServer(reactor)
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        for _ in range(3):
            await until(reactor, lambda: client.connection.is_open and server.open)
            server.open.pop().drop()
            await until(reactor, lambda: not client.connection.is_open)
        await until(reactor, lambda: client.connection.is_open)
        assert client.calls == ["open", "lost"] * 3 + ["open"]
        assert client.backoff.delays == [0.001] * 3
        assert len(client.errors) == 3
        assert "The connection to Asterisk ended" in client.errors[0]


@pytest_twisted.ensureDeferred
async def test_a_connection_that_the_server_closes_comes_back(
    reactor: PosixReactorBase,
) -> None:
    server = EventsServer(reactor)
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: server.open)
        server.open[0].sendCloseFrame(code=1001, reasonUtf8=b"restarting")
        await until(reactor, lambda: len(server.open) == 2)
        assert_one_error(client, "1001", "restarting")


@pytest_twisted.ensureDeferred
async def test_a_message_too_long_ends_its_connection_alone(
    reactor: PosixReactorBase,
) -> None:
    server = EventsServer(reactor)
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: server.open)
        server.open[0].sendMessage(b"x" * (MAX_MESSAGE_BYTES + 1))
        await until(reactor, lambda: len(server.open) == 2)
        server.open[1].sendMessage(b"short")
        await until(reactor, lambda: client.messages)
        assert client.messages == [b"short"]
        assert_one_error(client, "exceeds payload limit")


@pytest_twisted.ensureDeferred
async def test_a_peer_that_answers_no_ping_is_dead(reactor: PosixReactorBase) -> None:
    server = EventsServer(reactor)
    server.answers_pings = False
    pings = {"autoPingInterval": 1, "autoPingTimeout": 1}
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port), **pings) as client,
    ):
        await until(reactor, lambda: len(server.open) == 2)
        assert server.pings >= 1
        assert client.calls[:2] == ["open", "lost"]
        assert "ping" in client.errors[0]


@pytest_twisted.ensureDeferred
async def test_a_peer_that_answers_pings_lives(reactor: PosixReactorBase) -> None:
    server = EventsServer(reactor)
    pings = {"autoPingInterval": 1, "autoPingTimeout": 3}
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port), **pings) as client,
    ):
        await until(reactor, lambda: server.pings >= 2)
        assert client.calls == ["open"]


@pytest_twisted.ensureDeferred
async def test_pings_are_answered(reactor: PosixReactorBase) -> None:
    server = EventsServer(reactor)
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: server.open)
        server.open[0].sendPing(b"are you there?")
        await until(reactor, lambda: server.pongs == 1)
        assert client.calls == ["open"]


# Stopping, in each state; `connecting` looks that nothing is left.


@implementer(IStreamClientEndpoint)
class NeverConnects:
    def __init__(self) -> None:
        self.cancelled = 0

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's
        def cancel(_: object) -> None:
            self.cancelled += 1

        return Deferred(cancel)


@pytest_twisted.ensureDeferred
async def test_it_stops_before_it_has_a_connection(reactor: PosixReactorBase) -> None:
    endpoint = NeverConnects()
    async with connecting(reactor, http_url(1), endpoint=endpoint) as client:
        pass
    assert endpoint.cancelled == 1
    assert client.log.texts() == []


@pytest_twisted.ensureDeferred
async def test_it_stops_while_the_host_is_looked_up(reactor: PosixReactorBase) -> None:
    peer = RawPeer()
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, f"http://localhost:{port}") as client,
    ):
        pass
    assert client.log.texts() == []
    assert peer.requests == []


@pytest_twisted.ensureDeferred
async def test_it_stops_during_the_handshake(reactor: PosixReactorBase) -> None:
    peer = RawPeer()
    async with listening(reactor, peer) as port:
        async with connecting(reactor, http_url(port)) as client:
            await until(reactor, lambda: peer.requests)
        await until(reactor, lambda: peer.lost == 1)
    assert client.calls == []
    assert client.log.texts() == []


@pytest_twisted.ensureDeferred
async def test_it_says_goodbye_when_it_stops(reactor: PosixReactorBase) -> None:
    server = EventsServer(reactor)
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: client.connection.is_open)
    assert server.close_codes == [1000]
    assert client.calls == ["open", "lost"]
    assert client.errors == []


@pytest_twisted.ensureDeferred
async def test_it_stops_though_nobody_answers_its_goodbye(
    reactor: PosixReactorBase,
) -> None:
    server = EventsServer(reactor)
    server.answers_closes = False
    async with listening(reactor, server) as port:
        url = http_url(port)
        async with connecting(reactor, url, closeHandshakeTimeout=1) as client:
            await until(reactor, lambda: client.connection.is_open)
    assert server.close_codes == [1000]
    assert client.calls == ["open", "lost"]
    assert client.errors == []


@pytest_twisted.ensureDeferred
async def test_it_stops_while_it_waits_to_try_again(reactor: PosixReactorBase) -> None:
    backoff = CountingBackoff(initial=1000.0, maximum=1000.0)
    url = http_url(await closed_port(reactor))
    async with connecting(reactor, url, backoff=backoff) as client:
        await until(reactor, lambda: client.tries == 1)
    assert client.tries == 1


@pytest_twisted.ensureDeferred
async def test_it_can_be_stopped_twice_and_started_again(
    reactor: PosixReactorBase,
) -> None:
    server = EventsServer(reactor)
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: client.connection.is_open)
        await client.connection.stop()
        await client.connection.stop()
        assert client.calls == ["open", "lost"]
        client.connection.start()
        await until(reactor, lambda: client.connection.is_open)
    assert client.calls == ["open", "lost"] * 2


@pytest_twisted.ensureDeferred
async def test_stopping_what_was_never_started_does_nothing(
    reactor: PosixReactorBase,
) -> None:
    client = WatchedClient(reactor, http_url(1))
    client.log.stop()
    await client.connection.stop()
    assert client.calls == []
