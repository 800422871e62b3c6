"""Limits on the pieces of an HTTP response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web._newclient import Request, ResponseFailed
from twisted.web.http_headers import Headers

from channel_aa.ari.wire.http_limits import (
    MAX_PIECES,
    PIECE_BYTES,
    AnswerTooLongError,
    Body,
    Connection,
)

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

HEAD = b"HTTP/1.1 200 OK\r\n"
MOST = MAX_PIECES + 20
"""More pieces of one or two bytes than a response may have."""

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class PieceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.connection = Connection(lambda _: None)
        self.transport = StringTransport(lenient=True)
        self.connection.makeConnection(self.transport)
        self.body: Deferred[bytes] | None = None

    def request(self) -> None:
        headers = Headers({b"Host": [b"pbx"]})
        answer = self.connection.request(Request(b"GET", b"/", headers, None, True))  # noqa: FBT003 - Twisted's

        def deliver(response: object) -> None:
            collector = Body()
            self.body = collector.whole
            response.deliverBody(collector)  # type: ignore[attr-defined]

        self.answer = answer.addCallback(deliver)

    def feed(self, *pieces: bytes) -> int:
        """Receive pieces until the connection is closed; return how many were read."""
        for number, piece in enumerate(pieces):
            if self.transport.disconnecting:
                return number
            self.connection.dataReceived(piece)
        return len(pieces)

    def lose(self) -> None:
        self.connection.connectionLost(Failure(ConnectionDone()))

    def test_body_in_small_pieces_closes_the_connection(self) -> None:
        self.request()
        head = HEAD + b"Content-Length: 1000000\r\n\r\n"
        read = self.feed(head, *[b"xx"] * 100_000)
        self.assertLess(read, MOST)
        self.lose()
        assert self.body is not None
        error = self.failureResultOf(self.body)
        self.assertTrue(error.check(AnswerTooLongError, ResponseFailed))

    def test_headers_in_small_pieces_close_the_connection(self) -> None:
        self.request()
        self.assertLess(self.feed(*[b"A:"] * 10_000), MOST)
        self.lose()
        self.failureResultOf(self.answer, ResponseFailed)

    def test_small_chunks_close_the_connection(self) -> None:
        self.request()
        chunks = b"1\r\nx\r\n" * MOST
        self.feed(CHUNKED + chunks)
        assert self.body is not None
        self.failureResultOf(self.body, AnswerTooLongError)
        self.assertTrue(self.transport.disconnecting)

    def test_body_in_segments_of_tcp_is_read(self) -> None:
        self.request()
        count = 10 * MAX_PIECES
        head = HEAD + b"Content-Length: %d\r\n\r\n" % (count * PIECE_BYTES)
        self.feed(head, *[b"x" * PIECE_BYTES] * count)
        assert self.body is not None
        self.assertEqual(len(self.successResultOf(self.body)), count * PIECE_BYTES)

    def test_small_pieces_of_each_response_are_counted_anew(self) -> None:
        for _ in range(3):
            self.request()
            count = MAX_PIECES - 1
            head = HEAD + b"Content-Length: %d\r\n\r\n" % count
            self.feed(head, *[b"x"] * count)
            assert self.body is not None
            self.assertEqual(self.successResultOf(self.body), b"x" * count)
