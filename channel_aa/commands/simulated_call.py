"""A call to an attendant on the simulator, in one process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from twisted.logger import ILogObserver, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from channel_aa.attendant.attendant import Attendant
from channel_aa.attendant.confirmation import CONFIRM_KEY
from channel_aa.commands.transcript import Kind, Transcript
from channel_aa.interfaces import DialOutcome
from channel_aa.menus.actions import SetVariables
from channel_aa.simulator import Simulator
from channel_aa.simulator.in_memory import InMemoryLink
from channel_aa.simulator.phone_behaviour import PhoneBehaviour
from channel_aa.testing import SimulatedSpeech

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from twisted.logger import LogEvent

    from channel_aa.commands.call_audio import CallAudio
    from channel_aa.commands.transcript import Entry
    from channel_aa.menus.flow import CallFlow
    from channel_aa.simulator import SimulatedCaller

CHANNEL = "PJSIP/caller-00000001"
SOUND_SECONDS = 1.0
"""How long every sound lasts."""

ANSWER_SECONDS = 2.0
"""How long a phone rings until it is answered, unless configured otherwise. Then it
confirms the call."""

_APP = "channel-aa"
_MONITOR = "onlooker"


@dataclass(frozen=True, kw_only=True)
class CallData:
    """The data of a call; `at` has a time zone."""

    at: datetime
    dialled: str = "1000"
    arguments: tuple[str, ...] = ()
    caller_name: str = ""
    caller_number: str = ""


@implementer(ILogObserver)
class SimulatedCall:
    """A call to an attendant on a simulated Asterisk.

    Args:
        flow: the call flow of the attendant.
        data: the data of the call.
        reactor: keeps the time: a `Clock`, or the reactor.
        write: called with each entry of the transcript; with None at some changes
            without one.
        phones: how the phones behave that do not simply answer.
        audio: speaks texts, and has the seconds of sounds; None: each lasts a second.

    Attributes:
        caller: the caller, once `begin` has fired.
        transcript: the transcript so far.
    """

    caller: SimulatedCaller

    def __init__(
        self,
        flow: CallFlow,
        data: CallData,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTime, and what a server needs
        write: Callable[[Entry | None], None],
        phones: Mapping[str, PhoneBehaviour | str],
        audio: CallAudio | None = None,
    ) -> None:
        speech = audio or SimulatedSpeech()
        self.transcript = Transcript(
            CHANNEL,
            variables=_variables_of(flow),
            is_secret=self._is_secret,
            texts=speech.texts,
            write=write,
        )
        self._data = data
        self._reactor = reactor
        self._ahead = data.at.timestamp() - reactor.seconds()
        self._simulator = Simulator(
            reactor=reactor,
            sounds=audio,
            default_sound_seconds=SOUND_SECONDS,
            phones={
                **phones,
                "*": PhoneBehaviour(answers_after=ANSWER_SECONDS, keys=CONFIRM_KEY),
            },
        )
        self._attendant = Attendant(flow, clock=reactor, now=self._now, speech=speech)
        link = InMemoryLink(self._simulator, clock=reactor)
        self._client = link.client(self._attendant, app=_APP)
        self._began = 0.0
        self._is_over = False

    @property
    def seconds(self) -> float:
        """How many seconds ago the call began."""
        return float(self._reactor.seconds()) - self._began

    async def begin(self) -> None:
        """Start the attendant, and place the call."""
        globalLogPublisher.addObserver(self)
        self._attendant.open()
        self._client.startService()
        await self._simulator.listening(_APP)
        bus = self._simulator.state.bus
        bus.register(_MONITOR, self._receive, subscribe_all=True)
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
        """Stop the attendant; nothing of it is left in the reactor."""
        globalLogPublisher.removeObserver(self)
        if self.caller.is_over:
            self._end(self.caller.outcome)
        self._is_over = True
        self._simulator.forget()
        await self._attendant.close()
        await self._client.stopService()

    def __call__(self, event: LogEvent) -> None:
        """Observe the log, for unavailable phones and warnings, which have no event."""
        if not event.get("log_namespace", "").startswith("channel_aa.attendant"):
            return
        if event.get("outcome") == DialOutcome.UNAVAILABLE.value:
            self.transcript.phone_unavailable(event["endpoint"], self.seconds)
        elif "is_confirmed" in event:
            how = "takes" if event["is_confirmed"] else "does not take"
            text = f"{event['endpoint']} {how} the call"
            self.transcript.add(self.seconds, Kind.ACTION, text)
        elif event["log_level"] >= LogLevel.warn:
            self.transcript.add(self.seconds, Kind.TROUBLE, formatEvent(event))

    def _receive(self, event: bytes) -> None:
        self.transcript.receive(msgspec.json.decode(event), self.seconds)

    def _is_secret(self) -> bool:
        return any(call.takes_secret_keys for call in self._attendant.calls)

    def _end(self, outcome: str) -> None:
        if not self._is_over:
            self._is_over = True
            self.transcript.add(self.seconds, Kind.END, outcome)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._reactor.seconds() + self._ahead, UTC)


def _variables_of(flow: CallFlow) -> set[str]:
    """Return the names of the channel variables that a call flow sets."""
    return {
        name
        for written in flow.all_actions()
        if isinstance(written.action, SetVariables)
        for name in written.action.set_
    }
