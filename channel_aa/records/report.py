"""Counts of what callers did, by menu, hour and phone."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from math import inf, nextafter
from statistics import median
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from channel_aa.menus.actions import REPEAT
from channel_aa.menus.routes import RETURN_PREFIX
from channel_aa.records.tables import calls, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from channel_aa.records.query import CallFilter
    from channel_aa.records.store import Store

SLICE_CALLS = 5000
"""The steps of about this many calls are counted at a time. It bounds the time of a
query, for which databases have a limit, and is how often progress is reported."""

_ROWS = 10_000
"""To fetch so many at a time takes half as long as one by one."""

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
        failed: how often one of the two reached its limit, and the menu's ``failure``
            followed.
        given_up: the calls whose caller hung up while in it, in no conversation.
        given_up_after: the median of the seconds in it until then; ``None``: no call.
    """

    calls: int = 0
    entered: int = 0
    chosen: Counter[str] = field(default_factory=Counter)
    extensions: int = 0
    no_match: int = 0
    silent: int = 0
    failed: int = 0
    given_up: int = 0
    given_up_after: float | None = None


@dataclass
class Report:
    """What callers did in a time.

    Attributes:
        calls: the number of calls.
        ends: how many ended how; empty text: they go on.
        routes: how many calls had each route, by its index, without those that came
            back from the dialplan; ``None``: no route.
        menus: by name.
        hours: how many calls began in each hour of the day, in local time: 0 to 23.
        days: how many calls began on each day, in local time.
        phones: by endpoint, how often each DIALSTATUS came.
    """

    calls: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    routes: Counter[int | None] = field(default_factory=Counter)
    menus: defaultdict[str, MenuReport] = field(
        default_factory=lambda: defaultdict(MenuReport)
    )
    hours: Counter[int] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    phones: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )


def make_report(
    store: Store,
    wanted: CallFilter,
    *,
    progress: Callable[[float], object] | None = None,
) -> Report:
    """Count the calls that a filter leaves, and their steps.

    Args:
        store: the database.
        wanted: the filter.
        progress: called with the part that has been counted, 0 to 1, if there are many
            calls.
    """
    report = Report()
    with store.begin() as connection:
        slices = [*_slices(connection, wanted)]
        _count_calls(connection, [*wanted.conditions()], report)
        for number, each in enumerate(slices):
            if progress is not None and len(slices) > 1:
                progress(number / len(slices))
            _count_steps(connection, [*each.conditions()], report)
    return report


def _slices(connection: sa.Connection, wanted: CallFilter) -> Iterator[CallFilter]:
    """Divide the time of a filter, so that each part has about `SLICE_CALLS` calls."""
    began = calls.c.began
    conditions = [*wanted.conditions()]
    query = sa.select(sa.func.count(), sa.func.min(began), sa.func.max(began))
    count, first, last = connection.execute(query.where(*conditions)).one()
    if count <= SLICE_CALLS and not conditions:
        yield wanted
        return
    number = -(-count // SLICE_CALLS)
    bounds = [first + (last - first) * each / number for each in range(number)]
    # Both bounds are set: with one, SQLite would read all steps to find these.
    for since, until in pairwise((*bounds, nextafter(last or 0.0, inf))):
        yield replace(wanted, since=since, until=until)


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
    is_new = ~calls.c.arguments.contains(RETURN_PREFIX, autoescape=True)
    routes = sa.select(calls.c.route, count).where(*conditions, is_new)
    for route, number in connection.execute(routes.group_by(calls.c.route)):
        report.routes[route] = number
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
    for rows in connection.execute(given_up).partitions(_ROWS):
        for menu, after in rows:
            seconds[menu].append(after)
    for menu, afters in seconds.items():
        report.menus[menu].given_up = len(afters)
        report.menus[menu].given_up_after = median(afters)


def _count_steps(
    connection: sa.Connection,
    conditions: list[sa.ColumnElement[bool]],
    report: Report,
) -> None:
    # Two queries: SQLite sorts what it groups, and most steps are entered menus, which
    # need to be sorted by one column only.
    count = sa.func.count()
    entered = sa.select(steps.c.menu, count, sa.func.count(steps.c.call_id.distinct()))
    entered = _of(entered.where(steps.c.kind == "menu"), conditions)
    for menu, times, number in connection.execute(entered.group_by(steps.c.menu)):
        report.menus[menu].entered += times
        report.menus[menu].calls += number
    is_any_number = steps.c.outcome.in_(("extension", "no match"))
    value = sa.case((is_any_number, ""), else_=steps.c.value).label("shown")
    columns = (steps.c.kind, steps.c.menu, steps.c.outcome, value)
    others = sa.select(*columns, count).where(
        steps.c.kind.in_(("keys", "silence", "phone"))
    )
    for row in connection.execute(_of(others, conditions).group_by(*columns)):
        _add_steps(report, row)
    _count_failures(connection, conditions, report)


def _count_failures(
    connection: sa.Connection,
    conditions: list[sa.ColumnElement[bool]],
    report: Report,
) -> None:
    """Count the actions that follow silence or a wrong key, which only a limit does."""
    following = steps.alias()
    query = (
        sa.select(steps.c.menu, sa.func.count())
        .join(
            following,
            (following.c.call_id == steps.c.call_id)
            & (following.c.number == steps.c.number + 1),
        )
        .where(
            (steps.c.kind == "silence") | (steps.c.outcome == "no match"),
            following.c.kind == "action",
            # That is another run of the daemon, which continues the call.
            following.c.value != REPEAT.word,
        )
    )
    failures = _of(query, conditions).group_by(steps.c.menu)
    for name, count in connection.execute(failures):
        report.menus[name].failed += count


def _add_steps(report: Report, row: Sequence[Any]) -> None:
    kind, name, outcome, value, count = row
    if kind == "phone":
        report.phones[value][outcome] += count
        return
    menu = report.menus[name]
    match kind, outcome:
        case "silence", _:
            menu.silent += count
        case _, "option":
            menu.chosen[value] += count
        case _, "extension":
            menu.extensions += count
        case _:
            menu.no_match += count


def _of(
    query: sa.Select[*tuple[Any, ...]], conditions: list[sa.ColumnElement[bool]]
) -> sa.Select[*tuple[Any, ...]]:
    """Leave in a query of steps those of the calls that meet conditions."""
    if not conditions:
        return query
    return query.join(calls, calls.c.id == steps.c.call_id).where(*conditions)
