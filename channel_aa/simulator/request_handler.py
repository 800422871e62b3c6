"""Serves requests of HTTP and of websockets, and injects faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

from channel_aa.simulator.api import RefusedError, Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from channel_aa.simulator.api import Answer, Api
    from channel_aa.simulator.faults import RequestFault
    from channel_aa.simulator.state import PbxState


class NoAnswerError(Exception):
    """The connection is to be dropped without an answer."""


class RequestHandler:
    """Serves requests, and injects the faults of `Faults`.

    Attributes:
        requests: how many requests have come so far.
    """

    def __init__(self, state: PbxState, api: Api) -> None:
        self.requests = 0
        self._environment = state.environment
        self._api = api

    @staticmethod
    def check(path: str) -> None:
        """Check a whole path, ``/ari/`` included.

        Raises:
            RefusedError: it ends with a slash.
        """
        if path.endswith("/"):
            without = path.rstrip("/") if path != "/ari/" else path
            hint = f"ARI URLs do not end with a slash. Try {without}"
            raise RefusedError(404, hint)

    def fault_in(self, method: str, path: str) -> RequestFault | None:
        """Return the fault of a request, if any.

        Raises:
            RefusedError: it is refused.
            NoAnswerError: it is lost, and its connection with it.
        """
        fault = self._environment.faults.for_request(method, path)
        if fault is not None and fault.status is not None:
            raise RefusedError(fault.status, fault.message)
        if fault is not None and fault.lose == "request":
            raise NoAnswerError
        return fault

    def ignores_over_websocket(self, method: str, path: str) -> bool:
        """Return whether a fault has a websocket ignore this request."""
        return self._environment.faults.ignores_over_websocket(method, path)

    def serve(
        self,
        method: str,
        segments: Sequence[str],
        parameters: Mapping[str, Any],
        fault: RequestFault | None,
    ) -> Answer:
        """Serve a request as `Api.dispatch` does, with the fault that follows.

        Errors: `NoAnswerError`, in the Deferred.
        """
        answer = self._api.dispatch(method, segments, parameters)
        if fault is None:
            return answer
        later = answer if isinstance(answer, Deferred) else succeed(answer)

        def inject(response: Response) -> Answer:
            if fault.lose == "answer":
                raise NoAnswerError
            delayed: Deferred[Response] = Deferred()
            self._environment.timers.later(
                fault.delay, lambda: delayed.callback(response)
            )
            return delayed

        return later.addCallback(inject)
