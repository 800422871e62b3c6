"""``channel-aa graph``: the menus as a diagram."""

from __future__ import annotations

import subprocess
from argparse import RawDescriptionHelpFormatter
from datetime import UTC, datetime
from shutil import which
from typing import TYPE_CHECKING

from channel_aa.commands.cli import CommandError, add_file, load_file
from channel_aa.commands.diagram import Diagram, draw
from channel_aa.commands.markup import to_dot, to_mermaid
from channel_aa.commands.stored_records import (
    count_calls,
    load_records,
    open_store,
    seconds_of,
)

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from channel_aa.commands.cli import Subparsers
    from channel_aa.records.report import Report

SECONDS = 60
"""How long Graphviz may take."""

_EPILOG = """\
--calls writes on each line how many callers have gone there since a time, and draws it
the wider, the more they are; and in each menu, how often it was entered, and how many
hung up there. It reads the records of calls, like "channel-aa report". What follows a
schedule or an action is not counted.

examples:
  channel-aa graph twistd.conf                        for a Markdown page
  channel-aa graph twistd.conf --format svg >menus.svg
  channel-aa graph twistd.conf --calls 7d --format svg >week.svg
"""


def to_svg(diagram: Diagram) -> str:
    """Let Graphviz draw a diagram.

    Raises:
        CommandError: Graphviz is not installed, or has failed.
    """
    dot = which("dot")
    if dot is None:
        raise CommandError(
            "--format: svg needs Graphviz: apt-get install graphviz; --format mermaid"
            " and dot do not"
        )
    try:
        drawn = subprocess.run(  # noqa: S603 - its input is not a command
            [dot, "-Tsvg"],
            input=to_dot(diagram).encode(),
            capture_output=True,
            check=True,
            timeout=SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CommandError(f"--format: Graphviz could not draw it: {error}") from error
    return drawn.stdout.decode()


_FORMATS = {"mermaid": to_mermaid, "dot": to_dot, "svg": to_svg}


def add(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "graph",
        help="draw the menus of a configuration file",
        description=(
            "Draws what callers can reach: routes, menus, options, actions. Prints"
            " the diagram to standard output, as text in a diagram language or as a"
            " picture."
        ),
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_file(parser)
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default="mermaid",
        help=(
            "Mermaid (default), which many wikis show, Graphviz's DOT, or SVG, for"
            " which Graphviz has to be installed"
        ),
    )
    parser.add_argument(
        "--calls",
        metavar="TIME",
        help="with the numbers of callers since then: 7d, 2026-11-01",
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the diagram."""
    flow = load_file(arguments.file).flow
    report = None
    if arguments.calls is not None:
        report = _report_since(arguments.file, arguments.calls)
    print(_FORMATS[arguments.format](draw(flow, report)), end="")
    return 0


def _report_since(file: Path, text: str) -> Report:
    """Return what callers did since a time."""
    since = seconds_of("--calls", text, now=datetime.now(UTC))
    _, records = load_records(file)
    with open_store(records) as store:
        return count_calls(store, since=since, until=None)
