"""The result of a measurement, and values computed from it."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IDLE = 0.05
"""A process keeps up if its core is idle for at least this share of the time."""


class Spread(msgspec.Struct, frozen=True):
    """The distribution of times, in milliseconds; None: there were no times.

    Attributes:
        count: the number of times.
        median: the median.
        p99: the 99th percentile.
        longest: the longest time.
    """

    count: int
    median: float | None
    p99: float | None
    longest: float | None


def spread_of(seconds: Sequence[float]) -> Spread:
    """Compute the distribution of times."""
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
    """The result of a program with a number of concurrent calls.

    Attributes:
        program: the program's name.
        calls: the number of concurrent calls.
        seconds: the length of the window.
        cpu_seconds: the CPU time of the program's process, kernel included.
        load_cpu_seconds: the same for the load.
        others_seconds: the CPU time of other processes on the two cores.
        idle_seconds: the idle time of the program's core.
        load_idle_seconds: the same for the load's core.
        stolen_seconds: the steal time of the program's core.
        probe_seconds: the CPU time of a fixed computation on the program's core.
        idle_kib: the program's memory before the first call.
        memory_kib: its memory at the end of the window.
        stop_delay: the times from a key to the request to stop the sound.
        silence: the times between two sounds of a prompt.
        connections_lost: the number of reconnects.

    The other attributes are those of `benchmarks.load.record.Record`.
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
        """The share of one core that the program used."""
        return self.cpu_seconds / self.seconds

    @property
    def load_core(self) -> float:
        """The share of one core that the load used."""
        return self.load_cpu_seconds / self.seconds

    @property
    def keeps_up(self) -> bool:
        """Whether the program's core had idle time."""
        return self.idle_seconds / self.seconds >= IDLE

    @property
    def is_limited_by_load(self) -> bool:
        """Whether the load's core had none: then the times are the load's."""
        return self.load_idle_seconds / self.seconds < IDLE

    @property
    def requests_a_second(self) -> float:
        """The number of the program's requests per second."""
        return self.requests / self.seconds

    @property
    def events_a_second(self) -> float:
        """The number of events per second."""
        return self.events / self.seconds

    @property
    def cpu_ms_a_request(self) -> float:
        """Milliseconds of CPU per request, events included."""
        return 1000 * self.cpu_seconds / max(self.requests, 1)

    @property
    def cpu_ms_a_call_minute(self) -> float:
        """Milliseconds of CPU per minute of a call."""
        return 1000 * 60 * self.cpu_seconds / (self.seconds * self.calls)

    @property
    def kib_a_call(self) -> float:
        """The additional memory per call, in KiB."""
        return (self.memory_kib - self.idle_kib) / self.calls


def result_of(measured: Mapping[str, Any]) -> Result:
    """Convert the output of `benchmarks.measure.measure`."""
    delays, silences = measured["stop_delays"], measured["silences"]
    return msgspec.convert(
        {
            **measured,
            "stop_delay": spread_of(delays),
            "silence": spread_of(silences),
        },
        Result,
    )
