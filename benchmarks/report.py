"""The results as Markdown tables."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchmarks.results import Result
    from benchmarks.targets import Verdict

_COST = (
    *("calls", "program", "of a core", "keeps up", "requests/s", "events/s"),
    *("CPU ms/request", "CPU ms/call-minute", "idle MiB", "MiB", "KiB/call"),
    *("load's core", "probe ms"),
)
_PROMPTNESS = (
    *("calls", "program", "key to stop: median ms", "99th", "longest"),
    *("silence: median ms", "99th", "keys", "interrupting nothing", "lost", "remarks"),
)
_DISTURBED = 0.02
"""The share of the time of other processes on the core from which it is remarked on."""

_DROPPED_SECONDS = 0.1
"""Asterisk drops a client that does not read for this time, by default; see
``websocket_write_timeout`` in http.conf."""


def tables(
    results: Sequence[Result],
    verdicts: Iterable[Verdict],
    *,
    titles: Mapping[str, str],
    machine: Mapping[str, str],
) -> str:
    """Format the whole report.

    Args:
        results: what was measured.
        verdicts: how that is to be seen.
        titles: what each program is, by its name.
        machine: what was measured on.
    """
    parts = (
        *(f"- {key}: {value}" for key, value in machine.items()),
        "\n## What it costs\n",
        *table(_COST, (_cost(each, titles) for each in results)),
        "\n## Reaction to a key\n",
        *table(_PROMPTNESS, (_response_times(each, titles) for each in results)),
        "\n## Targets for channel-aa over the websocket\n",
        *table(
            ("calls", "what", "at most", "measured", ""),
            (_verdict(each) for each in verdicts),
        ),
    )
    return "\n".join(parts) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Format a table with aligned columns, numbers to the right."""
    cells = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    numeric = [
        all(_is_number(row[column]) for row in cells[1:])
        for column in range(len(heads))
    ]
    for index, row in enumerate(cells):
        padded = (
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, numeric, strict=True)
        )
        yield f"| {' | '.join(padded)} |"
        if index == 0:
            rules = (
                "-" * (width - 1) + (":" if is_number else "-")
                for width, is_number in zip(widths, numeric, strict=True)
            )
            yield f"| {' | '.join(rules)} |"


def remarks(result: Result) -> Iterator[str]:
    """Remark on what the numbers of a result do not show."""
    if not result.keeps_up:
        yield "its core is full: it does not keep up"
    if result.is_limited_by_load:
        yield "the load's core is full: the times are the load's"
    others = result.others_seconds / result.seconds
    if others > _DISTURBED:
        yield f"other processes ran for {others:.0%} of the time"
    stolen = result.stolen_seconds / result.seconds
    if stolen > _DISTURBED:
        yield f"the machine's host took its core for {stolen:.0%} of the time"
    if result.blocked_seconds > _DROPPED_SECONDS:
        yield (
            f"read no events for {result.blocked_seconds:.1f} s:"
            " a real Asterisk would have dropped it"
        )
    if result.connections_lost:
        yield f"lost its connection {result.connections_lost} times"
    if result.calls_unanswered:
        yield f"{result.calls_unanswered} calls were not answered"
    if result.calls_sent_away:
        yield f"{result.calls_sent_away} calls were sent away"


def _is_number(text: str) -> bool:
    return not text or text.replace(".", "", 1).replace("-", "", 1).isdigit()


def _cost(result: Result, titles: Mapping[str, str]) -> Sequence[str]:
    return (
        str(result.calls),
        titles[result.program],
        f"{result.core:.2f}",
        "yes" if result.keeps_up else "no",
        f"{result.requests_a_second:.0f}",
        f"{result.events_a_second:.0f}",
        f"{result.cpu_ms_a_request:.3f}",
        f"{result.cpu_ms_a_call_minute:.0f}",
        f"{result.idle_kib / 1024:.1f}",
        f"{result.memory_kib / 1024:.1f}",
        f"{result.kib_a_call:.1f}",
        f"{result.load_core:.2f}",
        f"{1000 * result.probe_seconds:.1f}",
    )


def _response_times(result: Result, titles: Mapping[str, str]) -> Sequence[str]:
    stop, silence = result.stop_delay, result.silence
    return (
        str(result.calls),
        titles[result.program],
        *map(milliseconds, (stop.median, stop.p99, stop.longest)),
        *map(milliseconds, (silence.median, silence.p99)),
        str(result.keys),
        str(result.keys_interrupting_nothing),
        str(result.keys_lost),
        "; ".join(remarks(result)),
    )


def milliseconds(value: float | None) -> str:
    """Format a time; None is empty."""
    return "" if value is None else f"{value:.2f}"


def _rounded(value: float) -> str:
    """Format a value with three digits, or all those before the point."""
    if value == int(value):
        return str(int(value))
    return f"{value:.{max(0, 2 - floor(log10(value)))}f}"


def _verdict(verdict: Verdict) -> Sequence[str]:
    target, value = verdict.target, verdict.value
    shown = "" if value is None else _rounded(value)
    return (
        str(target.calls),
        target.what,
        f"{target.limit:g} {target.unit}".strip(),
        f"{shown} {target.unit}".strip() if shown else "",
        verdict.words,
    )
