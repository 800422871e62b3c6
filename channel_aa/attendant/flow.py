"""Everything that callers of one number can experience: menus, routes, schedules.

Frozen, checked as a whole, and pure: `CallFlow.start` tells where a call begins, and
`CallFlow.resolve` what a name stands for.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from msgspec import field

from channel_aa.attendant.actions import Action, AnyAction, GoTo, Named
from channel_aa.attendant.menu import Menu, default_menu
from channel_aa.attendant.routes import Route
from channel_aa.attendant.schedules import Schedule
from channel_aa.checked import Checked, Problem, bare_name

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
        target: the first action; mostly a `GoTo` of a menu.
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
        menus = values["menus"]
        if menus is not None and values["entry"] not in menus:
            yield Problem("entry", "no such menu")

    def start(self, *, dialled: str, arguments: Sequence[str], at: datetime) -> Start:
        """Tell where a call begins.

        Args:
            dialled: the number that was dialled.
            arguments: those of the dialplan's ``Stasis(app,argument,…)``.
            at: when; with its time zone.
        """
        for route in self.routes:
            if route.is_for(dialled=dialled, arguments=arguments):
                schedule = self.schedules.get(route.schedule)
                return Start(
                    self.resolve(
                        route.target(schedule.state(at) if schedule else None)
                    ),
                    route.language,
                )
        return Start(GoTo(menu=self.entry))

    def resolve(self, action: Action) -> Action:
        """Tell what to do: a name's menu or action, anything else itself.

        Raises:
            KeyError: nothing has that name; only an embedding program's can be so.
        """
        while isinstance(action, Named):
            if action.name in self.menus:
                return GoTo(menu=action.name, label=action.label)
            action = self.actions[action.name]
        return action
