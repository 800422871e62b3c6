"""``channel-aa calls``: the records of calls."""

from __future__ import annotations

import csv
import json
import re
import sys
from argparse import RawDescriptionHelpFormatter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from channel_aa.attendant.call_events import EndReason
from channel_aa.commands.cli import CommandError, add_file
from channel_aa.commands.stored_records import (
    add_period,
    load_records,
    open_store,
    period_of,
    stored_callers,
)
from channel_aa.logs import printable
from channel_aa.problems import unknown_name

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Mapping

    from channel_aa.commands.cli import Subparsers
    from channel_aa.records.store import Store
    from channel_aa.settings import Settings

_EPILOG = """\
Times are local. --since and --until take a date, a date and a time, or how long ago:
7d, 12h, 30m. A date in --until includes that day. docs/records.md describes the
columns; JSON has the steps of each call, too.

examples:
  channel-aa calls twistd.conf --since 7d
  channel-aa calls twistd.conf --since 2026-11-01 --until 2026-11-30 --format csv
  channel-aa calls twistd.conf --menu sales --ended caller
"""
_ENDED = (*(each.value for each in EndReason), "lost", "in-progress")
_WIDTHS = {
    "began": 19,
    "caller": 14,
    "dialled": 14,
    "seconds": 8,
    "spoken": 7,
    "ended": 11,
    "at": 16,
}
_NUMBER = re.compile(r"[+-]?[0-9.]+")


def add(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "calls",
        help="list the records of calls",
        description=(
            "Lists the records of calls that the daemon of this file has stored. The"
            " file has to have the table [records]."
        ),
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_file(parser)
    add_period(parser)
    parser.add_argument("--caller", metavar="NUMBER", help="calls of one caller")
    parser.add_argument("--menu", metavar="MENU", help="calls that entered a menu")
    parser.add_argument(
        "--ended",
        metavar="HOW",
        choices=_ENDED,
        help=f"calls that ended so: {', '.join(_ENDED)}",
    )
    parser.add_argument(
        "--format",
        choices=tuple(_PRINTERS),
        default="table",
        help="table (the default), csv or json",
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the calls."""
    settings, records = load_records(arguments.file)
    # SQLAlchemy need not be installed for the other subcommands.
    from channel_aa.records.query import CallFilter, find_calls  # noqa: PLC0415

    since, until = period_of(arguments)
    with open_store(records) as store:
        if arguments.menu is not None:
            _check_menu(arguments.menu, settings, store)
        wanted = CallFilter(
            since=since,
            until=until,
            callers=stored_callers(records, arguments.caller)
            if arguments.caller is not None
            else (),
            menu=arguments.menu or "",
            ended=arguments.ended or "",
        )
        is_json = arguments.format == "json"
        found = find_calls(store, wanted, with_steps=is_json)
        _PRINTERS[arguments.format](_with_local_time(call) for call in found)
    return 0


def _check_menu(menu: str, settings: Settings, store: Store) -> None:
    from channel_aa.records.query import has_menu  # noqa: PLC0415 - as in run

    # The file may have had other menus when the calls came.
    if menu not in settings.flow.menus and not has_menu(store, menu):
        problem = unknown_name(menu, settings.flow.menus, kind="menu")
        raise CommandError(f"--menu: {problem}")


def _with_local_time(call: Mapping[str, Any]) -> dict[str, Any]:
    began = datetime.fromtimestamp(call["began"], UTC).astimezone()
    return {**call, "began": began.isoformat(timespec="seconds")}


def _print_table(calls: Iterable[Mapping[str, Any]]) -> None:
    cells = [name.upper().ljust(width) for name, width in _WIDTHS.items()]
    print("  ".join([*cells, "PATH"]))
    count = 0
    for call in calls:
        count += 1
        shown = {
            **call,
            "began": call["began"][:19].replace("T", " "),
            "seconds": _rounded(call["seconds"]),
            "spoken": _rounded(call["spoken"] or None),
            "ended": call["ended"] or "in progress",
            "at": call["destination"] or call["partner"] or call["end_menu"],
        }
        cells = [
            printable(str(shown[name])).ljust(width) for name, width in _WIDTHS.items()
        ]
        print("  ".join([*cells, printable(call["path"])]).rstrip())
    print(f"{count} call{'' if count == 1 else 's'}", file=sys.stderr)


def _rounded(seconds: float | None) -> str:
    return "" if seconds is None else str(round(seconds))


def _print_csv(calls: Iterable[Mapping[str, Any]]) -> None:
    from channel_aa.records.query import COLUMNS  # noqa: PLC0415 - as in run

    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    for call in calls:
        writer.writerow([_cell(call[name]) for name in COLUMNS])


def _cell(value: object) -> object:
    """Keep spreadsheets from taking text of a caller for a formula (CWE-1236)."""
    if not isinstance(value, str):
        return value
    is_formula = value.startswith(("=", "+", "-", "@")) and not _NUMBER.fullmatch(value)
    return f"'{printable(value)}" if is_formula else printable(value)


def _print_json(calls: Iterable[Mapping[str, Any]]) -> None:
    separator = "["
    for call in calls:
        # In ASCII: the terminal must not get control characters of callers.
        print(f"{separator}\n{json.dumps(call)}", end="")
        separator = ","
    print("[]" if separator == "[" else "\n]")


_PRINTERS: Mapping[str, Callable[[Iterable[Mapping[str, Any]]], None]] = {
    "table": _print_table,
    "csv": _print_csv,
    "json": _print_json,
}
