"""``channel-aa doctor``: why calls are not served, and what to do."""

from __future__ import annotations

import os
from argparse import RawDescriptionHelpFormatter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from channel_aa.commands.check import check_asterisk, check_configuration
from channel_aa.commands.cli import (
    CommandError,
    load_with_password,
    run_in_reactor,
)
from channel_aa.commands.file_checks import (
    DEFAULT_FILE,
    RECORDINGS,
    check_owner,
    check_readable,
    explain_unreadable,
)
from channel_aa.commands.findings import Findings, Level, Topic, counted
from channel_aa.commands.status import UnsupportedEndpointError, request_status
from channel_aa.commands.stored_records import open_store
from channel_aa.config import load_status_endpoint
from channel_aa.logs import printable
from channel_aa.menus.actions import Record
from channel_aa.menus.flow import MAX_CALLS
from channel_aa.problems import ConfigError
from channel_aa.service import address_of
from channel_aa.speech.engines import EngineError, find_engine

if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from channel_aa.commands.cli import Subparsers
    from channel_aa.service.status import Status
    from channel_aa.settings import Settings

_STATE = "/var/lib/channel-aa"
"""The folder of state of that unit."""

LATE_SECONDS = 0.5
"""The reactor's delay from which callers notice that a key interrupts a sound late."""

_EPILOG = """\
Each line is one finding: ok, note, warning or FAILED, what it is about, and what to do.
A failure makes the checks below it useless: begin with the first. The exit code is 1 if
something has failed.

Run it as root, so that it may read the password of the shipped systemd unit. It leaves
nothing changed, in Asterisk or elsewhere, and disturbs no call. If texts are spoken, it
lets Asterisk fetch one, in a bridge without channels, which it removes.
"""


