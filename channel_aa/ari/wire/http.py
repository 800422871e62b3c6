"""Requests to Asterisk over HTTP, with treq."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore, succeed
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    HTTPConnectionPool,
    RequestTransmissionFailed,
    ResponseFailed,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer
from zope.interface import implementer

from channel_aa.ari.wire.errors import (
    ConnectionLostError,
    RequestTimeoutError,
    error_for,
)
from channel_aa.ari.wire.http_limits import AnswerTooLongError, Body, ConnectionFactory
from channel_aa.ari.wire.requests import IRequestSender

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from twisted.internet.interfaces import IConsumer, IStreamClientEndpoint
    from twisted.web.client import URI
    from twisted.web.iweb import IResponse

    from channel_aa.ari.wire.address import Address
    from channel_aa.ari.wire.errors import AriError
    from channel_aa.ari.wire.requests import Request

IDLE_SECONDS = 10
"""How long an idle connection is kept; Asterisk closes one silently after its
``session_keep_alive``, 15 seconds unless http.conf says otherwise."""

_SUCCESS = range(200, 300)

_NO_ANSWER = (
    AnswerTooLongError,
    ConnectError,
    ConnectionClosed,
    DNSLookupError,
    RequestTransmissionFailed,
    ResponseFailed,
)


@implementer(IAgentEndpointFactory)
class _OneEndpoint:
    """Connects to one server, whatever the URL."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:  # noqa: ARG002, N802 - Twisted's
        return self._endpoint


@implementer(IAgent)
class _PlainAgent:
    """Hides from treq what Asterisk never sends: compressed bodies, and cookies.

    treq decompresses bodies and stores cookies without a limit: a malicious server
    could fill the memory.
    """

    def __init__(self, agent: IAgent) -> None:
        self._agent = agent

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,  # noqa: N803 - Twisted's name
    ) -> Deferred[IResponse]:
        if headers is not None:
            headers.removeHeader("Accept-Encoding")
        return self._agent.request(method, uri, headers, bodyProducer).addCallback(
            _plain
        )


@implementer(IBodyProducer)
class _JsonBody:
    """A request's body, written in one piece: it is short.

    treq's own producer would write it in a later turn of the global reactor.
    """

    def __init__(self, content: bytes) -> None:
        self.length = len(content)
        self._content = content

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:  # noqa: N802 - Twisted's
        """Write it."""
        consumer.write(self._content)
        return succeed(None)

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's
        """Do nothing: all is written."""

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's
        """Do nothing: all is written."""

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's
        """Do nothing: all is written."""


def _plain(response: IResponse) -> IResponse:
    for name in ("Content-Encoding", "Set-Cookie"):
        response.headers.removeHeader(name)
    return response


