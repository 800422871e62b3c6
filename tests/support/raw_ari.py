"""ARI with nothing in between: requests, and events as they arrive.

It shares no code with this project's own client, so that neither hides what the
other gets wrong.
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
"""How long an answer or an event may take before the test fails."""


@dataclass(frozen=True)
class Answer:
    """What Asterisk answered."""

    status: int
    json: Any
    """The body; None where there is none."""
    sent: float
    answered: float
    """When the request left, and when its answer was there, by the reactor's time."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.answered - self.sent

    @property
    def error(self) -> tuple[int, str]:
        """The status and the message of a refusal."""
        return self.status, self.json["message"]


@dataclass(frozen=True)
class Event:
    """An event, as it was on the wire."""

    json: Mapping[str, Any]
    received: float
    """When it was there, by the reactor's time."""

    @property
    def type(self) -> str:
        kind: str = self.json["type"]
        return kind

    def is_about(self, resource_id: str) -> bool:
        """Say whether it tells of the channel, playback, … of this id.

        A recording has a name for an id, a telephone that is rung is a ``peer``.
        """
        told = ("channel", "playback", "peer", "bridge", "recording")
        resources = (self.json.get(key, {}) for key in told)
        return any(
            resource_id in {resource.get("id"), resource.get("name")}
            for resource in resources
        )


class RefusedError(Exception):
    """The websocket was refused; its arguments are the status and the body."""


class NoEventError(Exception):
    """The event that a test waits for did not come; the message says what did."""


class Events(WebSocketClientProtocol):
    """A websocket, and all its events in the order of their arrival."""

    def __init__(self, reactor: PosixReactorBase) -> None:
        super().__init__()
        self.all: list[Event] = []
        self.opened: Deferred[None] = Deferred()
        self.closed: Deferred[int] = Deferred()
        """Fires with the code that the websocket was closed with."""
        self._reactor = reactor
        self._requests = 0
        self._waiters: dict[Deferred[Event], Callable[[Event], bool]] = {}

    async def wait_for(self, wanted: Callable[[Event], bool]) -> Event:
        """Return the first event that is wanted, past or future.

        Raises:
            NoEventError: it did not come within `SECONDS`.
        """
        for event in self.all:
            if wanted(event):
                return event
        waiter: Deferred[Event] = Deferred()
        self._waiters[waiter] = wanted
        try:
            return await waiter.addTimeout(SECONDS, self._reactor)
        except Exception as error:
            seen = "\n".join(json.dumps(event.json) for event in self.all)
            raise NoEventError(f"it did not come; these did:\n{seen}") from error
        finally:
            del self._waiters[waiter]

    async def wait_for_type(self, kind: str, about: str) -> Event:
        """Return the first event of a type about a channel or playback."""
        return await self.wait_for(lambda it: it.type == kind and it.is_about(about))

    def types(self, *about: str) -> list[str]:
        """List the events' types, of these channels and playbacks."""
        return [it.type for it in self.all if any(it.is_about(each) for each in about)]

    def request(self, method: str, uri: str, **fields: object) -> str:
        """Send a request over the websocket, and return its id."""
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
        """Send a request over the websocket, and return its ``RESTResponse``."""
        return await self.response(self.request(method, uri, **fields))

    @property
    def answered(self) -> list[str]:
        """The ids of the requests, in the order of the ``RESTResponse`` to each."""
        return [it.json["request_id"] for it in self.all if it.type == "RESTResponse"]

    async def leave(self) -> int:
        """Close the websocket, and return the code it was closed with."""
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
    """Makes the one websocket."""

    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> Events:  # noqa: N802 - Twisted's name
        events = Events(self.reactor)
        events.factory = self
        return events


class Ari:
    """One user of an Asterisk's REST interface.

    Args:
        reactor: the reactor to connect with.
        url: where Asterisk's web server is: ``http://127.0.0.1:8088``.
        username: the name of the user.
        password: and the password.
    """

    def __init__(
        self, reactor: PosixReactorBase, url: str, *, username: str, password: str
    ) -> None:
        self.url = url
        self._reactor: Any = reactor  # treq has a type of its own for it
        self._credentials = (username, password)
        # Each request has a connection of its own: none is left after a test.
        self._pool = HTTPConnectionPool(reactor, persistent=False)
        self._opened: list[Events] = []

    async def get(self, path: str, **query: object) -> Answer:
        return await self.request("GET", path, **query)

    async def post(self, path: str, body: object = None, **query: object) -> Answer:
        return await self.request("POST", path, body, **query)

    async def delete(self, path: str, **query: object) -> Answer:
        return await self.request("DELETE", path, **query)

    async def request(
        self, method: str, path: str, body: object = None, **query: object
    ) -> Answer:
        """Send a request such as ``"GET", "/channels/ID"``.

        An answer may well be a refusal: that is no error here.

        Args:
            method: its method.
            path: its path below ``/ari``.
            body: what its JSON body says; None: it has none.
            query: the parameters in its query.
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
        answered = self._reactor.seconds()
        parsed = json.loads(content) if content else None
        return Answer(response.code, parsed, sent, answered)

    async def listen(self, app: str, **query: object) -> Events:
        """Open the events websocket of an application."""
        return await self.open(path="/ari/events", app=app, **query)

    async def open(self, *, path: str, **query: object) -> Events:
        """Open a websocket.

        Raises:
            RefusedError: with the HTTP status and the body of the refusal.
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
        self._opened.append(events)
        return events

    async def close(self) -> None:
        """Close the websockets that are still open."""
        for events in self._opened:
            if not events.closed.called:
                await events.leave()
