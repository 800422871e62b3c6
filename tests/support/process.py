"""Programs that a test runs as a user would: in a process of their own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol

from channel_aa.attendant.call_log import log_call
from tests.support.waiting import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from typing import Self

    from twisted.internet.interfaces import IProcessTransport
    from twisted.internet.posixbase import PosixReactorBase
    from twisted.python.failure import Failure

TWISTD = ("-c", "from twisted.scripts.twistd import run; run()")
"""Python's arguments to run ``twistd``."""

TWIST = ("-c", "from twisted.application.twist._twist import Twist; Twist.main()")
"""Python's arguments to run ``twist``."""

_STDERR = 2


class ProgramProcess(ProcessProtocol):
    """A program, and its output line by line.

    Attributes:
        command: what each run's command begins with.
        lines: the lines of both outputs.
        errors: what was written to standard error.
    """

    command: tuple[str, ...] = ()
    transport: IProcessTransport

    def __init__(self, reactor: PosixReactorBase) -> None:
        self.lines: list[str] = []
        self.errors = ""
        self._reactor = reactor
        self._unfinished: dict[int, bytes] = {}
        self._waiting: list[tuple[str, Deferred[None]]] = []
        self._ended: Deferred[None] = Deferred()
        self._reason: BaseException | None = None

    @classmethod
    def start(
        cls,
        reactor: PosixReactorBase,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Start it; the caller has to end it.

        Args:
            reactor: the reactor that runs the process.
            arguments: the arguments after `command`.
            environ: added to this process's environment.
        """
        program = cls(reactor)
        command = [*cls.command, *arguments]
        env = {**os.environ, **environ} if environ else None
        reactor.spawnProcess(program, command[0], command, env=env)
        return program

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        reactor: PosixReactorBase,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Self]:
        """Run it for a block of code, then `stop` it; the arguments are `start`'s."""
        program = cls.start(reactor, *arguments, environ=environ)
        try:
            yield program
        finally:
            await program.stop()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return not self._ended.called

    @property
    def output(self) -> str:
        """All whole lines that it has written."""
        return "\n".join(self.lines)

    @property
    def memory_kib(self) -> int:
        """The resident set size."""
        status = Path(f"/proc/{self.transport.pid}/status").read_text("utf-8")
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1])

    def texts(self, namespace: str) -> list[str]:
        """Return the messages logged under a namespace: ``channel_aa.attendant``.

        Those of `log_call`, about a call as a whole, are left out.
        """
        marked = [
            line.split("] ", 1)
            for line in self.lines
            if f"[{namespace}" in line and f"[{log_call.__module__}#" not in line
        ]
        return [text for _, text in marked]

    async def prints(self, text: str) -> None:
        """Wait for a line that contains a text.

        Raises:
            AssertionError: there was none within `TIMEOUT_SECONDS`.
        """
        if any(text in line for line in self.lines):
            return
        waiter: Deferred[None] = Deferred()
        self._waiting.append((text, waiter))
        try:
            await waiter.addTimeout(TIMEOUT_SECONDS, self._reactor)
        except DeferredTimeoutError:
            raise AssertionError(f"no {text!r} in:\n{self.output}") from None

    def send_signal(self, name: str) -> None:
        """Send a signal: ``HUP``, ``TERM``, ``KILL`` …"""
        self.transport.signalProcess(Signals[f"SIG{name}"])

    async def stop(self) -> None:
        """Stop it with SIGTERM, and wait for its end."""
        if self.is_running:
            self.send_signal("TERM")
        await self.end()

    async def kill(self) -> None:
        """Stop it with SIGKILL, and wait for its end."""
        if self.is_running:
            self.send_signal("KILL")
        await self.end()

    async def end(
        self, *, seconds: float = TIMEOUT_SECONDS
    ) -> ProcessDone | ProcessTerminated:
        """Wait for its end; the result has the exit code or the signal."""
        if self.is_running:
            # A Deferred of its own: several may wait.
            waiter: Deferred[None] = Deferred()
            self._ended.chainDeferred(waiter)
            await waiter.addTimeout(seconds, self._reactor)
        assert isinstance(self._reason, ProcessDone | ProcessTerminated)
        return self._reason

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N802, N803 - Twisted's names
        if childFD == _STDERR:
            self.errors += data.decode(errors="replace")
        unfinished = self._unfinished.get(childFD, b"")
        *whole, self._unfinished[childFD] = (unfinished + data).split(b"\n")
        lines = [line.decode() for line in whole]
        self.lines += lines
        for text, waiter in self._waiting:
            if not waiter.called and any(text in line for line in lines):
                waiter.callback(None)

    def processEnded(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        self._reason = reason.value
        self._ended.callback(None)


class PythonProcess(ProgramProcess):
    """A Python program; `start` takes Python's arguments."""

    command: tuple[str, ...] = (sys.executable, "-u")


class DaemonProcess(PythonProcess):
    """One run of ``twistd -n channel-aa``; `start` takes the plugin's options."""

    command = (*PythonProcess.command, *TWISTD, "-n", "--pidfile=", "channel-aa")

    @property
    def fault_lines(self) -> list[str]:
        """The lines about faults of the daemon itself: tracebacks, critical errors."""
        return [
            line
            for line in self.lines
            if "Traceback" in line or "Unhandled" in line or "#critical]" in line
        ]


class TerminalProcess:
    """A program in a pseudo-terminal.

    Args:
        command: the program and its arguments.
        environ: the whole environment; None: this process's.
    """

    def __init__(self, *command: str, environ: Mapping[str, str] | None = None) -> None:
        self._master, slave = pty.openpty()
        self._program = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=slave, stdout=slave, stderr=slave, env=environ
        )
        os.close(slave)

    def lines(self) -> Iterator[str]:
        """Yield each line that is shown, until the program ends."""
        unfinished = ""
        while True:
            try:
                unfinished += os.read(self._master, 1024).decode()
            except OSError:  # how a terminal reports that the other end is closed
                return
            *lines, unfinished = unfinished.split("\r\n")
            yield from lines

    def type(self, keys: str) -> None:
        """Write to the program's standard input."""
        os.write(self._master, keys.encode())

    def close(self) -> None:
        """Kill the program."""
        self._program.kill()
        self._program.wait()
        os.close(self._master)

    def status(self) -> int:
        """Wait for the program's end, and return its exit code."""
        return self._program.wait(TIMEOUT_SECONDS)


def resident_kib() -> int:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") // 1024
