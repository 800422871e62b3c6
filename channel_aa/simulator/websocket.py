"""The websockets on which applications hear their events, and send requests."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny

from channel_aa.simulator.api import RefusedError, Response
from channel_aa.simulator.desk import NoAnswerError
from channel_aa.simulator.rest_messages import BadMessageError, read_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from autobahn.websocket.types import ConnectionRequest
    from twisted.python.failure import Failure

    from channel_aa.simulator.api import Answer
    from channel_aa.simulator.desk import Desk
    from channel_aa.simulator.rest_messages import RestRequest
    from channel_aa.simulator.world import World

MAX_PAYLOAD_BYTES = 65_527
"""What Asterisk reads in one frame: 65,535 bytes with its head, which takes 8."""


class EventsProtocol(WebSocketServerProtocol):
    """One websocket: the events of the applications that it named.

    Its requests are served one after another: one that waits holds up the others.
    """

    factory: EventsFactory

    def __init__(self) -> None:
        super().__init__()
        self._unserved: deque[bytes] = deque()
        self._is_waiting = False
        self._is_working = False

    def onConnect(self, request: ConnectionRequest) -> str | None:  # noqa: N802 - autobahn's name
        """Agree on the subprotocol, which a client need not name."""
        self._names = application_names(request.params.get("app", ()))
        self._hears_everything = request.params.get("subscribeAll") == ["true"]
        if request.protocols and "ari" not in request.protocols:
            raise ConnectionDeny(ConnectionDeny.BAD_REQUEST)
        return "ari" if request.protocols else None

    def onOpen(self) -> None:  # noqa: N802 - autobahn's name
        """Take the applications over."""
        self.factory.sockets.add(self)
        for name in self._names:
            self.factory.world.listen(
                name, self.send_event, to_everything=self._hears_everything
            )

    def onMessage(  # noqa: N802 - autobahn's name
        self,
        payload: bytes,
        isBinary: bool,  # noqa: FBT001, N803 - autobahn's signature
    ) -> None:
        """Serve a request; what is binary, Asterisk takes no notice of."""
        if self.factory.serves_requests and not isBinary:
            self._unserved.append(payload)
            self._work()

    def onClose(  # noqa: N802 - autobahn's name
        self,
        wasClean: bool,  # noqa: FBT001, N803, ARG002 - autobahn's signature
        code: int,  # noqa: ARG002
        reason: str,  # noqa: ARG002
    ) -> None:
        """Give the applications up."""
        self._unserved.clear()
        if self in self.factory.sockets:
            self.factory.sockets.discard(self)
            for name in self._names:
                self.factory.world.stop_listening(name, self.send_event)

    def send_event(self, event: bytes) -> None:
        """Send one event, encoded."""
        if self.state == self.STATE_OPEN:
            self.sendMessage(event)

    def _work(self) -> None:
        if self._is_working:
            return
        self._is_working = True
        while self._unserved and not self._is_waiting:
            self._serve(self._unserved.popleft())
        self._is_working = False

    def _serve(self, payload: bytes) -> None:
        try:
            request = read_request(payload)
            answer = self.factory.serve(request)
        except BadMessageError as error:
            self._respond(error.fields)
            return
        except NoAnswerError:
            self.dropConnection(abort=True)
            return
        if isinstance(answer, Response):
            self._respond(request.answered(answer))
            return
        if answer is None:
            return

        def respond(response: Response) -> None:
            self._respond(request.answered(response))

        def break_off(failure: Failure) -> None:
            failure.trap(NoAnswerError)
            self.dropConnection(abort=True)

        def go_on(_: object) -> None:
            self._is_waiting = False
            self._work()

        self._is_waiting = True
        answer.addCallbacks(respond, break_off).addCallback(go_on)

    def _respond(self, fields: Mapping[str, Any]) -> None:
        message = self.factory.world.response(self._names[0], fields)
        if message is not None:
            self.send_event(message)


class EventsFactory(WebSocketServerFactory):
    """Makes the websockets, and knows the open ones.

    Args:
        world: whose events are heard.
        desk: who serves requests.
        serves_requests: whether requests are served; else no notice is taken.
        reactor: the reactor.
    """

    noisy = False

    def __init__(
        self,
        world: World,
        desk: Desk,
        *,
        serves_requests: bool,
        reactor: Any,  # noqa: ANN401 - autobahn takes any
    ) -> None:
        super().__init__(protocols=["ari"], reactor=reactor)
        self.protocol = EventsProtocol
        # Autobahn keeps its timers with the global reactor. None is needed: the
        # handshake has arrived before this begins, and whoever stops the server
        # drops the connections.
        self.setProtocolOptions(
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            maxFramePayloadSize=MAX_PAYLOAD_BYTES,
            failByDrop=False,
        )
        self.world = world
        self.serves_requests = serves_requests
        self._desk = desk
        self.sockets: set[EventsProtocol] = set()

    def serve(self, request: RestRequest) -> Answer | None:
        """Serve a request; None: no notice is taken of it.

        Raises:
            NoAnswerError: the websocket is to be dropped.
        """
        desk = self._desk
        desk.requests += 1
        method, path = request.method, f"/{request.path}"
        if self.world.faults.ignores_over_websocket(method, path):
            return None
        try:
            desk.check(f"/ari{path}")
            fault = desk.fault_in(method, path)
        except RefusedError as error:
            return error.response
        return desk.serve(method, request.segments, request.parameters, fault)


def application_names(values: Iterable[str]) -> list[str]:
    """Read the ``app`` parameter: names with commas between them."""
    return [name for value in values for name in value.split(",") if name]
