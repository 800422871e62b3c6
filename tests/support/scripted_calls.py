"""Calls that follow a script of ``channel-aa simulate``, on a real Asterisk."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater

from channel_aa.commands.expectation import happened, plain, read_expectation
from channel_aa.commands.main import main
from channel_aa.commands.script_runner import ScriptRunner
from channel_aa.commands.transcript import Kind, Transcript
from channel_aa.simulator import parse_script
from channel_aa.simulator.script import Ended, HangUp, Hear, Press, Speak, Wait
from tests.support.company_harness import COMPANY, PHONES
from tests.support.printed import printed
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import (
        Awaitable,
        Callable,
        Collection,
        Iterable,
        Mapping,
        Sequence,
    )

    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.commands.simulated_call import SimulatedCall
    from channel_aa.simulator.script import Step
    from real_asterisk.raw_ari import Events
    from tests.support.asterisk_harness import Caller
    from tests.support.company_harness import CompanyHarness

LONDON = ZoneInfo("Europe/London")

SCRIPT_SECONDS = 180
"""The seconds that a script may take."""

_BEHAVIOURS = {
    "answers-later": "answers 1",
    "hangs-up": "answers 0 hangs-up 1",
    "answers-later-hangs-up": "answers 1 hangs-up 1",
    "declines": "declines 0.2",
}
"""The simulator's words for a behaviour of `PHONES`, where they differ."""

_RECORDING = re.compile(r"orders/[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9a-f_.-]+")


def turns_in(simulated: Iterable[str]) -> frozenset[int]:
    """Return after how many events it is the caller's turn in a simulated call.

    Args:
        simulated: the lines of its transcript.
    """
    turns: set[int] = set()
    events = 0
    for line in map(plain, simulated):
        is_key = line.startswith("key ")
        if is_key or line == "hung up by caller":
            turns.add(events)
        events += not is_key
    return frozenset(turns)


class _RealTranscript(Transcript):
    """The transcript of a real call, which knows the caller's turns.

    Silence alone does not tell them: on a busy machine a prompt may begin late.
    """

    turns: Collection[int] = ()

    @property
    def is_quiet(self) -> bool:
        return super().is_quiet and len(happened(self.entries)) in self.turns


class RealCall:
    """A call on a real Asterisk, with the interface that `ScriptRunner` needs.

    Args:
        reactor: the reactor that the test runs on.
        events: a websocket that gets the events of all channels.
        caller: the caller.
        turns: after how many events it is the caller's turn; see `turns_in`.
        variables: the channel variables for the transcript.
        since: the number of events before the call.
    """

    def __init__(
        self,
        reactor: PosixReactorBase,
        events: Events,
        caller: Caller,
        *,
        turns: Collection[int],
        variables: Collection[str] = (),
        since: int = 0,
    ) -> None:
        self.caller = self
        self.is_over = False
        self.runner = ScriptRunner(cast("SimulatedCall", self), clock=reactor)
        self.transcript = _RealTranscript(
            caller.name, variables=variables, write=self.runner.update
        )
        self.transcript.turns = turns
        self._reactor = reactor
        self._events = events
        self._caller = caller
        self._hung_up_by = "application"
        self._first_new_entry = 0
        self._next_event = since
        self._reading = LoopingCall(self._read_events)
        self._reading.start(0.005, now=False)

    def hang_up(self) -> None:
        if self._hung_up_by == "caller":
            return
        self._hung_up_by = "caller"
        Deferred.fromCoroutine(self._caller.hang_up())

    def run(
        self,
        steps: Sequence[Step],
        *,
        prepare: Callable[[Step, Step | None], Awaitable[float]],
    ) -> Deferred[None]:
        return Deferred.fromCoroutine(self._run(steps, prepare))

    async def follow(self, script: str, *, seconds: float) -> None:
        """Follow a script, and wait for the end of the call.

        Args:
            script: see `channel_aa.simulator.script`.
            seconds: how long the script may take.

        Raises:
            AssertionError: it has taken longer; the message has what happened.
        """
        running = Deferred.fromCoroutine(self.runner.run(parse_script(script)))
        try:
            await running.addTimeout(seconds, self._reactor)
        except defer.TimeoutError:
            lines = "\n".join(map(str, self.transcript.entries))
            raise AssertionError(f"the script did not end:\n{lines}") from None
        await until(self._reactor, lambda: self.is_over, "the end of the call")
        self._reading.stop()

    async def _run(
        self,
        steps: Sequence[Step],
        prepare: Callable[[Step, Step | None], Awaitable[float]],
    ) -> None:
        previous: Step | None = None
        for step in steps:
            await prepare(step, previous)
            await self._take(step)
            previous = step

    async def _take(self, step: Step) -> None:
        match step:
            case Press(keys):
                for key in keys:
                    await self._caller.press(key)
                    await deferLater(self._reactor, 0.15)
                self._first_new_entry = len(self.transcript.entries)
            case Wait(seconds):
                await deferLater(self._reactor, seconds)
            case Hear(sound):
                await until(self._reactor, lambda: self._hears(sound), str(step))
            case Speak():
                await self._caller.speak()
            case HangUp():
                self.hang_up()
            case Ended():
                await until(self._reactor, lambda: self.is_over, str(step))

    def _hears(self, sound: str) -> bool:
        new = self.transcript.entries[self._first_new_entry :]
        return any(each.text == sound for each in new)

    def _read_events(self) -> None:
        while self._next_event < len(self._events.all):
            event = self._events.all[self._next_event]
            self._next_event += 1
            if self.is_over:
                continue
            self.transcript.receive(event.json, event.received)
            channel = event.json.get("channel", {})
            if channel.get("name") == self._caller.name:
                self._check_for_end(event.type, channel["dialplan"])

    def _check_for_end(self, kind: str, dialplan: Mapping[str, object]) -> None:
        if kind == "ChannelDestroyed":
            self._end(f"hung up by {self._hung_up_by}")
        elif kind == "ChannelDialplan" and dialplan["app_name"] != "Stasis":
            context, extension = dialplan["context"], dialplan["exten"]
            priority = dialplan["priority"]
            self._end(f"continued in dialplan at {context},{extension},{priority}")

    def _end(self, outcome: str) -> None:
        self.is_over = True
        self.transcript.add(self._reactor.seconds(), Kind.END, outcome)


