"""Registering the functions that serve ARI's operations, and finding them by path."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeAlias

    Handler: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """The declaration of one parameter; those of the path are always required."""

    name: str
    is_required: bool = False
    is_list: bool = False
    type: str = "string"
    where: str = "query"


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation of ARI: method, path, name, and the function that serves it."""

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

    @property
    def all_parameters(self) -> Sequence[Parameter]:
        """Those of the path, then the others."""
        in_path = [
            Parameter(name=name, is_required=True, where="path")
            for name in names_in(self.path)
        ]
        return (*in_path, *self.parameters)


class Router:
    """The operations of one ARI resource; a decorator puts each at its function.

    Attributes:
        routes: the operations registered so far, in the order of the source.
    """

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def route(
        self,
        operation: str,
        nickname: str,
        returns: str = "void",
        *,
        query: str = "",
        others: Sequence[Parameter] = (),
    ) -> Callable[[Handler], Handler]:
        """Register the decorated function as the handler of an operation.

        Args:
            operation: method and path: ``GET /channels/{channelId}``.
            nickname: its name in ARI's own description.
            returns: the model of its answer there.
            query: the names of its parameters in the query, with spaces between;
                ``[]`` behind that of a list, ``!`` behind one that is required.
            others: the parameters that are neither texts nor lists in the query.
        """
        method, path = operation.split()
        in_query = [
            Parameter(
                name=name.rstrip("[]!"), is_list="[]" in name, is_required="!" in name
            )
            for name in query.split()
        ]

        def register(handler: Handler) -> Handler:
            self.routes.append(
                Route(
                    method=method,
                    path=path,
                    nickname=nickname,
                    handler=handler,
                    returns=returns,
                    parameters=(*in_query, *others),
                )
            )
            return handler

        return register


class PathNode:
    """A segment in the tree of paths.

    Attributes:
        operations: by method, the path of the operation that ends here, and its
            handler; None: it is not modelled.
    """

    def __init__(self) -> None:
        self.operations: dict[str, tuple[str, Handler | None]] = {}
        self._children: dict[str, PathNode] = {}
        self._wildcard: PathNode | None = None

    def add(self, method: str, path: str, handler: Handler | None) -> None:
        """Add an operation below this node, which is the root."""
        node = self
        for segment in path.split("/")[1:]:
            node = node._child(segment)
        node.operations[method] = path, handler

    def find(self, segments: Iterable[str]) -> tuple[PathNode, list[str]] | None:
        """Find the node of a path, and the values of the parameters in it."""
        node = self
        in_path: list[str] = []
        for segment in segments:
            if not segment:
                break  # Asterisk looks no further: "channels//x" is "channels".
            child = node._children.get(segment)
            if child is None:
                child = node._wildcard
                in_path.append(segment)
            if child is None:
                return None
            node = child
        return node, in_path

    def _child(self, segment: str) -> PathNode:
        if not segment.startswith("{"):
            return self._children.setdefault(segment, PathNode())
        if self._wildcard is None:
            self._wildcard = PathNode()
        return self._wildcard


@cache
def names_in(path: str) -> Sequence[str]:
    """List the names of the parameters in a path, from left to right."""
    return tuple(each[1:-1] for each in path.split("/") if each.startswith("{"))
