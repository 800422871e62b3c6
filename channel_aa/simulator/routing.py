"""Registering the functions that serve ARI's operations, and finding them by path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

Handler: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
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
    handler: Handler | None = None

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
    """The operations of ARI resources; a decorator puts each at its function.

    Attributes:
        routes: the operations registered so far, in the order of the source.
    """

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def route(
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
            route = Route(
                method=method,
                path=path,
                nickname=nickname,
                returns=returns,
                query=query,
                handler=handler,
            )
            self.routes.append(route)
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
