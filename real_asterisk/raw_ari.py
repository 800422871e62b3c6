"""A minimal ARI client: requests, and events as they arrive.

It shares no code with channel_aa's client, so that neither hides the other's errors.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import treq
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString
from twisted.web.client import HTTPConnectionPool
from twisted.web.http_headers import Headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.interfaces import IAddress
    from twisted.internet.posixbase import PosixReactorBase

SECONDS = 30.0
"""How many seconds a response or an event may take."""


@dataclass(frozen=True)
class Response:
    """Asterisk's response to a request."""

    status: int
    json: Any
    """The body; None where there is none."""
    sent: float
    """When the request was sent, in the reactor's time."""

    received: float
    """When the response was complete, in the reactor's time."""

    @property
    def seconds(self) -> float:
        """How long the request took."""
        return self.received - self.sent

    @property
    def error(self) -> tuple[int, str]:
        """The status and the message of an error response."""
        return self.status, self.json["message"]


@dataclass(frozen=True)
class Event:
    """An event of the websocket, decoded from JSON."""

    json: Mapping[str, Any]
    received: float
    """When it arrived, in the reactor's time."""

    @property
    def type(self) -> str:
        kind: str = self.json["type"]
        return kind

    def is_about(self, resource_id: str) -> bool:
        """Say whether it is about the channel, playback, bridge … of this id.

        A recording is identified by its name; a dialled channel is a ``peer``.
        """
        keys = ("channel", "playback", "peer", "bridge", "recording")
        resources = (self.json.get(key, {}) for key in keys)
        return any(
            resource_id in {resource.get("id"), resource.get("name")}
            for resource in resources
        )


class RefusedError(Exception):
    """The websocket was refused; the arguments are the HTTP status and the body."""


class NoEventError(Exception):
    """The awaited event did not come; the message lists the events that did."""


class Events(WebSocketClientProtocol):
    """An events websocket; keeps all its events in the order of their arrival."""

    def __init__(self, reactor: PosixReactorBase) -> None:
        super().__init__()
        self.all: list[Event] = []
        self.opened: Deferred[None] = Deferred()
        self.closed: Deferred[int] = Deferred()
        """Fires with the close code of the websocket."""
        self._reactor = reactor
        self._requests = 0
        self._waiters: dict[Deferred[Event], Callable[[Event], bool]] = {}

    async def wait_for(self, wanted: Callable[[Event], bool]) -> Event:
        """Return the first event for which ``wanted`` is true, past or future.

        Raises:
            NoEventError: there was none within `SECONDS`, or the websocket is closed.
        """
        for event in self.all:
            if wanted(event):
                return event
        if self.closed.called:
            raise NoEventError("the websocket is closed")
        waiter: Deferred[Event] = Deferred()
        self._waiters[waiter] = wanted
        try:
            return await waiter.addTimeout(SECONDS, self._reactor)
        except Exception as error:
            seen = "\n".join(json.dumps(event.json) for event in self.all)
            raise NoEventError(f"no such event; these came:\n{seen}") from error
        finally:
            del self._waiters[waiter]

    async def wait_for_type(self, kind: str, about: str) -> Event:
        """Return the first event of a type about the resource of an id."""
        return await self.wait_for(lambda it: it.type == kind and it.is_about(about))

    def types(self, *about: str) -> list[str]:
        """List the types of the events about the resources of these ids."""
        return [it.type for it in self.all if any(it.is_about(each) for each in about)]

    def request(self, method: str, uri: str, **fields: object) -> str:
        """Send a ``RESTRequest``, and return its id."""
        self._requests += 1
        request_id = f"request-{self._requests}"
        request = {"request_id": request_id, "method": method, "uri": uri, **fields}
        self.sendMessage(json.dumps({"type": "RESTRequest", **request}).encode())
        return str(request["request_id"])

    async def response(self, request_id: str) -> Event:
        """Return the ``RESTResponse`` to the request of this id."""
        return await self.wait_for(
            lambda it: it.type == "RESTResponse" and it.json["request_id"] == request_id
        )

    async def ask(self, method: str, uri: str, **fields: object) -> Event:
        """Send a ``RESTRequest``, and return its ``RESTResponse``."""
        return await self.response(self.request(method, uri, **fields))

    @property
    def answered(self) -> list[str]:
        """The ids of the answered requests, in the order of their responses."""
        return [it.json["request_id"] for it in self.all if it.type == "RESTResponse"]

    async def leave(self) -> int:
        """Close the websocket with code 1000, and return Asterisk's close code."""
        self.sendClose(1000)
        return await self.closed

    def onOpen(self) -> None:  # noqa: N802 - autobahn's name
        self.opened.callback(None)

    def failHandshake(self, reason: str) -> None:  # noqa: N802 - autobahn's name
        head, _, body = self.data.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        self.opened.errback(RefusedError(status, body.decode()))
        self.dropConnection(abort=True)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: FBT001, N802, N803 - autobahn's names
        event = Event(json.loads(payload), self._reactor.seconds())
        self.all.append(event)
        for waiter, wanted in list(self._waiters.items()):
            if not waiter.called and wanted(event):
                waiter.callback(event)

    def onClose(self, wasClean: bool, code: int, reason: str | None) -> None:  # noqa: FBT001, N802, N803 - autobahn's names
        if not self.opened.called:
            self.opened.errback(RefusedError(0, reason or "connection lost"))
        self.closed.callback(code)


