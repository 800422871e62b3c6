"""The same on a real Asterisk, timed by its own clock.

The callers are the far halves of Local channels, whose keys an application of the
benchmark presses. An onlooker that hears every event tells when a key was received,
when a sound fell silent and when the next one began: all times are Asterisk's, which
gives them in milliseconds.
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
from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import RealAsteriskHarness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from twisted.internet.posixbase import PosixReactorBase

    from benchmarks.programs import Program
    from tests.support.asterisk_harness import Caller

SOUND_SECONDS = 0.4
"""How long every sound is; `real_asterisk.sounds` makes them."""

LATE_SECONDS = 0.1
"""A key pressed later than this before a sound's own end says nothing about it."""

_KEY_SECONDS = (0.5, 1.5)
_RAMP_SECONDS = 3.0
_SETTLE_SECONDS = 2.0
_POLL_SECONDS = 0.05
_START_SECONDS = 30.0
_PID = re.compile(r"^\s*PID:\s*(\d+)", re.MULTILINE)


@dataclass
class Heard:
    """What the callers heard; times in seconds.

    Attributes:
        keys: keys that Asterisk received.
        keys_interrupting_nothing: keys whose sound was heard to its end.
        barge_ins: from a key to the end of the sound that it stopped.
        silences: between two sounds of a prompt.
    """

    keys: int = 0
    keys_interrupting_nothing: int = 0
    barge_ins: list[float] = field(default_factory=list)
    silences: list[float] = field(default_factory=list)


@dataclass
class _Line:
    """What is heard on one channel now."""

    media: str = ""
    started: float = 0.0
    keys: list[float] = field(default_factory=list)
    is_playing: bool = False
    silent_since: float | None = None


def hear(events: Iterable[Mapping[str, Any]]) -> Heard:
    """Work out from Asterisk's events what the callers heard."""
    heard = Heard()
    lines: dict[str, _Line] = {}
    for event in events:
        kind = event["type"]
        at = _seconds(event["timestamp"])
        if kind == "ChannelDtmfReceived":
            line = lines.get(event["channel"]["id"])
            if line is not None:
                heard.keys += 1
                line.silent_since = None
                if line.is_playing:
                    line.keys.append(at)
        elif kind == "PlaybackStarted":
            playback = event["playback"]
            line = lines.setdefault(_channel_of(playback), _Line())
            if line.silent_since is not None:
                heard.silences.append(at - line.silent_since)
            line.media, line.started = playback["media_uri"], at
            line.is_playing, line.silent_since = True, None
        elif kind == "PlaybackFinished":
            line = lines.get(_channel_of(event["playback"]))
            if line is not None and line.is_playing:
                _end_sound(line, at, heard, event["playback"]["state"])
    return heard


def _end_sound(line: _Line, at: float, heard: Heard, state: str) -> None:
    keys, line.keys, line.is_playing = line.keys, [], False
    own_end = line.started + SOUND_SECONDS
    for key in keys:
        if key > own_end - LATE_SECONDS or state != "done":
            continue
        if at < own_end - _POLL_SECONDS:
            heard.barge_ins.append(at - key)
        else:
            heard.keys_interrupting_nothing += 1
    if not keys and state == "done" and line.media in CONTINUED:
        line.silent_since = at


def _channel_of(playback: Mapping[str, Any]) -> str:
    target: str = playback["target_uri"]
    return target.removeprefix("channel:")


def _seconds(timestamp: str) -> float:
    return datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


@dataclass(frozen=True)
class Outcome:
    """A program on Asterisk, with so many calls at once.

    Attributes:
        program: the program.
        calls: how many calls there were.
        core: which share of one core the program took.
        asterisk_core: the same for Asterisk.
        others: which share of the time others ran on the program's core.
        heard: what the callers heard.
    """

    program: Program
    calls: int
    core: float
    asterisk_core: float
    others: float
    heard: Heard


async def measure(
    reactor: PosixReactorBase,
    programs: Sequence[Program],
    numbers: Sequence[int],
    seconds: float,
) -> list[Outcome]:
    """Measure programs on an Asterisk of their own each."""
    own_core, other_core = cores()
    outcomes = []
    with on_core(other_core):  # and so are the Asterisks
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
        stage = await RealAsteriskHarness.open(self._reactor, self._asterisk)
        events = await stage.ari.listen("onlooker", subscribeAll="true")
        pid = await self._pid_of_asterisk()
        with TemporaryDirectory(prefix="channel-aa-") as name:
            folder = Path(name)
            process = Process(
                self._program.command(self._asterisk.url, folder),
                core=self._core,
                output=folder / "output.txt",
            )
            try:
                await self._until_listening(stage, process)
                callers = []
                for _ in range(calls):
                    callers.append(await stage.place_call("1000"))
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
                heard = hear(event.json for event in events.all[first:])
            finally:
                process.stop()
                await stage.close()
        return Outcome(
            program=self._program,
            calls=calls,
            core=own / passed,
            asterisk_core=asterisks / passed,
            others=max(busy - own, 0.0) / passed,
            heard=heard,
        )

    async def _until_listening(
        self, stage: RealAsteriskHarness, process: Process
    ) -> None:
        deadline = self._reactor.seconds() + _START_SECONDS
        while (await stage.ari.get("/applications/channel-aa")).status != 200:  # noqa: PLR2004 - HTTP's OK
            process.check()
            if self._reactor.seconds() > deadline:
                raise TimeoutError(f"{self._program.title} does not connect")
            await self._sleep(_POLL_SECONDS)

    async def _press_keys(self, callers: Sequence[Caller], end: float) -> None:
        pressing = [
            Deferred.fromCoroutine(self._press(caller, Random(number), end))
            for number, caller in enumerate(callers)
        ]
        await gatherResults(pressing, consumeErrors=True)

    async def _press(self, caller: Caller, random: Random, end: float) -> None:
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
    """Make the report."""
    heads = (
        *("calls", "program", "of a core", "of Asterisk's core", "keys"),
        *("key to silence: median ms", "99th", "longest", "interrupting nothing"),
        *("next sound after: median ms", "99th", "others on its core"),
    )
    return "\n".join(table(heads, (_row(outcome) for outcome in outcomes)))


def _row(outcome: Outcome) -> Sequence[str]:
    heard = outcome.heard
    barge_in, silence = spread_of(heard.barge_ins), spread_of(heard.silences)
    return (
        str(outcome.calls),
        outcome.program.title,
        f"{outcome.core:.2f}",
        f"{outcome.asterisk_core:.2f}",
        str(heard.keys),
        *map(milliseconds, (barge_in.median, barge_in.p99, barge_in.longest)),
        str(heard.keys_interrupting_nothing),
        *map(milliseconds, (silence.median, silence.p99)),
        f"{outcome.others:.2f}",
    )
