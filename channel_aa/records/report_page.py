"""A report as a page with charts, in one HTML file: to print, or to mail."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from channel_aa.records.report import MenuReport, Report

MAX_DAYS = 92
"""The most days that the chart by day has columns for; a longer time is charted by
month, from its first call."""

_ENDS = {
    "": "in progress",
    "caller": "the caller hung up",
    "attendant": "the attendant hung up",
    "dialplan": "passed on (queue, voicemail, …)",
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
    since: float | None,
    end: float,
    source: str,
    meanings: Mapping[str, Mapping[str, str]],
) -> str:
    """Write the page; what callers and phones have sent is text in it.

    Args:
        report: the numbers.
        previous: those of the time before, which is as long; ``None``: do not compare.
        since: the begin of the time, in seconds since 1970; ``None``: the first call.
        end: its end, in seconds since 1970.
        source: where the numbers are from.
        meanings: for each menu, what its options mean, by their keys.
    """
    environment = Environment(
        loader=PackageLoader("channel_aa.records"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    template = environment.get_template("report.html")
    dials = _dials(report)
    known = [each for each in _OUTCOMES if each in dials]
    previous_period = ""
    if previous is not None and since is not None:
        previous_period = _in_words(2 * since - end, since)
    return template.render(
        report=report,
        previous=previous,
        period=_in_words(since, end),
        previous_period=previous_period,
        source=source,
        days=_days(report, since, end),
        hours=[(f"{hour:02}", report.hours[hour]) for hour in range(24)],
        ends=_ENDS,
        dials=dials,
        previous_dials=Counter[str]() if previous is None else _dials(previous),
        outcomes=[*known, *sorted(dials.keys() - {*known})],
        words=defaultdict(str, _OUTCOMES),
        meanings=meanings,
        rows_of=_rows_of,
    )


def _dials(report: Report) -> Counter[str]:
    """Return how often each outcome came from any phone."""
    return sum(report.phones.values(), Counter[str]())


def _local(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone()


def _in_words(since: float | None, end: float) -> str:
    last = _local(end)
    first = last if since is None else _local(since)
    if {first.time(), last.time()} == {time()}:  # whole days
        shown = [f"{each:%Y-%m-%d}" for each in (first, last - timedelta(days=1))]
    else:
        shown = [f"{each:%Y-%m-%d %H:%M}" for each in (first, last)]
    return f"up to {shown[1]}" if since is None else " to ".join(dict.fromkeys(shown))


def _days(report: Report, since: float | None, end: float) -> list[tuple[str, int]]:
    """Return the calls of each day, or of each month of a long time."""
    if not report.days:
        return []
    first, last = min(report.days), max(report.days)
    begin = first if since is None else _local(since).date()
    # A call may have come after the end was read from the clock.
    last = max(last, (_local(end) - timedelta(microseconds=1)).date())
    count = (last - begin).days + 1
    if count <= MAX_DAYS:
        days = [begin + timedelta(days=number) for number in range(count)]
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
    menu: MenuReport, before: MenuReport | None, meanings: Mapping[str, str]
) -> Iterator[tuple[str, int, int]]:
    """Yield what callers did in a menu, how often, and how often before."""
    chosen_before = before.chosen if before else Counter[str]()
    both = menu.chosen.keys() | chosen_before.keys()
    for keys in sorted(both, key=lambda each: (-menu.chosen[each], each)):
        meaning = f", {meanings[keys]}" if keys in meanings else ""
        yield f"chose {keys}{meaning}", menu.chosen[keys], chosen_before[keys]
    for text, name in (
        ("dialled an extension", "extensions"),
        ("pressed keys without a meaning", "no_match"),
        ("were silent", "silent"),
        ("reached the limit of these two", "failed"),
        ("hung up", "given_up"),
    ):
        count, earlier = getattr(menu, name), getattr(before, name, 0)
        if count or earlier:
            yield text, count, earlier
