"""ARI's requests and operations, independent of HTTP and the websocket."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import unquote

from twisted.internet.defer import Deferred

from channel_aa.simulator.responses import NoAnswerError, RefusedError, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from twisted.python.failure import Failure

    from channel_aa.simulator.faults import RequestFault
    from channel_aa.simulator.state import PbxState

Handler: TypeAlias = "Callable[..., Any]"
Answer: TypeAlias = "Response | Deferred[Response]"
T = TypeVar("T")


class Request:
    """One request to a handler: the state, and the parameters of the request.

    The parameters are those of its path, its query and its body.
    """

    def __init__(self, state: PbxState, parameters: Mapping[str, Any]) -> None:
        self.state = state
        self._values = parameters

    def text(self, name: str) -> str:
        """Get a parameter; empty if it was not given."""
        value = self._values.get(name, "")
        return value if isinstance(value, str) else str(value)

    def has(self, name: str) -> bool:
        """Return whether a parameter was given, be it empty."""
        return name in self._values

    def number(self, name: str, default: int) -> int:
        """Get a number; the default if none was given."""
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        """Get a boolean; False if it was not given."""
        return self.text(name).lower() in {"true", "yes", "1", "on", "y", "t"}

    def pairs(self, name: str) -> dict[str, str]:
        """Get an object's values as texts; empty if it was not given."""
        value = self._values.get(name)
        if not isinstance(value, dict):
            return {}
        return {str(key): str(each) for key, each in value.items()}

    def types(self, name: str) -> list[str] | None:
        """Get the types in a list of ``{"type": …}``; None if it was not given."""
        value = self._values.get(name)
        if not isinstance(value, list):
            return None
        return [str(each["type"]) for each in value if isinstance(each, dict)]

    def texts(self, name: str) -> list[str]:
        """Get a list: a JSON array, or texts with commas between them."""
        value = self._values.get(name, ())
        values = value.split(",") if isinstance(value, str) else value
        return [str(each) for each in values if each]


@dataclass(frozen=True)
class Route:
    """One operation of ARI: method, path, and the function that serves it.

    Args:
        nickname: its name in ARI's own description.
        returns: the model of its answer there.
        query: the names of its parameters in the query, with spaces between; ``[]``
            behind that of a list, ``!`` behind one that is required.
        handler: None: it is not modelled.
    """

    method: str
    path: str
    nickname: str = ""
    returns: str = "void"
    query: str = ""
    handler: Handler | None = field(default=None, kw_only=True)

    @property
    def resource(self) -> str:
        """The resource it belongs to: ``channels``."""
        return self.path.split("/")[1]

    @cached_property
    def names_in_path(self) -> Sequence[str]:
        """The names of the parameters in its path, from left to right."""
        segments = self.path.split("/")
        return tuple(each[1:-1] for each in segments if each.startswith("{"))


class Router:
    """The operations of ARI resources: a decorator that puts each at its function.

    Attributes:
        routes: the operations registered so far, in the order of the source.
    """

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def __call__(
        self, operation: str, nickname: str, returns: str = "void", *, query: str = ""
    ) -> Callable[[Handler], Handler]:
        """Register the decorated function as the handler of an operation.

        Args:
            operation: method and path: ``GET /channels/{channelId}``.
            nickname: see `Route`.
            returns: see `Route`.
            query: see `Route`.
        """
        method, path = operation.split()

        def register(handler: Handler) -> Handler:
            self.routes.append(
                Route(method, path, nickname, returns, query, handler=handler)
            )
            return handler

        return register


class PathNode:
    """A segment in the tree of paths.

    Attributes:
        routes: the operations of the path that ends here, by method.
    """

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self._children: dict[str | None, PathNode] = {}  # None: any other segment

    def add(self, route: Route) -> None:
        """Add an operation below this node, which is the root."""
        node = self
        for segment in route.path.split("/")[1:]:
            key = None if segment.startswith("{") else segment
            node = node._children.setdefault(key, PathNode())
        node.routes[route.method] = route

    def find(self, segments: Iterable[str]) -> tuple[PathNode, list[str]] | None:
        """Find the node of a path, and the values of the parameters in it."""
        node = self
        in_path: list[str] = []
        for segment in segments:
            if not segment:
                break  # Asterisk looks no further: "channels//x" is "channels".
            child = node._children.get(segment)
            if child is None:
                child = node._children.get(None)
                in_path.append(segment)
            if child is None:
                return None
            node = child
        return node, in_path


