"""Signals to the daemon."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, cast

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.daemon.signals import handle_signals

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase


class FakeReactor:
    """A reactor that runs callables from signal handlers when the test calls `turn`."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._turns: list[tuple[Any, ...]] = []

    def sigTerm(self, number: int, _frame: object = None) -> None:  # noqa: N802 - Twisted's name
        self.done.append(signal.Signals(number).name)

    sigInt = sigTerm  # noqa: N815 - Twisted's name

    def crash(self) -> None:
        self.done.append("crash")

    def callFromThread(self, *call: Any) -> None:  # noqa: ANN401, N802 - Twisted's
        self._turns.append(call)

    def turn(self) -> None:
        turns, self._turns = self._turns, []
        for function, *arguments in turns:
            function(*arguments)


class SignalTests(SynchronousTestCase):
    def setUp(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.reactor = FakeReactor()
        handle_signals(
            cast("ReactorBase", self.reactor),
            reload=lambda: self.reactor.done.append("reload"),
        )

    def send(self, *numbers: int) -> list[str]:
        """Send signals; return what the reactor does in its next turn."""
        for number in numbers:
            os.kill(os.getpid(), number)
        self.assertEqual(self.reactor.done, [])
        self.reactor.turn()
        return self.reactor.done

    def test_first_sigterm_stops_the_reactor(self) -> None:
        self.assertEqual(self.send(signal.SIGTERM), ["SIGTERM"])

    def test_first_sigint_stops_the_reactor(self) -> None:
        self.assertEqual(self.send(signal.SIGINT), ["SIGINT"])

    def test_second_signal_crashes_the_reactor(self) -> None:
        with capturedLogs() as events:
            done = self.send(signal.SIGINT, signal.SIGTERM)
        self.assertEqual(done, ["SIGINT", "crash"])
        self.assertEqual(
            [formatEvent(event) for event in events],
            ["Received SIGTERM again: ending at once"],
        )

    def test_each_sighup_reloads(self) -> None:
        self.assertEqual(self.send(signal.SIGHUP), ["reload"])
        os.kill(os.getpid(), signal.SIGHUP)
        self.reactor.turn()
        self.assertEqual(self.reactor.done, ["reload", "reload"])
