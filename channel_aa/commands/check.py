"""``channel-aa check``: the errors and warnings of a configuration file."""

from __future__ import annotations

import os
from argparse import RawDescriptionHelpFormatter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from channel_aa.ari import AriClient, Transport
from channel_aa.attendant.attendant import Attendant
from channel_aa.commands.cli import (
    add_file,
    load_file,
    load_with_password,
    password_beside,
    run_in_reactor,
)
from channel_aa.commands.fetch_check import check_fetching
from channel_aa.commands.findings import Findings, Level, Topic
from channel_aa.commands.preflight import preflight
from channel_aa.commands.speech_findings import (
    speech_notes,
    speech_warnings,
)
from channel_aa.logs import printable
from channel_aa.menus.lint import lint
from channel_aa.problems import ConfigError
from channel_aa.service import address_of

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path
    from typing import Any

    from channel_aa.commands.cli import Subparsers
    from channel_aa.settings import Settings

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
            " user, and has every module, sound, phone and extension that the file"
            " needs"
        ),
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the findings."""
    file: Path = arguments.file
    findings = Findings()
    try:
        # As in the shipped unit; who may not read the password can check all the same.
        has_password = arguments.asterisk or os.access(password_beside(file), os.R_OK)
        settings = load_with_password(file) if has_password else load_file(file)
    except ConfigError as error:
        findings.refuse(error, file)
    else:
        check_configuration(settings, file, findings)
        if arguments.asterisk:
            run_in_reactor(
                lambda reactor: check_asterisk(settings, findings, reactor=reactor)
            )
    for level in (Level.ERROR, Level.WARNING, Level.NOTE):
        warns = "warning: " if level is Level.WARNING else ""
        for problem in findings.at(level):
            where = f"{file}: {problem.place}".removesuffix(": ")
            # Some of it is what the server answered.
            print(printable(f"{where}: {warns}{problem.message}"))
    print(f"{file}: {findings.counted()}")
    return int(bool(findings.errors or (arguments.strict and findings.warnings)))


def check_configuration(settings: Settings, file: Path, findings: Findings) -> None:
    """Find what is allowed in a file, but probably unintended."""
    today = datetime.now().astimezone().date()
    topic = Topic.CONFIGURATION
    of_files = settings.file_warnings(str(file))
    findings.extend(Level.WARNING, topic, of_files)
    findings.extend(Level.WARNING, topic, lint(settings.flow, today=today))
    findings.extend(Level.WARNING, Topic.SPEECH, speech_warnings(settings))
    findings.extend(Level.NOTE, Topic.SPEECH, speech_notes(settings))


async def check_asterisk(
    settings: Settings,
    findings: Findings,
    *,
    reactor: Any,  # noqa: ANN401 - several interfaces
) -> int:
    """Find what the Asterisk of a file lacks; return 0."""
    client = AriClient(
        address_of(settings.asterisk),
        # Without an events websocket, no call enters.
        Attendant(settings.flow, clock=reactor, now=lambda: datetime.now(UTC)),
        reactor=reactor,
        transport=Transport.HTTP,
    )

    async def can_fetch() -> Findings:
        return await check_fetching(settings, reactor=reactor)

    checked = Deferred.fromCoroutine(preflight(settings, client, can_fetch=can_fetch))
    try:
        found = await checked.addTimeout(SECONDS, reactor)
    except DeferredTimeoutError:
        message = f"Asterisk did not answer all requests within {SECONDS:g} seconds"
        findings.error(Topic.CONNECTION, "asterisk.url", message)
        return 0
    finally:
        await client.stopService()
    findings.update(found)
    return 0
