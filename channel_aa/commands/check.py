"""``channel-aa check``: the errors and warnings of a configuration file."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from channel_aa.ari import AriClient, Transport
from channel_aa.attendant.attendant import Attendant
from channel_aa.commands.cli import add_file, load_file, run_in_reactor
from channel_aa.commands.preflight import Findings, preflight
from channel_aa.commands.speech_findings import speech_notes, speech_warnings
from channel_aa.logs import printable
from channel_aa.menus.lint import lint
from channel_aa.problems import ConfigError, Problem
from channel_aa.service import address_of

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from channel_aa.commands.cli import Subparsers
    from channel_aa.config import Settings

SECONDS = 30.0
"""How long all requests to Asterisk may take together."""

_EPILOG = """\
Errors are settings that the attendant rejects, or that would fail: the exit code is 1.
Warnings are settings that are allowed, but probably unintended: the exit code is 1 only
with --strict.

examples:
  channel-aa check twistd.conf
  channel-aa check twistd.conf --strict --asterisk      before a reload
"""


def add(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "check",
        help="find errors and probable mistakes in a configuration file",
        description=(
            "Prints all errors and warnings of a configuration file: one line each,"
            " FILE: PLACE: MESSAGE, and a last line that counts them."
        ),
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_file(parser)
    parser.add_argument(
        "--strict", action="store_true", help="treat warnings as errors: exit code 1"
    )
    parser.add_argument(
        "--asterisk",
        action="store_true",
        help=(
            "also query the Asterisk of the file: whether it responds, accepts the"
            " user, and has every sound, phone and extension that the file refers to"
        ),
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the findings."""
    findings = Findings()
    try:
        settings = load_file(arguments.file)
    except ConfigError as error:
        findings.errors.extend(error.problems)
    else:
        warnings = settings.asterisk.file_warnings(str(arguments.file))
        findings.warnings.extend(warnings)
        _check(settings, findings, with_asterisk=arguments.asterisk)
        _add_file_name(arguments.file, findings)
    for line in _lines(findings):
        print(printable(line))  # some of it is what the server answered
    print(f"{arguments.file}: {_summary(findings)}")
    return int(bool(findings.errors or (arguments.strict and findings.warnings)))


def _check(settings: Settings, findings: Findings, *, with_asterisk: bool) -> None:
    today = datetime.now().astimezone().date()
    findings.warnings.extend(
        [*lint(settings.flow, today=today), *speech_warnings(settings)]
    )
    findings.notes.extend(speech_notes(settings))
    if with_asterisk:
        run_in_reactor(
            lambda reactor: _run_preflight(settings, findings, reactor=reactor)
        )


async def _run_preflight(
    settings: Settings,
    findings: Findings,
    *,
    reactor: Any,  # noqa: ANN401 - several interfaces
) -> int:
    client = AriClient(
        address_of(settings.asterisk),
        # Without an events websocket, no call enters.
        Attendant(settings.flow, clock=reactor, now=lambda: datetime.now(UTC)),
        reactor=reactor,
        transport=Transport.HTTP,
    )
    checked = Deferred.fromCoroutine(preflight(settings, client))
    try:
        found = await checked.addTimeout(SECONDS, reactor)
    except DeferredTimeoutError:
        message = f"Asterisk did not answer all requests within {SECONDS:g} seconds"
        findings.errors.append(Problem("asterisk.url", message))
        return 0
    finally:
        await client.stopService()
    findings.extend(found)
    return 0


def _add_file_name(file: Path, findings: Findings) -> None:
    """Put the file's name before each place."""
    for found in (findings.errors, findings.warnings, findings.notes):
        found[:] = [
            Problem(f"{file}: {each.place}".removesuffix(": "), each.message)
            for each in found
        ]


def _lines(findings: Findings) -> Iterator[str]:
    for problem in findings.errors:
        yield f"{problem}"
    for problem in findings.warnings:
        yield f"{problem.place}: warning: {problem.message}"
    for problem in findings.notes:
        yield f"{problem}"


def _summary(findings: Findings) -> str:
    def counted(found: Sequence[object], what: str) -> str:
        number = len(found) or "no"
        return f"{number} {what}{'' if number == 1 else 's'}"

    return (
        f"{counted(findings.errors, 'error')}, {counted(findings.warnings, 'warning')}"
    )
