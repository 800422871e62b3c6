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
    """Connects to one server, whatever a URL says."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:  # noqa: ARG002, N802 - Twisted's
        return self._endpoint


@implementer(IAgent)
class _PlainAgent:
    """Keeps from treq what Asterisk never sends: compressed bodies, and cookies.

    treq unpacks what is compressed, however long it becomes, and keeps cookies without
    a bound: a server that means ill would fill the memory with them.
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
        address: where ARI is served, and for whom.
        reactor: the reactor to connect and to keep time with.
        connections: how many requests may be on their way at once; further ones
            wait for their turn. Asterisk's HTTP server takes 100 connections in
            all unless http.conf says otherwise (``sessionlimit``), events
            websockets included, and closes those above with no reply.
        timeout: seconds a request may take, waiting for its turn included.
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
        # Any host will do: the endpoint and the Host header come from the address.
        # treq takes no address of IPv6 for one.
        self._base_url = f"http://asterisk{address.base_path}"
        self._headers = Headers(
            {"Authorization": [address.authorization], "Host": [address.netloc]}
        )
        self._headers_with_json = self._headers.copy()
        self._headers_with_json.addRawHeader("Content-Type", "application/json")
        self._address = address
        self._reactor = reactor
        self._timeout = timeout
        self._turns = DeferredSemaphore(connections)
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
        """How many requests have been sent and not answered yet."""
        return len(self._pending)

    @property
    def queued(self) -> int:
        """How many of these wait for their turn."""
        return len(self._turns.waiting)

    def send(self, request: Request) -> Deferred[bytes]:
        """Send a request; see `IRequestSender.send`."""

        def give_up(cancelled: Deferred[bytes]) -> None:
            # Depending on how far the exchange got, cancelling it alone would look
            # like an unknown host or a lost connection.
            cancelled.errback(CancelledError())
            exchange.cancel()

        def pass_on(result: Any) -> None:  # noqa: ANN401 - bytes or Failure
            if not answer.called:
                answer.callback(result)

        has_begun = False

        def begin() -> None:
            nonlocal has_begun
            has_begun = True

        answer: Deferred[bytes] = Deferred(give_up)
        exchange = Deferred.fromCoroutine(self._exchange(request, begin))
        exchange.addBoth(pass_on)

        def too_late(result: object, seconds: float) -> object:
            if not isinstance(result, Failure):
                return result
            return Failure(
                RequestTimeoutError(
                    request.method,
                    request.quoted_path,
                    message=f"no answer within {seconds:g} seconds",
                    may_be_done=has_begun,
                )
            )

        def lose() -> None:
            answer.errback(
                ConnectionLostError(
                    request.method,
                    request.quoted_path,
                    message="the connection to Asterisk was lost",
                    may_be_done=has_begun,
                )
            )
            exchange.cancel()

        answer.addTimeout(self._timeout, self._reactor, too_late)
        self._pending[answer] = lose

        def settled(result: object) -> object:
            self._pending.pop(answer, None)
            return result

        return answer.addBoth(settled)

    async def _exchange(self, request: Request, begin: Callable[[], None]) -> bytes:
        method, path = request.method, request.quoted_path
        headers, content = self._headers, None
        if request.body is not None:
            headers = self._headers_with_json
            content = _JsonBody(msgspec.json.encode(request.body))
        async with self._turns:
            begin()
            try:
                response = await self._http.request(
                    method,
                    f"{self._base_url}/{request.uri}",
                    headers=headers,
                    data=content,
                    # A redirect would carry the password to whatever it names.
                    allow_redirects=False,
                    unbuffered=True,
                    reactor=self._reactor,
                )
                collector = Body()
                response.deliverBody(collector)
                body = await collector.whole
            except _NO_ANSWER as error:
                raise ConnectionLostError(
                    method,
                    path,
                    message=_explain(error),
                    may_be_done=not isinstance(error, ConnectError | DNSLookupError),
                ) from error
        if response.code not in _SUCCESS:
            said = self._address.conceal(body.decode("utf-8", "replace"))
            raise error_for(method, path, response.code, said.encode())
        return body

    def lost(self) -> None:
        """Fail everything that is pending, and use no connection again.

        Where packets are dropped, each would wait for its timeout.
        """
        # The last one first: it must not get the turn of another.
        for answer, lose in reversed(list(self._pending.items())):
            if not answer.called:
                lose()
        self._pool.closeCachedConnections()

    async def _close(self) -> None:
        for answer in list(self._pending):
            answer.cancel()
        await self._pool.closeCachedConnections()

    def close(self) -> Deferred[None]:
        """Cancel what is pending, and close every connection."""
        return Deferred.fromCoroutine(self._close())


def _explain(error: BaseException) -> str:
    """Say why there was no answer: the HTTP client wraps several reasons into one."""
    reasons: list[Failure] = getattr(error, "reasons", [])
    cause = reasons[-1].value if reasons else error
    return str(cause) or type(cause).__name__
