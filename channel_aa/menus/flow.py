"""Everything that callers of one number can experience: menus, routes, schedules.

Frozen, checked as a whole, and pure: `CallFlow.start` tells where a call begins, and
`CallFlow.resolve` what a name stands for.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from msgspec import field

from channel_aa.checked import Checked, Problem, bare_name, nearest
from channel_aa.menus.actions import (
    KEYWORDS,
    Action,
    AnyAction,
    GoTo,
    Keyword,
    Named,
)
from channel_aa.menus.menu import Menu, default_menu
from channel_aa.menus.routes import Route
from channel_aa.menus.schedules import Schedule
from channel_aa.menus.traversal import (
    Heard,
    Written,
    in_actions,
    in_menu,
    in_routes,
    menu_sounds,
    played_sounds,
    with_follow_ups,
)
from channel_aa.menus.validation import Parts, mistakes

Name = Annotated[str, bare_name]
Menus = Mapping[Name, Menu]
Actions = Mapping[Name, AnyAction]
Schedules = Mapping[Name, Schedule]

MAX_CALL_SECONDS = 86400


def call_seconds(seconds: float) -> float:
    """Allow a time that a call may take: a rule."""
    if 0 < seconds <= MAX_CALL_SECONDS:
        return seconds
    raise ValueError(
        f"{seconds:g} is out of range; allowed are seconds, more than 0 and at most"
        f" {MAX_CALL_SECONDS}"
    )


class Start(NamedTuple):
    """Where a call begins.

    Attributes:
        target: the first action, mostly a `GoTo` of a menu; never a `Named`. No menu
            has been entered yet: where an action such as a `Dial` that nobody
            answered would return to the menu, the call goes on in the dialplan.
        language: the language of the sounds; empty: the one that the call has.
    """

    target: Action
    language: str = ""


class CallFlow(Checked, frozen=True, kw_only=True):
    """What callers can experience; without arguments, the default menu.

    Attributes:
        entry: the menu for the calls that no route is for.
        max_call_seconds: how long a call may take, without its conversations.
        menus: the menus by name.
        actions: actions by name, for all the places that name them.
        routes: where calls begin; the first that is for a call counts.
        schedules: the schedules by name.
    """

    entry: str = "main"
    max_call_seconds: Annotated[float, call_seconds] = 3600.0
    menus: Menus = field(default_factory=lambda: {"main": default_menu()})
    actions: Actions = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    schedules: Schedules = field(default_factory=dict)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Find what does not fit together."""
        yield from flow_mistakes(values, entry=values["entry"], entry_place="entry")

    def start(self, *, dialled: str, arguments: Sequence[str], at: datetime) -> Start:
        """Tell where a call begins. What comes from outside is compared, no more.

        Args:
            dialled: the number that was dialled.
            arguments: those of the dialplan's ``Stasis(app,argument,…)``.
            at: when; with its time zone.
        """
        for route in self.routes:
            if route.is_for(dialled=dialled, arguments=arguments):
                schedule = self.schedules.get(route.schedule)
                target = route.target(schedule.state(at) if schedule else None)
                return Start(self.resolve(target), route.language)
        return Start(GoTo(menu=self.entry))

    def resolve(self, action: Action) -> Action:
        """Tell what to do: a name's menu or action, anything else itself.

        Raises:
            KeyError: nothing has that name. Only an action that a program has built
                can have such a name; those of this flow are checked.
        """
        while isinstance(action, Named):
            if action.name in self.menus:
                return GoTo(menu=action.name)
            action = self.actions[action.name]
        return action

    def word(self, word: str) -> Action:
        """Tell what a word would do, in place of an action in the file.

        Raises:
            ValueError: nothing; it says what would.
        """
        if word in KEYWORDS:
            return Keyword(word=word)
        if word in self.menus or word in self.actions:
            return self.resolve(Named(name=word))
        names = sorted([*self.menus, *self.actions])
        raise ValueError(nearest(word, [*names, *KEYWORDS], what="menu or action"))

    def all_actions(self) -> Iterator[Written]:
        """Give every action, also those within others, and where it stands."""
        roots = [
            each for name, menu in self.menus.items() for each in in_menu(name, menu)
        ]
        roots += [*in_actions(self.actions), *in_routes(self.routes)]
        return with_follow_ups(roots)

    def all_sounds(self) -> Iterator[Heard]:
        """Give every sound, and where it stands."""
        for name, menu in self.menus.items():
            yield from menu_sounds(name, menu)
        yield from played_sounds(self.all_actions())


def flow_mistakes(
    values: Mapping[str, Any], *, entry: str | None, entry_place: str
) -> Iterator[Problem]:
    """Find what does not fit together in the parts of a flow.

    Args:
        values: ``menus``, ``actions``, ``routes`` and ``schedules``; what is wrong in
            itself is ``None``, also within them.
        entry: the name of the menu for the calls that no route is for.
        entry_place: where that name stands.
    """
    if any(values[key] is None for key in ("menus", "actions", "schedules")):
        return
    parts = Parts(
        entry=entry or "",
        menus=_right(values["menus"]),
        actions=_right(values["actions"]),
        routes=values["routes"] or (),
        menu_names=frozenset(map(str, values["menus"])),
        action_names=frozenset(map(str, values["actions"])),
        schedule_names=frozenset(map(str, values["schedules"])),
    )
    for problem in mistakes(parts, entry_place=entry_place):
        if entry is not None or problem.place != entry_place:
            yield problem


def _right(table: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: each for name, each in table.items() if each is not None}
