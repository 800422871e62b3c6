"""Cross-references in a call flow: undefined names, endless cycles, missing keys."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, NamedTuple

from channel_aa.menus.actions import (
    BACK,
    HANGUP,
    KEYWORDS,
    REPEAT,
    TOP,
    Action,
    Dial,
    GoTo,
    Keyword,
    Named,
)
from channel_aa.menus.sounds import DIGITS
from channel_aa.menus.traversal import (
    ROUTE_TARGETS,
    PlacedAction,
    digit_texts,
    in_actions,
    in_menu,
    in_routes,
    reachable_actions,
    target_menu,
    with_follow_ups,
)
from channel_aa.problems import Problem, path_of, quoted, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from channel_aa.menus.menu import Menu
    from channel_aa.menus.routes import Route


_FOLLOW_UP_KEYS = ("then", "else")


class Names(NamedTuple):
    """The names that an action may refer to.

    Attributes:
        menus: the menus' names.
        actions: those of the entries of ``[actions]``.
    """

    menus: frozenset[str]
    actions: frozenset[str]

    def undefined(self, place: str, name: str) -> Iterator[Problem]:
        """Yield a problem if no menu or action has this name."""
        names = self.menus | self.actions
        if name not in names.union(KEYWORDS):
            known = [*sorted(names), *KEYWORDS]
            yield Problem(place, unknown_name(name, known, kind="menu or action"))

    def undefined_menu(self, place: str, name: str) -> Iterator[Problem]:
        """Yield a problem if no menu has the name that an action's ``menu`` gives."""
        if name in self.actions - self.menus:
            yield Problem(
                place,
                f"{quoted(name)} is an action, not a menu; write it without 'menu':"
                f' "{name}"',
            )
        elif name not in self.menus:
            yield Problem(place, unknown_name(name, sorted(self.menus), kind="menu"))


class Parts(NamedTuple):
    """The parts of a call flow that are valid in themselves.

    Attributes:
        entry: the menu for the calls that no route is for; ``None``: its name is
            invalid.
        menus: the valid menus, by name.
        actions: the valid actions, by name.
        routes: the valid routes.
        names: the names of all menus and actions, also of invalid ones.
        schedule_names: the names of all schedules, also of invalid ones.
    """

    entry: str | None
    menus: Mapping[str, Menu]
    actions: Mapping[str, Action]
    routes: tuple[Route, ...]
    names: Names
    schedule_names: frozenset[str]


def cross_reference_problems(parts: Parts, *, entry_place: str) -> Iterator[Problem]:
    """Find undefined names, ambiguous names, endless cycles and the like.

    Args:
        parts: the parts of the flow.
        entry_place: where the entry's name stands.
    """
    menus = parts.names.menus
    if parts.entry is not None and parts.entry not in menus:
        yield Problem(
            entry_place, unknown_name(parts.entry, sorted(menus), kind="menu")
        )
    yield from _ambiguous_names(parts)
    yield from _undefined_targets(parts)
    yield from _undefined_schedules(parts)
    yield from _action_cycles(parts)
    yield from _menu_cycles(parts)
    yield from _repeats_without_menu(parts)
    yield from _digits_without_key(parts)
    yield from _secrets_without_keys(parts)


def _secrets_without_keys(parts: Parts) -> Iterator[Problem]:
    menus = [each for name, menu in parts.menus.items() for each in in_menu(name, menu)]
    failures = {f"{path_of('menus', name)}.failure" for name in parts.menus}
    with_keys = {place for place, _ in menus if place not in failures}
    named = list(in_actions(parts.actions))
    with_keys |= {place for place, _ in named}
    for place, action in with_follow_ups([*menus, *named, *in_routes(parts.routes)]):
        if action.secret and place not in with_keys:
            yield Problem(
                f"{place}.secret",
                "has no effect here, where no keys lead; set it for an option, for"
                " extensions, or for the menu",
            )


def undefined_names(tables: Mapping[str, object], names: Names) -> Iterator[Problem]:
    """Find references to undefined menus or actions in invalid tables.

    Args:
        tables: menus, actions and routes as they are written. A value of a wrong
            type is skipped: it is reported elsewhere.
        names: the names that exist.
    """
    menus, actions = _table(tables.get("menus")), _table(tables.get("actions"))
    routes = tables.get("routes")
    for name, menu in menus.items():
        place, table = path_of("menus", name), _table(menu)
        for keys, action in _table(table.get("options")).items():
            yield from _undefined(path_of(f"{place}.options", keys), action, names)
        for key in ("extensions", "failure"):
            yield from _undefined(f"{place}.{key}", table.get(key), names)
    for name, action in actions.items():
        yield from _undefined(path_of("actions", name), action, names)
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        for key in ROUTE_TARGETS:
            place = f"routes[{index}].{key}"
            yield from _undefined(place, _table(route).get(key), names)


def _ambiguous_names(parts: Parts) -> Iterator[Problem]:
    for table, names in (
        ("menus", parts.names.menus),
        ("actions", parts.names.actions),
    ):
        for name in sorted(names.intersection(KEYWORDS)):
            yield Problem(
                path_of(table, name),
                f"{quoted(name)} is the name of a built-in action; choose another name",
            )
    for name in sorted(parts.names.menus & parts.names.actions):
        yield Problem(
            path_of("actions", name),
            f"a menu has the name {quoted(name)}, too; rename one of them",
        )


