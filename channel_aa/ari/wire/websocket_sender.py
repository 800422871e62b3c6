"""Requests to Asterisk over the events websocket.

Asterisk serves them since 20.14, 21.9 and 22.4, at a tenth of the cost of HTTP, and
one after another: `channel_aa.ari.wire.routing` lists the requests that need HTTP.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from channel_aa.ari.wire.errors import (
    ConnectionLostError,
    RequestTimeoutError,
    error_for,
)
from channel_aa.ari.wire.requests import IRequestSender
from channel_aa.ari.wire.timeouts import Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.ari.wire.errors import AriError
    from channel_aa.ari.wire.requests import Request

MAX_FRAME_BYTES = 65_527
"""The longest payload of a frame to Asterisk, which closes the websocket (code 1009) at
a frame of more than 65,535 bytes, its header of 8 included (seen on 22.10.1)."""

SLOW_SECONDS = 1.0
"""After how long a request counts as slow; most are answered in milliseconds."""

_SUCCESS = range(200, 300)
_CLOSED = "the websocket closed before the response"
_SILENT = "Asterisk no longer answers requests over the websocket"
_SKIPPED = "Asterisk answered a later request, but not this one"


class FrameTooLongError(ValueError):
    """A request does not fit into a frame; it was not sent."""


class _RESTRequest(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="RESTRequest"
):
    request_id: str
    method: str
    uri: str
    content_type: str | None = None
    message_body: str | None = None


class RESTResponse(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag=True
):
    """Asterisk's response to a request that went over the websocket."""

    request_id: str
    status_code: int
    message_body: str = ""


@dataclass(slots=True, eq=False)
class _PendingRequest:
    """A request in flight, or queued; ``expires`` is in the clock's time."""

    request_id: str
    request: Request
    frame: bytes
    response: Deferred[bytes]
    expires: float
    is_in_flight: bool = False


_encode = msgspec.json.Encoder().encode


@implementer(IRequestSender)
class WebSocketSender:
    """Sends requests over the events websocket.

    Args:
        send: sends one text message over the websocket.
        clock: times the requests.
        conceal: removes the credentials from Asterisk's explanation of an error.
        timeout: seconds a request may take, its time in the queue included; a multiple
            of `SLOW_SECONDS`.
        max_in_flight: how many requests may be in flight at once; further ones are
            queued.

    Attributes:
        responses: how many responses have arrived.
    """

    on_timeout: Callable[[], None] | None = None
    """Called when a request in flight has not been answered in time."""

    on_slow: Callable[[], None] | None = None
    """Called when a request has not been answered within `SLOW_SECONDS`."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        *,
        clock: IReactorTime,
        conceal: Callable[[str], str],
        timeout: float = 5.0,
        max_in_flight: int = 1000,
    ) -> None:
        self._send = send
        self._clock = clock
        self._conceal = conceal
        self._timeout = timeout
        self._max_in_flight = max_in_flight
        self._ids = count(1)
        self._pending: dict[str, _PendingRequest] = {}
        self._queue: deque[_PendingRequest] = deque()
        self._in_flight = 0
        # One timer for both kinds of timeout: starting it anew is the larger cost.
        self._timeouts = Timeouts(SLOW_SECONDS, self._check, clock=clock)
        self._last_answered = 0
        self.responses = 0

    @property
    def pending(self) -> int:
        """How many requests have no response yet."""
        return len(self._pending)

    @property
    def queued(self) -> int:
        """How many of these have not been sent yet."""
        return len(self._pending) - self._in_flight

    def send(self, request: Request) -> Deferred[bytes]:
        """Send a request; see `IRequestSender.send`.

        Raises:
            FrameTooLongError: the request does not fit into a frame.
        """
        request_id = str(next(self._ids))
        if request.body is None:
            message = _RESTRequest(
                request_id=request_id, method=request.method, uri=request.uri
            )
        else:
            message = _RESTRequest(
                request_id=request_id,
                method=request.method,
                uri=request.uri,
                content_type="application/json",
                message_body=_encode(request.body).decode(),
            )
        frame = _encode(message)
        if len(frame) > MAX_FRAME_BYTES:
            raise FrameTooLongError(" ".join(request.line))

        def cancel(_response: Deferred[bytes]) -> None:
            self._remove(request_id)

        expires = self._timeouts.start(request_id) - SLOW_SECONDS + self._timeout
        pending = _PendingRequest(request_id, request, frame, Deferred(cancel), expires)
        self._pending[request_id] = pending
        if self._in_flight < self._max_in_flight:
            self._transmit(pending)
        else:
            self._queue.append(pending)
        return pending.response

    def receive(self, response: RESTResponse) -> None:
        """Fire the response of a pending request; ignore one that is not pending."""
        self.responses += 1
        pending = self._remove(response.request_id)
        if pending is None:
            return
        self._last_answered = int(pending.request_id)
        body = response.message_body.encode()
        if response.status_code in _SUCCESS:
            pending.response.callback(body)
        else:
            error = error_for(
                *pending.request.line,
                response.status_code,
                body,
                conceal=self._conceal,
            )
            pending.response.errback(error)

    def fail_pending(self) -> None:
        """Fail every pending request: the websocket has closed."""
        self._queue.clear()
        for request_id in list(self._pending):
            self._fail(request_id, ConnectionLostError, _CLOSED)

    def time_out_pending(self) -> None:
        """Time out every pending request: the websocket is not answered any more."""
        self._queue.clear()
        for request_id in list(self._pending):
            self._fail(request_id, RequestTimeoutError, _SILENT)

    def close(self) -> Deferred[None]:
        """Cancel every pending request."""
        self._queue.clear()
        for pending in list(self._pending.values()):
            pending.response.cancel()
        return succeed(None)

    def _transmit(self, pending: _PendingRequest) -> None:
        pending.is_in_flight = True
        self._in_flight += 1
        self._send(pending.frame)

    def _remove(self, request_id: str) -> _PendingRequest | None:
        removed = self._pending.pop(request_id, None)
        self._timeouts.cancel(request_id)
        if removed is not None and removed.is_in_flight:
            self._in_flight -= 1
            while self._queue and self._in_flight < self._max_in_flight:
                queued = self._queue.popleft()
                is_cancelled = queued.request_id not in self._pending
                # One that is about to time out is not sent any more, either.
                if not is_cancelled and queued.expires > self._clock.seconds():
                    self._transmit(queued)
        return removed

    def _check(self, request_id: str) -> None:
        """Act on a request that has been pending for another `SLOW_SECONDS`."""
        pending = self._pending[request_id]
        if pending.expires <= self._clock.seconds():
            self._expire(pending)
        elif pending.is_in_flight and int(request_id) < self._last_answered:
            # Asterisk serves requests in order, so this one was skipped.
            self._fail(request_id, RequestTimeoutError, _SKIPPED)
        else:
            self._timeouts.start(request_id)
            if pending.is_in_flight and self.on_slow is not None:
                self.on_slow()

    def _expire(self, pending: _PendingRequest) -> None:
        if pending.is_in_flight and self.on_timeout is not None:
            self.on_timeout()
        message = f"no answer within {self._timeout:g} seconds"
        self._fail(pending.request_id, RequestTimeoutError, message)

    def _fail(self, request_id: str, kind: type[AriError], message: str) -> None:
        pending = self._remove(request_id)
        # None: the errback of another request has cancelled it.
        if pending is not None:
            line, is_sent = pending.request.line, pending.is_in_flight
            pending.response.errback(
                kind(*line, message=message, outcome_unknown=is_sent)
            )
