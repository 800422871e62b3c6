"""A report as a page with charts, in one HTML file: to print, or to mail."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.records.report import MenuReport, Report

MAX_DAYS = 92
"""The most days that the chart by day has columns for; a longer time is charted by
month."""

_ENDS = {
    "": "in progress",
    "caller": "the caller hung up",
    "attendant": "the attendant hung up",
    "dialplan": "continued in the dialplan",
    "limit": "reached the time limit",
    "overload": "refused: too many calls",
    "loop": "refused: a loop of calls",
    "stopping": "the attendant stopped",
    "error": "an error",
    "replaced": "taken over by another program",
    "lost": "not known: the daemon was killed",
}

_OUTCOMES = {
    "ANSWER": "answered",
    "NOANSWER": "no answer",
    "BUSY": "busy",
    "CONGESTION": "network failed",
    "CHANUNAVAIL": "not reachable",
}


def to_html(
    report: Report,
    previous: Report | None,
    *,
    period: str,
    previous_period: str,
    source: str,
) -> str:
    """Write the page; what callers and phones have sent is text in it.

    Args:
        report: the numbers.
        previous: those of the time before, to compare with; ``None``: do not compare.
        period: the time, in words.
        previous_period: the time before, in words.
        source: where the numbers are from.
    """
    environment = Environment(
        loader=PackageLoader("channel_aa.records"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    template = environment.get_template("report.html")
    outcomes = {each for counts in report.phones.values() for each in counts}
    known = [each for each in _OUTCOMES if each in outcomes]
    return template.render(
        report=report,
        previous=previous,
        period=period,
        previous_period=previous_period,
        source=source,
        days=_days(report),
        hours=[(f"{hour:02}", report.hours[hour]) for hour in range(24)],
        ends=_ENDS,
        outcomes=[*known, *sorted(outcomes.difference(known))],
        words=defaultdict(str, _OUTCOMES),
        rows_of=_rows_of,
    )


def _days(report: Report) -> list[tuple[str, int]]:
    """Return the calls of each day, or of each month of a long time."""
    if not report.days:
        return []
    first, last = min(report.days), max(report.days)
    count = (last - first).days + 1
    if count <= MAX_DAYS:
        days = [first + timedelta(days=number) for number in range(count)]
        return [(day.isoformat(), report.days[day]) for day in days]
    months: defaultdict[str, int] = defaultdict(int)
    month = first.replace(day=1)
    while month <= last:
        months[f"{month:%Y-%m}"] = 0
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    for day, calls in report.days.items():
        months[f"{day:%Y-%m}"] += calls
    return [*months.items()]


def _rows_of(
    menu: MenuReport, before: MenuReport | None
) -> Iterator[tuple[str, int, int]]:
    """Yield what callers did in a menu, how often, and how often before."""
    for keys, count in menu.chosen.most_common():
        yield f"chose {keys}", count, before.chosen[keys] if before else 0
    for text, name in (
        ("dialled an extension", "extensions"),
        ("pressed keys without a meaning", "no_match"),
        ("were silent", "silent"),
        ("hung up", "given_up"),
    ):
        count, earlier = getattr(menu, name), getattr(before, name, 0)
        if count or earlier:
            yield text, count, earlier