@dataclass(frozen=True, kw_only=True)
class CompanyCall:
    """A call to the company, made on a real Asterisk and simulated.

    Attributes:
        script: what the caller does; see `channel_aa.simulator.script`.
        expectation: what happens; see `channel_aa.commands.expectation`.
        phones: the phones that do not behave as in `PHONES`.
        dialled: the number that is called.
        at: the time of the call in London; empty: any.
        argument: the argument that the dialplan passes to the application.
        executes: what the dialplan executes after the call has left:
            ``Queue support,,,,300``.
    """

    script: str
    expectation: str
    phones: Mapping[str, str] = field(default_factory=dict)
    dialled: str = "1000"
    at: str = ""
    argument: str = ""
    executes: str = ""

    @property
    def expected(self) -> Sequence[str]:
        """The expectation, line by line."""
        return read_expectation(self.expectation)

    def simulated(self) -> Sequence[str]:
        """Simulate the call with ``channel-aa simulate``; return what happens."""
        return _normalized(read_expectation("\n".join(self._simulated_lines())))

    def _simulated_lines(self) -> Sequence[str]:
        options = ["--did", self.dialled, "--press", self.script]
        if self.at:
            options += ["--at", self.at]
        if self.argument:
            options += ["--argument", self.argument]
        for name, behaviour in {**PHONES, **self.phones}.items():
            words = _BEHAVIOURS.get(behaviour, behaviour)
            options += ["--phone", f"Local/{name}@phones {words}"]
        code, out, err = printed(main, ["simulate", str(COMPANY), *options])
        assert (code, err) == (0, ""), err
        _heading, *lines = out.splitlines()
        return lines

    async def made(self, harness: CompanyHarness) -> Sequence[str]:
        """Make the call on the real Asterisk; return what happens.

        Afterwards the phones behave as before, and recordings are deleted.
        """
        for name, behaviour in self.phones.items():
            await harness.set_phone(name, behaviour)
        if self.at:
            moment = datetime.fromisoformat(self.at).replace(tzinfo=LONDON)
            async with harness.attended_at(moment):
                lines = await self._make(harness)
        else:
            lines = await self._make(harness)
        recorded = [f"records {name}" for name in await harness.delete_recordings()]
        assert recorded == [line for line in lines if line.startswith("records")]
        for name in self.phones:
            await harness.set_phone(name)
        return _normalized(lines)

    async def _make(self, harness: CompanyHarness) -> list[str]:
        since = len(harness.events.all)
        caller = await harness.backend.place_call(self.argument or self.dialled)
        call = RealCall(
            harness.reactor,
            harness.events,
            caller,
            turns=turns_in(self._simulated_lines()),
            variables=["QUEUE_PRIO"],
            since=since,
        )
        await call.follow(self.script, seconds=SCRIPT_SECONDS)
        if self.executes:
            application, _, data = self.executes.partition(" ")
            await harness.event(
                "ChannelDialplan",
                channel=caller.name,
                dialplan_app=application,
                dialplan_app_data=data,
            )
        await harness.hang_up_all()
        return happened(call.transcript.entries)


def _normalized(lines: Sequence[str]) -> Sequence[str]:
    """Remove what differs from call to call.

    A recording's name contains time and channel. Phones that are dialled at the same
    time are reported in any order.
    """
    renamed = (_RECORDING.sub("orders/NAME", line) for line in lines)
    normalized: list[str] = []
    for is_dial, group in groupby(renamed, lambda line: line.startswith("dials ")):
        together = list(group)
        normalized += sorted(together) if is_dial else together
    return normalized