def add(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "doctor",
        help="find out why calls are not served, and what to do",
        description=(
            "Checks a configuration file, its Asterisk and the daemon that runs with"
            " it, and prints what is right and what is not."
        ),
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        nargs="?",
        default=DEFAULT_FILE,
        help=f"a configuration file of the attendant; default: {DEFAULT_FILE}",
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the findings."""
    findings = Findings()
    file = arguments.file.absolute()
    if file == DEFAULT_FILE:
        os.environ.setdefault("STATE_DIRECTORY", _STATE)
    run_in_reactor(lambda reactor: diagnose(file, findings, reactor=reactor))
    unchecked = []
    for topic in Topic:
        found = findings.of(topic)
        for level, _, problem in found:
            text = f"{problem.place}: {problem.message}".removeprefix(": ")
            print(printable(f"{level.value:<8} {topic.value:<14} {text}"))
        if not found:
            unchecked.append(topic.value)
    if unchecked:
        print(f"not checked: {', '.join(unchecked)}")
    print(f"{file}: {findings.counted()}")
    return int(bool(findings.errors))


async def diagnose(
    file: Path,
    findings: Findings,
    *,
    reactor: Any,  # noqa: ANN401 - several interfaces
) -> int:
    """Check a file, its Asterisk and its daemon; return 1 if it has errors, else 0."""
    try:
        settings = load_with_password(file)
    except ConfigError as error:
        findings.refuse(error, file)
        explain_unreadable(file, findings)
        await _ask_daemon(file, findings, reactor=reactor)
        return 1
    flow, password = settings.flow, settings.asterisk.password
    counts = f"{counted(len(flow.menus), 'menu')}, {counted(len(flow.routes), 'route')}"
    origin = f"; the password is that of {password.file}" if password.file else ""
    findings.ok(Topic.CONFIGURATION, f"{file}: {counts}{origin}")
    check_configuration(settings, file, findings)
    await check_asterisk(settings, findings, reactor=reactor)
    fails = any(each.level is Level.ERROR for each in findings.of(Topic.CONNECTION))
    if not (fails or findings.of(Topic.APPLICATION)):
        check_readable(file, findings)
        findings.error(
            Topic.APPLICATION,
            "asterisk.app",
            f"no attendant is connected as {settings.asterisk.app}, so calls continue"
            " in the dialplan at once. Start it: systemctl start channel-aa; if it"
            " does not start or stay, its log says why: journalctl -u channel-aa",
        )
    if address_of(settings.asterisk).is_this_machine and any(
        isinstance(each.action, Record) for each in flow.all_actions()
    ):
        check_owner(RECORDINGS, findings)
    await _ask_daemon(file, findings, reactor=reactor)
    _check_speech(settings, findings)
    _check_records(settings, findings)
    _tell_time(settings, findings)
    return 0


async def _ask_daemon(
    file: Path,
    findings: Findings,
    *,
    reactor: Any,  # noqa: ANN401 - several interfaces
) -> None:
    """Ask the daemon for its status, if the file tells where."""
    try:
        where, _problems = load_status_endpoint(file)
    except ConfigError:
        return  # reported already
    if not where:
        findings.note(
            Topic.STATUS,
            "status.listen",
            "is not set, so the daemon cannot be asked what it knows; its log:"
            " journalctl -u channel-aa",
        )
        return
    try:
        status = await request_status(where, reactor=reactor)
    except UnsupportedEndpointError as error:
        findings.note(Topic.STATUS, "", str(error))
    except CommandError as error:
        findings.error(Topic.STATUS, "", str(error))
    else:
        judge(status, file, findings)


def judge(status: Status, file: Path, findings: Findings) -> None:
    """Find what a daemon says of itself that is wrong."""
    topic = Topic.STATUS
    if status.serving:
        findings.ok(
            topic,
            f"the daemon {status.version} serves calls: {status.calls.now} now,"
            f" {status.calls.attended} since {status.started.astimezone():%c}",
        )
    elif status.draining:
        findings.error(topic, "", "the daemon is stopping, and takes no new calls")
    else:
        findings.error(topic, "", f"not serving: {status.asterisk.problem}")
    running = status.configuration.file
    read = status.configuration.refused or status.configuration.loaded
    if running and Path(running) != file:
        findings.warning(topic, "", f"the daemon runs with another file, {running}")
    elif os.access(file, os.F_OK) and file.stat().st_mtime > read.timestamp():
        findings.warning(
            topic,
            "",
            f"{file} has changed since the daemon has read it; to apply that, run:"
            " systemctl reload channel-aa",
        )
    if status.configuration.refused:
        findings.warning(
            topic,
            "",
            "the file was rejected at the last reload, and the one before is in force;"
            f" run: channel-aa check {file}",
        )
    if status.calls.refused:
        findings.warning(
            topic,
            "attendant.max_calls",
            f"{counted(status.calls.refused, 'call')} above the limit of"
            f" {status.calls.limit or MAX_CALLS} continued in the dialplan",
        )
    if status.reactor_delay.worst > LATE_SECONDS:
        findings.warning(
            topic,
            "",
            f"the daemon was late by {status.reactor_delay.worst:.1f} s in the last"
            " minute: the machine is overloaded, or a custom action blocks",
        )
    if status.records and status.records.problem:
        findings.error(Topic.RECORDS, "records", status.records.problem)


def _check_speech(settings: Settings, findings: Findings) -> None:
    """Tell what would speak a text; what the file's texts need is checked already."""
    topic = Topic.SPEECH
    if findings.of(topic):
        return
    try:
        engine = find_engine(settings.speech)
    except EngineError as error:
        findings.note(topic, "speech.engine", f"texts cannot be spoken here: {error}")
        return
    if engine is None:
        findings.ok(topic, "texts are not spoken: the engine is 'none'")
    else:
        findings.ok(topic, f"{engine.name} speaks texts")


def _check_records(settings: Settings, findings: Findings) -> None:
    topic = Topic.RECORDS
    if settings.records is None:
        findings.ok(topic, "none are stored: the file has no table [records]")
        return
    try:
        with open_store(settings.records):
            findings.ok(topic, "the database of records can be read")
    except CommandError as error:
        findings.error(topic, "records", str(error))


def _tell_time(settings: Settings, findings: Findings) -> None:
    """Tell what the schedules say now: a wrong zone or clock shows there."""
    now = datetime.now(UTC)
    for name, schedule in settings.flow.schedules.items():
        zone, state = schedule.timezone, schedule.state(now).value
        there = f"{now.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"
        findings.ok(Topic.TIME, f"schedule {name}: {state}, at {there} in {zone}")
    if not settings.flow.schedules:
        here = now.astimezone()
        findings.ok(
            Topic.TIME, f"{here:%a %Y-%m-%d %H:%M %Z}; no schedule depends on it"
        )
