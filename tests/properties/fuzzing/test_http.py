"""Any bytes as an HTTP answer: at most that request fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.address import Address
from channel_aa.ari.wire.errors import AriError
from channel_aa.ari.wire.http import HttpSender
from channel_aa.ari.wire.requests import Request
from tests.support.fuzz_harness import FUZZ, LogChecker, MemoryEndpoint, corpus, feed
from tests.support.fuzz_strategies import CUTS, cut, damaged
from tests.support.http_peers import http_answer

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IStreamClientEndpoint

POST = Request(method="POST", path=("channels", "c1", "answer"))
LONGEST_REQUEST = 10.0

STATUSES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 304 Not Modified",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 101 Switching Protocols",
        b"HTTP/1.1 302 Found",
        b"HTTP/1.1 404 \x1b[2JNot Found",
        b"HTTP/1.1 999999999999999999999 x",
        b"HTTP/1.1 -1 x",
        b"HTTP/1.1 200",
        b"HTTP/-1.-1 200 OK",
        b"HTTP/1 200 OK",
        b"",
    ]
) | st.binary(max_size=20)
HEADERS = st.sampled_from(
    [
        b"Content-Length: 2",
        b"Content-Length: -2",
        b"Content-Length: 2, 3",
        b"Content-Length: +2",
        b"Content-Length: 99999999999999999999999",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"Content-Encoding: gzip",
        b"Connection: close",
        b"Set-Cookie: a=b; Domain=.; Expires=never",
        b"Location: \xff",
        b"no colon",
        b": no name",
        b" folded",
        b"\x00: \x00",
    ]
) | st.binary(max_size=20)
BODIES = st.sampled_from(
    [
        b"[]",
        b"2\r\n[]\r\n0\r\n\r\n",
        b"ffffffffffffffffffff\r\n",
        b"-1\r\n\r\n",
        b"2;a=b\r\n[]\r\n0\r\nTrailer: x\r\n\r\n",
        b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"\x1f\x8b\x08\x00",
    ]
) | st.binary(max_size=30)
ANSWERS = st.builds(
    lambda status, headers, body: b"\r\n".join([status, *headers, b"", body]),
    STATUSES,
    st.lists(HEADERS, max_size=4),
    BODIES,
) | st.binary(max_size=60)


class MemoryAddress(Address):
    """The address of an Asterisk in memory."""

    def __init__(self) -> None:
        super().__init__(url="http://pbx", username="a", password="secret", app="x")
        self.memory_endpoint = MemoryEndpoint()

    def endpoint(self, reactor: Any) -> IStreamClientEndpoint:  # noqa: ANN401 - Address's
        return self.memory_endpoint


class AnswerTests(SynchronousTestCase):
    def ask(self) -> tuple[Any, Deferred[bytes]]:
        """Send a request; return its connection and its answer."""
        for client in self.address.memory_endpoint.clients:
            client.transport.clear()
        answer = self.sender.send(POST)
        [connection] = [
            client
            for client in self.address.memory_endpoint.clients
            if client.transport.value() and not client.transport.is_closing
        ]
        return connection, answer

    def lose_closing_connections(self) -> None:
        for client in list(self.address.memory_endpoint.clients):
            if client.transport.is_closing:
                self.address.memory_endpoint.clients.remove(client)
                client.connectionLost(Failure(ConnectionLost()))

    def try_answer(self, parts: list[bytes]) -> None:
        self.clock = Clock()
        self.address = MemoryAddress()
        self.sender = HttpSender(self.address, reactor=self.clock)
        log_checker = LogChecker()
        globalLogPublisher.addObserver(log_checker)
        connection, answer = self.ask()
        feed(connection, parts)
        self.lose_closing_connections()
        self.clock.advance(LONGEST_REQUEST)
        self.lose_closing_connections()
        if isinstance(answer.result, Failure):
            self.failureResultOf(answer, AriError)
        else:
            self.assertIsInstance(self.successResultOf(answer), bytes)
        self.assertEqual(self.sender.pending, 0)
        connection, answer = self.ask()
        feed(connection, [http_answer("200 OK", b'"next"')])
        self.assertEqual(self.successResultOf(answer), b'"next"')
        closed = self.sender.close()
        self.lose_closing_connections()
        self.successResultOf(closed)
        globalLogPublisher.removeObserver(log_checker)
        self.assertEqual(log_checker.found, [])
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    @FUZZ
    @given(ANSWERS | damaged(ANSWERS), CUTS)
    def test_any_answer(self, answer: bytes, places: list[int]) -> None:
        self.try_answer(cut(answer, places))

    @FUZZ
    @given(damaged(st.just(http_answer("200 OK", b'{"a": [1]}', "A: b"))), CUTS)
    def test_damaged_answers(self, answer: bytes, places: list[int]) -> None:
        self.try_answer(cut(answer, places))

    def test_kept_inputs(self) -> None:
        for name, answer in corpus("http"):
            with self.subTest(name):
                self.try_answer([answer])
            with self.subTest(f"{name}, byte by byte"):
                self.try_answer(cut(answer, list(range(len(answer)))))
