"""The call flow: menus, named actions, routes and schedules, validated as a whole.

Frozen and pure: `CallFlow.start` returns the action that a call begins with, and
`CallFlow.resolve` the action that a name refers to.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from channel_aa.config_errors import Loc
from channel_aa.config_model import ConfigModel
from channel_aa.config_types import (
    Between,
    Explain,
    Flag,
    FrozenMapping,
    Name,
    OneOrMany,
    Text,
)
from channel_aa.dialogue.digits import DeniedPattern
from channel_aa.menus.actions import (
    KEYWORDS,
    Action,
    GoTo,
    Keyword,
    Named,
    dialled_numbers,
)
from channel_aa.menus.menu import DeniedNumber, Menu, default_menu
from channel_aa.menus.routes import Route
from channel_aa.menus.schedules import Schedule
from channel_aa.menus.traversal import (
    PlacedAction,
    PlacedSound,
    in_actions,
    in_menu,
    in_routes,
    menu_sounds,
    played_sounds,
    with_follow_ups,
)
from channel_aa.menus.validation import (
    Names,
    Parts,
    cross_reference_problems,
    undefined_names,
)
from channel_aa.problems import Problem, unknown_name

MAX_CALLS = 5000
"""The most calls that an attendant serves; more than twice what one process can keep up
with (docs/performance.md)."""

MAX_CALL_SECONDS = 86400
MAX_FORWARDS = 20

CallSeconds = Annotated[
    float,
    Field(strict=True, gt=0, le=MAX_CALL_SECONDS),
    Explain(
        "{value} is out of range; allowed are seconds, more than 0 and at most"
        f" {MAX_CALL_SECONDS}"
    ),
]

ForwardCount = Annotated[int, Between(1, MAX_FORWARDS)]
DeniedNumbers = Annotated[tuple[DeniedNumber, ...], OneOrMany()]


class Start(NamedTuple):
    """The action that a call begins with.

    Attributes:
        target: the first action, mostly a `GoTo` of a menu; never a `Named`. Without
            a menu before it, where an unanswered `Dial` would return to the menu, the
            call goes on in the dialplan.
        language: the language of the sounds; empty: the one that the call has.
        route: the index of the route that applies; ``None``: none does.
    """

    target: Action
    language: str = ""
    route: int | None = None


class FlowTables(ConfigModel, frozen=True):
    """The tables of a call flow, which have to fit together."""

    menus: FrozenMapping[Name, Menu] = Field(
        default_factory=lambda: {"main": default_menu()}, validate_default=True
    )
    """The menus by name."""

    actions: FrozenMapping[Name, Action] = Field(
        default_factory=dict, validate_default=True
    )
    """Actions by name; the name can be written wherever an action can."""

    routes: tuple[Route, ...] = ()
    """The first action by dialled number, argument or time; the first route that
    applies to a call is used."""

    schedules: FrozenMapping[Name, Schedule] = Field(
        default_factory=dict, validate_default=True
    )
    """Opening hours by name."""

    @classmethod
    def without_faulty(
        cls, data: Mapping[str, Any], errors: Iterable[Loc]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Divide a table into its valid and its invalid part.

        Of menus, actions and schedules, the invalid ones alone are left out.
        """
        errors = list(errors)
        right, faulty = super().without_faulty(data, errors)
        for key in _BY_NAME & faulty.keys():
            wrong = {loc[1] for loc in errors if loc[0] == key and loc[1:]}
            if wrong:
                table = faulty[key]
                right[key] = {k: v for k, v in table.items() if k not in wrong}
                faulty[key] = {k: v for k, v in table.items() if k in wrong}
        return right, faulty

    def flow_problems(
        self, faulty: Mapping[str, Any], *, entry: str | None, entry_place: str
    ) -> Iterator[Problem]:
        """Find undefined names, endless cycles and the like.

        Args:
            faulty: the invalid tables, which are missing here.
            entry: the name of the menu for the calls that no route is for; ``None``:
                it is invalid.
            entry_place: where that name stands.
        """
        if not all(isinstance(faulty.get(key, {}), Mapping) for key in _BY_NAME):
            return

        def names(key: str) -> frozenset[str]:
            return frozenset(map(str, {**getattr(self, key), **faulty.get(key, {})}))

        parts = Parts(
            entry=entry,
            menus=self.menus,
            actions=self.actions,
            routes=self.routes,
            names=Names(names("menus"), names("actions")),
            schedule_names=names("schedules"),
        )
        yield from cross_reference_problems(parts, entry_place=entry_place)
        yield from undefined_names(faulty, parts.names)


