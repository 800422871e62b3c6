"""Any bytes as a request to the daemon's HTTP server: at most that one is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.http_server import EXCHANGE_SECONDS, HttpServer, Page
from tests.support.attendant_fakes import memory_reactor
from tests.support.fuzz_harness import FUZZ, LogChecker
from tests.support.fuzz_strategies import CUTS, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.web.server import Request

HONEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

LINES = st.sampled_from(
    [
        b"GET / HTTP/1.1",
        b"HEAD /a/../b?c=d&e HTTP/1.0",
        b"POST / HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"GET http://localhost/ HTTP/1.1",
        b"GET //evil/%00%ff HTTP/1.1",
        b"CONNECT localhost:80 HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"GET / HTTP/9.9",
        b"GET /",
        b"\x1b[2J / HTTP/1.1",
        b"",
    ]
) | st.binary(max_size=40)
HEADERS = st.sampled_from(
    [
        b"Host: localhost",
        b"Host: evil.example",
        b"Host: [::1",
        b"Host: \xff\x00",
        b"Content-Length: 0",
        b"Content-Length: 99999999999999999999999",
        b"Content-Length: -1",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Content-Type: multipart/form-data; boundary=",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Expect: 100-continue",
        b"Connection: upgrade",
        b"Upgrade: websocket",
        b"Range: bytes=0-,-1",
        b"If-None-Match: *",
        b"If-Modified-Since: never",
        b"Cookie: =; a=\x00",
        b"no colon",
        b": no name",
        b" folded",
    ]
) | st.binary(max_size=30)
REQUESTS = st.builds(
    lambda line, headers, rest: b"\r\n".join([line, *headers, b"", rest]),
    LINES,
    st.lists(HEADERS, max_size=6),
    st.sampled_from([b"", b"5\r\nhello\r\n0\r\n\r\n", HONEST]) | st.binary(max_size=40),
) | st.binary(max_size=80)


class HelloPage(Page):
    def content(self, request: Request) -> bytes:
        return b"hello"


class RequestTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = memory_reactor()
        self.server = HttpServer(HelloPage(), purpose="greetings", reactor=self.reactor)
        listening = self.server.listen("tcp:80:interface=127.0.0.1")
        self.successResultOf(Deferred.fromCoroutine(listening))

    def send(self, parts: Sequence[bytes]) -> bytes:
        """Send bytes over a connection of their own; return what is answered."""
        _port, factory, *_ = self.reactor.tcpServers[-1]
        protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 50000))
        assert protocol is not None
        transport = StringTransportWithDisconnection()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        for part in parts:
            if transport.connected:
                protocol.dataReceived(part)
        answer: bytes = transport.value()
        if transport.connected:
            self.reactor.advance(EXCHANGE_SECONDS)
        self.assertFalse(transport.connected)
        return answer

    @FUZZ
    @given(REQUESTS, CUTS)
    def test_any_request(self, request: bytes, cuts: list[int]) -> None:
        checker = LogChecker()
        globalLogPublisher.addObserver(checker)
        try:
            answer = self.send(cut(request, cuts))
        finally:
            globalLogPublisher.removeObserver(checker)
        self.assertTrue(answer.startswith((b"HTTP/1.", b"hello")) or not answer, answer)
        self.assertLessEqual(answer.count(b"hello"), 1)
        self.assertEqual(checker.found, [])
        self.assertTrue(self.send([HONEST]).endswith(b"\r\n\r\nhello"))
        self.assertEqual(self.reactor.getDelayedCalls(), [])
