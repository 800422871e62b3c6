"""``channel-aa``: the command line, and how errors are printed."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import TYPE_CHECKING

from channel_aa import __version__
from channel_aa.commands import (
    calls,
    check,
    doctor,
    graph,
    records,
    report,
    schema,
    simulate,
    speak,
    status,
)
from channel_aa.commands.cli import CommandError
from channel_aa.problems import ConfigError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Sequence

    from channel_aa.commands.cli import Subparsers


COMMANDS: tuple[Callable[[Subparsers], None], ...] = (
    calls.add,
    check.add,
    doctor.add,
    graph.add,
    records.add,
    report.add,
    schema.add,
    simulate.add,
    speak.add,
    status.add,
)
"""The functions that add the subcommands, in the order of the help."""

_INTERRUPTED = 130  # what a shell makes of SIGINT


def make_parser() -> ArgumentParser:
    """Make the parser of the whole command line."""
    parser = ArgumentParser(
        prog="channel-aa",
        description="Tools for channel-aa, the automated attendant for Asterisk."
        " The attendant itself is started with: twistd channel-aa.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"channel-aa {__version__}"
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand, and return its exit code."""
    parsed: Namespace = make_parser().parse_args(arguments)
    run: Callable[[Namespace], int] = parsed.run
    try:
        return run(parsed)
    except ConfigError as error:
        return _refuse(error.problems)
    except CommandError as error:
        return _refuse([error])
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of the output has closed it. Python would report that again when it
        # exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _refuse(lines: Iterable[object]) -> int:
    for line in lines:
        print(f"channel-aa: {line}", file=sys.stderr)
    return 1
