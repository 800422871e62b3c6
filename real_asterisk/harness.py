"""A real Asterisk process to start, stop, kill and restart."""

from __future__ import annotations

import atexit
import os
import socket
from contextlib import asynccontextmanager, suppress
from functools import cache
from itertools import cycle
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.utils import getProcessOutput

from real_asterisk.configuration import write_files
from real_asterisk.installation import FILES, Installation
from real_asterisk.sounds import SOUNDS, write_sounds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from twisted.internet.posixbase import PosixReactorBase
    from twisted.python.failure import Failure

_FIRST_PORT, _LAST_PORT = 20_000, 32_000
_PORTS_PER_PROCESS = 200
_SECONDS = 60
"""The seconds that a start, an end or a console command may take."""


CRASHES_VARIABLE = "CHANNEL_AA_CRASHES"
"""The environment variable with the file that gets a line for each crash of Asterisk.

Asterisk 22.10.1 has crashed, rarely, while connections with many calls were cut (in
``json_delete`` of libjansson, with a fault of the memory). What a test then sees is no
fault of what it tests: ``scripts/test`` repeats the tests that failed in such a run.
"""


class AsteriskError(Exception):
    """Asterisk did not start; the message contains its log."""


class _Process(ProcessProtocol):
    """One run of Asterisk."""

    def __init__(self) -> None:
        self.output = ""
        self.is_running = True
        self.is_to_end = False
        self.ready: Deferred[None] = Deferred()
        self.ended: Deferred[None] = Deferred()

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N802, N803 - Twisted's names
        self.output += data.decode(errors="replace")
        if "\nAsterisk Ready." in self.output and not self.ready.called:
            self.ready.callback(None)

    def processEnded(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        self.is_running = False
        crashes = os.environ.get(CRASHES_VARIABLE)
        if crashes and self.ready.called and not self.is_to_end:
            with Path(crashes).open("a") as file:
                print(f"Asterisk: {reason.getErrorMessage()}", file=file)
        if not self.ready.called:
            self.ready.errback(reason)
        self.ended.callback(None)


class Asterisk:
    """An Asterisk with files of its own and ports of its own on 127.0.0.1.

    It is started by `start`, or by `running` for a block of code, and has the shipped
    dialplan and that of ``extensions.conf`` beside this module. It can be halted or
    killed, and booted again with the same files and ports.

    Attributes:
        port: the port of its HTTP server.
        sip_port: the UDP port for the phones of `real_asterisk.phones`.
    """

    username = "asterisk"
    password = "asterisk"
    observer = ("observer", "observer")
    """Name and password of a read-only user."""

    def __init__(
        self,
        reactor: PosixReactorBase,
        *,
        sounds: Mapping[str, float] | None = None,
        operator: str = "",
        installation: Installation | None = None,
    ) -> None:
        self.sounds = {**SOUNDS, **(sounds or {})}
        self.port = free_port()
        self.sip_port = free_port(socket.SOCK_DGRAM)
        self.url = f"http://127.0.0.1:{self.port}"
        self._reactor = reactor
        self._installation = installation or Installation.default()
        self._folder = TemporaryDirectory(prefix="channel-aa-asterisk-")
        self._files = Path(self._folder.name)
        self._runs: list[_Process] = []
        write_files(
            self._files,
            installation=self._installation,
            port=self.port,
            sip_port=self.sip_port,
            sounds=self.sounds,
            operator=operator,
        )

    @classmethod
    async def start(
        cls,
        reactor: PosixReactorBase,
        *,
        sounds: Mapping[str, float] | None = None,
        operator: str = "",
        installation: Installation | None = None,
    ) -> Asterisk:
        """Start an Asterisk; the caller has to `stop` it.

        Args:
            reactor: the reactor that runs the process.
            sounds: the seconds of sounds, by their names; added to
                `real_asterisk.sounds.SOUNDS`, or replacing them.
            operator: the endpoint that the shipped dialplan dials for the operator,
                such as ``Local/operator@phones``; empty: none.
            installation: None: `Installation.default`.

        Raises:
            AsteriskError: it did not boot; the message contains its log.
        """
        asterisk = cls(
            reactor, sounds=sounds, operator=operator, installation=installation
        )
        try:
            await asterisk.boot()
        except BaseException:
            await asterisk.stop()
            raise
        return asterisk

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        reactor: PosixReactorBase,
        *,
        sounds: Mapping[str, float] | None = None,
        operator: str = "",
        installation: Installation | None = None,
    ) -> AsyncIterator[Asterisk]:
        """Run an Asterisk for a block of code; the arguments are `start`'s."""
        asterisk = await cls.start(
            reactor, sounds=sounds, operator=operator, installation=installation
        )
        try:
            yield asterisk
        finally:
            await asterisk.stop()

    @property
    def files(self) -> Path:
        """The folder of its files: ``etc``, ``data`` and others."""
        return self._files

    async def boot(self) -> None:
        """Start it again, after `halt` or `kill`.

        Raises:
            AsteriskError: it did not boot; the message contains its log.
        """
        run = _Process()
        self._runs.append(run)
        command = self._command(
            "asterisk", "-f", "-vvv", "-C", f"{FILES}/etc/asterisk.conf"
        )
        self._transport = self._reactor.spawnProcess(run, command[0], command, env={})
        try:
            await run.ready.addTimeout(_SECONDS, self._reactor)
        except Exception as error:
            raise AsteriskError(f"Asterisk did not boot:\n{self.log()}") from error
        if "Bound HTTP server" not in run.output:
            raise AsteriskError(f"Asterisk serves no HTTP:\n{self.log()}")

    def add_sounds(self, seconds: Mapping[str, float]) -> None:
        """Add sounds; the arguments are those of `write_sounds`."""
        write_sounds(self._files / "data/sounds/en", seconds)

    def remove_sounds(self, *names: str) -> None:
        """Remove sounds."""
        for name in names:
            (self._files / f"data/sounds/en/{name}.wav").unlink()

    def use_debian_sounds(self) -> None:
        """Replace all sounds by those of Debian's packages."""
        folder = self._files / "data/sounds"
        rmtree(folder)
        folder.symlink_to("/usr/share/asterisk/sounds")

    async def halt(self) -> None:
        """Stop it with SIGTERM, as a service manager would."""
        await self._end("TERM")

    async def kill(self) -> None:
        """Stop it with SIGKILL."""
        await self._end("KILL")

    async def stop(self) -> None:
        """Kill it, and remove its files; only `log` remains."""
        try:
            await self.kill()
        finally:
            self._folder.cleanup()

    async def cli(self, command: str) -> str:
        """Execute a console command, such as ``core show channels``.

        Returns:
            The command's output.
        """
        line = self._command(
            *("timeout", str(_SECONDS), "asterisk"),
            *("-C", f"{FILES}/etc/asterisk.conf", "-rx", command),
        )
        output: bytes = await getProcessOutput(
            line[0], line[1:], env={}, reactor=self._reactor, errortoo=True
        )
        return output.decode(errors="replace")

    def log(self) -> str:
        """Return the log of all its runs."""
        return "".join(run.output for run in self._runs)

    async def _end(self, signal: str) -> None:
        run = self._runs[-1] if self._runs else None
        if run is None or not run.is_running:
            return
        run.is_to_end = True
        with suppress(ProcessExitedAlready):
            self._transport.signalProcess(signal)
        await run.ended.addTimeout(_SECONDS, self._reactor)

    def _command(self, *arguments: str) -> list[str]:
        return self._installation.command(self._files, *arguments)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Find a TCP port on 127.0.0.1, or with ``SOCK_DGRAM`` a UDP port, that is free.

    It is below the system's ephemeral ports, and each process has a range of its own,
    also beside another test run on the same machine: no other process takes it.
    """
    ports = _own_ports()
    for _ in range(_PORTS_PER_PROCESS):
        with socket.socket(type=kind) as probe, suppress(OSError):
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port := next(ports)))
            return port
    raise AssertionError("no port of this process's range is free")


@cache
def _own_ports() -> Iterator[int]:
    """Claim a range of ports for this process, and iterate over it again and again.

    The claim is a socket in Linux's abstract namespace, closed when the process ends.
    """
    for first in range(_FIRST_PORT, _LAST_PORT, _PORTS_PER_PROCESS):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0channel-aa-test-ports-{first}")
        except OSError:
            claim.close()
        else:
            atexit.register(claim.close)
            return cycle(range(first, first + _PORTS_PER_PROCESS))
    raise AssertionError("all ranges of ports are claimed by other processes")
