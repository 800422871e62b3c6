"""What the HTTP server lets its clients do."""

from __future__ import annotations

import socket
from errno import EADDRINUSE
from typing import TYPE_CHECKING

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.http_server import (
    CLIENT_CONNECTIONS,
    CONNECTIONS,
    EXCHANGE_SECONDS,
    RETRY_SECONDS,
    HttpServer,
    Page,
)
from tests.support.attendant_fakes import memory_reactor

if TYPE_CHECKING:
    from twisted.internet.interfaces import IListeningPort
    from twisted.python.monkey import MonkeyPatcher
    from twisted.web.server import Request

WHERE = "tcp:8089:interface=127.0.0.1"


class HelloPage(Page):
    def content(self, request: Request) -> bytes:
        return b"hello"


class HttpServerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = memory_reactor()
        self.server = HttpServer(HelloPage(), purpose="greetings", reactor=self.reactor)
        self.addCleanup(self.close)

    def listen(self, description: str = WHERE, *hosts: str) -> None:
        listening = self.server.listen(description, hosts=hosts)
        self.successResultOf(Deferred.fromCoroutine(listening))

    def close(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.server.close()))

    def connect(self, host: str = "127.0.0.1") -> StringTransportWithDisconnection:
        _port, factory, *_ = self.reactor.tcpServers[-1]
        protocol = factory.buildProtocol(IPv4Address("TCP", host, 50000))
        assert protocol is not None
        transport = StringTransportWithDisconnection()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return transport

    def request(self, method: str = "GET", host: str = "Host: localhost") -> str:
        transport = self.connect()
        transport.protocol.dataReceived(
            f"{method} / HTTP/1.1\r\n{host}\r\n\r\n".encode()
        )
        response: bytes = transport.value()
        return response.decode()

    def code(self, host: str) -> str:
        return self.request(host=host).split()[1]


class RequestTests(HttpServerTests):
    def setUp(self) -> None:
        super().setUp()
        self.listen(WHERE, "Attendant.Example")

    def test_page_answers_get(self) -> None:
        response = self.request()
        self.assertTrue(response.startswith("HTTP/1.1 200 OK\r\n"), response)
        self.assertTrue(response.endswith("\r\n\r\nhello"), response)

    def test_other_methods_are_refused_with_those_allowed(self) -> None:
        response = self.request("POST")
        self.assertTrue(response.startswith("HTTP/1.1 405 "), response)
        self.assertIn("\r\nAllow: GET, HEAD\r\n", response)
        self.assertTrue(response.endswith("\r\n\r\n"), response)

    def test_connection_is_for_one_request(self) -> None:
        transport = self.connect()
        one = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        transport.protocol.dataReceived(one * 3)
        self.assertEqual(transport.value().count(b"200 OK"), 1)
        self.assertIn(b"\r\nConnection: close\r\n", transport.value())
        self.assertFalse(transport.connected)

    def test_request_with_a_body_closes_the_connection(self) -> None:
        for header in (
            *("Content-Length: 1", "Content-Length: 9999999999999"),
            "Transfer-Encoding: chunked",
        ):
            transport = self.connect()
            transport.protocol.dataReceived(
                f"POST / HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode()
            )
            self.assertFalse(transport.connected, header)

    def test_names_of_this_host_are_answered(self) -> None:
        name = socket.gethostname()
        for host in (
            *("localhost", "LOCALHOST:8089", "127.0.0.1:8089", "192.0.2.1", "[::1]:80"),
            *("attendant.example", "attendant.example.:8089", f"{name}:8089"),
        ):
            with self.subTest(host=host):
                self.assertEqual(self.code(f"Host: {host}"), "200")

    def test_names_of_other_hosts_are_refused(self) -> None:
        for host in (
            *("evil.example", "localhost.evil.example", "127.0.0.1.evil.example"),
            *(
                "evil.example:8089",
                "[evil",
                "",
                "127.1",
                "2130706433",
                "a@[::1",
                "\xff",
            ),
        ):
            with self.subTest(host=host):
                self.assertEqual(self.code(f"Host: {host}"), "421")

    def test_refusal_tells_which_names_are_answered(self) -> None:
        self.assertIn("a name that is configured", self.request(host="Host: evil"))

    def test_names_can_be_changed_without_another_endpoint(self) -> None:
        self.listen(WHERE, "other.example")
        self.assertEqual(self.code("Host: other.example"), "200")
        self.assertEqual(self.code("Host: attendant.example"), "421")
        self.assertEqual(len(self.reactor.tcpServers), 1)

    def test_client_that_names_no_host_is_answered(self) -> None:
        """HTTP/1.0 does not require it; browsers always do it."""
        self.assertEqual(self.code("X: y"), "200")