class _Factory(WebSocketClientFactory):
    """Makes one `Events`."""

    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> Events:  # noqa: N802 - Twisted's name
        events = Events(self.reactor)
        events.factory = self
        return events


class Ari:
    """Asterisk's REST interface, with one user's credentials.

    Args:
        reactor: the reactor to connect with.
        url: the base URL of Asterisk's HTTP server: ``http://127.0.0.1:8088``.
        username: the ARI user.
        password: the user's password.

    Attributes:
        websockets: the websockets opened so far.
    """

    def __init__(
        self, reactor: PosixReactorBase, url: str, *, username: str, password: str
    ) -> None:
        self.url = url
        self._reactor: Any = reactor  # treq has a type of its own for it
        self._credentials = (username, password)
        # One connection per request: none is left open afterwards.
        self._pool = HTTPConnectionPool(reactor, persistent=False)
        self.websockets: list[Events] = []

    async def get(self, path: str, **query: object) -> Response:
        return await self.request("GET", path, **query)

    async def post(self, path: str, body: object = None, **query: object) -> Response:
        return await self.request("POST", path, body, **query)

    async def delete(self, path: str, **query: object) -> Response:
        return await self.request("DELETE", path, **query)

    async def request(
        self, method: str, path: str, body: object = None, **query: object
    ) -> Response:
        """Send a request such as ``"GET", "/channels/ID"``.

        Args:
            method: the HTTP method.
            path: the path below ``/ari``.
            body: the content of the JSON body; None: no body.
            query: the query parameters.

        Returns:
            The response, whatever its status.
        """
        sent = self._reactor.seconds()
        response = await treq.request(
            method,
            f"{self.url}/ari{path}",
            params={name: str(value) for name, value in query.items()},
            auth=self._credentials,
            timeout=SECONDS,
            reactor=self._reactor,
            pool=self._pool,
            headers=Headers({"Content-Type": ["application/json"]} if body else {}),
            data=json.dumps(body).encode() if body else None,
        )
        content = await treq.content(response)
        received = self._reactor.seconds()
        parsed = json.loads(content) if content else None
        return Response(response.code, parsed, sent, received)

    async def listen(self, app: str, **query: object) -> Events:
        """Open the events websocket of an application."""
        return await self.open(path="/ari/events", app=app, **query)

    async def open(self, *, path: str, **query: object) -> Events:
        """Open a websocket.

        Raises:
            RefusedError: Asterisk refused it; with the HTTP status and the body.
        """
        address = urlsplit(self.url)
        token = b64encode(":".join(self._credentials).encode()).decode()
        factory = _Factory(
            f"ws://{address.netloc}{path}?{urlencode(query)}",
            protocols=["ari"],
            headers={"Authorization": f"Basic {token}"},
            reactor=self._reactor,
        )
        endpoint = clientFromString(self._reactor, f"tcp:{address.netloc}")
        events: Events = await endpoint.connect(factory)
        await events.opened.addTimeout(SECONDS, self._reactor)
        self.websockets.append(events)
        return events

    async def close(self) -> None:
        """Close the websockets that are open."""
        for events in self.websockets:
            if not events.closed.called:
                await events.leave()
