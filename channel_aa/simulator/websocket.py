"""The events websockets: applications receive events and send requests there.

A request is a message, a RESTRequest, and so is its response, a RESTResponse.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.defer import Deferred

from channel_aa.simulator.responses import NoAnswerError, RefusedError, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autobahn.websocket.types import ConnectionRequest
    from twisted.python.failure import Failure

    from channel_aa.simulator.api import Api
    from channel_aa.simulator.event_bus import EventBus

MAX_PAYLOAD_BYTES = 65_527
"""What Asterisk reads in one frame: 65,535 bytes with its head, which takes 8."""

_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"})


@dataclass(kw_only=True)
class RestRequest:
    """A request in a message, as far as it could be read.

    Checks and messages are those that Asterisk 22.10.1 was seen to make, in its order.
    """

    request_id: str = ""
    method: str = ""
    path: str = ""
    """Below ``/ari/``, and still quoted."""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def read(self, payload: bytes) -> None:
        """Read a message.

        Raises:
            msgspec.DecodeError: it is no JSON object.
            RefusedError: it is no request.
        """
        message = msgspec.json.decode(payload, type=dict[str, Any] | list[Any])
        fields = message if isinstance(message, dict) else {}
        self.request_id = _text(fields, "request_id")
        if "type" not in fields:
            raise RefusedError(400, "No 'type' property.")
        if fields["type"] != "RESTRequest":
            raise RefusedError(400, "Unknown request type.")
        self.path, _, query = _text(fields, "uri").partition("?")
        if not self.path:
            raise RefusedError(400, "Empty or missing 'uri' property.")
        self.method = _text(fields, "method")
        if self.method not in _METHODS:
            raise RefusedError(400, "Unknown or missing 'method' property.")
        self.parameters = {
            **dict(parse_qsl(query, keep_blank_values=True)),
            **_query_strings(fields),
            **_body(fields),
        }
        if self.path == "events":
            raise RefusedError(400, "Can't upgrade to websocket from a websocket")

    def answered(self, response: Response, *, reason: str = "") -> dict[str, Any]:
        """Make the fields of its response; the reason is that of the status."""
        fields: dict[str, Any] = {
            "transaction_id": "",
            "request_id": self.request_id,
            "status_code": response.status,
            "reason_phrase": reason or HTTPStatus(response.status).phrase,
            "uri": self.path,
        }
        if response.content is not None:
            body = msgspec.json.encode(response.content).decode()
            fields |= {"content_type": "application/json", "message_body": body}
        return fields


class EventsProtocol(WebSocketServerProtocol):
    """One events websocket: the events of its applications, and their requests.

    Requests are served one after another, as Asterisk does: one that waits holds up
    the others. Binary messages are ignored.
    """

    factory: EventsFactory

    def __init__(self) -> None:
        super().__init__()
        self._applications: list[str] = []
        self._subscribes_to_all = False
        self._unserved: deque[bytes] = deque()
        self._is_serving = False

    def onConnect(self, request: ConnectionRequest) -> str | None:  # noqa: N802 - autobahn's name
        """Agree on the subprotocol, which is optional."""
        self._applications = application_names(request.params.get("app", ()))
        self._subscribes_to_all = request.params.get("subscribeAll") == ["true"]
        if request.protocols and "ari" not in request.protocols:
            raise ConnectionDeny(ConnectionDeny.BAD_REQUEST)
        return "ari" if request.protocols else None

    def onOpen(self) -> None:  # noqa: N802 - autobahn's name
        """Register the applications."""
        self.factory.sockets.add(self)
        for name in self._applications:
            self.factory.bus.register(
                name, self.send_event, subscribe_all=self._subscribes_to_all
            )

    def onMessage(  # noqa: N802 - autobahn's name
        self,
        payload: bytes,
        isBinary: bool,  # noqa: FBT001, N803 - autobahn's signature
    ) -> None:
        """Serve a request in its turn."""
        if self.factory.serves_requests and not isBinary:
            self._unserved.append(payload)
            if not self._is_serving:
                served = Deferred.fromCoroutine(self._serve_requests())
                served.addErrback(self._fail)

    def onClose(  # noqa: N802 - autobahn's name
        self,
        wasClean: bool,  # noqa: FBT001, N803, ARG002 - autobahn's signature
        code: int,  # noqa: ARG002
        reason: str,  # noqa: ARG002
    ) -> None:
        """Unregister the applications, and drop the requests not served yet."""
        self._unserved.clear()
        self.factory.sockets.discard(self)
        for name in self._applications:
            self.factory.bus.unregister(name, self.send_event)

    def send_event(self, event: bytes) -> None:
        """Send an encoded event."""
        if self.state == self.STATE_OPEN:
            self.sendMessage(event)

    async def _serve_requests(self) -> None:
        """Serve the requests that have come, and those that come meanwhile."""
        self._is_serving = True
        while self._unserved:
            try:
                self._respond(await self._serve(self._unserved.popleft()))
            except NoAnswerError:
                self.dropConnection(abort=True)
        self._is_serving = False

    async def _serve(self, message: bytes) -> Mapping[str, Any] | None:
        """Serve a request; returns the fields of the response. None: it is ignored.

        Raises:
            NoAnswerError: the connection is to be dropped.
        """
        request = RestRequest()
        try:
            request.read(message)
        except msgspec.DecodeError:
            reason = "Failed to parse request message JSON"
            return request.answered(Response(status=400), reason=reason)
        except RefusedError as error:
            return request.answered(error.response, reason="Bad request")
        api = self.factory.api
        api.requests += 1
        method, path = request.method, f"/{request.path}"
        if api.faults.ignores_over_websocket(method, path):
            return None
        return request.answered(await api.serve(method, path, request.parameters))

    def _fail(self, failure: Failure) -> Failure:
        self.dropConnection(abort=True)
        return failure

    def _respond(self, fields: Mapping[str, Any] | None) -> None:
        if fields is None:
            return
        message = self.factory.bus.response(self._applications[0], fields)
        if message is not None:
            self.send_event(message)


class EventsFactory(WebSocketServerFactory):
    """Makes the websockets, and keeps the open ones; see `Simulator`."""

    noisy = False

    def __init__(
        self,
        bus: EventBus,
        api: Api,
        *,
        serves_requests: bool,
        reactor: Any,  # noqa: ANN401 - autobahn takes any
    ) -> None:
        super().__init__(protocols=["ari"], reactor=reactor)
        self.protocol = EventsProtocol
        # Autobahn keeps its timers with the global reactor. None is needed: the
        # handshake has arrived before this begins, and stopping the server drops the
        # connections.
        self.setProtocolOptions(
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            maxFramePayloadSize=MAX_PAYLOAD_BYTES,
            failByDrop=False,
        )
        self.bus = bus
        self.serves_requests = serves_requests
        self.api = api
        self.sockets: set[EventsProtocol] = set()


def application_names(values: Iterable[str]) -> list[str]:
    """Read the ``app`` parameter: names with commas between them."""
    return [name for value in values for name in value.split(",") if name]


def _text(fields: Mapping[str, Any], name: str) -> str:
    """Get a text; empty if it is missing, or no text."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _query_strings(fields: Mapping[str, Any]) -> dict[str, str]:
    entries = fields.get("query_strings")
    if not isinstance(entries, list):
        return {}
    try:
        named = msgspec.convert(entries, list[dict[str, str]])
        return {each["name"]: each["value"] for each in named}
    except (msgspec.ValidationError, KeyError) as error:
        raise RefusedError(400, "Unable to parse 'query_strings' array.") from error


def _body(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    body = _text(fields, "message_body")
    if not body:
        return {}
    match _text(fields, "content_type"):
        case "":
            raise RefusedError(400, "No 'content_type' for 'message_body'.")
        case "application/json" as content_type:
            try:
                decoded = msgspec.json.decode(body)
            except msgspec.DecodeError as error:
                message = f"Unable to parse 'message_body' as '{content_type}'."
                raise RefusedError(400, message) from error
            return decoded if isinstance(decoded, dict) else {}
        case "application/x-www-form-urlencoded":
            return dict(parse_qsl(body, keep_blank_values=True))
        case _:
            raise RefusedError(400, "Unknown content type.")
