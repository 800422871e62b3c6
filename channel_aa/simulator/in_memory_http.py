"""Requests and answers as HTTP carries them, without a socket; see `InMemoryLink`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

import msgspec
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from channel_aa.ari.wire.errors import (
    ConnectionLostError,
    RequestTimeoutError,
    error_for,
)
from channel_aa.ari.wire.requests import IRequestSender
from channel_aa.simulator.api import RefusedError, Response
from channel_aa.simulator.direction import Direction
from channel_aa.simulator.http import EVENTS_FIRST_SECONDS
from channel_aa.simulator.request_handler import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

    from channel_aa.ari.wire.errors import AriError
    from channel_aa.ari.wire.requests import Request
    from channel_aa.simulator.api import Answer
    from channel_aa.simulator.in_memory import InMemoryLink

TIMEOUT_SECONDS = 10.0
"""How long a request may take, as with `channel_aa.ari.wire.http.HttpSender`."""

_SUCCESS = range(200, 300)


@implementer(IRequestSender)
class InMemorySender:
    """Carries requests as HTTP does; made by a `InMemoryLink`."""

    queued = 0
    """None waits for its turn: connections are not limited."""

    def __init__(self, line: InMemoryLink) -> None:
        self._line = line
        self._exchanges: dict[_Exchange, None] = {}  # in the order they began

    @property
    def pending(self) -> int:
        """How many requests have been sent and not answered yet."""
        return len(self._exchanges)

    def send(self, request: Request) -> Deferred[bytes]:
        """Send a request; see `IRequestSender.send`."""
        exchange = _Exchange(
            self._line, request, forget=lambda: self._exchanges.pop(exchange)
        )
        self._exchanges[exchange] = None
        exchange.begin()
        return exchange.answer

    def drop(self) -> None:
        """Lose every request that is under way."""
        for exchange in tuple(self._exchanges):
            exchange.break_off("the connection broke")

    def lost(self) -> None:
        """Fail what is pending; see `IRequestSender.lost`."""
        self.drop()

    def close(self) -> Deferred[None]:
        """Cancel what is pending."""
        for exchange in tuple(self._exchanges):
            exchange.answer.cancel()
        return succeed(None)


class _Exchange:
    """A request and its answer: at most one timer beside that of its timeout."""

    def __init__(
        self, line: InMemoryLink, request: Request, *, forget: Callable[[], object]
    ) -> None:
        self.answer: Deferred[bytes] = Deferred(lambda _: self._end())
        self._line = line
        self._request = request
        self._forget = forget
        self._is_broken = False
        self._timer: IDelayedCall | None = None
        self._timeout = line.clock.callLater(TIMEOUT_SECONDS, self._expire)

    def begin(self) -> None:
        if self._line.is_cut:
            self.break_off("the connection was refused", may_be_done=False)
        else:
            self._after(self._line.delay(Direction.REQUEST), self._serve)

    def break_off(self, message: str, *, may_be_done: bool = True) -> None:
        """Lose the connection; the client learns of it in a later turn."""
        if self._is_broken:
            return
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._after(
            0.0,
            lambda: self._fail(ConnectionLostError, message, may_be_done=may_be_done),
        )
        self._is_broken = True

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        if not self._is_broken:
            self._timer = self._line.clock.callLater(seconds, call)

    def _serve(self) -> None:
        try:
            answer = self._ask()
        except RefusedError as error:
            answer = error.response
        except NoAnswerError:
            self.break_off("closed with no answer")
            return
        later = answer if isinstance(answer, Deferred) else succeed(answer)
        later.addCallbacks(self._send_back, self._lost)

    def _ask(self) -> Answer:
        """Ask with what is left of a request on the wire: text."""
        simulator, request = self._line.simulator, self._request
        desk = simulator.handler
        desk.requests += 1
        if simulator.is_booting:
            raise RefusedError(503, "Asterisk is starting")
        path, _, query = request.uri.partition("?")
        desk.check(f"/ari/{path}")
        fault = desk.fault_in(request.method, f"/{path}")
        segments = [unquote(each) for each in path.split("/")]
        parameters = {
            **dict(parse_qsl(query, keep_blank_values=True)),
            **_parameters_in(request.body),
        }
        return desk.serve(request.method, segments, parameters, fault)

    def _send_back(self, response: Response) -> None:
        content = response.content
        body = b"" if content is None else msgspec.json.encode(content)

        def leave() -> None:
            self._after(
                self._line.delay(Direction.ANSWER),
                lambda: self._answered(response.status, body),
            )

        if response.events_are_first:
            timers = self._line.simulator.state.environment.timers
            self._after(EVENTS_FIRST_SECONDS / timers.speed, leave)
        else:
            leave()

    def _lost(self, failure: Failure) -> None:
        failure.trap(NoAnswerError)
        self.break_off("closed with no answer")

    def _answered(self, status: int, body: bytes) -> None:
        self._end()
        if status in _SUCCESS:
            self.answer.callback(body)
        else:
            request = self._request
            error = error_for(request.method, request.quoted_path, status, body)
            self.answer.errback(error)

    def _expire(self) -> None:
        message = f"no answer within {TIMEOUT_SECONDS:g} seconds"
        self._fail(RequestTimeoutError, message, may_be_done=True)

    def _fail(self, kind: type[AriError], message: str, *, may_be_done: bool) -> None:
        self._end()
        method, path = self._request.method, self._request.quoted_path
        self.answer.errback(
            kind(method, path, message=message, may_be_done=may_be_done)
        )

    def _end(self) -> None:
        """Let nothing more happen on the client's side."""
        self._is_broken = True
        for timer in (self._timeout, self._timer):
            if timer is not None and timer.active():
                timer.cancel()
        self._forget()


def _parameters_in(body: object) -> Mapping[str, Any]:
    """Read a body as it arrives, as JSON; what is no object has no parameters."""
    if body is None:
        return {}
    decoded = msgspec.json.decode(msgspec.json.encode(body))
    return decoded if isinstance(decoded, dict) else {}
