"""Profiles of a program, by function."""

from __future__ import annotations

import pstats
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import running

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.measure import Plan
    from benchmarks.programs import Program

_ROWS = 60
_WAITING = "Reactor.doPoll"
_SAMPLES_A_SECOND = 500


def sample(program: Program, calls: int, plan: Plan) -> Iterator[str]:
    """Sample a program with py-spy, hundreds of times a second.

    Gives lines to print: for each function its own share of the program's time,
    and the share with all that it calls.
    """
    with running(program, *plan.load_options) as run:
        plan.fill(run.load, calls)
        stacks = run.folder / "stacks.txt"
        py_spy = _install_py_spy()
        run.load.ask("measure")
        cpu_seconds = -run.program.cpu_seconds
        subprocess.run(
            (
                *(str(py_spy), "record", "--format", "raw", "--function"),
                *("--nonblocking", "--rate", str(_SAMPLES_A_SECOND)),
                *("--duration", str(max(round(plan.seconds), 1))),
                *("--output", str(stacks), "--pid", str(run.program.pid)),
            ),
            check=True,
            capture_output=True,
        )
        cpu_seconds += run.program.cpu_seconds
        run.load.ask("measured")
        requests = run.load.ask("report")["requests"]
        yield from shares(stacks.read_text().splitlines())
    cost = 1000 * cpu_seconds / requests
    yield f"{cost:.3f} ms of CPU a request, {requests} requests"


def _install_py_spy() -> Path:
    """Install py-spy beside this interpreter, if it is missing."""
    found = Path(sys.executable).with_name("py-spy")
    if not found.exists():
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
        subprocess.run((*pip, "install", "py-spy"), check=True)
    return found


def shares(stacks: Iterable[str]) -> Iterator[str]:
    """Sum up py-spy's stacks, lines of ``outer;inner;innermost COUNT``."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    waiting = 0
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        functions = stack.split(";")
        if _WAITING in functions[-1]:
            waiting += int(count)
            continue
        own[functions[-1]] += int(count)
        whole.update(dict.fromkeys(functions, int(count)))
    total = own.total()
    yield f"{total} samples, and {waiting} more of it waiting"
    yield f"{'own':>6} {'whole':>6}  function"
    for function, samples in own.most_common(_ROWS):
        share = whole[function] / total
        yield f"{samples / total:6.1%} {share:6.1%}  {function}"


def count_calls(program: Program, calls: int, plan: Plan) -> Iterator[str]:
    """Run a program under cProfile, which counts calls and slows it down."""

    def under_cprofile(command: list[str], folder: Path) -> list[str]:
        twistd, *options = command
        profile = f"--profile={folder / 'profile'}"
        return [twistd, profile, "--profiler=cprofile", "--savestats", *options]

    with running(program, *plan.load_options, wrap=under_cprofile) as run:
        plan.fill(run.load, calls)
        time.sleep(plan.seconds)
        run.load.ask("report")
        run.program.stop()
        statistics = pstats.Stats(str(run.folder / "profile"))
        statistics.strip_dirs().sort_stats("tottime").print_stats(_ROWS)
    yield ""