class ConnectionTests(HttpServerTests):
    def setUp(self) -> None:
        super().setUp()
        self.listen()

    def test_bytes_do_not_prolong_a_connection(self) -> None:
        transport = self.connect()
        for _ in range(EXCHANGE_SECONDS - 1):
            self.reactor.advance(1)
            transport.protocol.dataReceived(b"G")
        self.assertTrue(transport.connected)
        self.reactor.advance(1)
        self.assertFalse(transport.connected)

    def test_ended_connection_leaves_no_timer(self) -> None:
        self.request()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_oldest_connection_of_an_address_gives_way(self) -> None:
        connections = [self.connect() for _ in range(CLIENT_CONNECTIONS + 2)]
        open_ = [each.connected for each in connections]
        self.assertEqual(open_, [False] * 2 + [True] * CLIENT_CONNECTIONS)

    def test_oldest_connection_of_all_gives_way(self) -> None:
        connections = [
            self.connect(f"192.0.2.{number}") for number in range(CONNECTIONS + 2)
        ]
        open_ = [each.connected for each in connections]
        self.assertEqual(open_, [False] * 2 + [True] * CONNECTIONS)

    def test_closed_server_closes_its_connections(self) -> None:
        transport = self.connect()
        self.close()
        self.assertFalse(transport.connected)


class EndpointTests(HttpServerTests):
    def test_same_endpoint_is_not_opened_again(self) -> None:
        self.listen()
        self.listen()
        self.assertEqual(len(self.reactor.tcpServers), 1)

    def test_closed_endpoint_can_be_opened_again(self) -> None:
        self.listen()
        self.close()
        self.listen()
        self.assertEqual(len(self.reactor.tcpServers), 2)

    def refuse_to_listen(self) -> MonkeyPatcher:
        def fail(*_: object, **__: object) -> IListeningPort:
            reason = OSError(EADDRINUSE, "Address already in use")
            raise CannotListenError("127.0.0.1", 8089, reason)

        patched: MonkeyPatcher = self.patch(self.reactor, "listenTCP", fail)
        return patched

    def test_reload_tries_again_what_could_not_be_opened(self) -> None:
        patched = self.refuse_to_listen()
        with capturedLogs() as logged:
            self.listen()
        [error] = [each for each in logged if each["log_level"] is LogLevel.error]
        self.assertEqual(
            formatEvent(error),
            f"Cannot listen for greetings on {WHERE}: Address already in use. Trying"
            " again every 5 s",
        )
        patched.restore()
        self.listen()
        self.assertEqual(len(self.reactor.tcpServers), 1)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_endpoint_in_use_is_opened_when_it_is_free(self) -> None:
        """The daemon that this one succeeds may listen there until it ends."""
        patched = self.refuse_to_listen()
        with capturedLogs() as logged:
            self.listen(WHERE, "other.example")
            self.reactor.pump([RETRY_SECONDS] * 3)
        errors = [each for each in logged if each["log_level"] is LogLevel.error]
        self.assertEqual(len(errors), 1)
        self.assertEqual(self.server.port, 0)
        patched.restore()
        self.reactor.advance(RETRY_SECONDS)
        self.assertEqual(self.code("Host: other.example"), "200")

    def test_closed_server_does_not_try_again(self) -> None:
        patched = self.refuse_to_listen()
        self.listen()
        self.close()
        patched.restore()
        self.reactor.advance(RETRY_SECONDS)
        self.assertEqual(self.reactor.tcpServers, [])
