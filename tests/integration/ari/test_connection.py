"""`EventsConnection` on real sockets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import LogLevel
from zope.interface import implementer
from zope.interface.verify import verifyObject

from channel_aa.ari.wire.connection import MAX_MESSAGE_BYTES
from tests.support.ari_fakes import make_address
from tests.support.http_peers import (
    RawPeer,
    answering,
    closed_port,
    http_answer,
    listening,
)
from tests.support.waiting import until
from tests.support.websocket_peers import (
    CountingBackoff,
    EventsServer,
    RecordingClient,
    assert_one_error,
    connecting,
    http_url,
)

if TYPE_CHECKING:
    from twisted.internet.interfaces import IProtocol, IProtocolFactory
    from twisted.internet.posixbase import PosixReactorBase

BOOTING = http_answer("503 Service Unavailable", b'{"error":"booting"}')


@pytest.mark.parametrize(
    "url", ["http://localhost:8088", "https://localhost", "https://[::1]"]
)
def test_address_makes_a_stream_endpoint(reactor: PosixReactorBase, url: str) -> None:
    verifyObject(IStreamClientEndpoint, make_address(url).endpoint(reactor))


@pytest_twisted.ensureDeferred
async def test_handshake_asks_for_the_events_of_the_application(
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
async def test_messages_are_passed_on_unchanged(reactor: PosixReactorBase) -> None:
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


# The back-off.


@pytest_twisted.ensureDeferred
async def test_refused_handshake_does_not_reset_the_backoff(
    reactor: PosixReactorBase,
) -> None:
    """TCP connections succeed while Asterisk boots; it answers 503."""
    peer = RawPeer(answering(BOOTING))
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        await until(reactor, lambda: client.tries >= 6)
        assert client.backoff.resets == 0
        assert client.backoff.delays[:6] == [0.001, 0.002, 0.004, 0.008, 0.008, 0.008]


@pytest_twisted.ensureDeferred
async def test_booting_asterisk_is_connected_to_when_ready(
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


# Lost connections.


def has_lost(client: RecordingClient, times: int) -> bool:
    return client.calls.count("lost") == times


@pytest_twisted.ensureDeferred
async def test_lost_connection_is_opened_again(reactor: PosixReactorBase) -> None:
    server = EventsServer(reactor)
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port)) as client,
    ):
        for times in range(1, 4):
            await until(reactor, lambda: client.connection.is_open and server.open)
            server.open.pop().drop()
            # The client is not disconnected for longer than some milliseconds.
            await until(reactor, partial(has_lost, client, times))
        await until(reactor, lambda: client.connection.is_open)
        assert client.calls == ["open", "lost"] * 3 + ["open"]
        assert client.backoff.delays == [0.001, 0.002, 0.004]
        assert_one_error(client, "The connection to Asterisk ended")


@pytest_twisted.ensureDeferred
async def test_connection_closed_by_the_server_is_opened_again(
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
async def test_oversized_message_ends_only_its_connection(
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
async def test_connection_is_dropped_when_a_ping_is_not_answered(
    reactor: PosixReactorBase,
) -> None:
    server = EventsServer(reactor)
    server.answers_pings = False
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port), quiet_seconds=0.1) as client,
    ):
        await until(reactor, lambda: len(server.open) == 2)
        assert server.pings >= 1
        assert client.calls[:2] == ["open", "lost"]
        assert "not even the reply to a ping" in client.errors[0]


@pytest_twisted.ensureDeferred
async def test_connection_is_kept_while_pings_are_answered(
    reactor: PosixReactorBase,
) -> None:
    server = EventsServer(reactor)
    async with (
        listening(reactor, server) as port,
        connecting(reactor, http_url(port), quiet_seconds=0.1) as client,
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


# Stopping, in each state; `connecting` checks that nothing is left.


@implementer(IStreamClientEndpoint)
class NeverConnects:
    def __init__(self) -> None:
        self.cancelled = 0

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's
        def cancel(_: object) -> None:
            self.cancelled += 1

        return Deferred(cancel)


@pytest_twisted.ensureDeferred
async def test_stop_while_connecting(reactor: PosixReactorBase) -> None:
    endpoint = NeverConnects()
    async with connecting(reactor, http_url(1), endpoint=endpoint) as client:
        pass
    assert endpoint.cancelled == 1
    assert client.log.texts() == []


@pytest_twisted.ensureDeferred
async def test_stop_during_the_host_lookup(reactor: PosixReactorBase) -> None:
    peer = RawPeer()
    async with (
        listening(reactor, peer) as port,
        connecting(reactor, f"http://localhost:{port}") as client,
    ):
        pass
    assert client.log.texts() == []
    assert peer.requests == []


@pytest_twisted.ensureDeferred
async def test_stop_during_the_handshake(reactor: PosixReactorBase) -> None:
    peer = RawPeer()
    async with listening(reactor, peer) as port:
        async with connecting(reactor, http_url(port)) as client:
            await until(reactor, lambda: peer.requests)
        await until(reactor, lambda: peer.lost == 1)
    assert client.calls == []
    assert client.log.texts() == []


@pytest_twisted.ensureDeferred
async def test_stop_closes_the_websocket_with_code_1000(
    reactor: PosixReactorBase,
) -> None:
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
async def test_stop_without_an_answer_to_the_close_frame(
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
async def test_stop_during_the_backoff(reactor: PosixReactorBase) -> None:
    backoff = CountingBackoff(initial=1000.0, maximum=1000.0)
    url = http_url(await closed_port(reactor))
    async with connecting(reactor, url, backoff=backoff) as client:
        await until(reactor, lambda: client.tries == 1)
    assert client.tries == 1


@pytest_twisted.ensureDeferred
async def test_connection_can_be_stopped_twice_and_started_again(
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
async def test_stop_before_start_does_nothing(
    reactor: PosixReactorBase,
) -> None:
    client = RecordingClient(reactor, http_url(1))
    client.log.stop()
    await client.connection.stop()
    assert client.calls == []
