"""Requests to Asterisk over HTTP, with treq."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from treq.client import HTTPClient
from treq.content import content
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    HTTPConnectionPool,
    PartialDownloadError,
    RequestTransmissionFailed,
    ResponseFailed,
    _HTTP11ClientFactory,
)
from twisted.web.http_headers import Headers
from zope.interface import implementer

from channel_aa.ari.errors import ConnectionLostError, RequestTimeoutError, error_for
from channel_aa.ari.requests import IRequestSender

if TYPE_CHECKING:
    from typing import Any

    from channel_aa.ari.requests import Request

IDLE_SECONDS = 10
"""How long an idle connection is kept; Asterisk closes one silently after its
``session_keep_alive``, 15 seconds unless http.conf says otherwise."""

_SUCCESS = range(200, 300)

_NO_ANSWER = (
    ConnectError,
    ConnectionClosed,
    DNSLookupError,
    PartialDownloadError,
    RequestTransmissionFailed,
    ResponseFailed,
)


class _QuietFactory(_HTTP11ClientFactory):
    """Makes HTTP connections without a line in the log for each."""

    noisy = False


@implementer(IRequestSender)
class HttpSender:
    """Sends requests over a pool of HTTP connections.

    Args:
        base_url: where ARI is served: ``http://localhost:8088/ari``.
        authorization: the value of the ``Authorization`` header.
        reactor: the reactor to connect and to keep time with.
        connections: how many requests may be on their way at once; further ones
            wait for their turn. Asterisk's HTTP server takes 100 connections in
            all unless http.conf says otherwise (``sessionlimit``), events
            websockets included, and closes those above with no reply.
        timeout: seconds a request may take, waiting for its turn included.
    """

    def __init__(
        self,
        *,
        base_url: str,
        authorization: str,
        reactor: Any,  # noqa: ANN401 - IReactorTime, IReactorTCP and more at once
        connections: int = 64,
        timeout: float = 10.0,
    ) -> None:
        self._base_url = base_url
        self._headers = Headers({"Authorization": [authorization]})
        self._headers_with_json = self._headers.copy()
        self._headers_with_json.addRawHeader("Content-Type", "application/json")
        self._reactor = reactor
        self._timeout = timeout
        self._turns = DeferredSemaphore(connections)
        self._pending: set[Deferred[bytes]] = set()
        self._pool = HTTPConnectionPool(reactor, persistent=True)
        self._pool.cachedConnectionTimeout = IDLE_SECONDS
        self._pool.maxPersistentPerHost = connections
        self._pool._factory = _QuietFactory  # noqa: SLF001 - the only way to silence it
        agent = Agent(reactor, connectTimeout=timeout, pool=self._pool)
        self._http = HTTPClient(agent)

    @property
    def pending(self) -> int:
        """How many requests have been sent and not answered yet."""
        return len(self._pending)

    def send(self, request: Request) -> Deferred[bytes]:
        """Send a request; see `IRequestSender.send`."""
        answer = Deferred.fromCoroutine(self._exchange(request))

        def too_late(result: object, seconds: float) -> object:
            if not isinstance(result, Failure):
                return result
            message = f"no answer within {seconds:g} seconds"
            return Failure(
                RequestTimeoutError(
                    request.method, request.quoted_path, message=message
                )
            )

        answer.addTimeout(self._timeout, self._reactor, too_late)
        self._pending.add(answer)

        def settled(result: object) -> object:
            self._pending.discard(answer)
            return result

        return answer.addBoth(settled)

    async def _exchange(self, request: Request) -> bytes:
        method, path = request.method, request.quoted_path
        has_body = request.body is not None
        async with self._turns:
            try:
                response = await self._http.request(
                    method,
                    f"{self._base_url}/{request.uri}",
                    headers=self._headers_with_json if has_body else self._headers,
                    data=msgspec.json.encode(request.body) if has_body else None,
                    # A redirect would carry the password to whatever it names.
                    allow_redirects=False,
                    unbuffered=True,
                    reactor=self._reactor,
                )
                body: bytes = await content(response)
            except _NO_ANSWER as error:
                if _was_cancelled(error):
                    raise CancelledError from error
                raise ConnectionLostError(
                    method, path, message=_explain(error)
                ) from error
        if response.code not in _SUCCESS:
            raise error_for(method, path, response.code, body)
        return body

    async def _close(self) -> None:
        for answer in list(self._pending):
            answer.cancel()
        await self._pool.closeCachedConnections()

    def close(self) -> Deferred[None]:
        """Cancel what is pending, and close every connection."""
        return Deferred.fromCoroutine(self._close())


def _causes(error: BaseException) -> list[BaseException]:
    """Give the errors that the HTTP client wrapped into one, or the error itself."""
    reasons: list[Failure] = getattr(error, "reasons", [])
    return [reason.value for reason in reasons if reason.value] or [error]


def _was_cancelled(error: BaseException) -> bool:
    return any(
        isinstance(cause, CancelledError | ConnectingCancelledError)
        for cause in _causes(error)
    )


def _explain(error: BaseException) -> str:
    cause = _causes(error)[-1]
    return str(cause) or type(cause).__name__
