"""A call to an attendant on the simulator, in the same process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from twisted.logger import ILogObserver, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from channel_aa.attendant.attendant import Attendant
from channel_aa.commands.transcript import Kind, Transcript
from channel_aa.interfaces import DialOutcome
from channel_aa.menus.actions import SetVariables
from channel_aa.simulator import Simulator
from channel_aa.simulator.in_memory import InMemoryLink
from channel_aa.simulator.phone_behaviour import PhoneBehaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from twisted.logger import LogEvent

    from channel_aa.commands.transcript import Entry
    from channel_aa.menus.flow import CallFlow
    from channel_aa.simulator import SimulatedCaller

CHANNEL = "PJSIP/caller-00000001"
SOUND_SECONDS = 1.0
"""How long every sound lasts."""

ANSWER_SECONDS = 2.0
"""How long a phone rings until somebody answers it, unless it is told otherwise."""

_APP = "channel-aa"
_ONLOOKER = "onlooker"


@dataclass(frozen=True, kw_only=True)
class CallData:
    """Who calls whom, and when; `at` has its time zone."""

    at: datetime
    dialled: str = "1000"
    arguments: tuple[str, ...] = ()
    caller_name: str = ""
    caller_number: str = ""


@implementer(ILogObserver)
class SimulatedCall:
    """An attendant, its Asterisk, and one call.

    Args:
        flow: what the caller experiences.
        data: the call.
        reactor: what keeps time: a `Clock`, or the reactor.
        write: told of each entry of the transcript, and with ``None`` of changes
            that make none.
        phones: how phones behave that do not simply answer.

    Attributes:
        caller: who calls, once `begin` has fired.
        transcript: what has happened so far.
    """

    caller: SimulatedCaller

    def __init__(
        self,
        flow: CallFlow,
        data: CallData,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTime, and what a server needs
        write: Callable[[Entry | None], None],
        phones: Mapping[str, PhoneBehaviour],
    ) -> None:
        self.transcript = Transcript(
            CHANNEL, variables=_variables_of(flow), write=write
        )
        self._data = data
        self._reactor = reactor
        self._ahead = data.at.timestamp() - reactor.seconds()
        self._simulator = Simulator(
            reactor=reactor,
            default_sound_seconds=SOUND_SECONDS,
            phones={**phones, "*": PhoneBehaviour(answers_after=ANSWER_SECONDS)},
        )
        self._attendant = Attendant(flow, clock=reactor, now=self._now)
        line = InMemoryLink(self._simulator, clock=reactor)
        self._client = line.client(self._attendant, app=_APP)
        self._began = 0.0
        self._is_over = False

    @property
    def seconds(self) -> float:
        """How many seconds ago the call began."""
        return float(self._reactor.seconds()) - self._began

    async def begin(self) -> None:
        """Start the attendant, and call it."""
        globalLogPublisher.addObserver(self)
        self._attendant.open()
        self._client.startService()
        await self._simulator.listening(_APP)
        bus = self._simulator.state.bus
        bus.register(_ONLOOKER, self._hear, subscribe_all=True)
        self._began = self._reactor.seconds()
        self.caller = self._simulator.call(
            name=CHANNEL,
            extension=self._data.dialled,
            app=_APP,
            args=self._data.arguments,
            caller_name=self._data.caller_name,
            caller_number=self._data.caller_number,
        )
        self.caller.ended.addCallback(self._end)

    async def close(self) -> None:
        """Stop the attendant; nothing is left in the reactor."""
        globalLogPublisher.removeObserver(self)
        if self.caller.is_over:
            self._end(self.caller.outcome)
        self._is_over = True
        self._simulator.forget()
        await self._attendant.close()
        await self._client.stopService()

    def __call__(self, event: LogEvent) -> None:
        """Write down what no event tells: phones that cannot be rung, and warnings."""
        if not event.get("log_namespace", "").startswith("channel_aa.attendant"):
            return
        if event.get("outcome") == DialOutcome.UNAVAILABLE.value:
            self.transcript.cannot_ring(event["endpoint"], self.seconds)
        elif event["log_level"] >= LogLevel.warn:
            self.transcript.add(self.seconds, Kind.TROUBLE, formatEvent(event))

    def _hear(self, event: bytes) -> None:
        self.transcript.hear(msgspec.json.decode(event), self.seconds)

    def _end(self, outcome: str) -> None:
        if not self._is_over:
            self._is_over = True
            self.transcript.add(self.seconds, Kind.END, outcome)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._reactor.seconds() + self._ahead, UTC)


def _variables_of(flow: CallFlow) -> set[str]:
    """Name the channel variables that a call flow sets."""
    return {
        name
        for written in flow.all_actions()
        if isinstance(written.action, SetVariables)
        for name in written.action.set_
    }
