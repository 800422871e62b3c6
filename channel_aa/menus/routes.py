"""Routes: the first action of a call, by dialled number, Stasis argument and time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue, WithJsonSchema

from channel_aa.config_model import ConfigModel
from channel_aa.config_types import Explain, Matching, OneOrMany, Text, printable
from channel_aa.menus.actions import Action
from channel_aa.menus.schedules import State
from channel_aa.menus.sounds import LanguageOrNone
from channel_aa.problems import Problem, quoted

__all__ = [
    "Route",
]

_TIMELESS = ("to",)
_TIMED = ("open", "closed", "holiday")
_WITH_SCHEDULE = (
    "has no effect with a schedule: its 'open' and 'closed' apply; remove one of them"
)
_WITHOUT_SCHEDULE = (
    "has no effect without a schedule; set 'schedule', or set 'to' for calls at any"
    " time"
)

DialledNumber = Annotated[
    str,
    Matching(
        "[A-Za-z0-9+*#._-]{1,80}",
        "{value} is not a dialled number; write it as the dialplan has it, such as"
        " '+441632960000', without spaces",
    ),
]
RETURN_PREFIX = "channel-aa-menu="
"""The beginning of the argument with which the shipped dialplan returns callers to the
menu that they have left; no route can have it."""


def _refuse_return(argument: str) -> str:
    if argument.startswith(RETURN_PREFIX):
        raise ValueError(
            f"{quoted(argument)}: arguments that begin with {quoted(RETURN_PREFIX)} are"
            " the shipped dialplan's own; choose another one"
        )
    return argument


StasisArgument = Annotated[
    Text,
    Field(pattern="^[^,]+$"),
    AfterValidator(printable),
    Explain(
        "{value} is not an argument of Stasis(app,argument); it has at least one"
        " character, no ',' and no control character"
    ),
    AfterValidator(_refuse_return),
    WithJsonSchema({"type": "string", "pattern": f"^(?!{RETURN_PREFIX})[^,]+$"}),
]


# What `Route.conflicts` says, as a JSON Schema can say it.
_TARGETS: dict[str, JsonValue] = {
    "oneOf": [
        {
            "properties": {"schedule": {"minLength": 1}},
            "required": ["schedule", "open", "closed"],
            "not": {"required": ["to"]},
        },
        {
            "properties": {"schedule": {"const": ""}},
            "required": ["to"],
            "not": {"anyOf": [{"required": [key]} for key in _TIMED]},
        },
    ]
}


class Route(ConfigModel, frozen=True, json_schema_extra=_TARGETS):
    """The first action of the calls that it applies to."""

    did: Annotated[tuple[DialledNumber, ...], OneOrMany()] = ()
    """The dialled numbers that the route applies to; default: all."""

    argument: Annotated[tuple[StasisArgument, ...], OneOrMany()] = ()
    """The arguments of ``Stasis(app,argument,…)`` that the route applies to; a call
    needs one of them. Default: all calls."""

    to: Action | None = None
    """The action for these calls, if the route has no ``schedule``."""

    schedule: Text = ""
    """The name of a schedule, which selects ``open``, ``closed`` or ``holiday``;
    empty: none."""

    open: Action | None = None
    """The action while the schedule is open."""

    closed: Action | None = None
    """The action while the schedule is closed."""

    holiday: Action | None = None
    """The action on a holiday of the schedule; default: the same as ``closed``."""

    language: LanguageOrNone = ""
    """The language of the sounds: ``en``, ``fr``. Empty: the channel's."""

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find targets that are never used, and those that are missing."""
        if "schedule" in faulty:
            return
        unused, reason, needed = (
            (_TIMELESS, _WITH_SCHEDULE, ("open", "closed"))
            if self.schedule
            else (_TIMED, _WITHOUT_SCHEDULE, ("to",))
        )
        for key in unused:
            if getattr(self, key) is not None:
                yield Problem(key, reason)
        for key in needed:
            if getattr(self, key) is None and not faulty:
                yield Problem(
                    key, "is missing; set the menu or the action for these calls"
                )

    def is_for(self, *, dialled: str, arguments: Sequence[str]) -> bool:
        """Whether this route is for a call."""
        return (not self.did or dialled in self.did) and (
            not self.argument or any(each in self.argument for each in arguments)
        )

    def target(self, state: State | None) -> Action:
        """Return the action for a state of the schedule; ``None``: no schedule."""
        targets = {
            None: self.to,
            State.OPEN: self.open,
            State.CLOSED: self.closed,
            State.HOLIDAY: self.holiday or self.closed,
        }
        target = targets[state]
        if target is None:
            raise ValueError("the route has nothing to do: conflicts() finds that")
        return target
