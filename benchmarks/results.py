"""What was measured, as numbers that mean something."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IDLE = 0.05
"""The share of the time that a core has to be idle for its process to keep up."""


class Spread(msgspec.Struct, frozen=True):
    """How times are spread, in milliseconds; None where there were none.

    Attributes:
        count: how many there were.
        median: half of them took no longer.
        p99: 99 of 100 took no longer.
        longest: none took longer.
    """

    count: int
    median: float | None
    p99: float | None
    longest: float | None


def spread_of(seconds: Sequence[float]) -> Spread:
    """Say how times are spread."""
    ordered = sorted(seconds)
    if not ordered:
        return Spread(count=0, median=None, p99=None, longest=None)

    def quantile(part: float) -> float:
        return ordered[ceil(part * len(ordered)) - 1] * 1000

    return Spread(
        count=len(ordered),
        median=quantile(0.5),
        p99=quantile(0.99),
        longest=quantile(1.0),
    )


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A program's measuring window with so many calls at once.

    Attributes:
        program: the program's name.
        calls: how many calls there were at once.
        seconds: how long the window was.
        cpu_seconds: what the program's process took meanwhile, kernel included.
        load_cpu_seconds: the same for the load.
        others_seconds: how long others than these two ran on their cores.
        idle_seconds: how long the program's core had nothing to do.
        load_idle_seconds: the same for the load's.
        stolen_seconds: how long the machine's host had the program's core.
        probe_seconds: how long a fixed computation took on the program's core.
        idle_kib: the program's memory before the first call.
        memory_kib: its memory at the end of the window.
        stop_delay: from a key to the request to stop the sound heard then.
        silence: between two sounds of a prompt.
        connections_lost: how often it had to connect again.

    The others are those of `benchmarks.load.record.Record`.
    """

    program: str
    calls: int
    seconds: float
    cpu_seconds: float
    load_cpu_seconds: float
    others_seconds: float
    idle_seconds: float
    load_idle_seconds: float
    stolen_seconds: float
    probe_seconds: float
    idle_kib: int
    memory_kib: int
    connections_lost: int
    stop_delay: Spread
    silence: Spread
    requests: int
    refused: dict[str, int]
    events: int
    calls_entered: int
    calls_ended: int
    calls_unanswered: int
    calls_sent_away: int
    keys: int
    keys_lost: int
    keys_in_sound: int
    keys_interrupting_nothing: int
    blocked_seconds: float

    @property
    def core(self) -> float:
        """Which share of one core the program took."""
        return self.cpu_seconds / self.seconds

    @property
    def load_core(self) -> float:
        """Which share of one core the load took."""
        return self.load_cpu_seconds / self.seconds

    @property
    def keeps_up(self) -> bool:
        """Whether the program had time left, whoever took the rest."""
        return self.idle_seconds / self.seconds >= IDLE

    @property
    def is_limited_by_load(self) -> bool:
        """Whether the load had none: then the times are its own."""
        return self.load_idle_seconds / self.seconds < IDLE

    @property
    def requests_a_second(self) -> float:
        """How many requests the program made in a second."""
        return self.requests / self.seconds

    @property
    def events_a_second(self) -> float:
        """How many events it was told of in a second."""
        return self.events / self.seconds

    @property
    def cpu_ms_a_request(self) -> float:
        """Milliseconds of CPU for each request, with the events that led to it."""
        return 1000 * self.cpu_seconds / max(self.requests, 1)

    @property
    def cpu_ms_a_call_minute(self) -> float:
        """Milliseconds of CPU for a call that lasts a minute."""
        return 1000 * 60 * self.cpu_seconds / (self.seconds * self.calls)

    @property
    def kib_a_call(self) -> float:
        """Memory for each call, above that without calls."""
        return (self.memory_kib - self.idle_kib) / self.calls


def result_of(measured: Mapping[str, Any]) -> Result:
    """Turn what `benchmarks.measure.measure` gives into numbers that mean something."""
    delays, silences = measured["stop_delays"], measured["silences"]
    return msgspec.convert(
        {
            **measured,
            "stop_delay": spread_of(delays),
            "silence": spread_of(silences),
        },
        Result,
    )
