"""A client with a program's coroutine for each call, on a simulator in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator import Simulator
from channel_aa.simulator.in_memory import InMemoryLink, pass_time, wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from channel_aa.ari import Channel
    from channel_aa.simulator import SimulatedCaller

PATIENCE = 120


class ProgramTestCase(SynchronousTestCase):
    """Calls of a program; everything runs on one `Clock`.

    Attributes:
        calls: the channels and arguments so far.
        returned: what the coroutines have returned, or raised.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.simulator = Simulator(
            reactor=self.clock, sounds={"long": 5.0}, missing_sounds={"missing"}
        )
        self.link = InMemoryLink(self.simulator, clock=self.clock)
        self.calls: list[tuple[Channel, tuple[str, ...]]] = []
        self.returned: list[object] = []
        self.program: Callable[[Channel], Awaitable[object]]
        self.client = self.link.client(on_call=self._run_program)
        self.client.startService()
        pass_time(self.clock, until=lambda: self.client.is_connected, seconds=PATIENCE)
        self.clock.advance(1)

    def tearDown(self) -> None:
        self.simulator.forget()
        wait_for(self.clock, self.client.stopService(), seconds=PATIENCE)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    async def _run_program(self, channel: Channel, arguments: Sequence[str]) -> None:
        self.calls.append((channel, tuple(arguments)))
        try:
            self.returned.append(await self.program(channel))
        except BaseException as error:
            self.returned.append(error)
            raise

    def call(
        self, program: Callable[[Channel], Awaitable[object]], *arguments: str
    ) -> SimulatedCaller:
        """Place a call that runs a coroutine function, and let it begin."""
        self.program = program
        caller = self.simulator.call(args=arguments)
        self.clock.advance(0)
        return caller

    def until_over(self, caller: SimulatedCaller) -> str:
        """Let time pass until the call is over; return how it has ended."""
        pass_time(self.clock, until=lambda: caller.is_over, seconds=PATIENCE)
        return caller.outcome

    def until_heard(self, caller: SimulatedCaller, count: int) -> list[str]:
        """Let time pass until so many sounds have begun; return their names."""
        pass_time(
            self.clock, until=lambda: len(caller.heard) >= count, seconds=PATIENCE
        )
        return self.heard(caller)

    def heard(self, caller: SimulatedCaller) -> list[str]:
        """Return the names of the sounds that a caller has heard."""
        return [each.media.removeprefix("sound:") for each in caller.heard]
