"""The names of menus and actions, and those that name nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from channel_aa.menus.actions import KEYWORDS
from channel_aa.menus.traversal import ROUTE_TARGETS
from channel_aa.problems import Problem, path_of, quoted, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_INSIDE = ("then", "else")


class Names(NamedTuple):
    """What an action may name.

    Attributes:
        menus: the menus' names.
        actions: those of the entries of ``[actions]``.
    """

    menus: frozenset[str]
    actions: frozenset[str]

    def dangling(self, place: str, name: str) -> Iterator[Problem]:
        """Tell where nothing has the name that stands in place of an action."""
        names = self.menus | self.actions
        if name not in names.union(KEYWORDS):
            known = [*sorted(names), *KEYWORDS]
            yield Problem(place, unknown_name(name, known, kind="menu or action"))

    def dangling_menu(self, place: str, name: str) -> Iterator[Problem]:
        """Tell where no menu has the name that an action's ``menu`` gives."""
        if name in self.actions - self.menus:
            yield Problem(
                place,
                f"{quoted(name)} is an action and no menu; name it without 'menu':"
                f' "{name}"',
            )
        elif name not in self.menus:
            yield Problem(place, unknown_name(name, sorted(self.menus), kind="menu"))


def dangling_names(tables: Mapping[str, object], names: Names) -> Iterator[Problem]:
    """Find the names of nothing in what is wrong in itself.

    Args:
        tables: menus, actions and routes as they are written. What is no table, no
            list or no text where it should be is reported elsewhere.
        names: what may be named.
    """
    menus, actions = _table(tables.get("menus")), _table(tables.get("actions"))
    routes = tables.get("routes")
    for name, menu in menus.items():
        place, table = path_of("menus", name), _table(menu)
        for keys, action in _table(table.get("options")).items():
            yield from _dangling(path_of(f"{place}.options", keys), action, names)
        for key in ("extensions", "failure"):
            yield from _dangling(f"{place}.{key}", table.get(key), names)
    for name, action in actions.items():
        yield from _dangling(path_of("actions", name), action, names)
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        for key in ROUTE_TARGETS:
            place = f"routes[{index}].{key}"
            yield from _dangling(place, _table(route).get(key), names)


def _dangling(place: str, action: object, names: Names) -> Iterator[Problem]:
    waiting = [(place, action)]
    while waiting:
        inside, written = waiting.pop()
        table = _table(written)
        if isinstance(written, str):
            yield from names.dangling(inside, written)
        if isinstance(menu := table.get("menu"), str):
            yield from names.dangling_menu(f"{inside}.menu", menu)
        waiting += [(f"{inside}.{key}", table[key]) for key in _INSIDE if key in table]


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
