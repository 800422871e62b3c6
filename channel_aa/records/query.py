"""Reads records from the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from channel_aa.records.tables import calls, steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from channel_aa.records.store import Store

IN_PROGRESS = "in-progress"
"""Stands for the end of a call that goes on."""

CHUNK = 500

_COLUMNS = [column for column in calls.columns if column.name not in {"id", "state"}]
COLUMNS = tuple(column.name for column in _COLUMNS)
"""The names of what is listed of a call."""


@dataclass(frozen=True, kw_only=True)
class CallFilter:
    """Which calls to list; the defaults leave out none.

    Attributes:
        since: the earliest begin, in seconds since 1970.
        until: the first begin that is too late.
        callers: what stands for their caller; empty: any.
        menu: a menu that they have entered.
        ended: how they have ended: one of `ENDS` or `IN_PROGRESS`.
    """

    since: float | None = None
    until: float | None = None
    callers: Sequence[str] = ()
    menu: str = ""
    ended: str = ""

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions in SQL."""
        if self.since is not None:
            yield calls.c.began >= self.since
        if self.until is not None:
            yield calls.c.began < self.until
        if self.callers:
            yield calls.c.caller.in_(self.callers)
        if self.menu:
            entered = steps.alias()  # a query may join the steps, too
            yield sa.exists().where(
                entered.c.call_id == calls.c.id,
                entered.c.kind == "menu",
                entered.c.menu == self.menu,
            )
        if self.ended:
            yield calls.c.ended == ("" if self.ended == IN_PROGRESS else self.ended)


def find_calls(
    store: Store, wanted: CallFilter, *, with_steps: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield the calls that a filter leaves, in the order of their begins.

    Args:
        store: the database.
        wanted: the filter.
        with_steps: whether each has its ``steps``, too.
    """
    query = (
        sa.select(calls.c.id, *_COLUMNS)
        .where(*wanted.conditions())
        .order_by(calls.c.began, calls.c.id)
    )
    with store.begin() as connection:
        rows = connection.execute(
            query, execution_options={"stream_results": True, "yield_per": CHUNK}
        )
        for partition in rows.mappings().partitions(CHUNK):
            found = [dict(row) for row in partition]
            if with_steps:
                _add_steps(connection, found)
            for call in found:
                del call["id"]
                yield call


def has_menu(store: Store, menu: str) -> bool:
    """Whether a call has entered a menu."""
    query = sa.select(steps.c.call_id).where(steps.c.menu == menu).limit(1)
    with store.begin() as connection:
        return connection.execute(query).first() is not None


def recordings_of(store: Store, callers: Sequence[str]) -> list[str]:
    """Return the names of the recordings in the calls of callers."""
    query = (
        sa.select(steps.c.value)
        .join(calls, calls.c.id == steps.c.call_id)
        .where(calls.c.caller.in_(callers), steps.c.kind == "recording")
        .order_by(calls.c.began, steps.c.number)
    )
    with store.begin() as connection:
        return [*connection.execute(query).scalars()]


def _add_steps(connection: sa.Connection, found: Sequence[dict[str, Any]]) -> None:
    by_call: dict[int, list[dict[str, Any]]] = {call["id"]: [] for call in found}
    query = (
        sa.select(steps)
        .where(steps.c.call_id.in_(by_call))
        .order_by(steps.c.call_id, steps.c.number)
    )
    for row in connection.execute(query).mappings():
        step = dict(row)
        del step["number"]
        by_call[step.pop("call_id")].append(step)
    for call in found:
        call["steps"] = by_call[call["id"]]
