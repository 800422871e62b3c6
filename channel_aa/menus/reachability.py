"""Which menus and actions callers can reach, and which menus they can leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from channel_aa.menus.actions import (
    BACK,
    HANGUP,
    TOP,
    Action,
    Continue,
    Dial,
    Directory,
    Named,
    Queue,
    Run,
    Voicemail,
)
from channel_aa.menus.traversal import (
    in_menu,
    in_routes,
    reachable_actions,
    target_menu,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.menus.flow import CallFlow

_EXITS = (Dial, Continue, Voicemail, Queue, Directory, Run)


class Reachability(NamedTuple):
    """The menus and actions that callers can reach.

    Attributes:
        starts: the names of the menus that calls begin in.
        menus: the names of all menus.
        actions: the names of the actions.
        runs_custom_action: whether an action of an embedding program is among them: it
            may go on with any menu and any action.
    """

    starts: frozenset[str]
    menus: frozenset[str]
    actions: frozenset[str]
    runs_custom_action: bool


def reachability(flow: CallFlow) -> Reachability:
    """Follow every route and option from where calls begin."""
    roots = [placed.action for placed in in_routes(flow.routes)]
    if not any(not route.did and not route.argument for route in flow.routes):
        roots.append(Named(name=flow.entry))
    done = [
        action for root in roots for action in reachable_actions(root, flow.actions)
    ]
    starts = _menus(done, flow)
    menus: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in menus:
            menus.add(name)
            here = list(_actions_in(name, flow))
            done += here
            waiting += _menus(here, flow)
    return Reachability(
        starts=starts,
        menus=frozenset(menus),
        actions=frozenset(each.name for each in done if isinstance(each, Named)),
        runs_custom_action=any(isinstance(each, Run) for each in done),
    )


def menus_with_exit(flow: CallFlow, reachable: Reachability) -> frozenset[str]:
    """Return the names of the menus that a caller can leave without hanging up."""
    out = set()
    leads: dict[str, set[str]] = {}
    for name in reachable.menus:
        done = list(_actions_in(name, flow))
        leads[name] = set(_menus(done, flow))
        if TOP in done:
            leads[name] |= reachable.starts
        if any(isinstance(each, _EXITS) or each == HANGUP for each in done):
            out.add(name)
    backs = {name for name in reachable.menus if BACK in _actions_in(name, flow)}
    for name in backs:
        leads[name] |= {each for each, targets in leads.items() if name in targets}
    size = -1
    while size < len(out):
        size = len(out)
        out |= {name for name, targets in leads.items() if targets & out}
    return frozenset(out)


def _actions_in(name: str, flow: CallFlow) -> Iterator[Action]:
    menu = flow.menus[name]
    has_limit = menu.max_noinput > 0 or menu.max_nomatch > 0
    for placed in in_menu(name, menu):
        if has_limit or not placed.place.endswith(".failure"):
            yield from reachable_actions(placed.action, flow.actions)


def _menus(done: list[Action], flow: CallFlow) -> frozenset[str]:
    targets = (target_menu(action, flow.menus) for action in done)
    return frozenset(name for name in targets if name is not None)
