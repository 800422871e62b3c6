"""Requests to Asterisk over the events websocket.

Asterisk serves them since 20.14, 21.9 and 22.4, at a tenth of the cost of HTTP, and
one after another: see `channel_aa.ari.wire.routing` for what must not go this way.
"""

from __future__ import annotations

from collections import deque
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

    from channel_aa.ari.events import RESTResponse
    from channel_aa.ari.wire.requests import Request

MAX_FRAME_BYTES = 65_527
"""The longest payload of a frame to Asterisk. It closes the websocket (code 1009) at a
frame of more than 65,535 bytes, the 8 of its head included (seen on 22.10.1)."""

SLOW_SECONDS = 1.0
"""After how long a request counts as slow that is answered in milliseconds."""

_SUCCESS = range(200, 300)


class FrameTooLongError(ValueError):
    """A request that does not fit into a frame; nothing was sent."""


class _RESTRequest(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="RESTRequest"
):
    request_id: str
    method: str
    uri: str
    content_type: str | None = None
    message_body: str | None = None


class _Sent:
    """A request on its way, or waiting to be."""

    __slots__ = ("answer", "frame", "is_on_its_way", "number", "request")

    def __init__(
        self,
        number: str,
        request: Request,
        frame: bytes,
        answer: Deferred[bytes],
    ) -> None:
        self.number = number
        self.request = request
        self.frame = frame
        self.answer = answer
        self.is_on_its_way = False


_encode = msgspec.json.Encoder().encode


@implementer(IRequestSender)
class WebSocketSender:
    """Sends requests over a websocket that somebody else keeps open.

    Args:
        send: sends one text message over the websocket.
        clock: what the timeout is kept with.
        timeout: seconds a request may take, waiting for its turn included. What goes
            this way is answered in milliseconds.
        in_flight: how many requests may be on their way at once; further ones wait
            for their turn.

    Attributes:
        answers: how many answers have arrived.
    """

    on_timeout: Callable[[], None] | None = None
    """Called when a request that was on its way has not been answered in time."""

    on_slow: Callable[[], None] | None = None
    """Called when one has not been answered within `SLOW_SECONDS`."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        *,
        clock: IReactorTime,
        timeout: float = 5.0,
        in_flight: int = 1000,
    ) -> None:
        self._send = send
        self._timeout = timeout
        self._in_flight = in_flight
        self._numbers = count(1)
        self._unanswered: dict[str, _Sent] = {}
        self._queue: deque[_Sent] = deque()
        self._on_their_way = 0
        self._alarms = Timeouts(timeout, self._expire, clock=clock)
        self._slow = Timeouts(SLOW_SECONDS, self._take_long, clock=clock)
        self._last_answered = 0
        self.answers = 0

    @property
    def pending(self) -> int:
        """How many requests have been sent and not answered yet."""
        return len(self._unanswered)

    @property
    def queued(self) -> int:
        """How many of these wait for their turn."""
        return len(self._unanswered) - self._on_their_way

    def send(self, request: Request) -> Deferred[bytes]:
        """Send a request; see `IRequestSender.send`.

        Raises:
            FrameTooLongError: it cannot go this way.
        """
        number = str(next(self._numbers))
        if request.body is None:
            message = _RESTRequest(
                request_id=number, method=request.method, uri=request.uri
            )
        else:
            message = _RESTRequest(
                request_id=number,
                method=request.method,
                uri=request.uri,
                content_type="application/json",
                message_body=_encode(request.body).decode(),
            )
        frame = _encode(message)
        if len(frame) > MAX_FRAME_BYTES:
            raise FrameTooLongError(f"{request.method} {request.quoted_path}")

        def give_up(_answer: Deferred[bytes]) -> None:
            self._forget(number)

        sent = _Sent(number, request, frame, Deferred(give_up))
        self._unanswered[number] = sent
        self._alarms.set(number)
        self._slow.set(number)
        if self._on_their_way < self._in_flight:
            self._put_on_its_way(sent)
        else:
            self._queue.append(sent)
        return sent.answer

    def answered(self, response: RESTResponse) -> None:
        """Take an answer; one that nobody waits for any more is dropped."""
        self.answers += 1
        sent = self._forget(response.request_id)
        if sent is None:
            return
        self._last_answered = int(sent.number)
        body = response.message_body.encode()
        if response.status_code in _SUCCESS:
            sent.answer.callback(body)
        else:
            request = sent.request
            sent.answer.errback(
                error_for(
                    request.method, request.quoted_path, response.status_code, body
                )
            )

    def lost(self) -> None:
        """Fail everything that is pending: the websocket has closed."""
        self._queue.clear()
        for number, sent in list(self._unanswered.items()):
            if self._forget(number) is None:
                continue  # Another one's errback has cancelled it.
            request = sent.request
            sent.answer.errback(
                ConnectionLostError(
                    request.method,
                    request.quoted_path,
                    message="the websocket closed before the answer came",
                    may_be_done=sent.is_on_its_way,
                )
            )

    def give_up(self) -> None:
        """Fail everything that is pending: it is not going to be answered."""
        self._queue.clear()
        for number in list(self._unanswered):
            self._give_up(number, "requests over the websocket are not answered")

    def close(self) -> Deferred[None]:
        """Cancel what is pending."""
        self._queue.clear()
        for sent in list(self._unanswered.values()):
            sent.answer.cancel()
        return succeed(None)

    def _put_on_its_way(self, sent: _Sent) -> None:
        sent.is_on_its_way = True
        self._on_their_way += 1
        self._send(sent.frame)

    def _forget(self, number: str) -> _Sent | None:
        sent = self._unanswered.pop(number, None)
        self._alarms.take_back(number)
        self._slow.take_back(number)
        if sent is not None and sent.is_on_its_way:
            self._on_their_way -= 1
            while self._queue and self._on_their_way < self._in_flight:
                waiting = self._queue.popleft()
                # One that was given up, or is about to be, needs no turn.
                if not self._alarms.is_due(waiting.number):
                    self._put_on_its_way(waiting)
        return sent

    def _take_long(self, number: str) -> None:
        """See to one that has been unanswered for long, and will be for longer."""
        if not self._unanswered[number].is_on_its_way:
            return
        # Asterisk serves one after another.
        if int(number) < self._last_answered:
            self._give_up(number, "a later one was answered, this one was not")
            return
        self._slow.set(number)
        if self.on_slow is not None:
            self.on_slow()

    def _expire(self, number: str) -> None:
        if self._unanswered[number].is_on_its_way and self.on_timeout is not None:
            self.on_timeout()
        self._give_up(number, f"no answer within {self._timeout:g} seconds")

    def _give_up(self, number: str, why: str) -> None:
        sent = self._forget(number)
        if sent is not None:
            request = sent.request
            sent.answer.errback(
                RequestTimeoutError(
                    request.method,
                    request.quoted_path,
                    message=why,
                    may_be_done=sent.is_on_its_way,
                )
            )
