"""A call on a real Asterisk that follows the script of a simulated one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater

from channel_aa.commands.script_runner import ScriptRunner
from channel_aa.commands.transcript import Kind, Transcript
from channel_aa.simulator.script import Ended, HangUp, Hear, Press, Speak, Wait
from tests.support.attendant_harness import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.commands.simulated_call import SimulatedCall
    from channel_aa.simulator.script import Step
    from tests.support.asterisk_harness import Caller
    from tests.support.raw_ari import Events


class RealCall:
    """A call on a real Asterisk, with what a `ScriptRunner` asks of a rehearsal.

    Args:
        reactor: the reactor that everything runs on.
        events: hears of every channel.
        phone: the caller's.
        variables: the channel variables that are worth a line.
        since: how many of the events are older than the call.
    """

    def __init__(
        self,
        reactor: PosixReactorBase,
        events: Events,
        phone: Caller,
        *,
        variables: Collection[str] = (),
        since: int = 0,
    ) -> None:
        self.caller = self
        self.is_over = False
        self.director = ScriptRunner(cast("SimulatedCall", self), clock=reactor)
        self.transcript = Transcript(
            phone.name, variables=variables, write=self.director.update
        )
        self._reactor = reactor
        self._events = events
        self._phone = phone
        self._who = "application"
        self._heard_up_to = 0
        self._seen = since
        self._looking = LoopingCall(self._look)
        self._looking.start(0.005, now=False)

    def hang_up(self) -> None:
        if self._who == "caller":
            return
        self._who = "caller"
        Deferred.fromCoroutine(self._phone.hang_up())

    def run(
        self,
        steps: Sequence[Step],
        *,
        prepare: Callable[[Step, Step | None], Awaitable[float]],
    ) -> Deferred[None]:
        return Deferred.fromCoroutine(self._run(steps, prepare))

    async def close(self) -> None:
        await until(lambda: self.is_over, self._reactor, "the end of the call")
        self._looking.stop()

    async def _run(
        self,
        steps: Sequence[Step],
        prepare: Callable[[Step, Step | None], Awaitable[float]],
    ) -> None:
        previous: Step | None = None
        for step in steps:
            await prepare(step, previous)
            await self._do(step)
            previous = step

    async def _do(self, step: Step) -> None:
        match step:
            case Press(keys):
                for key in keys:
                    await self._phone.press(key)
                    await deferLater(self._reactor, 0.15)
                self._heard_up_to = len(self.transcript.entries)
            case Wait(seconds):
                await deferLater(self._reactor, seconds)
            case Hear(sound):
                await until(lambda: self._hears(sound), self._reactor, str(step))
            case Speak():
                await self._phone.speak()
            case HangUp():
                self.hang_up()
            case Ended():
                await until(lambda: self.is_over, self._reactor, str(step))

    def _hears(self, sound: str) -> bool:
        heard = self.transcript.entries[self._heard_up_to :]
        return any(each.text == sound for each in heard)

    def _look(self) -> None:
        while self._seen < len(self._events.all):
            event = self._events.all[self._seen]
            self._seen += 1
            if self.is_over:
                continue
            self.transcript.receive(event.json, event.received)
            channel = event.json.get("channel", {})
            if channel.get("name") == self._phone.name:
                self._look_for_the_end(event.type, channel["dialplan"])

    def _look_for_the_end(self, kind: str, place: Mapping[str, object]) -> None:
        if kind == "ChannelDestroyed":
            self._end(f"hung up by {self._who}")
        elif kind == "ChannelDialplan" and place["app_name"] != "Stasis":
            where = f"{place['context']},{place['exten']},{place['priority']}"
            self._end(f"continued in dialplan at {where}")

    def _end(self, outcome: str) -> None:
        self.is_over = True
        self.transcript.add(self._reactor.seconds(), Kind.END, outcome)
