"""Requests that outlast a lost connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import deferLater

from channel_aa.ari.wire.errors import (
    AriError,
    ConnectionLostError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime
    from twisted.python.failure import Failure

    from channel_aa.ari.wire.requests import IRequestSender, Request

RETRY_SECONDS = 1.0
"""The pause before a request that was not answered is sent again."""

MAX_TRIES = 3
"""How many times a request is sent while the connection is open."""

_CLOSED = "there is no connection"


class RetryingSender:
    """Sends the requests of calls, which outlive a connection.

    While the events websocket is closed no request is sent, since the events that
    follow it would be lost. The request is held until the websocket is open again,
    without a time limit. A request without a response is sent again if it is
    idempotent, or if it certainly did not reach Asterisk.

    A request that Asterisk refuses because of the user's rights (401, 403) was not
    executed. It is held, like all others from then on, and the websocket has to be
    closed.

    Args:
        sender: carries the requests.
        clock: times the pause between two tries.
        on_refused: called with each such refusal, in a later turn of the reactor; it
            has to close the websocket. ``None``: refusals are errors like others.
    """

    def __init__(
        self,
        sender: IRequestSender,
        *,
        clock: IReactorTime,
        on_refused: Callable[[UnauthorizedError], None] | None = None,
    ) -> None:
        self._sender = sender
        self._clock = clock
        self._on_refused = on_refused
        self._is_open = False
        self._holds_requests = True
        self._held: dict[Deferred[bytes], Request] = {}

    @property
    def held(self) -> int:
        """How many requests are held until the websocket is open."""
        return len(self._held)

    def is_held(self, response: Deferred[bytes]) -> bool:
        """Tell whether the request of this response is held, and has not been sent.

        Cancelling the response then withdraws the request.
        """
        return response in self._held

    def resume(self) -> None:
        """Send what is held, in its order: the websocket is open."""
        self._is_open = True
        held, self._held = self._held, {}
        for response in held:
            # Sending one request may have cancelled another.
            if not response.called:
                response.callback(b"")

    def pause(self) -> None:
        """Hold requests from now on: the websocket is closed."""
        self._is_open = False

    def stop_holding(self) -> None:
        """Fail requests at once, those held too, while the websocket is closed."""
        self._holds_requests = False
        held, self._held = self._held, {}
        for response, request in held.items():
            if not response.called:
                response.errback(ConnectionLostError(*request.line, message=_CLOSED))

    def start_holding(self) -> None:
        """Hold requests while the websocket is closed, as at the beginning."""
        self._holds_requests = True

    def send(self, request: Request, *, idempotent: bool = False) -> Deferred[bytes]:
        """Send a request; the result is the body of a successful response.

        Fires within a bounded time, not counting that without a connection.
        Cancelling it gives the response up. Errors: `AriError`.

        Args:
            request: the request.
            idempotent: whether the request may be sent again when it is unknown
                whether Asterisk has carried it out.
        """
        if not self._is_open:
            return self._send(request, idempotent, 1)
        # The hot path: hundreds of requests a second.
        return self._sender.send(request).addErrback(
            self._retry, request, idempotent, 1
        )

    def _send(self, request: Request, idempotent: bool, tries: int) -> Deferred[bytes]:  # noqa: FBT001 - a private one
        if not self._is_open:
            return self._hold(request).addCallback(
                lambda _: self._send(request, idempotent, tries)
            )
        return self._sender.send(request).addErrback(
            self._retry, request, idempotent, tries
        )

    def _hold(self, request: Request) -> Deferred[bytes]:
        if not self._holds_requests:
            return fail(ConnectionLostError(*request.line, message=_CLOSED))
        response: Deferred[bytes] = Deferred(self._withdraw)
        self._held[response] = request
        return response

    def _withdraw(self, response: Deferred[bytes]) -> None:
        self._held.pop(response, None)

    def _retry(
        self,
        failure: Failure,
        request: Request,
        idempotent: bool,  # noqa: FBT001 - passed by addErrback
        tries: int,
    ) -> Deferred[bytes]:
        error = failure.value
        if isinstance(error, UnauthorizedError) and self._on_refused is not None:
            self.pause()
            # What waits for this response can be cancelled only after this turn.
            self._clock.callLater(0.0, self._on_refused, error)
            may_repeat = True
        else:
            may_repeat = (
                isinstance(error, AriError)
                and error.status is None
                and (idempotent or not error.outcome_unknown)
            )
        if not may_repeat:
            return fail(failure)
        if not self._is_open:
            if not self._holds_requests:
                return fail(failure)
            return self._send(request, idempotent, 1)
        if tries >= MAX_TRIES:
            return fail(failure)
        return deferLater(self._clock, RETRY_SECONDS).addCallback(
            lambda _: self._send(request, idempotent, tries + 1)
        )
