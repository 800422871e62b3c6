"""The targets for the daemon on one core, and whether they are reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.programs import HTTP, NODE, WEBSOCKET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchmarks.results import Result


@dataclass(frozen=True)
class Target:
    """A target.

    Attributes:
        calls: the number of concurrent calls.
        what: the measured quantity, in words.
        limit: the largest value that reaches the target.
        unit: the unit of value and limit.
        value: computes the value from the results of channel-aa over the websocket,
            over HTTP, and of the Node.js program.
        needs: the programs whose results are needed.
    """

    calls: int
    what: str
    limit: float
    unit: str
    value: Callable[[Result, Result, Result], float | None]
    needs: frozenset[str] = frozenset({WEBSOCKET.name})


@dataclass(frozen=True)
class Verdict:
    """A target, and the measured value.

    Attributes:
        target: the target.
        value: the measured value; None: it was not measured.
        overloaded: the programs whose core was full: their work per request is not
            comparable.
    """

    target: Target
    value: float | None
    overloaded: Sequence[str] = ()

    @property
    def words(self) -> str:
        """Whether the target was reached, in words."""
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


def judge(results: Iterable[Result]) -> list[Verdict]:
    """Compare the results with the targets."""
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
        verdicts.append(Verdict(target, value, overloaded))
    return verdicts
