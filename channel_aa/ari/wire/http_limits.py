"""Limits on the size of an HTTP response.

Twisted sets none on headers and bodies: a malicious server could fill the memory.
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

_IN_BODY = "BODY"  # a state of Twisted's parser
_PIECE = 4096


class AnswerTooLongError(Exception):
    """The response exceeds a limit."""


class Connection(HTTP11ClientProtocol):
    """A connection that limits the size of a response's status line and headers."""

    def request(self, request: Any) -> Deferred[Any]:  # noqa: ANN401 - Twisted's
        """Send a request."""
        self._head_bytes = 0
        answer: Deferred[Any] = super().request(request)
        return answer

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Parse data; headers in pieces, so that their size can be limited."""
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
        self._parts: list[bytes] = []
        self._length = 0
        self.whole: Deferred[bytes] = Deferred(lambda _: self._close())

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Add a part of the body."""
        if self.whole.called:
            return
        self._length += len(data)
        if self._length <= MAX_BODY_BYTES:
            self._parts.append(data)
            return
        self._parts.clear()
        self.whole.errback(
            AnswerTooLongError(
                f"the body of the response exceeds {MAX_BODY_BYTES} bytes"
            )
        )
        self._close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Fire `whole`: the body has ended."""
        if self.whole.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(b"".join(self._parts))
        else:
            self.whole.errback(reason)

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()
