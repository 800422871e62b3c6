"""The daemon as users run it, in a process that can be stopped in every way."""

from __future__ import annotations

import sys
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING

from tests.support.program import TWISTD, Program

if TYPE_CHECKING:
    from twisted.internet.interfaces import IProcessTransport
    from twisted.internet.posixbase import PosixReactorBase


class Daemon(Program):
    """One run of ``twistd -n channel-aa``."""

    transport: IProcessTransport

    @classmethod
    def start(cls, reactor: PosixReactorBase, config: Path) -> Daemon:
        """Start it; whoever does must end it."""
        daemon = cls(reactor)
        command = [sys.executable, "-u", *TWISTD, "channel-aa", "-c", str(config)]
        reactor.spawnProcess(daemon, command[0], command, env=None)
        return daemon

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return not self._ended.called

    @property
    def said(self) -> str:
        """All it has printed."""
        return "\n".join(self.lines)

    @property
    def complaints(self) -> list[str]:
        """What it printed that no daemon should, whatever happens to it."""
        return [
            line
            for line in self.lines
            if "Traceback" in line or "Unhandled" in line or "#critical]" in line
        ]

    @property
    def memory_kib(self) -> int:
        """How much memory it has in use: its resident set."""
        status = Path(f"/proc/{self.transport.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1])

    def signal(self, name: str) -> None:
        """Send it a signal: ``TERM``, ``KILL``, ``STOP``, ``CONT``."""
        self.transport.signalProcess(Signals[f"SIG{name}"])

    async def ended(self) -> None:
        """Wait until it is gone."""
        if self.is_running:
            await self._ended

    async def kill(self) -> None:
        """Kill it without a warning, and wait until it is gone."""
        if self.is_running:
            self.signal("KILL")
        await self.ended()
