"""The diagram of a call flow: menus, routes and actions as nodes, and edges."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from channel_aa.commands.describe import describe, sound_names
from channel_aa.menus.actions import (
    HANGUP,
    REPEAT,
    Dial,
    GoTo,
    Keyword,
    Named,
    follow_ups,
)
from channel_aa.menus.secret_keys import MASKED_KEYS, SecretKeys

if TYPE_CHECKING:
    from channel_aa.menus.actions import Action
    from channel_aa.menus.flow import CallFlow
    from channel_aa.menus.menu import Menu
    from channel_aa.menus.routes import Route
    from channel_aa.records.report import Report


MAX_WIDTH = 6
"""The width of the edge that most callers have chosen; others are 1."""

_NO_NODE = (Named, GoTo, Keyword)
"""Actions that are drawn as an edge to another node, even if they have a name."""


class Kind(Enum):
    """The kind of a node."""

    CALLS = "where calls come from"
    ROUTE = "a route"
    MENU = "a menu"
    ACTION = "an action"
    KEYWORD = "an action that is one word"


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node; its number is its index in `Diagram.nodes`."""

    number: int
    kind: Kind
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Edge:
    """An edge from one node to another.

    `is_failure`: it is followed at a limit, or after a failure. `count`: how often
    callers have chosen it; None: not known.
    """

    source: Node
    target: Node
    text: str = ""
    is_failure: bool = False
    count: int | None = None

    @property
    def label(self) -> str:
        """The text, with the count in parentheses."""
        if self.count is None:
            return self.text
        return f"{self.text} ({self.count})".lstrip()


