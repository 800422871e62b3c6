"""Counts of what callers did, by menu, hour and phone."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from statistics import median
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from channel_aa.records.tables import calls, steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channel_aa.records.query import CallFilter
    from channel_aa.records.store import Store

_QUARTER = 900
"""Seconds; the offsets of all time zones are multiples of this."""


@dataclass
class MenuReport:
    """What callers did in a menu.

    Attributes:
        calls: the calls that entered it.
        entered: how often it was entered.
        chosen: how often each option was chosen, by its keys.
        extensions: how often an extension was dialled.
        no_match: how often keys had no meaning.
        silent: how often no key came in time.
        given_up: the calls whose caller hung up while in it, in no conversation.
        given_up_after: the median of the seconds in it until then; ``None``: no call.
    """

    calls: int = 0
    entered: int = 0
    chosen: Counter[str] = field(default_factory=Counter)
    extensions: int = 0
    no_match: int = 0
    silent: int = 0
    given_up: int = 0
    given_up_after: float | None = None


@dataclass
class Report:
    """What callers did in a time.

    Attributes:
        calls: the number of calls.
        ends: how many ended how; empty text: they go on.
        menus: by name.
        hours: how many calls began in each hour of the day, in local time: 0 to 23.
        days: how many calls began on each day, in local time.
        phones: by endpoint, how often each DIALSTATUS came.
    """

    calls: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    menus: defaultdict[str, MenuReport] = field(
        default_factory=lambda: defaultdict(MenuReport)
    )
    hours: Counter[int] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    phones: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )


def make_report(store: Store, wanted: CallFilter) -> Report:
    """Count the calls that a filter leaves, and their steps."""
    report = Report()
    conditions = [*wanted.conditions()]
    with store.begin() as connection:
        _count_calls(connection, conditions, report)
        _count_steps(connection, conditions, report)
    return report


def _count_calls(
    connection: sa.Connection,
    conditions: list[sa.ColumnElement[bool]],
    report: Report,
) -> None:
    count = sa.func.count()
    ends = sa.select(calls.c.ended, count).where(*conditions).group_by(calls.c.ended)
    for ended, number in connection.execute(ends):
        report.ends[ended] = number
        report.calls += number
    quarter = sa.cast(calls.c.began / _QUARTER, sa.Integer)
    begins = sa.select(quarter, count).where(*conditions).group_by(quarter)
    for began, number in connection.execute(begins):
        local = datetime.fromtimestamp(began * _QUARTER, UTC).astimezone()
        report.hours[local.hour] += number
        report.days[local.date()] += number
    given_up = sa.select(calls.c.end_menu, calls.c.end_menu_seconds).where(
        *conditions, calls.c.end_menu_seconds.is_not(None)
    )
    seconds: dict[str, list[float]] = defaultdict(list)
    for menu, after in connection.execute(given_up):
        seconds[menu].append(after)
    for menu, afters in seconds.items():
        report.menus[menu].given_up = len(afters)
        report.menus[menu].given_up_after = median(afters)


def _count_steps(
    connection: sa.Connection,
    conditions: list[sa.ColumnElement[bool]],
    report: Report,
) -> None:
    is_shown = steps.c.outcome.in_(("option", "extension", "no match")).is_(False)
    value = sa.case(
        (is_shown | (steps.c.outcome == "option"), steps.c.value), else_=""
    ).label("shown")
    query = sa.select(
        steps.c.kind,
        steps.c.menu,
        value,
        steps.c.outcome,
        sa.func.count().label("count"),
        sa.func.count(steps.c.call_id.distinct()).label("calls"),
    ).where(steps.c.kind.in_(("menu", "keys", "silence", "phone")))
    if conditions:
        query = query.join(calls, calls.c.id == steps.c.call_id).where(*conditions)
    query = query.group_by(steps.c.kind, steps.c.menu, value, steps.c.outcome)
    for row in connection.execute(query).mappings():
        _add_steps(report, row)


def _add_steps(report: Report, row: Mapping[Any, Any]) -> None:
    count: int = row["count"]
    if row["kind"] == "phone":
        report.phones[row["shown"]][row["outcome"]] += count
        return
    menu = report.menus[row["menu"]]
    match row["kind"], row["outcome"]:
        case "menu", _:
            menu.entered, menu.calls = count, row["calls"]
        case "silence", _:
            menu.silent = count
        case _, "option":
            menu.chosen[row["shown"]] += count
        case _, "extension":
            menu.extensions += count
        case _:
            menu.no_match += count
