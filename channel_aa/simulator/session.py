"""One program's hold on its applications: events to it, requests from it.

What an events websocket is to Asterisk, whatever carries its messages.
"""

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
    from channel_aa.simulator.request_handler import RequestHandler
    from channel_aa.simulator.rest_messages import RestRequest
    from channel_aa.simulator.state import PbxState


class Session:
    """The events of the applications that it named, and requests.

    Requests are served one after another: one that waits holds up the others.

    Args:
        world: whose events are heard.
        desk: who serves requests.
        names: the applications.
        send: takes each message to the program, encoded.
        drop: ends the connection without a word.
        hears_everything: whether every event of Asterisk is heard.
    """

    def __init__(
        self,
        world: PbxState,
        desk: RequestHandler,
        *,
        names: Sequence[str],
        send: Callable[[bytes], None],
        drop: Callable[[], None],
        hears_everything: bool = False,
    ) -> None:
        self._world = world
        self._desk = desk
        self._names = names
        self._send = send
        self._drop = drop
        self._hears_everything = hears_everything
        self._unserved: deque[bytes] = deque()
        self._is_waiting = False
        self._is_working = False

    def open(self) -> None:
        """Take the applications over."""
        for name in self._names:
            self._world.listen(name, self._send, to_everything=self._hears_everything)

    def close(self) -> None:
        """Give the applications up; what was not served yet never is."""
        self._unserved.clear()
        for name in self._names:
            self._world.stop_listening(name, self._send)

    def received(self, message: bytes) -> None:
        """Serve a request, when its turn comes."""
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

        def go_on(_: object) -> None:
            self._is_waiting = False
            self._work()

        self._is_waiting = True
        answer.addCallbacks(respond, break_off).addCallback(go_on)

    def _answer(self, request: RestRequest) -> Answer | None:
        """Serve a request; None: no notice is taken of it.

        Raises:
            NoAnswerError: the connection is to be dropped.
        """
        desk = self._desk
        desk.requests += 1
        method, path = request.method, f"/{request.path}"
        if self._world.faults.ignores_over_websocket(method, path):
            return None
        try:
            desk.check(f"/ari{path}")
            fault = desk.fault_in(method, path)
        except RefusedError as error:
            return error.response
        return desk.serve(method, request.segments, request.parameters, fault)

    def _respond(self, fields: Mapping[str, Any]) -> None:
        message = self._world.response(self._names[0], fields)
        if message is not None:
            self._send(message)
