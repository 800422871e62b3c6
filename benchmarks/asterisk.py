"""Measurements on a real Asterisk, timed by its own clock.

The callers are Local channels; see `real_asterisk.callers`. A websocket that gets the
events of all channels tells when a key was received, when a sound ended and when the
next one started. All times are the events' timestamps, in milliseconds.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from benchmarks.load.calls import CONTINUED, DIGITS
from benchmarks.process import CoreTimes, Process, cores, cpu_seconds_of, on_core
from benchmarks.report import milliseconds, table
from benchmarks.results import spread_of
from real_asterisk.callers import CALLERS_APP, LocalCaller
from real_asterisk.harness import Asterisk
from real_asterisk.raw_ari import Ari

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from twisted.internet.posixbase import PosixReactorBase

    from benchmarks.programs import Program

SOUND_SECONDS = 0.4
"""The length of each sound; `real_asterisk.sounds` writes them."""

LATE_SECONDS = 0.1
"""A key within this time before a sound's own end is not counted."""

_KEY_SECONDS = (0.5, 1.5)
_RAMP_SECONDS = 3.0
_SETTLE_SECONDS = 2.0
_POLL_SECONDS = 0.05
_START_SECONDS = 30.0
_PID = re.compile(r"^\s*PID:\s*(\d+)", re.MULTILINE)


@dataclass
class Timings:
    """What the callers experienced; times in seconds.

    Attributes:
        keys: the number of keys that Asterisk received.
        keys_interrupting_nothing: the number of keys whose sound played to its end.
        barge_ins: the times from a key to the end of the sound that it stopped.
        silences: the times between two sounds of a prompt.
    """

    keys: int = 0
    keys_interrupting_nothing: int = 0
    barge_ins: list[float] = field(default_factory=list)
    silences: list[float] = field(default_factory=list)


@dataclass
class _ChannelState:
    """The sound that plays on a channel, and the keys pressed during it."""

    media: str = ""
    started: float = 0.0
    keys: list[float] = field(default_factory=list)
    is_playing: bool = False
    silent_since: float | None = None


def timings_of(events: Iterable[Mapping[str, Any]]) -> Timings:
    """Compute the timings from Asterisk's events."""
    timings = Timings()
    channels: dict[str, _ChannelState] = {}
    for event in events:
        kind = event["type"]
        at = _seconds(event["timestamp"])
        if kind == "ChannelDtmfReceived":
            state = channels.get(event["channel"]["id"])
            if state is not None:
                timings.keys += 1
                state.silent_since = None
                if state.is_playing:
                    state.keys.append(at)
        elif kind == "PlaybackStarted":
            playback = event["playback"]
            state = channels.setdefault(_channel_of(playback), _ChannelState())
            if state.silent_since is not None:
                timings.silences.append(at - state.silent_since)
            state.media, state.started = playback["media_uri"], at
            state.is_playing, state.silent_since = True, None
        elif kind == "PlaybackFinished":
            state = channels.get(_channel_of(event["playback"]))
            if state is not None and state.is_playing:
                _end_sound(state, at, timings, event["playback"]["state"])
    return timings


def _end_sound(
    channel: _ChannelState, at: float, timings: Timings, playback_state: str
) -> None:
    keys, channel.keys, channel.is_playing = channel.keys, [], False
    own_end = channel.started + SOUND_SECONDS
    for key in keys:
        if key > own_end - LATE_SECONDS or playback_state != "done":
            continue
        if at < own_end - _POLL_SECONDS:
            timings.barge_ins.append(at - key)
        else:
            timings.keys_interrupting_nothing += 1
    if not keys and playback_state == "done" and channel.media in CONTINUED:
        channel.silent_since = at


def _channel_of(playback: Mapping[str, Any]) -> str:
    target: str = playback["target_uri"]
    return target.removeprefix("channel:")


def _seconds(timestamp: str) -> float:
    return datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


@dataclass(frozen=True)
class Outcome:
    """A program's result with a number of concurrent calls.

    Attributes:
        program: the program.
        calls: the number of concurrent calls.
        core: the share of one core that the program used.
        asterisk_core: the share that Asterisk used.
        others: the share of the time that other processes ran on the program's core.
        timings: what the callers experienced.
    """

    program: Program
    calls: int
    core: float
    asterisk_core: float
    others: float
    timings: Timings


async def measure(
    reactor: PosixReactorBase,
    programs: Sequence[Program],
    numbers: Sequence[int],
    seconds: float,
) -> list[Outcome]:
    """Measure programs, each on an Asterisk of its own."""
    own_core, other_core = cores()
    outcomes = []
    with on_core(other_core):  # which the Asterisks inherit
        for calls in numbers:
            for program in programs:
                sounds = dict.fromkeys(_sounds(), SOUND_SECONDS)
                async with Asterisk.running(reactor, sounds=sounds) as asterisk:
                    session = _Session(reactor, asterisk, program, own_core)
                    outcomes.append(await session.measure(calls, seconds))
    return outcomes


