"""A process on a core of its own, with its CPU time and memory from ``/proc``."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_STOP_SECONDS = 15.0
_PROBE_STEPS = 300_000
# In Debian's util-linux; stops the process when this one ends in any way.
_ENDING_WITH_US = ("setpriv", "--pdeathsig", "TERM")


class ProcessError(Exception):
    """A process failed; the message says how."""


class Process:
    """A process, from its start to its end.

    Args:
        command: the program and its arguments.
        core: the only core that it may use.
        output: the file for its standard output and error.
        environment: added to this process's environment.
        pipes: whether its standard input and output are pipes instead.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        core: int,
        output: Path,
        environment: Mapping[str, str] | None = None,
        pipes: bool = False,
    ) -> None:
        self.command = command
        self._output = output
        with output.open("ab") as file, on_core(core):
            self.popen = subprocess.Popen(
                [*_ENDING_WITH_US, *command],
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else file,
                stderr=file,
                env={**os.environ, **(environment or {})},
                bufsize=0,
            )
        self.pid = self.popen.pid

    @property
    def cpu_seconds(self) -> float:
        """The CPU time of its threads so far, kernel included."""
        self.check()
        return cpu_seconds_of(self.pid)

    @property
    def memory_kib(self) -> int:
        """The resident set size, in KiB."""
        for line in self._read("status").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise ProcessError(f"{self.command[0]} is ending")

    def check(self) -> None:
        """Check that it is running.

        Raises:
            ProcessError: it has ended; the message has the end of its output.
        """
        status = self.popen.poll()
        if status is not None:
            output = self._output.read_text(errors="replace")[-2000:]
            raise ProcessError(
                f"{' '.join(self.command)} ended with status {status}:\n{output}"
            )

    def stop(self) -> None:
        """Stop it with SIGTERM, and with SIGKILL if that takes long."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.popen.kill()
        self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self, name: str) -> str:
        self.check()
        return Path(f"/proc/{self.pid}/{name}").read_text()


def cpu_seconds_of(pid: int) -> float:
    """Return the CPU time of a process's threads so far, kernel included."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    # The program's name, in parentheses, may contain any characters.
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


@dataclass(frozen=True)
class CoreTimes:
    """The times of a core since the machine started, in seconds.

    Attributes:
        busy: running processes, kernel included.
        idle: idle.
        stolen: used by the host of a virtual machine.
    """

    busy: float
    idle: float
    stolen: float

    @classmethod
    def of(cls, core: int) -> CoreTimes:
        """Read the times of a core."""
        for line in Path("/proc/stat").read_text().splitlines():
            name, *numbers = line.split()
            if name == f"cpu{core}":
                # proc(5) names them in this order.
                user, nice, system, idle, waiting, _, _, stolen, *_ = map(int, numbers)
                return cls(
                    (user + nice + system) / _TICKS_A_SECOND,
                    (idle + waiting) / _TICKS_A_SECOND,
                    stolen / _TICKS_A_SECOND,
                )
        raise ProcessError(f"there is no core {core} in /proc/stat")


def probe(core: int) -> float:
    """Return the CPU seconds of a fixed computation on a core.

    On a virtual machine they depend on the host's other work.
    """
    with on_core(core):
        began = time.thread_time()
        sum(number * number for number in range(_PROBE_STEPS))
        return time.thread_time() - began


def cores() -> tuple[int, int]:
    """Choose the cores for the program under test and for all else.

    They are the same on a machine with one core.
    """
    usable = sorted(os.sched_getaffinity(0))
    return usable[-1], usable[0]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run this process, and those that it starts, on one core for a block of code."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
