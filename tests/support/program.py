"""Programs that a test runs as a user would: in a process of their own."""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from signal import Signals
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from twisted.internet.posixbase import PosixReactorBase
    from twisted.python.failure import Failure

SECONDS = 90.0
"""How long a program may take to print what a test waits for, or to end."""

TWISTD = ("-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=")


class Program(ProcessProtocol):
    """A Python program, its output line by line."""

    def __init__(self, reactor: PosixReactorBase) -> None:
        self.lines: list[str] = []
        self._reactor = reactor
        self._unfinished = b""
        self._waiting: list[tuple[str, Deferred[None]]] = []
        self._ended: Deferred[None] = Deferred()
        self._how: BaseException | None = None

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        reactor: PosixReactorBase,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Program]:
        """Run ``python arguments…`` for a block of code, then stop it by SIGTERM.

        Args:
            reactor: the reactor that runs the process.
            arguments: those of Python.
            environ: what is added to this process's environment.
        """
        program = cls(reactor)
        command = [sys.executable, "-u", *arguments]
        env = {**os.environ, **environ} if environ else None
        reactor.spawnProcess(program, command[0], command, env=env)
        try:
            yield program
        finally:
            await program.stop()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return not self._ended.called

    def texts(self, namespace: str) -> list[str]:
        """Give what was logged under a namespace: ``channel_aa.attendant``."""
        marked = [line.split("] ", 1) for line in self.lines if f"[{namespace}" in line]
        return [text for _, text in marked]

    async def prints(self, text: str) -> None:
        """Wait until a line with this text in it was printed.

        Raises:
            AssertionError: it was not, within `SECONDS`.
        """
        if any(text in line for line in self.lines):
            return
        waiter: Deferred[None] = Deferred()
        self._waiting.append((text, waiter))
        try:
            await waiter.addTimeout(SECONDS, self._reactor)
        except DeferredTimeoutError:
            output = "\n".join(self.lines)
            raise AssertionError(f"no {text!r} in:\n{output}") from None

    def send(self, signal: str) -> None:
        """Send it a signal: ``HUP``."""
        assert self.transport is not None
        self.transport.signalProcess(Signals[f"SIG{signal}"])

    async def stop(self) -> None:
        """Stop it as a service manager would, and wait until it is gone."""
        if self.transport is not None and not self._ended.called:
            self.transport.signalProcess("TERM")
        await self.end()

    async def end(self) -> ProcessDone | ProcessTerminated:
        """Wait until it is gone; the result has its exit code, or its signal."""
        if not self._ended.called:
            # A Deferred of its own: others may wait, too.
            waiter: Deferred[None] = Deferred()
            self._ended.chainDeferred(waiter)
            await waiter.addTimeout(SECONDS, self._reactor)
        assert isinstance(self._how, ProcessDone | ProcessTerminated)
        return self._how

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N802, N803 - Twisted's names
        """Keep what is printed, on either output."""
        *whole, self._unfinished = (self._unfinished + data).split(b"\n")
        lines = [line.decode() for line in whole]
        self.lines += lines
        for text, waiter in self._waiting:
            if not waiter.called and any(text in line for line in lines):
                waiter.callback(None)

    def processEnded(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        """Take note of the end."""
        self._how = reason.value
        self._ended.callback(None)
