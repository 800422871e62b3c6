"""A daemon on a simulated Asterisk, in a process and a folder of its own."""

from __future__ import annotations

import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from twisted.internet.utils import getProcessOutputAndValue

from tests.support.program import SECONDS, Program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.simulator import SimulatedCaller, Simulator

BUSY = b"did not answer within"

PROGRAMS = {
    "twistd": (
        *("-c", "from twisted.scripts.twistd import run; run()"),
        "--nodaemon",
    ),
    "twist": (
        *("-c", "from twisted.application.twist._twist import Twist; Twist.main()"),
        *("--log-format", "text"),
    ),
}


class Site:
    """A simulated Asterisk, and a folder with a configuration file."""

    def __init__(
        self, reactor: PosixReactorBase, simulator: Simulator, folder: Path
    ) -> None:
        self.reactor = reactor
        self.simulator = simulator
        self.folder = folder
        self.file = folder / "twistd.conf"
        self.pid_file = folder / "pid"
        self.listen = f"unix:{folder}/status"
        self.write()

    def write(
        self,
        more: str = "",
        *,
        asterisk: str = "",
        drain: float = 20,
        max_calls: int = 0,
    ) -> None:
        """Write the configuration file."""
        self.file.write_text(
            f'[asterisk]\nurl = "{self.simulator.url}"\n{asterisk}\n'
            f"[attendant]\ndrain_timeout = {drain}\nmax_calls = {max_calls}\n"
            f'[status]\nlisten = "{self.listen}"\n{more}\n',
            "utf-8",
        )

    @asynccontextmanager
    async def daemon(
        self, program: str = "twistd", *options: str, **environ: str
    ) -> AsyncIterator[Program]:
        """Run the daemon with the file, or with other options.

        It is killed at the end of the block, where it still runs.
        """
        arguments = [*PROGRAMS[program]]
        if program == "twistd":
            arguments += ["--pidfile", str(self.pid_file), "--rundir", str(self.folder)]
        arguments += ["channel-aa", *(options or ("--config", str(self.file)))]
        async with Program.running(
            self.reactor, *arguments, environ=environ
        ) as running:
            yield running
            if running.is_running:
                running.send("KILL")

    async def status(self) -> dict[str, Any]:
        """Give what ``channel-aa status`` prints, once the daemon has time for it."""
        err = BUSY
        while BUSY in err:
            out, err, _ = await getProcessOutputAndValue(
                sys.executable,
                ("-m", "channel_aa.commands", "status", str(self.file)),
                reactor=self.reactor,
            ).addTimeout(SECONDS, self.reactor)
        assert err == b""
        told: dict[str, Any] = json.loads(out)
        return told


def reason(caller: SimulatedCaller) -> str:
    """Give what the dialplan is told of why the call was not attended to."""
    return caller.channel.variables.get("CHANNEL_AA_REASON", "")
