"""A thousand calls in a second, on an Asterisk whose answers take two seconds."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twisted.internet.task import Clock
from twisted.logger import ILogObserver, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from channel_aa.attendant.attendant import Attendant
from channel_aa.simulator import Simulator
from channel_aa.simulator.in_memory import Direction, InMemoryLink, pass_time
from tests.support.call_case import call_flow

if TYPE_CHECKING:
    from twisted.logger import LogEvent

CALLS = 1000
LIMIT = 100
ANSWER_SECONDS = 2.0


class ManyTimers(Clock):
    """A clock that inserts a new timer in order, instead of sorting thousands."""

    def _sortCalls(self) -> None:  # noqa: N802 - Twisted's name
        newest = self.calls.pop()
        insort(self.calls, newest, key=lambda call: call.getTime())


def delay(direction: Direction) -> float:
    """Return the delay of a message: answers and events are late, requests are not."""
    is_answer = direction in (Direction.ANSWER, Direction.MESSAGE_FROM_ASTERISK)
    return ANSWER_SECONDS if is_answer else 0.0


class BurstTests(SynchronousTestCase):
    def test_calls_above_the_limit_continue_in_the_dialplan_and_others_are_answered(
        self,
    ) -> None:
        lines: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            if event.get("log_namespace", "").endswith("attendant.attendant"):
                lines.append(str(formatEvent(event)))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        clock = ManyTimers()
        simulator = Simulator(reactor=clock)
        link = InMemoryLink(simulator, clock=clock, delay=delay)
        attendant = Attendant(
            call_flow('[menus.main]\nprompt = ["press-1"]'),
            clock=clock,
            now=lambda: datetime(2026, 6, 1, tzinfo=UTC),
            max_calls=LIMIT,
        )
        client = link.client(attendant)
        client.startService()
        pass_time(clock, until=lambda: client.is_connected, seconds=60)
        clock.advance(10)
        callers = []
        for _ in range(CALLS):
            callers.append(simulator.call(dialplan_seconds=600))
            clock.advance(1 / CALLS)
        pass_time(
            clock,
            until=lambda: sum(bool(each.heard) for each in callers) == LIMIT,
            seconds=60,
        )
        pass_time(clock, until=lambda: len(client.channels) == LIMIT, seconds=60)
        rejected = [each for each in callers if each.status]
        self.assertEqual(len(rejected), CALLS - LIMIT)
        self.assertEqual(
            Counter(
                each.channel.variables.get("CHANNEL_AA_REASON") for each in rejected
            ),
            {"overload": CALLS - LIMIT},
        )
        self.assertEqual(len(attendant.calls), LIMIT)
        self.assertIn(len(lines), (1, 2))
        for caller in callers:
            caller.hang_up()
        pass_time(
            clock,
            until=lambda: (
                not (
                    attendant.calls
                    or client.channels
                    or client.playbacks
                    or client.requests.pending
                )
            ),
            seconds=60,
        )
