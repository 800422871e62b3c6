"""A daemon on a simulated Asterisk, in a process and a folder of its own."""

from __future__ import annotations

import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from twisted.internet.utils import getProcessOutputAndValue

from tests.support.process import TWIST, TWISTD, PythonProcess
from tests.support.waiting import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.simulator import SimulatedCaller, Simulator

PROGRAMS = {
    "twistd": (*TWISTD, "--nodaemon"),
    "twist": (*TWIST, "--log-format", "text"),
}
"""Python's arguments to run each program in the foreground."""

_BUSY = b"did not answer within"


class DaemonHarness:
    """A simulated Asterisk, and a folder with a configuration file for a daemon."""

    def __init__(
        self, reactor: PosixReactorBase, simulator: Simulator, folder: Path
    ) -> None:
        self.reactor = reactor
        self.simulator = simulator
        self.folder = folder
        self.file = folder / "twistd.conf"
        self.pid_file = folder / "pid"
        self.listen = f"unix:{folder}/status"
        self.write_file()

    def write_file(
        self,
        tables: str = "",
        *,
        asterisk: str = "",
        drain: float = 20,
        max_calls: int = 0,
    ) -> None:
        """Write the configuration file.

        Args:
            tables: further tables.
            asterisk: further lines of the table ``asterisk``.
            drain: ``attendant.drain_timeout``, in seconds.
            max_calls: ``attendant.max_calls``.
        """
        self.file.write_text(
            f'[asterisk]\nurl = "{self.simulator.url}"\n{asterisk}\n'
            f"[attendant]\ndrain_timeout = {drain}\nmax_calls = {max_calls}\n"
            f'[status]\nlisten = "{self.listen}"\n{tables}\n',
            "utf-8",
        )

    @asynccontextmanager
    async def daemon(
        self, program: str = "twistd", *options: str, **environ: str
    ) -> AsyncIterator[PythonProcess]:
        """Run the daemon for a block of code.

        At the end of the block it is killed, if it still runs.

        Args:
            program: a key of `PROGRAMS`.
            options: the plugin's options; none: the configuration file.
            environ: added to the environment.
        """
        arguments = [*PROGRAMS[program]]
        if program == "twistd":
            arguments += ["--pidfile", str(self.pid_file), "--rundir", str(self.folder)]
        arguments += ["channel-aa", *(options or ("--config", str(self.file)))]
        async with PythonProcess.running(
            self.reactor, *arguments, environ=environ
        ) as running:
            yield running
            if running.is_running:
                running.send_signal("KILL")

    async def status(self) -> dict[str, Any]:
        """Return the output of ``channel-aa status``; a busy daemon is asked again."""
        err = _BUSY
        while _BUSY in err:
            out, err, _ = await getProcessOutputAndValue(
                sys.executable,
                ("-m", "channel_aa.commands", "status", str(self.file)),
                reactor=self.reactor,
            ).addTimeout(TIMEOUT_SECONDS, self.reactor)
        assert err == b"" or err.startswith(b"not serving: "), err
        status: dict[str, Any] = json.loads(out)
        return status


def exit_reason(caller: SimulatedCaller) -> str:
    """Return the ``CHANNEL_AA_REASON`` that the attendant set for the dialplan."""
    return caller.channel.variables.get("CHANNEL_AA_REASON", "")
