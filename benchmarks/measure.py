"""Measures a program with a number of concurrent calls, for some seconds."""

from __future__ import annotations

import select
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.process import CoreTimes, Process, ProcessError, cores, probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.programs import Program

_ANSWER_SECONDS = 30.0
"""The seconds that an answer of the load may take, beyond those of its command."""

_LOOK_SECONDS = 0.2
"""The interval at which the program under test is checked, in seconds."""


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes:
        seconds: the length of the measuring window.
        calls_a_second: the number of calls placed per second at the beginning.
        ramp_seconds: the longest time until all calls are placed.
        settle_seconds: the time from there to the window.
        load_options: further options of ``python -m benchmarks.load``.
    """

    seconds: float = 10.0
    calls_a_second: float = 200.0
    ramp_seconds: float = 3.0
    settle_seconds: float = 2.0
    load_options: Sequence[str] = ()

    def fill(self, load: LoadProcess, calls: int) -> None:
        """Place calls, and wait until the load is constant."""
        seconds = min(calls / self.calls_a_second, self.ramp_seconds)
        load.ask(f"calls {calls} {seconds}", seconds=seconds)
        time.sleep(self.settle_seconds)


class LoadProcess:
    """The process of the load; sends it commands."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._buffer = b""
        self.program: Process | None = None
        """The program under test; if it ends, waiting for the load fails."""
        self.times_listened = 0

    def ask(self, command: str, *, seconds: float = 0.0) -> dict[str, Any]:
        """Send a command that takes some seconds, and return the answer."""
        pipe = self.process.popen.stdin
        if pipe is None:
            raise ProcessError("the load has no standard input")
        pipe.write(f"{command}\n".encode())
        return self.read(seconds=seconds)

    def read(self, *, seconds: float = 0.0) -> dict[str, Any]:
        """Return the next answer."""
        while True:
            answer: dict[str, Any] = msgspec.json.decode(self._line(seconds))
            if "listening" not in answer:
                return answer
            self.times_listened += 1

    def wait_for_listener(self) -> None:
        """Wait until a program listens to the events."""
        while self.times_listened == 0:
            if "listening" in msgspec.json.decode(self._line(0.0)):
                self.times_listened += 1

    def _line(self, seconds: float) -> bytes:
        pipe = self.process.popen.stdout
        deadline = time.monotonic() + seconds + _ANSWER_SECONDS
        while b"\n" not in self._buffer:
            if self.program is not None:
                self.program.check()
            if pipe is None or time.monotonic() > deadline:
                raise ProcessError("the load does not answer, or no program listens")
            if not select.select([pipe], [], [], _LOOK_SECONDS)[0]:
                continue
            data = pipe.read(65536)
            if not data:
                self.process.popen.wait(_ANSWER_SECONDS)
                self.process.check()
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


@dataclass(frozen=True)
class Run:
    """A running program that is connected to the load."""

    load: LoadProcess
    program: Process
    folder: Path


@contextmanager
def running(
    program: Program,
    *load_options: str,
    wrap: Callable[[list[str], Path], list[str]] | None = None,
) -> Iterator[Run]:
    """Run the load and a program for a block of code.

    Args:
        program: the program.
        load_options: options of ``python -m benchmarks.load``.
        wrap: changes the program's command; the folder is for its files.
    """
    own_core, other_core = cores()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="channel-aa-")))
        load_process = Process(
            [sys.executable, "-m", "benchmarks.load", *load_options],
            core=other_core,
            output=folder / "load.txt",
            pipes=True,
        )
        stack.callback(load_process.stop)
        load = LoadProcess(load_process)
        command = program.command(load.read()["url"], folder)
        under_test = Process(
            wrap(command, folder) if wrap else command,
            core=own_core,
            output=folder / "output.txt",
        )
        stack.callback(under_test.stop)
        load.program = under_test
        load.wait_for_listener()
        yield Run(load, under_test, folder)


def measure(program: Program, calls: int, plan: Plan) -> dict[str, Any]:
    """Measure a program with a number of concurrent calls.

    Returns:
        The fields of the load's `Record`, and the program's use of the machine.
    """
    own_core, load_core = cores()
    with running(program, *plan.load_options) as run:
        time.sleep(0.5)  # the program's start-up
        idle_kib = run.program.memory_kib
        plan.fill(run.load, calls)
        probes = [probe(own_core)]
        run.load.ask("measure")
        began = CoreTimes.of(own_core), CoreTimes.of(load_core)
        cpu_seconds = -run.program.cpu_seconds
        time.sleep(plan.seconds)
        cpu_seconds += run.program.cpu_seconds
        ended = CoreTimes.of(own_core), CoreTimes.of(load_core)
        memory_kib = run.program.memory_kib
        run.load.ask("measured")
        probes.append(probe(own_core))
        seen = run.load.ask("report")
        run.program.check()
    busy, load_busy = (
        end.busy - begin.busy for begin, end in zip(began, ended, strict=True)
    )
    expected = cpu_seconds, seen["load_cpu_seconds"]
    if own_core == load_core:
        expected = sum(expected), sum(expected)
    return {
        "program": program.name,
        "calls": calls,
        "cpu_seconds": cpu_seconds,
        "idle_kib": idle_kib,
        "memory_kib": memory_kib,
        "connections_lost": run.load.times_listened - 1,
        "others_seconds": max(busy - expected[0], load_busy - expected[1], 0.0),
        "idle_seconds": ended[0].idle - began[0].idle,
        "load_idle_seconds": ended[1].idle - began[1].idle,
        "stolen_seconds": ended[0].stolen - began[0].stolen,
        "probe_seconds": sum(probes) / len(probes),
        **seen,
    }
