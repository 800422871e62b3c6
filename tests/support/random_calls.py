"""An Asterisk, its callers, and an attendant that can be killed: all in one clock."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from twisted.internet.task import Clock

from channel_aa.ari import Transport
from channel_aa.attendant.attendant import Attendant
from channel_aa.simulator import Simulator
from channel_aa.simulator.in_memory import Direction, InMemoryLink
from channel_aa.simulator.virtual_time import pass_time, wait_for
from tests.support.killable_clock import KillableClock

if TYPE_CHECKING:
    from channel_aa.menus.flow import CallFlow
    from channel_aa.simulator import SimulatedCaller

DELAYS = {
    Direction.REQUEST: (0.0, 0.0, 0.001, 0.02, 0.3, 2.0),
    Direction.ANSWER: (0.0, 0.0, 0.001, 0.02, 0.3, 2.0),
    # A websocket that is slower than HTTP by more than a second counts as broken.
    Direction.MESSAGE_TO_ASTERISK: (0.0, 0.0, 0.001, 0.02, 0.3),
    Direction.MESSAGE_FROM_ASTERISK: (0.0, 0.0, 0.001, 0.02, 0.3),
}
"""What something may take on each way, in seconds."""

MAX_CALLERS = 3
_GIVEN_UP = (Transport.WEBSOCKET, Transport.HTTP)

PATIENCE = 30.0
"""Virtual seconds that it takes at most to connect, or to stop."""


class Daemon:
    """The attendant in a process of its own, as it were.

    Args:
        life: where it lives.
        flow: what callers are offered.
        transport: which way its requests take.
    """

    def __init__(
        self, life: RandomCallsHarness, flow: CallFlow, transport: Transport
    ) -> None:
        self.power = KillableClock(life.clock)
        self.line = InMemoryLink(life.simulator, clock=self.power, delay=life.delay)
        self.attendant = Attendant(
            flow, clock=self.power, now=lambda: datetime(2026, 12, 24, 13, tzinfo=UTC)
        )
        self.client = self.line.client(self.attendant, transport=transport)
        self.client.startService()

    def kill(self) -> None:
        """End it without a word."""
        self.line.cut()
        self.power.off()

    @property
    def leftovers(self) -> dict[str, int]:
        """What is in progress, or was left behind."""
        counts = {
            "calls": len(self.attendant.calls),
            "turned away": len(self.attendant.turned_away),
            "channels": len(self.client.channels),
            "playbacks": len(self.client.playbacks),
            "requests": self.client.requests.pending,
        }
        return {what: count for what, count in counts.items() if count}


class RandomCallsHarness:
    """What may happen to calls, one step after another.

    Args:
        flow: what callers are offered.
        transport: which way requests take.
        seed: decides how long each message takes.
        slowest: seconds that a message takes at most.

    Attributes:
        clock: the time of all.
        simulator: the Asterisk.
        callers: all that have rung.
        daemon: the one that runs.
        is_excused: whether there may be several sounds at once: a killed daemon's and
            its successor's; or those of a websocket that was given up because it was
            slower than HTTP, and then served after all what was asked for again.
    """

    def __init__(
        self, flow: CallFlow, *, transport: Transport, seed: int, slowest: float = 2.0
    ) -> None:
        self.clock = Clock()
        self.simulator = Simulator(
            reactor=self.clock, default_sound_seconds=1.5, missing_sounds={"missing"}
        )
        self.callers: list[SimulatedCaller] = []
        self.is_excused = False
        self._way = Transport.HTTP
        self._delays = {
            leg: [each for each in delays if each <= slowest]
            for leg, delays in DELAYS.items()
        }
        self._random = Random(seed)  # noqa: S311 - it need not be unpredictable
        self._is_calm = False
        self._flow = flow
        self._transport = transport
        self.daemon = Daemon(self, flow, transport)

    def delay(self, leg: Direction) -> float:
        """Tell how long something takes on its way."""
        return 0.0 if self._is_calm else self._random.choice(self._delays[leg])

    def call(self) -> None:
        """Have somebody ring, unless there are enough."""
        if len(self.callers) < MAX_CALLERS:
            self.callers.append(self.simulator.call())

    def press(self, who: int, keys: str) -> None:
        """Have somebody press keys."""
        caller = self._caller(who)
        if caller is not None:
            caller.press(keys)

    def hang_up(self, who: int) -> None:
        """Have somebody hang up."""
        caller = self._caller(who)
        if caller is not None:
            caller.hang_up()

    def kill(self) -> None:
        """Kill the daemon, and start it again."""
        self.is_excused = True
        self.daemon.kill()
        self.daemon = Daemon(self, self._flow, self._transport)

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
        """Let time pass until the daemon is connected."""
        pass_time(
            self.clock, until=lambda: self.daemon.client.is_connected, seconds=PATIENCE
        )

    def wait_for_the_end(self, seconds: float) -> None:
        """Let time pass until nobody calls any more, and nothing is left of it."""
        until = self.clock.seconds() + seconds
        while self.clock.seconds() < until and (
            self.simulator.live_channels or self.daemon.leftovers
        ):
            self.wait(5.0)

    def check(self) -> None:
        """Hold what must be so at any moment.

        Raises:
            AssertionError: it is not.
        """
        client = self.daemon.client
        way, self._way = self._way, client.requests.in_use
        if client.is_connected and (way, self._way) == _GIVEN_UP:
            self.is_excused = True
        if self.is_excused:
            return
        sounding: dict[str, list[str]] = {}
        for playback in self.simulator.state.playbacks:
            target = playback.snapshot()["target_uri"]
            sounding.setdefault(target, []).append(playback.media)
        for target, sounds in sounding.items():
            assert len(sounds) == 1, f"{target} has several sounds at once: {sounds}"

    def calm(self) -> None:
        """Let nothing go wrong any more."""
        self._is_calm = True
        self.simulator.faults.clear()
        self.simulator.is_booting = False
        self.daemon.line.mend()

    def stop(self) -> None:
        """Stop the daemon, and Asterisk behind it."""
        wait_for(self.clock, self.daemon.client.stopService(), seconds=PATIENCE)
        self.simulator.forget()

    def _caller(self, who: int) -> SimulatedCaller | None:
        present = [caller for caller in self.callers if not caller.is_over]
        return present[who % len(present)] if present else None
