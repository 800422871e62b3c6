"""Random calls on a simulated Asterisk, and an attendant that can be killed.

All are on one `Clock`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, cast

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from zope.interface import implementer

from channel_aa.ari import Transport
from channel_aa.attendant.attendant import Attendant
from channel_aa.simulator import Simulator
from channel_aa.simulator.in_memory import Direction, InMemoryLink, pass_time, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.base import DelayedCall

    from channel_aa.menus.flow import CallFlow
    from channel_aa.simulator import SimulatedCaller

DELAYS = {
    Direction.REQUEST: (0.0, 0.0, 0.001, 0.02, 0.3, 2.0),
    Direction.ANSWER: (0.0, 0.0, 0.001, 0.02, 0.3, 2.0),
    # A websocket that is slower than HTTP by more than a second counts as broken.
    Direction.MESSAGE_TO_ASTERISK: (0.0, 0.0, 0.001, 0.02, 0.3),
    Direction.MESSAGE_FROM_ASTERISK: (0.0, 0.0, 0.001, 0.02, 0.3),
}
"""The seconds that a message may take, by its direction."""

MAX_CALLERS = 3
_FALLBACK = (Transport.WEBSOCKET, Transport.HTTP)

PATIENCE = 30.0
"""The virtual seconds within which the attendant connects, or stops."""


@implementer(IReactorTime)
class KillableClock:
    """The clock of one process; after `kill`, none of its timers fires any more.

    Args:
        clock: the clock that all processes share.
    """

    def __init__(self, clock: Clock) -> None:
        self._is_killed = False
        self._clock = clock
        self._calls: list[DelayedCall] = []

    def seconds(self) -> float:
        """Return the time."""
        return self._clock.seconds()

    def callLater(  # noqa: N802 - Twisted's name
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 - Twisted's name
        *args: object,
        **kwargs: object,
    ) -> DelayedCall:
        """Call later, unless it is killed by then."""
        # The garbage collector may run code of a killed process that sets timers.
        clock = Clock() if self._is_killed else self._clock
        call = cast("DelayedCall", clock.callLater(delay, callable, *args, **kwargs))
        self._calls = [each for each in self._calls if each.active()]
        self._calls.append(call)
        return call

    def getDelayedCalls(self) -> Sequence[DelayedCall]:  # noqa: N802 - Twisted's name
        """List the timers."""
        return [each for each in self._calls if each.active()]

    def kill(self) -> None:
        """Cancel all timers, as ``kill -9`` would."""
        for call in self.getDelayedCalls():
            call.cancel()
        self._is_killed = True


class KillableAttendant:
    """An attendant and its client, as one process that can be killed.

    Args:
        harness: has the simulator, the clock and the delays.
        flow: the call flow.
        transport: how its requests travel.
    """

    def __init__(
        self, harness: RandomCallsHarness, flow: CallFlow, transport: Transport
    ) -> None:
        self.clock = KillableClock(harness.clock)
        self.link = InMemoryLink(
            harness.simulator, clock=self.clock, delay=harness.delay
        )
        self.attendant = Attendant(
            flow, clock=self.clock, now=lambda: datetime(2026, 12, 24, 13, tzinfo=UTC)
        )
        self.client = self.link.client(self.attendant, transport=transport)
        self.client.startService()

    def kill(self) -> None:
        """End it at once, as ``kill -9`` would."""
        self.link.cut()
        self.clock.kill()

    @property
    def leftovers(self) -> dict[str, int]:
        """The number of calls, channels, playbacks and requests, where it is not 0."""
        counts = {
            "calls": len(self.attendant.calls),
            "turned away": len(self.attendant.rejected),
            "channels": len(self.client.channels),
            "playbacks": len(self.client.playbacks),
            "requests": self.client.requests.pending,
        }
        return {name: count for name, count in counts.items() if count}


class RandomCallsHarness:
    """A simulated Asterisk with callers; its methods are the steps of a random call.

    Args:
        flow: the call flow.
        transport: how requests travel.
        seed: the seed of the delays of messages.
        slowest: the longest delay, in seconds.

    Attributes:
        clock: the clock of all.
        simulator: the Asterisk.
        callers: all callers so far.
        daemon: the attendant that runs.
        may_overlap: whether a channel may have several sounds at once: those of a
            killed attendant and its successor; or those of a websocket that was given
            up for HTTP because it was slow, and that served its requests later.
    """

    def __init__(
        self, flow: CallFlow, *, transport: Transport, seed: int, slowest: float = 2.0
    ) -> None:
        self.clock = Clock()
        self.simulator = Simulator(
            reactor=self.clock, default_sound_seconds=1.5, missing_sounds={"missing"}
        )
        self.callers: list[SimulatedCaller] = []
        self.may_overlap = False
        self._last_transport = Transport.HTTP
        self._delays = {
            direction: [each for each in delays if each <= slowest]
            for direction, delays in DELAYS.items()
        }
        self._random = Random(seed)  # noqa: S311 - it need not be unpredictable
        self._has_delays = True
        self._flow = flow
        self._transport = transport
        self.daemon = KillableAttendant(self, flow, transport)

    def delay(self, direction: Direction) -> float:
        """Choose the seconds that a message takes."""
        if not self._has_delays:
            return 0.0
        return self._random.choice(self._delays[direction])

    def call(self) -> None:
        """Place a call, unless there have been `MAX_CALLERS`."""
        if len(self.callers) < MAX_CALLERS:
            self.callers.append(self.simulator.call())

    def press(self, number: int, keys: str) -> None:
        """Have one of the present callers press keys."""
        caller = self._caller(number)
        if caller is not None:
            caller.press(keys)

    def hang_up(self, number: int) -> None:
        """Have one of the present callers hang up."""
        caller = self._caller(number)
        if caller is not None:
            caller.hang_up()

    def kill(self) -> None:
        """Kill the attendant, and start another one."""
        self.may_overlap = True
        self.daemon.kill()
        self.daemon = KillableAttendant(self, self._flow, self._transport)

    def wait(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        until = self.clock.seconds() + seconds
        while True:
            due = min(
                (call.getTime() for call in self.clock.getDelayedCalls()),
                default=until,
            )
            if due >= until:
                break
            self.clock.advance(max(0.0, due - self.clock.seconds()))
            self.check()
        self.clock.advance(until - self.clock.seconds())
        self.check()

    def connect(self) -> None:
        """Let time pass until the attendant is connected."""
        pass_time(
            self.clock, until=lambda: self.daemon.client.is_connected, seconds=PATIENCE
        )

    def wait_for_the_end(self, seconds: float) -> None:
        """Let time pass until all calls are over, or the seconds have passed."""
        until = self.clock.seconds() + seconds
        while self.clock.seconds() < until and (
            self.simulator.live_channels or self.daemon.leftovers
        ):
            self.wait(5.0)

    def check(self) -> None:
        """Check that no channel has several sounds at once.

        Raises:
            AssertionError: one has.
        """
        client = self.daemon.client
        before, self._last_transport = self._last_transport, client.requests.in_use
        if client.is_connected and (before, self._last_transport) == _FALLBACK:
            self.may_overlap = True
        if self.may_overlap:
            return
        sounding: dict[str, list[str]] = {}
        for playback in self.simulator.state.playbacks:
            target = playback.snapshot()["target_uri"]
            sounding.setdefault(target, []).append(playback.media)
        for target, sounds in sounding.items():
            assert len(sounds) == 1, f"{target} has several sounds at once: {sounds}"

    def end_faults(self) -> None:
        """End all faults and delays."""
        self._has_delays = False
        self.simulator.faults.clear()
        self.daemon.link.mend()

    def stop(self) -> None:
        """Stop the attendant, and reset the simulator."""
        wait_for(self.clock, self.daemon.client.stopService(), seconds=PATIENCE)
        self.simulator.forget()

    def _caller(self, number: int) -> SimulatedCaller | None:
        present = [caller for caller in self.callers if not caller.is_over]
        return present[number % len(present)] if present else None
