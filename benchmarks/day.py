"""The calls of a day in virtual time, and the objects that they leave behind.

The client and the attendant run as in production, on a `Clock`; the simulator is
connected in memory. Callers choose options, are silent, dial phones, leave messages,
and hang up at random times. The connection is lost many times, and Asterisk restarts a
few times.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from twisted.internet.task import Clock

from benchmarks.report import table
from channel_aa.ari.api.events import (
    ChannelDtmfReceived,
    ChannelHangupRequest,
    ChannelVarset,
)
from channel_aa.attendant.attendant import Attendant
from channel_aa.config import load
from channel_aa.simulator import ScriptError, Simulator
from channel_aa.simulator.in_memory import InMemoryLink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from channel_aa.ari import Channel
    from channel_aa.ari.api.events import Event
    from channel_aa.attendant.call import Call
    from channel_aa.interfaces import IChannel

CALLS = 100_000
SECONDS = 24 * 3600.0
PAUSES = 20
"""The number of times that all calls end, and objects are counted."""

FLAT_OBJECTS = 0.01
"""The number of objects per call that counts as no growth: a list that grows now and
then is no leak."""

_LOST_EVERY = 600.0
_LOST_SECONDS = 8.0
_QUIET_SECONDS = 60.0
_FORGOTTEN_EVERY = 4 * 3600.0
_NOON = datetime(2026, 6, 1, tzinfo=UTC)
_SEED = 20260601

_CONFIG = """\
[menus.main]
prompt = ["press-1", "or", "press-2"]
timeout = 5
max_noinput = 3

[menus.main.options]
1 = { play = ["you-entered", "digits/{digits}"] }
2 = { menu = "second" }
3 = { dial = ["PJSIP/410", "PJSIP/411"], ring = 10 }
4 = { record = "message-{caller}", max_seconds = 20, max_silence = 5 }
5 = { continue = { context = "default" } }
6 = { set = { CHOICE = "six" } }

[menus.second]
prompt = ["press-2"]
timeout = 5
max_nomatch = 3