class Api:
    """Dispatches requests to the handlers of their operations, and injects faults.

    Args:
        state: what the handlers read and change.
        operations: the operations by path and method.

    Attributes:
        requests: how many requests have come so far.
        faults: the faults to inject.
    """

    def __init__(self, state: PbxState, operations: PathNode) -> None:
        self.requests = 0
        self.faults = state.faults
        self._state = state
        self._operations = operations

    def dispatch(
        self, method: str, segments: Sequence[str], parameters: Mapping[str, Any]
    ) -> Answer:
        """Serve one request.

        Args:
            method: ``GET``, ``POST``, ….
            segments: the decoded parts of the path below ``/ari/``.
            parameters: those of the query and the body, by name.

        A handler returns the content of the response, now or later; None stands for a
        204. A refusal is a response too: nothing is raised.
        """
        try:
            answer = self._handle(method, segments, parameters)
        except RefusedError as error:
            return error.response
        if isinstance(answer, Deferred):
            return answer.addCallbacks(_response, _refusal)
        return _response(answer)

    def fault_in(self, method: str, path: str) -> RequestFault | None:
        """Check the path of a request below ``/ari``, and return its fault, if any.

        Raises:
            RefusedError: it is refused.
            NoAnswerError: it is lost, and its connection with it.
        """
        if path.endswith("/"):
            without = f"/ari{path.rstrip('/')}" if path != "/" else "/ari/"
            hint = f"ARI URLs do not end with a slash. Try {without}"
            raise RefusedError(404, hint)
        fault = self.faults.for_request(method, path)
        if fault is not None and fault.status is not None:
            raise RefusedError(fault.status, fault.message)
        if fault is not None and fault.lose == "request":
            raise NoAnswerError
        return fault

    async def serve(
        self, method: str, path: str, parameters: Mapping[str, Any]
    ) -> Response:
        """Serve a request as `Api.dispatch` does, with the fault that follows.

        Args:
            method: ``GET``, ``POST``, ….
            path: below ``/ari``, as it is quoted in a URL: ``/channels/1``.
            parameters: those of the query and the body, by name.

        Raises:
            NoAnswerError: request or answer are lost, and the connection with them.
        """
        try:
            fault = self.fault_in(method, path)
        except RefusedError as error:
            return error.response
        segments = [unquote(each) for each in path.split("/")[1:]]
        answer = self.dispatch(method, segments, parameters)
        response = answer if isinstance(answer, Response) else await answer
        if fault is not None:
            if fault.lose == "answer":
                raise NoAnswerError
            await self._state.timers.passed(fault.delay)
        return response

    def _handle(
        self, method: str, segments: Sequence[str], parameters: Mapping[str, Any]
    ) -> Any:  # noqa: ANN401 - JSON, a Response, or a Deferred of them
        found = self._operations.find(segments)
        if found is None:
            raise RefusedError(404, "Resource not found")
        node, in_path = found
        if method not in node.routes:
            allowed = {"Allow": ",".join(("OPTIONS", *sorted(node.routes)))}
            if method == "OPTIONS":
                return Response(status=204, headers=allowed)
            raise RefusedError(405, "Invalid method", headers=allowed)
        route = node.routes[method]
        if route.handler is None:
            message = f"{method} /ari{route.path} is not modelled by the simulator"
            raise RefusedError(501, message)
        named = dict(zip(route.names_in_path, in_path, strict=True))
        return route.handler(Request(self._state, {**parameters, **named}))


def require(thing: T | None, what: str) -> T:
    """Return what a request names.

    Raises:
        RefusedError: it is None, there is no such thing.
    """
    if thing is None:
        raise RefusedError(404, f"{what} not found")
    return thing


def _response(content: Any) -> Response:  # noqa: ANN401 - JSON
    if isinstance(content, Response):
        return content
    return Response(status=204 if content is None else 200, content=content)


def _refusal(failure: Failure) -> Response | Failure:
    error = failure.value
    return error.response if isinstance(error, RefusedError) else failure
