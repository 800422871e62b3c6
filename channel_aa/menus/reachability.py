"""What callers of a call flow can reach, and from where they can leave."""

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
from channel_aa.menus.traversal import in_menu, in_routes, reached, target_menu

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.menus.flow import CallFlow

_WAYS_OUT = (Dial, Continue, Voicemail, Queue, Directory, Run)


class Reach(NamedTuple):
    """What callers can reach.

    Attributes:
        starts: the names of the menus that calls begin in.
        menus: the names of all menus.
        actions: the names of the actions.
        goes_anywhere: whether an action of an embedding program is among them: it
            may go on with any menu and any action.
    """

    starts: frozenset[str]
    menus: frozenset[str]
    actions: frozenset[str]
    goes_anywhere: bool


def reach(flow: CallFlow) -> Reach:
    """Tell what callers can reach."""
    roots = [written.action for written in in_routes(flow.routes)]
    if not any(not route.did and not route.argument for route in flow.routes):
        roots.append(Named(name=flow.entry))
    done = [action for root in roots for action in reached(root, flow.actions)]
    starts = _menus(done, flow)
    menus: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in menus:
            menus.add(name)
            here = list(_done_in(name, flow))
            done += here
            waiting += _menus(here, flow)
    return Reach(
        starts=starts,
        menus=frozenset(menus),
        actions=frozenset(each.name for each in done if isinstance(each, Named)),
        goes_anywhere=any(isinstance(each, Run) for each in done),
    )


def menus_with_way_out(flow: CallFlow, within: Reach) -> frozenset[str]:
    """Name the menus from which a caller can get somewhere, or is hung up at last."""
    out = set()
    leads: dict[str, set[str]] = {}
    for name in within.menus:
        done = list(_done_in(name, flow))
        leads[name] = set(_menus(done, flow))
        if TOP in done:
            leads[name] |= within.starts
        if any(isinstance(each, _WAYS_OUT) or each == HANGUP for each in done):
            out.add(name)
    backs = {name for name in within.menus if BACK in _done_in(name, flow)}
    for name in backs:
        leads[name] |= {each for each, targets in leads.items() if name in targets}
    size = -1
    while size < len(out):
        size = len(out)
        out |= {name for name, targets in leads.items() if targets & out}
    return frozenset(out)


def _done_in(name: str, flow: CallFlow) -> Iterator[Action]:
    menu = flow.menus[name]
    has_limit = menu.max_noinput > 0 or menu.max_nomatch > 0
    for written in in_menu(name, menu):
        if has_limit or not written.place.endswith(".failure"):
            yield from reached(written.action, flow.actions)


def _menus(done: list[Action], flow: CallFlow) -> frozenset[str]:
    targets = (target_menu(action, flow.menus) for action in done)
    return frozenset(name for name in targets if name is not None)
