"""TLS to Asterisk: trust, client certificates, and errors."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from OpenSSL.SSL import (
    VERIFY_FAIL_IF_NO_PEER_CERT,
    VERIFY_PEER,
    OP_NO_TLSv1_2,
    OP_NO_TLSv1_3,
)
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.ssl import DefaultOpenSSLContextFactory
from twisted.protocols.portforward import (
    ProxyClient,
    ProxyClientFactory,
    ProxyFactory,
    ProxyServer,
)

from channel_aa.ari.wire.address import Address
from channel_aa.ari.wire.errors import ConnectionLostError
from channel_aa.ari.wire.http import HttpSender
from channel_aa.ari.wire.requests import Request
from channel_aa.ari.wire.tls import TLS
from tests.support.certificates import Authority, Issued
from tests.support.http_peers import RawPeer, answering, http_answer, listening
from tests.support.loopback import resolving_to_loopback
from tests.support.waiting import nothing_left, until
from tests.support.websocket_peers import EventsServer, assert_one_error, connecting

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
    from twisted.internet.posixbase import PosixReactorBase

NAME = "pbx.example"
DAY = timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def server_tls(shown: Issued, *, clients: str = "") -> DefaultOpenSSLContextFactory:
    """Make a server's context; with ``clients``, it requires client certificates."""
    tls = DefaultOpenSSLContextFactory(shown.key_file, shown.certificate_file)
    if clients:
        context = tls.getContext()
        context.load_verify_locations(clients)
        context.set_verify(
            VERIFY_PEER | VERIFY_FAIL_IF_NO_PEER_CERT, lambda *result: bool(result[-1])
        )
    return tls


class ChangingProxyClient(ProxyClient):
    """Receives from Asterisk, and passes it on."""

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        end: Any = self.peer
        if end.factory.changes:
            data = data[:-1] + bytes((data[-1] ^ 1,))
        super().dataReceived(data)


class ChangingProxyClientFactory(ProxyClientFactory):
    noisy = False
    protocol = ChangingProxyClient


class ChangingProxyServer(ProxyServer):
    clientProtocolFactory = ChangingProxyClientFactory  # noqa: N815 - Twisted's name


class ChangingRelay(ProxyFactory):
    """A man in the middle.

    Attributes:
        changes: whether a bit of all that Asterisk sends is changed.
    """

    noisy = False
    protocol = ChangingProxyServer
    changes = False


def to(
    reactor: PosixReactorBase, port: int, tls: TLS, *, host: str = NAME
) -> IStreamClientEndpoint:
    """An endpoint of loopback in place of any host."""
    return tls.endpoint(TCP4ClientEndpoint(reactor, "127.0.0.1", port), host=host)


async def connects(
    reactor: PosixReactorBase,
    tls: TLS,
    *,
    server: DefaultOpenSSLContextFactory,
    host: str = NAME,
) -> None:
    """Check that the websocket opens."""
    peer = EventsServer(reactor)
    async with listening(reactor, peer, tls=server) as port:
        endpoint = to(reactor, port, tls, host=host)
        url = f"https://{host}:{port}"
        async with connecting(reactor, url, endpoint=endpoint) as client:
            await until(reactor, lambda: client.connection.is_open)
    assert client.errors == []
    assert peer.close_codes == [1000]


async def is_refused(
    reactor: PosixReactorBase,
    tls: TLS,
    *words: str,
    server: DefaultOpenSSLContextFactory,
    host: str = NAME,
    factory: IProtocolFactory | None = None,
) -> None:
    """Check that no password is sent, and that the reason is logged once."""
    peer = factory or RawPeer()
    async with listening(reactor, peer, tls=server) as port:
        endpoint = to(reactor, port, tls, host=host)
        url = f"https://{host}:{port}"
        async with connecting(reactor, url, endpoint=endpoint) as client:
            await until(reactor, lambda: client.tries >= 4)
            assert_one_error(client, "No TLS connection", *words)
    if isinstance(peer, RawPeer):
        assert peer.requests == []


