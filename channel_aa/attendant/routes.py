"""Where a call begins: by the number dialled, the dialplan's word, and the time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from channel_aa.attendant.action_rules import language_code
from channel_aa.attendant.actions import Action, AnyAction
from channel_aa.attendant.schedules import State
from channel_aa.checked import Checked, Problem, one_or_list


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

    did: Annotated[tuple[str, ...], one_or_list(str)] = ()
    argument: Annotated[tuple[str, ...], one_or_list(str)] = ()
    to: AnyAction | None = None
    schedule: str = ""
    open: AnyAction | None = None
    closed: AnyAction | None = None
    holiday: AnyAction | None = None
    language: Annotated[str, language_code] = ""

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Find targets that are missing, or never used."""
        if values["schedule"] == "" and values["to"] is None:
            yield Problem("to", "is missing")

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
            raise ValueError(f"{self} has nothing to do when it is {state}")
        return target
