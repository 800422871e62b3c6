"""One measurement: a program, so many calls at once, a bounded window of time."""

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
"""How long the load may take for anything, beyond the time that it was asked for."""

_LOOK_SECONDS = 0.2
"""How often to see whether the program under test is still there."""


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes:
        seconds: how long the measuring window is.
        calls_a_second: how many calls come in a second at the beginning.
        ramp_seconds: how long it takes at most until all calls are there.
        settle_seconds: how long is waited after that, before the window.
        load_options: further options of ``python -m benchmarks.load``.
    """

    seconds: float = 10.0
    calls_a_second: float = 200.0
    ramp_seconds: float = 3.0
    settle_seconds: float = 2.0
    load_options: Sequence[str] = ()

    def fill(self, load: LoadProcess, calls: int) -> None:
        """Have so many calls, and wait until all is as it stays."""
        seconds = min(calls / self.calls_a_second, self.ramp_seconds)
        load.ask(f"calls {calls} {seconds}", seconds=seconds)
        time.sleep(self.settle_seconds)


class LoadProcess:
    """The load in a process of its own, and its answers."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._buffer = b""
        self.program: Process | None = None
        """The program under test: there is nothing to wait for without it."""
        self.times_listened = 0

    def ask(self, command: str, *, seconds: float = 0.0) -> dict[str, Any]:
        """Give a command that takes so many seconds, and return the answer."""
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
    """A program that serves the load, ready for calls."""

    load: LoadProcess
    program: Process
    folder: Path


@contextmanager
def running(
    program: Program,
    *load_options: str,
    wrap: Callable[[list[str], Path], list[str]] | None = None,
) -> Iterator[Run]:
    """Run the load and a program against each other.

    Args:
        program: what to run.
        load_options: options of ``python -m benchmarks.load``.
        wrap: makes another command of the program's; the folder is for its files.
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
    """Measure a program with so many calls at once.

    Returns:
        What the load's `Record` says, and what the program took meanwhile.
    """
    own_core, load_core = cores()
    with running(program, *plan.load_options) as run:
        time.sleep(0.5)  # whatever a program does once it is connected
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
