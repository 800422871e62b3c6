"""``channel-aa records``: change the stored records."""

from __future__ import annotations

import sys
from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING

from channel_aa.commands.cli import add_file
from channel_aa.commands.stored_records import load_records, open_store, stored_callers
from channel_aa.logs import printable

if TYPE_CHECKING:
    from argparse import Namespace

    from channel_aa.commands.cli import Subparsers

_EPILOG = """\
Prints the names of the recordings in these calls, which are in Asterisk's folder of
recordings: delete them there. Calls that go on are left; forget the caller again when
they are over. Numbers are compared as they are stored, so forget each way of writing.

example:
  channel-aa records forget twistd.conf --caller +441632960000
"""


def add(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "records", help="delete the records of a caller", allow_abbrev=False
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    forget = commands.add_parser(
        "forget",
        help="delete all records of a caller",
        description="Deletes the records of all calls of a caller, and their steps.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_file(forget)
    forget.add_argument("--caller", metavar="NUMBER", required=True)
    forget.set_defaults(run=run_forget)


def run_forget(arguments: Namespace) -> int:
    """Delete the records of a caller."""
    _, records = load_records(arguments.file)
    # SQLAlchemy need not be installed for the other subcommands.
    from channel_aa.records.location import records_folder  # noqa: PLC0415
    from channel_aa.records.query import (  # noqa: PLC0415
        IN_PROGRESS,
        CallFilter,
        find_calls,
        recordings_of,
    )

    callers = stored_callers(records, arguments.caller)
    with open_store(records, read_only=False) as store:
        recordings = recordings_of(store, callers)
        count = store.delete_callers(callers)
        going_on = [*find_calls(store, CallFilter(callers=callers, ended=IN_PROGRESS))]
    for name in recordings:
        print(f"recording: {printable(name)}")
    print(f"deleted {count} record{'' if count == 1 else 's'}")
    if going_on:
        print(f"calls that go on, and were left: {len(going_on)}", file=sys.stderr)
    for path in records_folder(records).glob("spool-*.jsonl"):
        print(
            f"{path}: has events that are not in the database yet; forget the caller"
            " again when it is gone",
            file=sys.stderr,
        )
    return 0