def _undefined_targets(parts: Parts) -> Iterator[Problem]:
    for place, action in with_follow_ups(_roots(parts)):
        match action:
            case Named(name=name):
                yield from parts.names.undefined(place, name)
            case GoTo(menu=name):
                yield from parts.names.undefined_menu(f"{place}.menu", name)


def _undefined_schedules(parts: Parts) -> Iterator[Problem]:
    for index, route in enumerate(parts.routes):
        if route.schedule and route.schedule not in parts.schedule_names:
            yield Problem(
                f"routes[{index}].schedule",
                unknown_name(
                    route.schedule, sorted(parts.schedule_names), kind="schedule"
                ),
            )


def _action_cycles(parts: Parts) -> Iterator[Problem]:
    graph = {
        name: {
            each.action.name
            for each in with_follow_ups([PlacedAction("", action)])
            if isinstance(each.action, Named) and each.action.name in parts.actions
        }
        for name, action in parts.actions.items()
    }
    for cycle in _cycles(graph):
        yield Problem(
            path_of("actions", cycle[0]),
            f"loops without a key: {', '.join(cycle)}; end one of them with a menu or"
            " 'hangup'",
        )


def _menu_cycles(parts: Parts) -> Iterator[Problem]:
    starts = _start_menus(parts)
    graph: dict[str, set[str]] = {name: set() for name in parts.menus}
    backs = set()
    for name, menu in parts.menus.items():
        if not menu.max_noinput:
            continue
        # Ringing a phone ends the cycle for now: the call may be answered.
        for action in reachable_actions(menu.failure, parts.actions, ends=(Dial,)):
            target = target_menu(action, parts.menus)
            if target is not None:
                graph[name].add(target)
            elif action == REPEAT:
                graph[name].add(name)
            elif action == TOP:
                graph[name] |= starts
            elif action == BACK:
                backs.add(name)
    # Back is where the caller came from: without a key, only such a failure.
    parents = {
        name: {each for each, targets in graph.items() if name in targets}
        for name in backs
    }
    for name in backs:
        graph[name] |= parents[name] | (starts & {name})
    for cycle in _cycles(graph):
        yield Problem(
            f"{path_of('menus', cycle[0])}.failure",
            f"loops as long as no key is pressed: {', '.join(cycle)}; end it with"
            " 'hangup', a phone or the dialplan",
        )


def _repeats_without_menu(parts: Parts) -> Iterator[Problem]:
    for place, root in in_routes(parts.routes):
        for action in reachable_actions(root, parts.actions, ends=(Dial,)):
            if isinstance(action, Keyword) and action != HANGUP:
                yield Problem(
                    place,
                    f"leads to {quoted(action.word)}, but no menu precedes it; set"
                    ' what follows: then = "hangup", or a menu\'s name',
                )


def _digits_without_key(parts: Parts) -> Iterator[Problem]:
    failures = (
        PlacedAction(f"{path_of('menus', name)}.failure", menu.failure)
        for name, menu in parts.menus.items()
    )
    for place, root in (*failures, *in_routes(parts.routes)):
        for action in reachable_actions(root, parts.actions):
            for text in digit_texts(action):
                if DIGITS in text:
                    yield Problem(
                        place,
                        f"leads to {quoted(text)}, but no key precedes it, so"
                        f" {DIGITS} has no value; write the digits out",
                    )


def _roots(parts: Parts) -> Iterator[PlacedAction]:
    for name, menu in parts.menus.items():
        yield from in_menu(name, menu)
    yield from in_actions(parts.actions)
    yield from in_routes(parts.routes)


def _start_menus(parts: Parts) -> set[str]:
    starts = {name for name in parts.menus if name == parts.entry}
    for placed in in_routes(parts.routes):
        for action in reachable_actions(placed.action, parts.actions):
            target = target_menu(action, parts.menus)
            if target is not None:
                starts.add(target)
    return starts


def _cycles(graph: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Yield cycles until none is left, each as its nodes from the first to it again."""
    order = list(graph)
    left = {node: sorted(after) for node, after in graph.items()}
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            cycle = error.args[1][:0:-1]
        else:
            return
        first = cycle.index(min(cycle, key=order.index))
        yield [*cycle[first:], *cycle[: first + 1]]
        left = {
            node: [each for each in after if each not in cycle]
            for node, after in left.items()
            if node not in cycle
        }


def _undefined(place: str, action: object, names: Names) -> Iterator[Problem]:
    waiting = [(place, action)]
    while waiting:
        inside, written = waiting.pop()
        table = _table(written)
        if isinstance(written, str):
            yield from names.undefined(inside, written)
        if isinstance(menu := table.get("menu"), str):
            yield from names.undefined_menu(f"{inside}.menu", menu)
        waiting += [
            (f"{inside}.{key}", table[key]) for key in _FOLLOW_UP_KEYS if key in table
        ]


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
