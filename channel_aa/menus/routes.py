"""Where a call begins: by the number dialled, the dialplan's word, and the time."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from channel_aa.checked import Checked, Problem, one_or_list, quoted
from channel_aa.menus.action_rules import language_or_none
from channel_aa.menus.actions import Action, AnyAction
from channel_aa.menus.schedules import State

_TIMELESS = ("to",)
_TIMED = ("open", "closed", "holiday")
_WITH_SCHEDULE = (
    "is never done: with a schedule, callers get what 'open' and 'closed' say"
)
_WITHOUT_SCHEDULE = (
    "is never done without a schedule: name one, or say with 'to' what callers get at"
    " any time"
)
_NUMBER = re.compile(r"[A-Za-z0-9+*#._-]{1,80}")


def dialled_number(number: str) -> str:
    """Allow what can be an extension of the dialplan: a rule."""
    if _NUMBER.fullmatch(number):
        return number
    raise ValueError(
        f"{quoted(number)} is no dialled number; write it as the dialplan has it, such"
        " as '+441632960000', without spaces"
    )


def stasis_argument(argument: str) -> str:
    """Allow what can stand between the commas of ``Stasis()``: a rule."""
    if argument and argument.isprintable() and "," not in argument:
        return argument
    raise ValueError(
        f"{quoted(argument)} is no argument of Stasis(app,argument); it has at least"
        " one character, no ',' and no control character"
    )


_Number = Annotated[str, dialled_number]
_Argument = Annotated[str, stasis_argument]


class Route(Checked, frozen=True, kw_only=True):
    """Where some calls begin.

    Attributes:
        did: the dialled numbers that it is for; none: for any.
        argument: the arguments of ``Stasis(app,argument,…)`` that it is for, of
            which a call has to have one; none: for any.
        to: what is done, where there is no schedule.
        schedule: the name of the schedule that decides; empty: none.
        open: what is done while the schedule says so.
        closed: what is done while it is closed.
        holiday: what is done on a holiday; ``None``: as `closed`.
        language: the language of the sounds; empty: the one that the call has.
    """

    did: Annotated[tuple[str, ...], one_or_list(Annotated[str, dialled_number])] = ()
    argument: Annotated[
        tuple[str, ...], one_or_list(Annotated[str, stasis_argument])
    ] = ()
    to: AnyAction | None = None
    schedule: str = ""
    open: AnyAction | None = None
    closed: AnyAction | None = None
    holiday: AnyAction | None = None
    language: Annotated[str, language_or_none] = ""

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Find targets that are never used."""
        if values["schedule"] is None:
            return
        for key in _TIMELESS if values["schedule"] else _TIMED:
            if values[key] is not None:
                reason = _WITH_SCHEDULE if values["schedule"] else _WITHOUT_SCHEDULE
                yield Problem(key, reason)

    @classmethod
    def omissions(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Find targets that are missing."""
        for key in ("open", "closed") if values["schedule"] else ("to",):
            if values[key] is None:
                yield Problem(
                    key, "is missing: name the menu or the action that callers get"
                )

    def is_for(self, *, dialled: str, arguments: Sequence[str]) -> bool:
        """Whether this route is for a call."""
        return (not self.did or dialled in self.did) and (
            not self.argument or any(each in self.argument for each in arguments)
        )

    def target(self, state: State | None) -> Action:
        """Tell what is done; ``None`` where there is no schedule."""
        targets = {
            None: self.to,
            State.OPEN: self.open,
            State.CLOSED: self.closed,
            State.HOLIDAY: self.holiday or self.closed,
        }
        target = targets[state]
        if target is None:
            raise ValueError("the route has nothing to do: omissions() finds that")
        return target
