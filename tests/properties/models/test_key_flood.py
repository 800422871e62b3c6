"""200 random keys a second on each of ten calls, for a minute of virtual time."""

from __future__ import annotations

import gc
import io
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from twisted.internet.task import Clock
from twisted.logger import ILogObserver, globalLogPublisher, textFileLogObserver
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from channel_aa.attendant.attendant import Attendant
from channel_aa.config import load
from channel_aa.dialogue.keypad import MAX_KEPT, MAX_PER_SECOND
from channel_aa.simulator import Simulator
from channel_aa.simulator.in_memory import InMemoryLink, pass_time
from tests.support.call_case import call_flow

if TYPE_CHECKING:
    from twisted.logger import LogEvent

    from channel_aa.menus.flow import CallFlow

WRONG_KEYS_A_SECOND = 12
"""As fast as a telephone can send keys (ITU-T Q.24)."""

COMPANY = Path(__file__).parents[3] / "examples/company.conf"
CALLS = 10
A_SECOND = 200
SECONDS = 60
FLAT_OBJECTS = 200
"""The number of objects that there may be more than in the first seconds."""

_PHONES = {"Local/410@phones": "busy", "Local/415@phones": "rings", "*": "rings"}


class FloodTestCase(SynchronousTestCase):
    def flood(self, flow: CallFlow) -> None:
        """Press the keys; keep the log lines, and the number of objects each second."""
        random = Random(20261122)  # noqa: S311 - the same each time, not secret
        self.lines: list[LogEvent] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            if event.get("log_namespace", "").startswith("channel_aa.a"):
                self.lines.append(event)

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        self.clock = Clock()
        simulator = Simulator(
            reactor=self.clock, default_sound_seconds=1.0, phones=_PHONES
        )
        line = InMemoryLink(simulator, clock=self.clock)
        self.attendant = Attendant(
            flow, clock=self.clock, now=lambda: datetime(2026, 6, 1, tzinfo=UTC)
        )
        self.client = line.client(self.attendant)
        self.client.startService()
        pass_time(self.clock, until=lambda: self.client.is_connected, seconds=60)
        self.callers = [simulator.call(dialplan_seconds=600) for _ in range(CALLS)]
        self.clock.advance(1)
        self.objects = []
        for _ in range(SECONDS):
            for _ in range(A_SECOND):
                for caller in self.callers:
                    if not caller.is_over:
                        caller.press(random.choice("0123456789*#ABCD"))
                self.clock.advance(1 / A_SECOND)
            self.objects.append(self.count_objects())

    def count_objects(self) -> int:
        """Count the objects of the attendant and the client."""
        packages = ("channel_aa.attendant", "channel_aa.ari")
        return sum(
            str(type(each).__module__).startswith(packages) for each in gc.get_objects()
        )

    def assert_calm(self) -> None:
        taken = CALLS * (MAX_KEPT + MAX_PER_SECOND * (SECONDS + 1))
        self.assertLess(len(self.lines), 2 * taken)
        self.assertFalse([each for each in self.lines if "log_failure" in each])
        self.assertLess(max(self.objects[5:]), max(self.objects[:5]) + FLAT_OBJECTS)

    def hang_up(self) -> None:
        for caller in self.callers:
            if not caller.is_over:
                caller.hang_up()
        self.clock.advance(60)
        self.assertEqual(self.attendant.calls, set())
        self.assertFalse(self.client.channels or self.client.playbacks)
        self.assertFalse(self.client.outbound or self.client.recordings)


class FloodTests(FloodTestCase):
    def test_key_flood_without_limits_ends_no_call(self) -> None:
        self.flood(call_flow(""))
        self.assert_calm()
        self.assertEqual(len(self.attendant.calls), CALLS)
        self.hang_up()

    def test_key_flood_ends_calls_at_the_limits_of_the_company(self) -> None:
        self.flood(load(COMPANY).flow)
        self.assert_calm()
        for caller in self.callers:
            is_alive = any(
                call.channel.name == caller.name for call in self.attendant.calls
            )
            self.assertNotEqual(is_alive, caller.is_over or caller.status != "")
        self.hang_up()

    def test_wrong_keys_write_little_into_the_log(self) -> None:
        """Also if the prompt that they play is missing: each playing of it fails."""
        log = io.StringIO()
        clock = Clock()
        simulator = Simulator(
            reactor=clock,
            default_sound_seconds=1.0,
            missing_sounds=("option-is-invalid",),
        )
        link = InMemoryLink(simulator, clock=clock)
        attendant = Attendant(
            call_flow(""), clock=clock, now=lambda: datetime(2026, 6, 1, tzinfo=UTC)
        )
        client = link.client(attendant)
        client.startService()
        pass_time(clock, until=lambda: client.is_connected, seconds=60)
        caller = simulator.call()
        clock.advance(1)
        observer = textFileLogObserver(log)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        for second in range(SECONDS):
            if second == 10:
                first = len(log.getvalue())
            for _ in range(WRONG_KEYS_A_SECOND):
                caller.press("8")
                clock.advance(1 / WRONG_KEYS_A_SECOND)
        written = len(log.getvalue())
        caller.hang_up()
        clock.advance(60)
        self.assertIn("entered an invalid option!", log.getvalue())
        self.assertIn("too many to log each", log.getvalue())
        self.assertLess(first, 16_000)
        self.assertLess((written - first) / (SECONDS - 10), 50)  # bytes a second
