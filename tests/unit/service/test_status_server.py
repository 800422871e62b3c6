"""The status endpoint, and the client endpoint for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
)
from twisted.internet.error import CannotListenError
from twisted.internet.testing import (
    MemoryReactorClock,
    StringTransportWithDisconnection,
)
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.http_server import CONNECTIONS, IDLE_SECONDS
from channel_aa.service.status import Status
from channel_aa.service.status_server import (
    StatusServer,
    _UnixEndpoint,
    client_endpoint,
)
from tests.support.attendant_fakes import memory_reactor
from tests.support.statuses import a_status

if TYPE_CHECKING:
    from twisted.internet.interfaces import IListeningPort

WHERE = "tcp:8089:interface=127.0.0.1"


class StatusServerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = memory_reactor()
        self.status = a_status()
        self.server = StatusServer(lambda: self.status, reactor=self.reactor)

    def listen(self, description: str = WHERE) -> None:
        listening = self.server.listen(description)
        self.successResultOf(Deferred.fromCoroutine(listening))

    def close(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.server.close()))

    def connect(self) -> StringTransportWithDisconnection | None:
        """Connect; return None if the server refuses."""
        _port, factory, *_ = self.reactor.tcpServers[-1]
        protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 50000))
        if protocol is None:
            return None
        transport = StringTransportWithDisconnection()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return transport

    def request(self, method: str) -> tuple[list[str], bytes]:
        """Return the status and headers of the response, and its body."""
        self.listen()
        transport = self.connect()
        assert transport is not None
        transport.protocol.dataReceived(
            f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        )
        head, _, body = transport.value().partition(b"\r\n\r\n")
        self.close()
        return head.decode().split("\r\n"), body

    def test_response_is_the_status(self) -> None:
        (line, *headers), body = self.request("GET")
        self.assertEqual(line, "HTTP/1.1 200 OK")
        self.assertIn("Content-Type: application/json", headers)
        self.assertIn("Cache-Control: no-store", headers)
        self.assertEqual(msgspec.json.decode(body, type=Status), self.status)

    def test_response_while_not_serving_is_503(self) -> None:
        self.status = a_status(serving=False)
        (line, *_), body = self.request("GET")
        self.assertEqual(line, "HTTP/1.1 503 Service Unavailable")
        self.assertEqual(msgspec.json.decode(body, type=Status), self.status)

    def test_other_methods_are_refused_with_those_allowed(self) -> None:
        (line, *headers), body = self.request("POST")
        self.assertEqual(line, "HTTP/1.1 405 Method Not Allowed")
        self.assertIn("Allow: GET, HEAD", headers)
        self.assertEqual(body, b"")

    def test_number_of_connections_is_limited(self) -> None:
        self.listen()
        connections = [self.connect() for _ in range(CONNECTIONS)]
        self.assertNotIn(None, connections)
        self.assertIsNone(self.connect())
        self.close()

    def test_idle_connection_is_closed(self) -> None:
        self.listen()
        transport = self.connect()
        assert transport is not None
        self.reactor.advance(IDLE_SECONDS - 1)
        self.assertTrue(transport.connected)
        self.reactor.advance(1)
        self.assertFalse(transport.connected)
        self.close()

    def test_same_endpoint_is_not_opened_again(self) -> None:
        self.listen()
        self.listen()
        self.assertEqual(len(self.reactor.tcpServers), 1)
        self.close()

    def test_closed_endpoint_can_be_opened_again(self) -> None:
        self.listen()
        self.close()
        self.listen()
        self.assertEqual(len(self.reactor.tcpServers), 2)
        self.close()

    def test_endpoint_that_could_not_be_opened_is_tried_again(self) -> None:
        """A reload of the same file does it."""

        def fail(*_: object, **__: object) -> IListeningPort:
            raise CannotListenError("127.0.0.1", 8089, OSError("in use"))

        patched = self.patch(self.reactor, "listenTCP", fail)
        with capturedLogs() as logged:
            self.listen()
        [error] = [each for each in logged if each["log_level"] is LogLevel.error]
        self.assertEqual(
            formatEvent(error),
            f"Cannot listen for status requests on {WHERE}: Couldn't listen on"
            " 127.0.0.1:8089: in use.",
        )
        patched.restore()
        self.listen()
        self.assertEqual(len(self.reactor.tcpServers), 1)
        self.close()


class ClientEndpointTests(SynchronousTestCase):
    def target(self, description: str) -> tuple[type, tuple[object, ...]]:
        endpoint = client_endpoint(description, MemoryReactorClock())
        if isinstance(endpoint, _UnixEndpoint):
            return UNIXClientEndpoint, (endpoint.endpoint._path,)
        assert isinstance(endpoint, TCP4ClientEndpoint | TCP6ClientEndpoint)
        return type(endpoint), (endpoint._host, endpoint._port)

    def test_options_of_a_unix_server_are_ignored(self) -> None:
        for description in (
            "unix:/run/aa/status",
            "unix:/run/aa/status:mode=660:backlog=5",
        ):
            self.assertEqual(
                self.target(description), (UNIXClientEndpoint, ("/run/aa/status",))
            )

    def test_escapes_of_endpoint_descriptions_are_decoded(self) -> None:
        self.assertEqual(
            self.target(r"unix:/run/a\:b\=c"), (UNIXClientEndpoint, ("/run/a:b=c",))
        )

    def test_server_on_all_interfaces_is_reached_on_the_loopback(self) -> None:
        expected = (TCP4ClientEndpoint, ("127.0.0.1", 8089))
        for description in ("tcp:8089", "tcp:8089:interface=0.0.0.0"):
            self.assertEqual(self.target(description), expected)
        self.assertEqual(self.target("tcp6:8089"), (TCP6ClientEndpoint, ("::1", 8089)))

    def test_server_on_an_interface_is_reached_at_its_address(self) -> None:
        self.assertEqual(
            self.target("tcp:8089:interface=192.0.2.1"),
            (TCP4ClientEndpoint, ("192.0.2.1", 8089)),
        )
        self.assertEqual(
            self.target(r"tcp6:8089:interface=2001\:db8\:\:1"),
            (TCP6ClientEndpoint, ("2001:db8::1", 8089)),
        )

    def test_other_endpoint_types_are_an_error(self) -> None:
        for description in ("systemd:domain=INET:index=0", "", "tcp:x", "unix:", "tcp"):
            with self.assertRaisesRegex(ValueError, "supports unix:PATH"):
                client_endpoint(description, MemoryReactorClock())
