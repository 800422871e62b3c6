"""What the daemon has to reach on one core, and whether it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.programs import HTTP, NODE, WEBSOCKET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchmarks.results import Result


@dataclass(frozen=True)
class Target:
    """Something to reach.

    Attributes:
        calls: at how many calls at once.
        what: what is measured.
        limit: what the value may be at most.
        unit: the unit of both.
        value: how it is measured; the arguments are our results over the websocket
            and over HTTP, and the Node.js program's.
        needs: the programs whose results that takes.
    """

    calls: int
    what: str
    limit: float
    unit: str
    value: Callable[[Result, Result, Result], float | None]
    needs: frozenset[str] = frozenset({WEBSOCKET.name})


@dataclass(frozen=True)
class Match:
    """A target, and what was measured.

    Attributes:
        target: the target.
        value: what was measured; None: nothing was.
        overloaded: the programs whose core was full: those compared do less work
            for each request than they should, or more.
    """

    target: Target
    value: float | None
    overloaded: Sequence[str] = ()

    @property
    def words(self) -> str:
        """Whether it was reached, in a few words."""
        if self.value is None:
            return "not measured"
        word = "reached" if self.value <= self.target.limit else "missed"
        if self.overloaded:
            return f"{word}; did not keep up: {', '.join(self.overloaded)}"
        return word


def _compared(calls: int) -> Iterator[Target]:
    yield Target(
        calls,
        "CPU a request, as a part of Node.js's",
        1.0,
        "",
        lambda ours, _, node: ours.cpu_ms_a_request / node.cpu_ms_a_request,
        frozenset({WEBSOCKET.name, NODE.name}),
    )
    yield Target(
        calls,
        "CPU a request, as a part of that over HTTP",
        1 / 5,
        "",
        lambda ours, http, _: ours.cpu_ms_a_request / http.cpu_ms_a_request,
        frozenset({WEBSOCKET.name, HTTP.name}),
    )


TARGETS: Sequence[Target] = (
    *_compared(100),
    Target(500, "CPU a request", 0.13, "ms", lambda ours, *_: ours.cpu_ms_a_request),
    *_compared(500),
    Target(1000, "CPU a request", 0.10, "ms", lambda ours, *_: ours.cpu_ms_a_request),
    *_compared(1000),
    Target(
        1000, "key to stop, median", 2, "ms", lambda ours, *_: ours.stop_delay.median
    ),
    Target(1000, "key to stop, 99th", 20, "ms", lambda ours, *_: ours.stop_delay.p99),
    Target(1000, "keys lost", 0, "", lambda ours, *_: ours.keys_lost),
    Target(1000, "silence, median", 2, "ms", lambda ours, *_: ours.silence.median),
    Target(1000, "silence, 99th", 15, "ms", lambda ours, *_: ours.silence.p99),
    Target(1000, "memory a call", 12, "KiB", lambda ours, *_: ours.kib_a_call),
)


def judge(results: Iterable[Result]) -> list[Match]:
    """Hold what was measured against the targets."""
    by_place = {(result.calls, result.program): result for result in results}
    verdicts = []
    for target in TARGETS:
        found = [
            by_place.get((target.calls, program.name))
            for program in (WEBSOCKET, HTTP, NODE)
        ]
        ours, http, node = found
        used = [each for each in found if each and each.program in target.needs]
        value = None
        if len(used) == len(target.needs) and ours is not None:
            value = target.value(ours, http or ours, node or ours)
        overloaded = [each.program for each in used if not each.keeps_up]
        verdicts.append(Match(target, value, overloaded))
    return verdicts