[menus.second.options]
1 = { dial = ["PJSIP/411", "PJSIP/412"], ring = 10, strategy = "ringall" }
2 = { dial = "PJSIP/nobody", else = "back" }
"*" = "back"
"""

_PHONES = {
    "PJSIP/410": "busy 1",
    "PJSIP/411": "answers 2 hangs-up 6",
    "PJSIP/412": "rings",
}

_SCRIPTS = (
    "wait 2, press 1, wait 4, press 2, wait 1, press *, wait 3, hangup",
    "wait 2, press 7, wait 3, press #, wait 9, hangup",
    "wait 40, hangup",
    "hangup",
    "wait 0.3, hangup",
    "wait 1, press 3, wait 6, hangup",
    "wait 1, press 3, ended",
    "wait 1, press 21, wait 8, hangup",
    "press 2, wait 1, press 2, wait 12, hangup",
    "wait 3, press 4, wait 6, press #, wait 4, hangup",
    "wait 3, press 4, wait 6, hangup",
    "wait 2, press 5, ended",
    "wait 2, press 6, wait 4, hangup",
)


@dataclass(frozen=True)
class Count:
    """The objects and the memory when all calls had ended.

    Attributes:
        calls: the number of calls so far.
        objects: the number of objects that the garbage collector tracks.
        resident: the resident set size, in KiB.
    """

    calls: int
    objects: int
    resident: int


class _Subscriber(Attendant):
    """An attendant that subscribes to events of each call, as programs do."""

    def channel_entered(
        self, channel: IChannel, arguments: Sequence[str], *, adopted: bool = False
    ) -> Call:
        """Subscribe, and go on as an attendant."""
        handled = cast("Channel", channel)
        for kind in (ChannelDtmfReceived, ChannelVarset, ChannelHangupRequest):
            handled.on(kind, self._received)
        return super().channel_entered(channel, arguments, adopted=adopted)

    def _received(self, _event: Event) -> None:
        """Do nothing: what is measured is what a subscription leaves."""


class Day:
    """An attendant, a simulated Asterisk, and callers, on one clock.

    Args:
        calls: the number of calls of the day.
    """

    def __init__(self, calls: int) -> None:
        self.clock = Clock()
        self.calls = calls
        self.placed = 0
        self.lost = 0
        self._random = Random(_SEED)
        self._callers = 0
        self._timers = 0
        self._simulator = Simulator(
            reactor=self.clock, default_sound_seconds=1.0, phones=_PHONES
        )
        self._link = InMemoryLink(self._simulator, clock=self.clock)
        with TemporaryDirectory() as folder:
            config = Path(folder, "twistd.conf")
            config.write_text(_CONFIG)
            flow = load(config).flow
        self._attendant = _Subscriber(flow, clock=self.clock, now=self._now)
        self._client = self._link.client(self._attendant)

    def run(self) -> Iterator[Count]:
        """Let the day pass; yield a count each time that all calls have ended."""
        self._client.startService()
        self.clock.callLater(_LOST_EVERY, self._cut_connection)
        self.clock.callLater(_FORGOTTEN_EVERY, self._restart_asterisk)
        self._pass_time(_QUIET_SECONDS)
        self._timers = len(self.clock.getDelayedCalls())
        for part in range(PAUSES):
            upto = self.calls * (part + 1) // PAUSES
            while self.placed < upto:
                self._pass_time(self._random.expovariate(self.calls / SECONDS))
                self._place()
            while self._callers or self._attendant.calls:
                self._pass_time(1.0)
            self._pass_time(_QUIET_SECONDS)
            self._simulator.state.sounds.recordings.clear()
            yield self._count()

    def left(self) -> dict[str, int]:
        """Count what the client and Asterisk still have, which should be 0."""
        return {
            "calls": len(self._attendant.calls),
            "channels": len(self._client.channels),
            "playbacks": len(self._client.playbacks),
            "requests": self._client.requests.pending,
            "subscribed classes of events": len(self._client.events.types),
            "Asterisk's channels": self._simulator.live_channels,
            "Asterisk's bridges": len(self._simulator.state.bridges),
            # Four remain: for the loss of the connection, Asterisk's restart, the
            # audit and the websocket's keep-alive.
            "timers": len(self.clock.getDelayedCalls()) - 4,
        }

    def _now(self) -> datetime:
        return _NOON + timedelta(seconds=self.clock.seconds())

    def _place(self) -> None:
        self.placed += 1
        self._callers += 1
        caller = self._simulator.call(dialplan_seconds=3.0)
        script = self._random.choice(_SCRIPTS)
        # A call may end before its script.
        caller.run(script).addErrback(lambda failure: failure.trap(ScriptError))
        caller.ended.addCallback(self._call_ended)

    def _call_ended(self, _outcome: str) -> None:
        self._callers -= 1

    def _cut_connection(self) -> None:
        self.lost += 1
        self._link.cut()
        self.clock.callLater(self._random.random() * _LOST_SECONDS, self._link.mend)
        self.clock.callLater(_LOST_EVERY, self._cut_connection)

    def _restart_asterisk(self) -> None:
        self._simulator.forget()
        self._link.drop()
        self.clock.callLater(_FORGOTTEN_EVERY, self._restart_asterisk)

    def _pass_time(self, seconds: float) -> None:
        """Let time pass, from one timer to the next."""
        end = self.clock.seconds() + seconds
        while True:
            due = min(
                (each.getTime() for each in self.clock.getDelayedCalls()), default=end
            )
            if due > end:
                break
            self.clock.advance(max(0.0, due - self.clock.seconds()))
        self.clock.advance(max(0.0, end - self.clock.seconds()))

    def _count(self) -> Count:
        gc.collect()
        return Count(self.placed, len(gc.get_objects()), _resident())


def census() -> Counter[str]:
    """Count the objects that the garbage collector tracks, by type."""
    return Counter(
        f"{type(each).__module__}.{type(each).__qualname__}"
        for each in gc.get_objects()
    )


def grown(before: Counter[str], after: Counter[str], calls: int) -> dict[str, float]:
    """Return the growth per call of the types that have grown."""
    more = {kind: (after[kind] - before[kind]) / calls for kind in after}
    return {
        kind: each
        for kind, each in sorted(more.items(), key=lambda item: -item[1])
        if each > FLAT_OBJECTS
    }


def day(calls: int = CALLS) -> Iterator[str]:
    """Run the day, and report what it left."""
    began = time.monotonic()
    passing = Day(calls)
    counts: list[Count] = []
    for count in passing.run():
        counts.append(count)
        # The first quarter fills caches.
        if len(counts) == PAUSES // 4:
            before = census()
        # Tracing doubles the time, so only the end is traced.
        if len(counts) == PAUSES - 1:
            tracemalloc.start()
    traced, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    after = census()
    seconds = time.monotonic() - began
    yield (
        f"{calls} calls, 24 hours in {seconds:.0f} s; the connection was lost"
        f" {passing.lost} times"
    )
    yield from table(
        ("calls so far", "MiB resident", "objects"),
        (
            (str(count.calls), f"{count.resident / 1024:.1f}", str(count.objects))
            for count in counts
        ),
    )
    last = counts[-1].calls - counts[-2].calls
    yield f"memory that the last {last} calls took and left: {traced / 1024:.0f} KiB"
    left = {what: number for what, number in passing.left().items() if number}
    yield f"left of calls: {left or 'nothing'}"
    more = grown(before, after, counts[-1].calls - counts[PAUSES // 4 - 1].calls)
    verdict = "growing" if more or left else "flat"
    yield f"objects that each call leaves, by type: {more or 'none'}: {verdict}"


def _resident() -> int:
    status = Path("/proc/self/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])