@dataclass(frozen=True)
class Diagram:
    """Nodes and edges; the same each time for the same call flow."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def add(self, kind: Kind, *lines: str) -> Node:
        """Add a node; empty lines are left out."""
        text = tuple(line for line in lines if line)
        node = Node(number=len(self.nodes), kind=kind, lines=text)
        self.nodes.append(node)
        return node

    def connect(
        self,
        source: Node,
        target: Node,
        text: str = "",
        *,
        is_failure: bool = False,
        count: int | None = None,
    ) -> None:
        """Add an edge."""
        self.edges.append(
            Edge(
                source=source,
                target=target,
                text=text,
                is_failure=is_failure,
                count=count,
            )
        )

    def width(self, edge: Edge) -> float:
        """Return how wide an edge is to be drawn: 1 to `MAX_WIDTH`, by its count."""
        most = max((each.count or 0 for each in self.edges), default=0)
        return 1 + (MAX_WIDTH - 1) * (edge.count or 0) / (most or 1)


def draw(flow: CallFlow, report: Report | None = None) -> Diagram:
    """Draw everything that callers can reach.

    What follows an action is left out if it is the default: the menu again, or a
    hangup after a conversation.

    Args:
        flow: the call flow.
        report: what callers did, to be shown in it.
    """
    return _Drawing(flow, report).diagram


class _Drawing:
    """Builds a diagram."""

    def __init__(self, flow: CallFlow, report: Report | None) -> None:
        self.diagram = Diagram()
        self._flow = flow
        self._report = report
        self._actions: dict[str, Node] = {}
        self._words: dict[tuple[Node, str], Node] = {}
        calls = self.diagram.add(Kind.CALLS, "calls")
        self._menus = {
            name: self.diagram.add(
                Kind.MENU, *_menu_lines(name, menu), *self._counts_of(name)
            )
            for name, menu in flow.menus.items()
        }
        for index, route in enumerate(flow.routes):
            self._draw_route(calls, route, self._calls_of(index))
        other = "all others" if flow.routes else ""
        self._connect(calls, GoTo(menu=flow.entry), other, count=self._calls_of(None))
        for name, menu in flow.menus.items():
            self._draw_menu(name, menu)
        for name, action in flow.actions.items():
            if name not in self._actions and not isinstance(action, _NO_NODE):
                self._draw_action(action, name)

    def _calls_of(self, route: int | None) -> int | None:
        return None if self._report is None else self._report.routes[route]

    def _draw_route(self, calls: Node, route: Route, count: int | None) -> None:
        node = self.diagram.add(Kind.ROUTE, *_route_lines(route))
        self.diagram.connect(calls, node, count=count)
        if not route.schedule and route.to is not None:
            self._connect(node, route.to, count=count)
            return
        for text in ("open", "closed", "holiday"):
            action: Action | None = getattr(route, text)
            if action is not None:
                self._connect(node, action, text)

    def _counts_of(self, name: str) -> tuple[str, ...]:
        if self._report is None:
            return ()
        report = self._report.menus[name]
        if not report.entered:
            return ("no callers",)
        return (
            f"entered {report.entered} times, {report.given_up} hung up",
            f"{report.silent} silent, {report.no_match} wrong",
        )

    def _draw_menu(self, name: str, menu: Menu) -> None:
        node = self._menus[name]
        report = None if self._report is None else self._report.menus[name]
        secret = SecretKeys(menu, self._flow.resolve)
        for keys, action in menu.options.items():
            count: int | None = None
            if keys in secret.options:  # they are masked in records, too
                text = MASKED_KEYS
            else:
                text = keys
                count = None if report is None else report.chosen[keys]
            self._connect(node, action, text, count=count)
        extensions = menu.extensions
        if extensions is not None:
            denied = ", ".join(extensions.deny)
            text = ", ".join(extensions.pattern)
            text += f" but not {denied}" if denied else ""
            text = MASKED_KEYS if secret.extensions else text
            count = None if report is None else report.extensions
            self._connect(node, extensions.action, text, count=count)
        limits = [
            f"{what} {count} times"
            for count, what in (
                (menu.max_noinput, "no input"),
                (menu.max_nomatch, "no match"),
            )
            if count
        ]
        if limits:
            text = " or ".join(limits)
            count = None if report is None else report.failed
            self._connect(node, menu.failure, text, is_failure=True, count=count)

    def _connect(
        self,
        source: Node,
        action: Action,
        text: str = "",
        *,
        is_failure: bool = False,
        count: int | None = None,
    ) -> None:
        target = self._target(source, action)
        self.diagram.connect(source, target, text, is_failure=is_failure, count=count)

    def _target(self, source: Node, action: Action) -> Node:
        """Return the node of an action; draw it, and what follows, if it is new."""
        match action:
            case GoTo():
                return self._menus[action.menu]
            case Keyword():
                key = (source, action.word)
                if key not in self._words:
                    self._words[key] = self.diagram.add(Kind.KEYWORD, action.word)
                return self._words[key]
            case Named():
                return self._named(source, action)
            case _:
                return self._draw_action(action)

    def _named(self, source: Node, action: Named) -> Node:
        name = action.name
        if name in self._menus:
            return self._menus[name]
        named = self._flow.actions[name]
        if isinstance(named, _NO_NODE):
            return self._target(source, named)
        if name not in self._actions:
            self._draw_action(named, name)
        return self._actions[name]

    def _draw_action(self, action: Action, name: str = "") -> Node:
        title = action.label or name
        node = self.diagram.add(Kind.ACTION, title, describe(action))
        if name:
            self._actions[name] = node  # before what follows, which may name it
        usual = HANGUP if isinstance(action, Dial) else REPEAT
        for text, following in follow_ups(action):
            if text == "else" or following != usual:
                self._connect(node, following, text, is_failure=text == "else")
        return node


def _menu_lines(name: str, menu: Menu) -> tuple[str, ...]:
    heard = ", ".join(sound_names((*menu.greeting, *menu.prompt)))
    language = f"language {menu.language}" if menu.language else ""
    return f"menu {name}", heard, language


def _route_lines(route: Route) -> tuple[str, ...]:
    return (
        f"number {', '.join(route.did)}" if route.did else "",
        f"argument {', '.join(route.argument)}" if route.argument else "",
        "" if route.did or route.argument else "any call",
        f"schedule {route.schedule}" if route.schedule else "",
        f"language {route.language}" if route.language else "",
    )
