"""``channel-aa report``: what callers did, by menu, hour and phone."""

from __future__ import annotations

import csv
import sys
from argparse import RawDescriptionHelpFormatter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from channel_aa.commands.cli import add_file
from channel_aa.commands.describe import describe
from channel_aa.commands.stored_records import (
    add_period,
    count_calls,
    load_records,
    open_store,
    period_of,
)
from channel_aa.logs import printable
from channel_aa.menus.secret_keys import SecretKeys

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Mapping

    from channel_aa.commands.cli import Subparsers
    from channel_aa.menus.flow import CallFlow
    from channel_aa.menus.menu import Menu
    from channel_aa.records.report import MenuReport, Report
    from channel_aa.records.store import Store
    from channel_aa.settings import Settings

_EPILOG = """\
Times are local, and as for "channel-aa calls". "Hung up" counts the callers who hung up
in a menu, and not in a conversation; the seconds are those in the menu until then. The
page of --format html compares a period that begins with --since with the one before.

examples:
  channel-aa report twistd.conf --since 30d
  channel-aa report twistd.conf --since 2026-11-01 --until 2026-11-30 --format csv
  channel-aa report twistd.conf --since 7d --format html >report.html
"""
_BAR = 40
_HOURS = range(24)


def add(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "report",
        help="count what callers did, by menu, hour and phone",
        description=(
            "Counts what callers did in the calls that the daemon of this file has"
            " stored. The file has to have the table [records]."
        ),
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_file(parser)
    add_period(parser)
    parser.add_argument(
        "--format",
        choices=(*_PRINTERS, "html"),
        default="text",
        help="text (the default), csv, or html: a page with charts to print or mail",
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the report."""
    settings, records = load_records(arguments.file)
    since, until = period_of(arguments)
    with open_store(records) as store:
        report = count_calls(store, since=since, until=until)
        if arguments.format == "html":
            print(_page(report, store, settings, since=since, until=until))
            return 0
    _PRINTERS[arguments.format](report)
    return 0


def _page(
    report: Report,
    store: Store,
    settings: Settings,
    *,
    since: float | None,
    until: float | None,
) -> str:
    """Write the page, with the numbers of the time before if ``since`` is given."""
    # jinja2 need not be installed for the other subcommands.
    from channel_aa.records.report_page import to_html  # noqa: PLC0415

    now = datetime.now(UTC).timestamp()
    end = now if until is None else min(until, now)
    previous: Report | None = None
    if since is not None and 2 * since > end:  # there are no calls before 1970
        previous = count_calls(store, since=2 * since - end, until=since)
    flow = settings.flow
    return to_html(
        report,
        previous,
        since=since,
        end=end,
        source=f"{settings.asterisk.app} at {settings.asterisk.url}",
        meanings={
            name: dict(_meanings(flow, menu)) for name, menu in flow.menus.items()
        },
    )


def _meanings(flow: CallFlow, menu: Menu) -> Iterator[tuple[str, str]]:
    """Yield the keys of each option that is not secret, and what it means."""
    secret = SecretKeys(menu, flow.resolve).options
    for keys, action in menu.options.items():
        if keys not in secret:
            yield keys, flow.resolve(action).label or describe(action)


def _print_text(report: Report) -> None:
    print(f"calls: {report.calls}")
    for ended, count in report.ends.most_common():
        print(f"  {count:>8}  {printable(ended) or 'in progress'}")
    for name, menu in sorted(report.menus.items()):
        print(f"\nmenu {printable(name)}")
        for count, what in _lines_of(menu):
            print(f"  {count:>8}  {what}")
    if report.calls:
        print("\ncalls by hour")
        most = max(report.hours.values())
        for hour in _HOURS:
            count = report.hours[hour]
            bar = "#" * round(_BAR * count / most)
            print(f"  {count:>8}  {hour:02}:00  {bar}".rstrip())
    if report.phones:
        print("\nphones")
    for endpoint, outcomes in sorted(report.phones.items()):
        counts = ", ".join(
            f"{each} {number}" for each, number in outcomes.most_common()
        )
        print(f"  {sum(outcomes.values()):>8}  {printable(endpoint)}: {counts}")


def _lines_of(menu: MenuReport) -> Iterator[tuple[int, str]]:
    yield menu.entered, f"entered, in {menu.calls} calls"
    for keys, count in menu.chosen.most_common():
        yield count, f"chose {keys}"
    if menu.extensions:
        yield menu.extensions, "dialled an extension"
    yield menu.no_match, "pressed keys without a meaning"
    yield menu.silent, "silent"
    yield menu.failed, "reached the limit of these two"
    if menu.given_up_after is None:
        yield 0, "hung up"
    else:
        yield menu.given_up, f"hung up, after {menu.given_up_after:.1f} s (median)"


def _print_csv(report: Report) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(("subject", "name", "what", "count", "median_seconds"))
    for ended, count in report.ends.most_common():
        writer.writerow(("calls", "", ended or "in-progress", count, ""))
    for name, menu in sorted(report.menus.items()):
        for what, count in (
            ("calls", menu.calls),
            ("entered", menu.entered),
            *((f"chose {keys}", count) for keys, count in menu.chosen.most_common()),
            ("extension", menu.extensions),
            ("no match", menu.no_match),
            ("silent", menu.silent),
            ("failed", menu.failed),
        ):
            writer.writerow(("menu", name, what, count, ""))
        writer.writerow(("menu", name, "hung up", menu.given_up, menu.given_up_after))
    for hour in _HOURS:
        writer.writerow(("hour", f"{hour:02}:00", "calls", report.hours[hour], ""))
    for endpoint, outcomes in sorted(report.phones.items()):
        for outcome, count in outcomes.most_common():
            writer.writerow(("phone", printable(endpoint), outcome, count, ""))


_PRINTERS: Mapping[str, Callable[[Report], None]] = {
    "text": _print_text,
    "csv": _print_csv,
}
