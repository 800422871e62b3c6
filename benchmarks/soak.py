"""The memory of a program over many calls."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.measure import running
from benchmarks.report import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.programs import Program

AT_ONCE = 500
CALL_SECONDS = 2.0
CALLS = 18_000
"""As many as 100 concurrent calls of 20 seconds each make in an hour."""

_ROWS = 12
_RAMP_SECONDS = 3.0
FLAT_BYTES = 100
"""The memory per call that counts as no growth: less than any object of a call."""


@dataclass(frozen=True)
class Sample:
    """The memory in use after a number of calls.

    Attributes:
        calls: the number of calls that had ended.
        kib: the resident set size, in KiB.
    """

    calls: int
    kib: int


def bytes_left_by_a_call(samples: Sequence[Sample]) -> float:
    """Return the growth of memory per call in the second half, in bytes.

    It is the slope of a linear regression. The first half fills caches.
    """
    half = [each for each in samples if each.calls * 2 >= samples[-1].calls]
    calls = sum(each.calls for each in half) / len(half)
    kib = sum(each.kib for each in half) / len(half)
    above = sum((each.calls - calls) * (each.kib - kib) for each in half)
    below = sum((each.calls - calls) ** 2 for each in half)
    return 1024 * above / below if below else 0.0


def soak(
    program: Program, *, calls: int = CALLS, at_once: int = AT_ONCE
) -> Iterator[str]:
    """Make many short calls, and report the growth of memory."""
    options = ("--call-seconds", str(CALL_SECONDS))
    samples: list[Sample] = []
    with running(program, *options) as run:
        idle = run.program.memory_kib
        run.load.ask(f"calls {at_once} {_RAMP_SECONDS}", seconds=_RAMP_SECONDS)
        ended = 0
        while ended < calls:
            time.sleep(calls / at_once * CALL_SECONDS / _ROWS)
            ended = run.load.ask("count")["calls"]
            samples.append(Sample(ended, run.program.memory_kib))
        run.load.ask("measured")
        run.load.ask("report")
        time.sleep(1.0)
        after = run.program.memory_kib
    left = bytes_left_by_a_call(samples)
    rows = (
        (
            str(each.calls),
            f"{each.kib / 1024:.1f}",
            f"{(each.kib - idle) / at_once:.1f}",
        )
        for each in samples
    )
    yield f"{program.title}, {at_once} calls at once of {CALL_SECONDS:g} s each"
    yield f"idle: {idle / 1024:.1f} MiB"
    yield from table(("calls so far", "MiB", "KiB for each call at once"), rows)
    yield f"after the last call: {after / 1024:.1f} MiB"
    verdict = "flat" if left <= FLAT_BYTES else "growing"
    yield f"second half: {left:.0f} bytes left by each call: {verdict}"
