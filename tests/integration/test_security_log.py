"""No text of others controls the daemon's log, whoever logs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.harness import free_port
from tests.support.daemon_harness import PROGRAMS
from tests.support.process import TWIST, TWISTD, PythonProcess

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from tests.support.daemon_harness import DaemonHarness

HOSTILE = r"alice\x1b[2J\r\n2026-01-01T00:00:00 [-] forged\x9b\u2028"

# Faults whose messages have a caller's name, and which Twisted logs.
DAEMON = f"""
from twisted.internet import reactor
from twisted.internet.defer import fail
from twisted.python import log

name = "{HOSTILE}"

def crash():
    raise ValueError("timer " + name)

def leave_unhandled():
    fail(ValueError("deferred " + name))

def log_the_old_way():
    log.err(ValueError("old " + name), "why")

reactor.callLater(0, crash)
reactor.callLater(0, leave_unhandled)
reactor.callLater(0, log_the_old_way)
reactor.callLater(0.1, print, "all logged")

"""


@pytest.mark.parametrize(
    ("program", "options"),
    [(TWISTD, ("-n", "--pidfile=")), (TWIST, ("--log-format=text",))],
    ids=["twistd", "twist"],
)
@pytest_twisted.ensureDeferred
async def test_failures_that_twisted_logs_are_escaped(
    reactor: PosixReactorBase, program: tuple[str, str], options: tuple[str, ...]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    arguments = (*options, "channel-aa", "--url", url)
    code = DAEMON + program[1]
    async with PythonProcess.running(reactor, "-c", code, *arguments) as daemon:
        await daemon.prints("all logged")
    text = "\n".join(daemon.lines)
    for fault in ("timer", "deferred", "old"):
        assert f"{fault} alice\\x1b[2J\\r\\n2026" in text
    for line in daemon.lines:
        assert line.removeprefix("\t").isprintable(), line
        assert not line.startswith("2026-01-01")


@pytest_twisted.ensureDeferred
async def test_full_disk_of_the_log_ends_no_call(
    harness: DaemonHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each write to this device fails as on a full disk.
    monkeypatch.setitem(
        PROGRAMS, "twistd", (*PROGRAMS["twistd"], "--logfile=/dev/full")
    )
    async with harness.daemon() as daemon:
        await harness.simulator.listening()
        for _ in range(3):
            caller = harness.simulator.call()
            await caller.run("hear press-1, press 1, hear digits/1")
            caller.hang_up()
        assert (await harness.status())["calls"]["attended"] == 3
        assert daemon.is_running