@pytest_twisted.ensureDeferred
async def test_private_ca_is_trusted_if_configured(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    tls = TLS(ca_file=authority.ca_file)
    await connects(reactor, tls, server=server_tls(authority.issue(NAME)))


@pytest_twisted.ensureDeferred
async def test_certificate_for_an_ip_address_is_accepted(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    tls = TLS(ca_file=authority.ca_file)
    server = server_tls(authority.issue("127.0.0.1"))
    await connects(reactor, tls, server=server, host="127.0.0.1")


@pytest_twisted.ensureDeferred
async def test_host_name_in_a_certificate_does_not_match_an_ip_address(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    tls = TLS(ca_file=authority.ca_file)
    server = server_tls(authority.issue("localhost"))
    words = ("not for '127.0.0.1' but for 'localhost'",)
    await is_refused(reactor, tls, *words, server=server, host="127.0.0.1")


@pytest_twisted.ensureDeferred
async def test_unknown_ca_is_refused(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    server = server_tls(authority.issue(NAME))
    await is_refused(
        reactor, TLS(), "not signed by a trusted authority", "ca_file", server=server
    )


@pytest_twisted.ensureDeferred
async def test_other_ca_than_the_configured_one_is_refused(
    reactor: PosixReactorBase, authority: Authority, tmp_path: Path
) -> None:
    tls = TLS(ca_file=Authority(tmp_path, "another").ca_file)
    server = server_tls(authority.issue(NAME))
    await is_refused(
        reactor, tls, "not signed by a trusted authority", "ca_file", server=server
    )


@pytest_twisted.ensureDeferred
async def test_certificate_for_another_name_is_refused(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    tls = TLS(ca_file=authority.ca_file)
    server = server_tls(authority.issue("old.example", "older.example"))
    words = ("not for 'pbx.example' but for 'old.example', 'older.example'", "url")
    await is_refused(reactor, tls, *words, server=server)


@pytest_twisted.ensureDeferred
async def test_expired_certificate_is_refused(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    tls = TLS(ca_file=authority.ca_file)
    server = server_tls(authority.issue(NAME, ends_in=-DAY))
    await is_refused(reactor, tls, "expired on", "tlscertfile", server=server)


@pytest_twisted.ensureDeferred
async def test_certificate_not_yet_valid_is_refused(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    tls = TLS(ca_file=authority.ca_file)
    server = server_tls(authority.issue(NAME, begins_in=DAY))
    await is_refused(reactor, tls, "not valid before", "clocks", server=server)


@pytest_twisted.ensureDeferred
async def test_plain_server_is_reported(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    peer = RawPeer(on_connect=lambda one: one.write_and_close(http_answer("400 No")))
    async with listening(reactor, peer) as port:
        endpoint = to(reactor, port, TLS(ca_file=authority.ca_file))
        url = f"https://{NAME}:{port}"
        async with connecting(reactor, url, endpoint=endpoint) as client:
            await until(reactor, lambda: client.tries >= 4)
            assert_one_error(client, "No TLS connection", "tlsenable")


@pytest_twisted.ensureDeferred
async def test_verification_can_be_disabled(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    server = server_tls(authority.issue("other.example", ends_in=-DAY))
    await connects(reactor, TLS(verify=False), server=server)


@pytest_twisted.ensureDeferred
async def test_client_certificate_is_presented(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    ours = authority.issue("attendant", file="client")
    tls = TLS(ca_file=authority.ca_file, **ours._asdict())
    server = server_tls(authority.issue(NAME), clients=authority.ca_file)
    await connects(reactor, tls, server=server)


@pytest_twisted.ensureDeferred
async def test_client_key_may_be_in_the_certificate_file(
    reactor: PosixReactorBase, authority: Authority, tmp_path: Path
) -> None:
    ours = authority.issue("attendant", file="client")
    both = tmp_path / "both.pem"
    parts = (ours.certificate_file, authority.ca_file, ours.key_file)
    both.write_text("".join((tmp_path / part).read_text() for part in parts))
    tls = TLS(ca_file=authority.ca_file, certificate_file=str(both))
    server = server_tls(authority.issue(NAME), clients=authority.ca_file)
    await connects(reactor, tls, server=server)


@pytest_twisted.ensureDeferred
async def test_missing_client_certificate_is_reported(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    server = server_tls(authority.issue(NAME), clients=authority.ca_file)
    await is_refused(
        reactor,
        TLS(ca_file=authority.ca_file),
        "certificate required",
        "certificate_file",
        server=server,
        factory=EventsServer(reactor),
    )


@pytest_twisted.ensureDeferred
async def test_http_requests_verify_certificates_too(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    peer = RawPeer(answering(http_answer("200 OK", b"[]")))
    shown = authority.issue("localhost")
    for tls, message in (
        (TLS(ca_file=authority.ca_file), ""),
        (TLS(), "not signed by a trusted authority"),
    ):
        async with (
            listening(reactor, peer, tls=server_tls(shown)) as port,
            nothing_left(reactor),
        ):
            address = Address(
                url=f"https://localhost:{port}",
                username="alice",
                password="secret",
                app="test",
                tls=tls,
            )
            sender = HttpSender(address, reactor=reactor)
            try:
                with resolving_to_loopback(reactor):
                    asked = sender.send(Request(method="GET", path=("channels",)))
                if message:
                    with pytest.raises(ConnectionLostError, match=message):
                        await asked
                else:
                    assert await asked == b"[]"
            finally:
                await sender.close()
    assert len(peer.requests) == 1


@pytest_twisted.ensureDeferred
async def test_old_versions_of_tls_are_refused(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    server = server_tls(authority.issue(NAME))
    # As a man in the middle who wants a version that he can break.
    server.getContext().set_options(OP_NO_TLSv1_2 | OP_NO_TLSv1_3)
    server.getContext().set_cipher_list(b"ALL:@SECLEVEL=0")
    tls = TLS(ca_file=authority.ca_file)
    await is_refused(reactor, tls, "version", server=server)


@pytest_twisted.ensureDeferred
async def test_changed_record_ends_the_connection(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    """A man in the middle changes a byte of what Asterisk sends."""
    peer = EventsServer(reactor)
    tls = TLS(ca_file=authority.ca_file)
    async with listening(reactor, peer, tls=server_tls(authority.issue(NAME))) as port:
        relay = ChangingRelay("127.0.0.1", port)
        async with listening(reactor, relay) as between:
            endpoint = to(reactor, between, tls)
            url = f"https://{NAME}:{between}"
            async with connecting(reactor, url, endpoint=endpoint) as client:
                await until(reactor, lambda: client.connection.is_open)
                relay.changes = True
                peer.open[-1].sendMessage(b'{"type":"changed"}')
                await until(reactor, lambda: "lost" in client.calls)
                relay.changes = False
                await until(reactor, lambda: client.connection.is_open)
                peer.open[-1].sendMessage(b'{"type":"next"}')
                await until(reactor, lambda: client.messages)
    assert client.messages == [b'{"type":"next"}']


@pytest_twisted.ensureDeferred
async def test_invalid_host_name_is_reported(reactor: PosixReactorBase) -> None:
    for host in ("a..b", "x" * 64):
        async with connecting(reactor, f"https://{host}:1") as client:
            await until(reactor, lambda: client.tries >= 2)
            assert_one_error(client, host)


@pytest_twisted.ensureDeferred
async def test_internationalized_host_name_is_verified(
    reactor: PosixReactorBase, authority: Authority
) -> None:
    tls = TLS(ca_file=authority.ca_file)
    server = server_tls(authority.issue("xn--mller-kva.example"))
    async with listening(reactor, EventsServer(reactor), tls=server) as port:
        endpoint = to(reactor, port, tls, host="müller.example")
        url = f"https://localhost:{port}"
        async with connecting(reactor, url, endpoint=endpoint) as client:
            await until(reactor, lambda: client.connection.is_open)
            assert client.errors == []