_BY_NAME = {"menus", "actions", "schedules"}


class CallFlow(FlowTables, frozen=True):
    """All menus and actions of an application; without arguments, the default menu."""

    entry: Text = "main"
    """The menu for the calls that no route is for."""

    max_call_seconds: CallSeconds = 3600.0
    """How long a call may take, without its conversations."""

    max_forwards: ForwardCount = 3
    """How often dialled phones may lead a call back here."""

    deny: DeniedNumbers = ()
    """Patterns of numbers that no ``{digits}`` may dial."""

    cdr_userfield: Flag = False
    """Whether Asterisk's CDR gets the way of the call through the menus."""

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find undefined names, endless cycles and the like."""
        entry = None if "entry" in faulty else self.entry
        return self.flow_problems(faulty, entry=entry, entry_place="entry")

    def start(self, *, dialled: str, arguments: Sequence[str], at: datetime) -> Start:
        """Return the action that a call begins with.

        The dialled number and the arguments are compared only.

        Args:
            dialled: the number that was dialled.
            arguments: those of the dialplan's ``Stasis(app,argument,…)``.
            at: when; with its time zone.
        """
        for index, route in enumerate(self.routes):
            if route.is_for(dialled=dialled, arguments=arguments):
                schedule = self.schedules.get(route.schedule)
                target = route.target(schedule.state(at) if schedule else None)
                return Start(self.resolve(target), route.language, index)
        return Start(GoTo(menu=self.entry))

    def resolve(self, action: Action) -> Action:
        """Return the action that a name refers to; any other action itself.

        Raises:
            KeyError: the name is undefined. Only an action that a program has built
                can have such a name; those of this flow are validated.
        """
        while isinstance(action, Named):
            if action.name in self.menus:
                return GoTo(menu=action.name)
            action = self.actions[action.name]
        return action

    def denied_by(self, text: str, digits: str) -> str:
        """Return the pattern of ``deny`` for the number that a text dials, or "".

        Args:
            text: an endpoint, or an extension of the dialplan, with ``{digits}``.
            digits: what the caller pressed.
        """
        if not self.deny:
            return ""
        numbers = dialled_numbers(text, digits)
        return next(
            (
                pattern.text
                for pattern in map(DeniedPattern, self.deny)
                if any(map(pattern.matches, numbers))
            ),
            "",
        )

    def word(self, word: str) -> Action:
        """Return the action that a word stands for in the file.

        Raises:
            ValueError: the word is undefined; the message names those that are not.
        """
        if word in KEYWORDS:
            return Keyword(word=word)
        if word in self.menus or word in self.actions:
            return self.resolve(Named(name=word))
        names = sorted([*self.menus, *self.actions])
        raise ValueError(unknown_name(word, [*names, *KEYWORDS], kind="menu or action"))

    def all_actions(self) -> Iterator[PlacedAction]:
        """Yield every action with its place, follow-ups included."""
        roots = [
            each for name, menu in self.menus.items() for each in in_menu(name, menu)
        ]
        roots += [*in_actions(self.actions), *in_routes(self.routes)]
        return with_follow_ups(roots)

    def all_sounds(self) -> Iterator[PlacedSound]:
        """Yield every sound with its place."""
        for name, menu in self.menus.items():
            yield from menu_sounds(name, menu)
        yield from played_sounds(self.all_actions())
