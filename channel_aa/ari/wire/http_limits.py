"""Limits on the size of an HTTP response, and on its number of pieces.

Twisted sets none on headers and bodies: a malicious server could fill the memory. Each
piece takes some 50 µs to parse, however small: megabytes in pieces of two bytes would
occupy a core for minutes.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import HTTP11ClientProtocol
from twisted.web.client import ResponseDone, _HTTP11ClientFactory
from twisted.web.http import PotentialDataLoss

MAX_HEAD_BYTES = 32 * 1024
"""The size limit of status line and headers; Asterisk's have some 200 bytes."""

MAX_BODY_BYTES = 4 * 1024 * 1024
"""The size limit of a response's body; a list of channels has some 700 bytes for
each."""

MAX_PIECES = 500
"""How many pieces a response may have, in addition to one for each `PIECE_BYTES`.

They are the segments of TCP, and the chunks of a body with ``Transfer-Encoding:
chunked``, which Asterisk does not use."""

PIECE_BYTES = 128
"""The least average size of the further pieces, in bytes. Asterisk sends JSON in one
write, and files in writes of 256 bytes."""

_IN_BODY = "BODY"  # a state of Twisted's parser
_PIECE = 4096


class AnswerTooLongError(Exception):
    """The response exceeds a limit."""


class _PieceCounter:
    """Counts the pieces of a response."""

    def __init__(self) -> None:
        self._left = float(MAX_PIECES)

    def is_exceeded(self, piece: bytes) -> bool:
        """Count a piece; tell whether there are more than allowed."""
        self._left += len(piece) / PIECE_BYTES - 1
        return self._left < 0

    def error(self) -> AnswerTooLongError:
        return AnswerTooLongError(
            f"the response has more than {MAX_PIECES} pieces, of less than"
            f" {PIECE_BYTES} bytes on average"
        )


class Connection(HTTP11ClientProtocol):
    """A connection that limits the size of a response's status line and headers.

    It limits the number of a response's segments, too.
    """

    def request(self, request: Any) -> Deferred[Any]:  # noqa: ANN401 - Twisted's
        """Send a request."""
        self._head_bytes = 0
        self._pieces = _PieceCounter()
        answer: Deferred[Any] = super().request(request)
        return answer

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Parse data; headers in pieces, so that their size can be limited."""
        if self._parser is not None and self._pieces.is_exceeded(data):
            self._giveUp(Failure(self._pieces.error()))
            return
        while data and self._parser is not None and self._parser.state != _IN_BODY:
            if self._head_bytes >= MAX_HEAD_BYTES:
                message = f"the headers of the response exceed {MAX_HEAD_BYTES} bytes"
                self._giveUp(Failure(AnswerTooLongError(message)))
                return
            piece, data = data[:_PIECE], data[_PIECE:]
            self._head_bytes += len(piece)
            super().dataReceived(piece)
        if data:
            super().dataReceived(data)


class ConnectionFactory(_HTTP11ClientFactory):
    """Makes `Connection`, and logs nothing."""

    noisy = False

    def buildProtocol(self, addr: object) -> HTTP11ClientProtocol:  # noqa: ARG002, N802 - Twisted's
        """Make the protocol of a connection."""
        return Connection(self._quiescentCallback)


class Body(Protocol):
    """Collects a response's body.

    Cancelling `whole` closes the connection: a server that stalls in the middle of a
    body would hold it for ever.
    """

    def __init__(self) -> None:
        self._body = bytearray()
        self._chunks = _PieceCounter()
        self.whole: Deferred[bytes] = Deferred(lambda _: self._close())

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Add a part of the body: of a segment, or a chunk."""
        if self.whole.called:
            return
        self._body += data
        if self._chunks.is_exceeded(data):
            self._refuse(self._chunks.error())
        elif len(self._body) > MAX_BODY_BYTES:
            self._refuse(
                AnswerTooLongError(
                    f"the body of the response exceeds {MAX_BODY_BYTES} bytes"
                )
            )

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Fire `whole`: the body has ended."""
        if self.whole.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(bytes(self._body))
        else:
            self.whole.errback(reason)

    def _refuse(self, error: AnswerTooLongError) -> None:
        self._body.clear()
        self.whole.errback(error)
        self._close()

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()
