"""Requests and their answers, whatever carried them here.

`Api.dispatch` takes a method, a path and parameters, and gives a response: HTTP
is one way to bring them, the websocket of the events is another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, TypeAlias

    from channel_aa.simulator.state import PbxState

    Answer: TypeAlias = "Response | Deferred[Response]"
    Handler: TypeAlias = "Callable[[PbxState, Given], Answer]"


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer: a status, and what its JSON body says; None: no body.

    With `events_are_first`, the events that the request brought about arrive
    before the answer, even where they take another connection.
    """

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    events_are_first: bool = False


NO_CONTENT = Response(status=204)


class RefusedError(Exception):
    """A request is refused; the message is Asterisk's.

    Args:
        status: the HTTP status.
        message: what the error's JSON body says.
        headers: further headers of the answer.
        key: what the message is called there.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        key: str = "message",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self._key = key

    @property
    def response(self) -> Response:
        """The answer that says so."""
        content = {self._key: str(self)}
        return Response(status=self.status, content=content, headers=self.headers)


class Given:
    """What came with a request: values from its path, its query and its body."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """Get a parameter; empty where it was not given."""
        value = self._values.get(name, "")
        return value if isinstance(value, str) else str(value)

    def has(self, name: str) -> bool:
        """Say whether a parameter was given, were it empty."""
        return name in self._values

    def number(self, name: str, default: int) -> int:
        """Get a number; the default where none was given."""
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        """Get a boolean; False where it was not given."""
        return self.text(name).lower() in {"true", "yes", "1", "on", "y", "t"}

    def pairs(self, name: str) -> dict[str, str]:
        """Get texts by their names; empty where they were not given."""
        value = self._values.get(name)
        if not isinstance(value, dict):
            return {}
        return {str(key): str(each) for key, each in value.items()}

    def types(self, name: str) -> list[str] | None:
        """Get the types in a list of ``{"type": …}``; None where it was not given."""
        value = self._values.get(name)
        if not isinstance(value, list):
            return None
        return [str(each["type"]) for each in value if isinstance(each, dict)]

    def texts(self, name: str) -> list[str]:
        """Get a list: a JSON array, or texts with commas between them."""
        value = self._values.get(name, ())
        values = value.split(",") if isinstance(value, str) else value
        return [str(each) for each in values if each]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a request; those of the path are always required."""

    name: str
    is_required: bool = False
    is_list: bool = False
    type: str = "string"
    where: str = "query"


def optional(*names: str) -> list[Parameter]:
    """Make parameters that may be left out."""
    return [Parameter(name=name) for name in names]


def required(*names: str) -> list[Parameter]:
    """Make parameters that may not be left out."""
    return [Parameter(name=name, is_required=True) for name in names]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One kind of request: how it is spelled, what it is called, who serves it."""

    method: str
    path: str
    nickname: str
    handler: Handler
    returns: str = "void"
    parameters: Sequence[Parameter] = ()

    @property
    def resource(self) -> str:
        """The resource it belongs to: ``channels``."""
        return self.path.split("/")[1]

    @cached_property
    def names_in_path(self) -> Sequence[str]:
        """The names of the parameters in its path, from left to right."""
        segments = self.path.split("/")
        return tuple(each[1:-1] for each in segments if each.startswith("{"))

    @property
    def all_parameters(self) -> Sequence[Parameter]:
        """Those of the path, then the others."""
        in_path = [
            Parameter(name=name, is_required=True, where="path")
            for name in self.names_in_path
        ]
        return (*in_path, *self.parameters)


class _Node:
    """A place in the tree of paths."""

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.wildcard: _Node | None = None
        self.routes: dict[str, Route] = {}

    def grow(self, segment: str) -> _Node:
        if not segment.startswith("{"):
            return self.children.setdefault(segment, _Node())
        if self.wildcard is None:
            self.wildcard = _Node()
        return self.wildcard


class Api:
    """Serves requests on the world, by a table of routes."""

    def __init__(self, world: PbxState, routes: Iterable[Route]) -> None:
        self._world = world
        self._root = _Node()
        for route in routes:
            node = self._root
            for segment in route.path.split("/")[1:]:
                node = node.grow(segment)
            node.routes[route.method] = route

    def dispatch(
        self, method: str, segments: Sequence[str], parameters: Mapping[str, Any]
    ) -> Answer:
        """Serve one request.

        Args:
            method: ``GET``, ``POST``, ….
            segments: the decoded parts of the path below ``/ari/``.
            parameters: those of the query and the body, by name.

        A refusal is a response too; nothing is raised for it.
        """
        try:
            node, in_path = self._find(segments)
            route = node.routes.get(method)
            if route is None:
                return self._no_route(node, method)
            named = zip(route.names_in_path, in_path, strict=True)
            given = Given({**parameters, **dict(named)})
            answer = route.handler(self._world, given)
        except RefusedError as error:
            return error.response
        if isinstance(answer, Deferred):
            answer.addErrback(_refusal)
        return answer

    def _find(self, segments: Sequence[str]) -> tuple[_Node, list[str]]:
        node = self._root
        in_path: list[str] = []
        for segment in segments:
            if not segment:
                break  # Asterisk looks no further: "channels//x" is "channels".
            child = node.children.get(segment)
            if child is None:
                child = node.wildcard
                in_path.append(segment)
            if child is None:
                raise RefusedError(404, "Resource not found")
            node = child
        return node, in_path

    def _no_route(self, node: _Node, method: str) -> Response:
        allowed = {"Allow": ",".join(("OPTIONS", *sorted(node.routes)))}
        if method == "OPTIONS":
            return Response(status=204, headers=allowed)
        raise RefusedError(405, "Invalid method", headers=allowed)


def _refusal(failure: Any) -> Response:  # noqa: ANN401 - Failure is generic in stubs
    failure.trap(RefusedError)
    response: Response = failure.value.response
    return response