def _sounds() -> Iterator[str]:
    yield from ("press-1", "or", "press-2", "you-entered", "option-is-invalid")
    yield from (f"digits/{key}" for key in DIGITS)


class _Session:
    def __init__(
        self,
        reactor: PosixReactorBase,
        asterisk: Asterisk,
        program: Program,
        core: int,
    ) -> None:
        self._reactor = reactor
        self._asterisk = asterisk
        self._program = program
        self._core = core

    async def measure(self, calls: int, seconds: float) -> Outcome:
        asterisk = self._asterisk
        ari = Ari(
            self._reactor,
            asterisk.url,
            username=asterisk.username,
            password=asterisk.password,
        )
        callers_events = await ari.listen(CALLERS_APP)
        events = await ari.listen("monitor", subscribeAll="true")
        pid = await self._pid_of_asterisk()
        with TemporaryDirectory(prefix="channel-aa-") as name:
            folder = Path(name)
            process = Process(
                self._program.command(self._asterisk.url, folder),
                core=self._core,
                output=folder / "output.txt",
            )
            try:
                await self._until_connected(ari, process)
                callers = []
                for _ in range(calls):
                    caller = await LocalCaller.place_call(ari, callers_events, "1000")
                    callers.append(caller)
                    await self._sleep(_RAMP_SECONDS / calls)
                await self._sleep(_SETTLE_SECONDS)
                first = len(events.all)
                began = self._reactor.seconds()
                own, asterisks = -process.cpu_seconds, -cpu_seconds_of(pid)
                busy = -CoreTimes.of(self._core).busy
                await self._press_keys(callers, began + seconds)
                own += process.cpu_seconds
                asterisks += cpu_seconds_of(pid)
                busy += CoreTimes.of(self._core).busy
                passed = self._reactor.seconds() - began
                timings = timings_of(it.json for it in events.all[first:])
            finally:
                process.stop()
                await ari.close()
        return Outcome(
            program=self._program,
            calls=calls,
            core=own / passed,
            asterisk_core=asterisks / passed,
            others=max(busy - own, 0.0) / passed,
            timings=timings,
        )

    async def _until_connected(self, ari: Ari, process: Process) -> None:
        deadline = self._reactor.seconds() + _START_SECONDS
        while (await ari.get("/applications/channel-aa")).status != 200:  # noqa: PLR2004 - HTTP's OK
            process.check()
            if self._reactor.seconds() > deadline:
                raise TimeoutError(f"{self._program.title} does not connect")
            await self._sleep(_POLL_SECONDS)

    async def _press_keys(self, callers: Sequence[LocalCaller], end: float) -> None:
        pressing = [
            Deferred.fromCoroutine(self._press(caller, Random(number), end))
            for number, caller in enumerate(callers)
        ]
        await gatherResults(pressing, consumeErrors=True)

    async def _press(self, caller: LocalCaller, random: Random, end: float) -> None:
        while True:
            delay = random.uniform(*_KEY_SECONDS)
            if self._reactor.seconds() + delay > end:
                await self._sleep(max(end - self._reactor.seconds(), 0.0))
                return
            await self._sleep(delay)
            await caller.press(random.choice(DIGITS))

    async def _pid_of_asterisk(self) -> int:
        found = _PID.search(await self._asterisk.cli("core show settings"))
        return int(found[1]) if found else os.getpid()

    def _sleep(self, seconds: float) -> Deferred[None]:
        return deferLater(self._reactor, seconds)


def tables(outcomes: Iterable[Outcome]) -> str:
    """Format the outcomes as tables."""
    heads = (
        *("calls", "program", "of a core", "of Asterisk's core", "keys"),
        *("key to silence: median ms", "99th", "longest", "interrupting nothing"),
        *("next sound after: median ms", "99th", "others on its core"),
    )
    return "\n".join(table(heads, (_row(outcome) for outcome in outcomes)))


def _row(outcome: Outcome) -> Sequence[str]:
    timings = outcome.timings
    barge_in, silence = spread_of(timings.barge_ins), spread_of(timings.silences)
    return (
        str(outcome.calls),
        outcome.program.title,
        f"{outcome.core:.2f}",
        f"{outcome.asterisk_core:.2f}",
        str(timings.keys),
        *map(milliseconds, (barge_in.median, barge_in.p99, barge_in.longest)),
        str(timings.keys_interrupting_nothing),
        *map(milliseconds, (silence.median, silence.p99)),
        f"{outcome.others:.2f}",
    )
