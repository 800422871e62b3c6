"""A process under test: started on a core of its own, and read from ``/proc``."""

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
# Debian's util-linux has it: stopped where this process ends in whatever way.
_ENDING_WITH_US = ("setpriv", "--pdeathsig", "TERM")


class ProcessError(Exception):
    """A process did not do what the benchmark needs; the message says what it did."""


class Process:
    """A process, from its start to its end.

    Args:
        command: what to run.
        core: the core that it may use, and nothing else.
        output: the file that its standard output and error go to.
        environment: added to this process's own.
        pipes: whether its standard input and output are pipes to here instead.
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
        """How long its threads have run so far, in their own code and the kernel's."""
        self.check()
        return cpu_seconds_of(self.pid)

    @property
    def memory_kib(self) -> int:
        """How much memory it has in use: its resident set, in KiB."""
        for line in self._read("status").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise ProcessError(f"{self.command[0]} is ending")

    def check(self) -> None:
        """Make sure that it is there.

        Raises:
            ProcessError: it has ended; the end of its output is in the message.
        """
        status = self.popen.poll()
        if status is not None:
            output = self._output.read_text(errors="replace")[-2000:]
            raise ProcessError(
                f"{' '.join(self.command)} ended with status {status}:\n{output}"
            )

    def stop(self) -> None:
        """End it as a service manager would, and by force if that takes long."""
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
    """Say how long a process's threads have run so far, the kernel's part included."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    # The name of the program, in brackets, may have anything in it.
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


@dataclass(frozen=True)
class CoreTimes:
    """What a core did, in seconds since the machine started.

    Attributes:
        busy: it ran processes, or the kernel for them.
        idle: it had nothing to do.
        stolen: it was not there: the machine is a virtual one, and its host had it.
    """

    busy: float
    idle: float
    stolen: float

    @classmethod
    def of(cls, core: int) -> CoreTimes:
        """Look at a core."""
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
    """Say how many seconds of CPU a fixed computation takes on a core just now.

    On a virtual machine that depends on what its host does besides.
    """
    with on_core(core):
        began = time.thread_time()
        sum(number * number for number in range(_PROBE_STEPS))
        return time.thread_time() - began


def cores() -> tuple[int, int]:
    """Choose the cores for the program under test and for all else.

    Where there is but one, it is both.
    """
    usable = sorted(os.sched_getaffinity(0))
    return usable[-1], usable[0]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Let this process, and whatever it starts meanwhile, run on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
