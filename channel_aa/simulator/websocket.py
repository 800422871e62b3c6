"""The events websockets: applications receive events and send requests there."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.defer import Deferred

from channel_aa.simulator.api import NoAnswerError, RefusedError
from channel_aa.simulator.rest_messages import BadMessageError, read_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autobahn.websocket.types import ConnectionRequest
    from twisted.python.failure import Failure

    from channel_aa.simulator.api import Answer, Api, Response
    from channel_aa.simulator.event_bus import EventBus
    from channel_aa.simulator.rest_messages import RestRequest

MAX_PAYLOAD_BYTES = 65_527
"""What Asterisk reads in one frame: 65,535 bytes with its head, which takes 8."""


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
        self._awaits_answer = False
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
            self._serve_requests()

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

    def _serve_requests(self) -> None:
        if self._is_serving:
            return
        self._is_serving = True
        while self._unserved and not self._awaits_answer:
            try:
                self._serve(self._unserved.popleft())
            except BadMessageError as error:
                self._respond(error.fields)
            except NoAnswerError:
                self.dropConnection(abort=True)
        self._is_serving = False

    def _serve(self, message: bytes) -> None:
        """Serve a request.

        Raises:
            BadMessageError: it is no request.
            NoAnswerError: the connection is to be dropped.
        """
        request = read_request(message)
        answer = self._answer(request)
        if not isinstance(answer, Deferred):
            if answer is not None:
                self._respond(request.answered(answer))
            return

        def respond(response: Response) -> None:
            self._respond(request.answered(response))

        def drop(failure: Failure) -> None:
            failure.trap(NoAnswerError)
            self.dropConnection(abort=True)

        def serve_next(_: object) -> None:
            self._awaits_answer = False
            self._serve_requests()

        self._awaits_answer = True
        answer.addCallbacks(respond, drop).addCallback(serve_next)

    def _answer(self, request: RestRequest) -> Answer | None:
        """Return the answer to a request; None: it is ignored."""
        api = self.factory.api
        api.requests += 1
        method, path = request.method, f"/{request.path}"
        if api.ignores_over_websocket(method, path):
            return None
        try:
            api.check(f"/ari{path}")
            fault = api.fault_in(method, path)
        except RefusedError as error:
            return error.response
        return api.serve(method, request.segments, request.parameters, fault)

    def _respond(self, fields: Mapping[str, Any]) -> None:
        message = self.factory.bus.response(self._applications[0], fields)
        if message is not None:
            self.send_event(message)


class EventsFactory(WebSocketServerFactory):
    """Makes the websockets, and keeps the open ones.

    Args:
        bus: the applications and their events.
        api: serves requests.
        serves_requests: whether requests are served; else they are ignored.
        reactor: the reactor.
    """

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