@implementer(IRequestSender)
class HttpSender:
    """Sends requests over a pool of HTTP connections.

    Args:
        address: the URL of ARI, and the credentials.
        reactor: the reactor to connect and to keep time with.
        connections: how many requests may be in flight at once; further ones are
            queued. Asterisk's HTTP server accepts 100 connections in all unless
            http.conf says otherwise (``sessionlimit``), events websockets included,
            and closes further ones without a response.
        timeout: seconds a request may take, its time in the queue included.
        endpoint: connects to the server; by default that of the address.
    """

    def __init__(
        self,
        address: Address,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTime, IReactorTCP and more at once
        connections: int = 64,
        timeout: float = 10.0,
        endpoint: IStreamClientEndpoint | None = None,
    ) -> None:
        # The host is a placeholder: the endpoint and the Host header come from the
        # address, and treq accepts no IPv6 address in a URL.
        self._base_url = f"http://asterisk{address.base_path}"
        self._headers = Headers(
            {"Authorization": [address.authorization], "Host": [address.netloc]}
        )
        self._headers_with_json = self._headers.copy()
        self._headers_with_json.addRawHeader("Content-Type", "application/json")
        self._address = address
        self._reactor = reactor
        self._timeout = timeout
        self._semaphore = DeferredSemaphore(connections)
        self._pending: dict[Deferred[bytes], Callable[[], None]] = {}
        self._pool = HTTPConnectionPool(reactor, persistent=True)
        self._pool.cachedConnectionTimeout = IDLE_SECONDS
        self._pool.maxPersistentPerHost = connections
        self._pool._factory = ConnectionFactory  # noqa: SLF001 - the only way to silence it
        agent = Agent.usingEndpointFactory(
            reactor,
            _OneEndpoint(endpoint or address.endpoint(reactor)),
            pool=self._pool,
        )
        self._http = HTTPClient(_PlainAgent(agent))

    @property
    def pending(self) -> int:
        """How many requests have no response yet."""
        return len(self._pending)

    @property
    def queued(self) -> int:
        """How many of these have not been sent yet."""
        return len(self._semaphore.waiting)

    def send(self, request: Request) -> Deferred[bytes]:
        """Send a request; see `IRequestSender.send`."""

        def cancel(cancelled: Deferred[bytes]) -> None:
            # Cancelling the exchange alone may fail with DNSLookupError or
            # ConnectionLostError, depending on its progress.
            cancelled.errback(CancelledError())
            exchange.cancel()

        def respond(result: Any) -> None:  # noqa: ANN401 - bytes or Failure
            if not response.called:
                response.callback(result)

        is_sent = False

        def mark_sent() -> None:
            nonlocal is_sent
            is_sent = True

        response: Deferred[bytes] = Deferred(cancel)
        exchange = Deferred.fromCoroutine(self._exchange(request, mark_sent))
        exchange.addBoth(respond)

        def error(kind: type[AriError], message: str) -> AriError:
            return kind(*request.line, message=message, outcome_unknown=is_sent)

        def time_out(result: object, seconds: float) -> object:
            if not isinstance(result, Failure):
                return result
            message = f"no answer within {seconds:g} seconds"
            return Failure(error(RequestTimeoutError, message))

        def lose() -> None:
            message = "the connection to Asterisk was lost"
            response.errback(error(ConnectionLostError, message))
            exchange.cancel()

        response.addTimeout(self._timeout, self._reactor, time_out)
        self._pending[response] = lose

        def remove(result: object) -> object:
            self._pending.pop(response, None)
            return result

        return response.addBoth(remove)

    async def _exchange(self, request: Request, mark_sent: Callable[[], None]) -> bytes:
        headers, content = self._headers, None
        if request.body is not None:
            headers = self._headers_with_json
            content = _JsonBody(msgspec.json.encode(request.body))
        async with self._semaphore:
            mark_sent()
            try:
                response = await self._http.request(
                    request.method,
                    f"{self._base_url}/{request.uri}",
                    headers=headers,
                    data=content,
                    # A redirect would send the password to another server.
                    allow_redirects=False,
                    unbuffered=True,
                    reactor=self._reactor,
                )
                collector = Body()
                response.deliverBody(collector)
                body = await collector.whole
            except _NO_ANSWER as error:
                is_sent = not isinstance(error, ConnectError | DNSLookupError)
                message = self._address.conceal(_explain(error))
                raise ConnectionLostError(
                    *request.line, message=message, outcome_unknown=is_sent
                ) from error
        if response.code not in _SUCCESS:
            raise error_for(
                *request.line, response.code, body, conceal=self._address.conceal
            )
        return body

    def fail_pending(self) -> None:
        """Fail every pending request, and drop the idle connections.

        If the network drops packets, each would wait for its timeout.
        """
        # The last one first: it must not be sent in the place of an earlier one.
        for response, lose in reversed(list(self._pending.items())):
            if not response.called:
                lose()
        self._pool.closeCachedConnections()

    def close(self) -> Deferred[None]:
        """Cancel every pending request, and close every connection."""
        for response in list(self._pending):
            response.cancel()
        closed: Deferred[None] = self._pool.closeCachedConnections()
        return closed


def cause_of(error: BaseException) -> BaseException:
    """Return why there was no response: Twisted's HTTP client wraps the reasons."""
    reasons: list[Failure] = getattr(error, "reasons", [])
    cause: BaseException | None = reasons[-1].value if reasons else None
    return cause or error


def _explain(error: BaseException) -> str:
    cause = cause_of(error)
    return str(cause) or type(cause).__name__
