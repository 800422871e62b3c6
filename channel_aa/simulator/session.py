"""The session on an events websocket: events to the client, requests from it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from channel_aa.simulator.api import RefusedError, Response
from channel_aa.simulator.request_handler import NoAnswerError
from channel_aa.simulator.rest_messages import BadMessageError, read_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from twisted.python.failure import Failure

    from channel_aa.simulator.api import Answer
    from channel_aa.simulator.event_bus import EventBus
    from channel_aa.simulator.request_handler import RequestHandler
    from channel_aa.simulator.rest_messages import RestRequest


class Session:
    """Registers the websocket's applications, and serves its requests.

    Requests are served one after another, as Asterisk does: one that waits holds up
    the others.

    Args:
        bus: the applications and their events.
        handler: serves the requests.
        names: the names of the applications.
        send: sends an encoded message to the client.
        drop: drops the connection without a closing handshake.
        subscribe_all: whether it gets all events of Asterisk.
    """

    def __init__(
        self,
        bus: EventBus,
        handler: RequestHandler,
        *,
        names: Sequence[str],
        send: Callable[[bytes], None],
        drop: Callable[[], None],
        subscribe_all: bool = False,
    ) -> None:
        self._bus = bus
        self._handler = handler
        self._names = names
        self._send = send
        self._drop = drop
        self._subscribe_all = subscribe_all
        self._unserved: deque[bytes] = deque()
        self._is_waiting = False
        self._is_working = False

    def open(self) -> None:
        """Register the applications."""
        for name in self._names:
            self._bus.register(name, self._send, subscribe_all=self._subscribe_all)

    def close(self) -> None:
        """Unregister the applications, and drop the requests not served yet."""
        self._unserved.clear()
        for name in self._names:
            self._bus.unregister(name, self._send)

    def received(self, message: bytes) -> None:
        """Serve a request in its turn."""
        self._unserved.append(message)
        self._work()

    def _work(self) -> None:
        if self._is_working:
            return
        self._is_working = True
        while self._unserved and not self._is_waiting:
            self._serve(self._unserved.popleft())
        self._is_working = False

    def _serve(self, message: bytes) -> None:
        try:
            request = read_request(message)
            answer = self._answer(request)
        except BadMessageError as error:
            self._respond(error.fields)
            return
        except NoAnswerError:
            self._drop()
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
            self._drop()

        def continue_(_: object) -> None:
            self._is_waiting = False
            self._work()

        self._is_waiting = True
        answer.addCallbacks(respond, break_off).addCallback(continue_)

    def _answer(self, request: RestRequest) -> Answer | None:
        """Serve a request; None: it is ignored.

        Raises:
            NoAnswerError: the connection is to be dropped.
        """
        handler = self._handler
        handler.requests += 1
        method, path = request.method, f"/{request.path}"
        if handler.ignores_over_websocket(method, path):
            return None
        try:
            handler.check(f"/ari{path}")
            fault = handler.fault_in(method, path)
        except RefusedError as error:
            return error.response
        return handler.serve(method, request.segments, request.parameters, fault)

    def _respond(self, fields: Mapping[str, Any]) -> None:
        message = self._bus.response(self._names[0], fields)
        if message is not None:
            self._send(message)
