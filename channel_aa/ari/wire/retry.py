"""Requests that outlast a lost connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import deferLater

from channel_aa.ari.wire.errors import AriError, ConnectionLostError

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime
    from twisted.python.failure import Failure

    from channel_aa.ari.wire.requests import IRequestSender, Request

RETRY_SECONDS = 1.0
"""How long to wait before a request that was not answered is sent again."""

MAX_TRIES = 3
"""How many times one is sent on a connection that is there."""


class RetryingSender:
    """Sends the requests of calls, which outlive a connection.

    Without the events websocket nothing is sent: what a request began could not be
    followed. It waits until the websocket is open again, however long that takes.
    A request that got no answer, and that may be sent twice, is sent again; one
    that certainly has not reached Asterisk always is.

    Args:
        sender: what carries the requests.
        clock: what the pause before another try is kept with.
    """

    def __init__(self, sender: IRequestSender, *, clock: IReactorTime) -> None:
        self._sender = sender
        self._clock = clock
        self._is_open = False
        self._may_wait = True
        self._waiting: dict[Deferred[bytes], Request] = {}

    @property
    def waiting(self) -> int:
        """How many requests wait for the connection."""
        return len(self._waiting)

    def is_waiting(self, answer: Deferred[bytes]) -> bool:
        """Tell whether a request, of which this is the answer, has not left yet.

        Cancelling the answer then takes it back.
        """
        return answer in self._waiting

    def opened(self) -> None:
        """Take note that there is a connection: what waits is sent, in its order."""
        self._is_open = True
        waiting, self._waiting = self._waiting, {}
        for answer in waiting:
            # One that was sent may have taken back another.
            if not answer.called:
                answer.callback(b"")

    def lost(self) -> None:
        """Take note that there is none."""
        self._is_open = False

    def stop_waiting(self) -> None:
        """Have requests fail at once from now on, where there is no connection."""
        self._may_wait = False
        waiting, self._waiting = self._waiting, {}
        for answer, request in waiting.items():
            if not answer.called:
                answer.errback(_no_connection(request))

    def wait_again(self) -> None:
        """Have requests wait for a connection, as at the beginning."""
        self._may_wait = True

    def send(self, request: Request, *, again: bool = False) -> Deferred[bytes]:
        """Send a request; the result is the body of a successful answer.

        Fires within a bounded time, that without a connection not counted.
        Errors: those of `channel_aa.ari.wire.errors`. Cancelling it gives the
        answer up.

        Args:
            request: what is asked.
            again: whether it may be sent again where nobody knows if it was
                carried out: to do it twice is to do it once.
        """
        if not self._is_open:
            return self._send(request, again, 1)
        # The usual way, which is gone a thousand times a second.
        return self._sender.send(request).addErrback(self._failed, request, again, 1)

    def _send(self, request: Request, again: bool, tries: int) -> Deferred[bytes]:  # noqa: FBT001 - a private one
        if not self._is_open:
            return self._wait(request).addCallback(
                lambda _: self._send(request, again, tries)
            )
        return self._sender.send(request).addErrback(
            self._failed, request, again, tries
        )

    def _wait(self, request: Request) -> Deferred[bytes]:
        if not self._may_wait:
            return fail(_no_connection(request))
        answer: Deferred[bytes] = Deferred(self._taken_back)
        self._waiting[answer] = request
        return answer

    def _taken_back(self, answer: Deferred[bytes]) -> None:
        self._waiting.pop(answer, None)

    def _failed(
        self,
        failure: Failure,
        request: Request,
        again: bool,  # noqa: FBT001 - passed by addErrback
        tries: int,
    ) -> Deferred[bytes]:
        error = failure.value
        if not isinstance(error, AriError) or error.status is not None:
            return fail(failure)
        if error.may_be_done and not again:
            return fail(failure)
        if not self._is_open:
            return self._send(request, again, 1) if self._may_wait else fail(failure)
        if tries >= MAX_TRIES:
            return fail(failure)
        return deferLater(self._clock, RETRY_SECONDS).addCallback(
            lambda _: self._send(request, again, tries + 1)
        )


def _no_connection(request: Request) -> ConnectionLostError:
    return ConnectionLostError(
        request.method, request.quoted_path, message="there is no connection"
    )
