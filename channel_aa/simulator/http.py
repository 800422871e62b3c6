"""The simulated Asterisk's HTTP server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from autobahn.twisted.resource import WebSocketResource
from twisted.internet.defer import Deferred
from twisted.protocols.policies import WrappingFactory
from twisted.web.http import NO_CONTENT
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from channel_aa.simulator.responses import NoAnswerError, RefusedError, Response
from channel_aa.simulator.routes import describe
from channel_aa.simulator.websocket import EventsFactory, application_names

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from twisted.python.failure import Failure
    from twisted.web.server import Request

    from channel_aa.simulator.api import Api
    from channel_aa.simulator.state import PbxState

EVENTS_FIRST_SECONDS = 0.002
"""How much later than events an answer leaves that is to arrive after them."""

IDLE_SECONDS = 15
"""How long an idle connection is kept: Asterisk's ``session_keep_alive``."""

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Asterisk REST Interface"'}


class AriResource(Resource):
    """The resource ``/ari/…``; `events` makes the websockets of ``/ari/events``."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(
        self, state: PbxState, api: Api, events: EventsFactory, *, credentials: str
    ) -> None:
        super().__init__()
        self._state = state
        self._api = api
        self._websockets = WebSocketResource(events)
        self._credentials = credentials

    def render(self, request: Request) -> Any:  # noqa: ANN401 - bytes or a marker
        """Serve one request."""
        self._api.requests += 1
        try:
            return self._serve(request)
        except RefusedError as error:
            return self._write(request, error.response)
        except NoAnswerError:
            return _drop(request)

    def _serve(self, request: Request) -> Any:  # noqa: ANN401 - bytes or a marker
        path, query = self._check(request)
        method = request.method.decode("ascii", "replace")
        if path == "/events" and request.getHeader("upgrade"):
            self._api.fault_in(method, path)
            if not application_names([query.get("app", "")]):
                raise RefusedError(400, "HTTP request is missing param: [app]")
            return self._websockets.render(request)
        if path.startswith("/api-docs/"):
            return self._write(request, _documentation(request, path))
        parameters = {**query, **_parameters_in_body(request)}
        answer = self._api.serve(method, path, parameters)
        written = Deferred.fromCoroutine(self._write_later(request, answer))
        written.addErrback(_fail, request)
        return NOT_DONE_YET

    def _check(self, request: Request) -> tuple[str, dict[str, str]]:
        """Check a request before it is served.

        Returns:
            The path below ``/ari``, and the query's parameters.
        """
        if self._api.faults.is_booting:
            raise RefusedError(503, "Asterisk is starting")
        path, _, raw_query = request.uri.decode("ascii", "replace").partition("?")
        if not path.startswith("/ari/"):
            raise RefusedError(404, "Nothing but /ari/ is served here")
        query = dict(parse_qsl(raw_query, keep_blank_values=True))
        basic = b"%s:%s" % (request.getUser(), request.getPassword())
        if self._credentials not in {
            query.get("api_key"),
            basic.decode("utf-8", "replace"),
        }:
            raise RefusedError(401, "Authentication required", headers=_CHALLENGE)
        return path.removeprefix("/ari"), query

    async def _write_later(
        self, request: Request, answer: Coroutine[Deferred[Any], Any, Response]
    ) -> None:
        try:
            response = await answer
        except NoAnswerError:
            if request.channel is not None:
                _drop(request)
            return
        if response.events_are_first:
            await self._state.timers.passed(EVENTS_FIRST_SECONDS)
        if request.channel is not None:
            request.write(self._write(request, response))
            request.finish()

    def _write(self, request: Request, response: Response) -> bytes:
        """Write the head of a response; returns its body."""
        request.setResponseCode(response.status)
        request.setHeader("Server", f"Asterisk/{self._state.version}")
        request.setHeader("Cache-Control", "no-cache, no-store")
        for name, value in response.headers.items():
            request.setHeader(name, value)
        body = (
            b"" if response.content is None else msgspec.json.encode(response.content)
        )
        if body:
            request.setHeader("Content-Type", "application/json")
        if response.status != NO_CONTENT:
            request.setHeader("Content-Length", str(len(body)))
        return body


class Connections(WrappingFactory):
    """The server: keeps the open connections, and can drop them all."""

    noisy = False

    def __init__(self, resource: AriResource, *, reactor: Any) -> None:  # noqa: ANN401 - many interfaces
        super().__init__(QuietSite(resource, timeout=IDLE_SECONDS, reactor=reactor))

    def abort_all(self) -> None:
        """Drop every connection; over TCP they are gone in a later turn."""
        for connection in tuple(self.protocols):
            connection.transport.abortConnection()


class QuietSite(Site):
    """A site that keeps no access log."""

    noisy = False

    def log(self, request: Any) -> None:  # noqa: ANN401 - Twisted's
        """Write nothing."""


def _parameters_in_body(request: Request) -> Mapping[str, Any]:
    content = request.content.read() if request.content is not None else b""
    if not content:
        return {}
    content_type = (request.getHeader("content-type") or "").partition(";")[0]
    match content_type.strip().lower():
        case "application/x-www-form-urlencoded":
            return dict(parse_qsl(content.decode("utf-8", "replace")))
        case "application/json":
            try:
                decoded = msgspec.json.decode(content)
            except msgspec.DecodeError as error:
                message = "Error parsing request body"
                raise RefusedError(400, message) from error
            return decoded if isinstance(decoded, dict) else {}
        case _:
            return {}


def _documentation(request: Request, path: str) -> Response:
    host = request.getHeader("host") or ""
    document = describe(f"http://{host}/ari").get(path.removeprefix("/api-docs/"))
    if document is None:
        raise RefusedError(404, "Resource not found")
    return Response(content=document)


def _fail(failure: Failure, request: Request) -> None:
    request.processingFailed(failure)  # which returns the failure


def _drop(request: Request) -> int:
    """Drop the request's connection without an answer."""
    request.channel.forceAbortClient()
    return NOT_DONE_YET
