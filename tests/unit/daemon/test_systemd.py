"""What systemd is told, and when."""

from __future__ import annotations

import os
from contextlib import ExitStack

from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.daemon.systemd import Notifier, Supervision, watchdog_seconds
from tests.support.fake_systemd import FakeSystemd


class SystemdCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.address = f"@channel-aa-test-{os.getpid()}-{id(self)}"
        self.systemd = FakeSystemd(f"\0{self.address[1:]}")
        self.addCleanup(self.systemd.close)
        self.is_connected = False
        self.status = "not connected"

    def supervision(self, watchdog: float = 0.0) -> Supervision:
        supervision = Supervision(
            Notifier(self.address),
            clock=self.clock,
            is_ready=lambda: self.is_connected,
            describe=lambda: self.status,
            watchdog=watchdog,
        )
        self.addCleanup(supervision.stop)
        return supervision

    def names(self) -> list[list[str]]:
        return [sorted(datagram) for datagram in self.systemd.heard()]


class SupervisionTests(SystemdCase):
    def test_ready_is_said_once_and_not_before_the_connection(self) -> None:
        self.supervision().start()
        self.clock.pump([1, 1])
        self.assertFalse(any("READY" in said for said in self.systemd.heard()))
        self.is_connected = True
        self.clock.advance(1)
        self.assertEqual(self.systemd.heard(), [{"READY": "1"}])
        self.is_connected = False
        self.clock.advance(1)
        self.is_connected = True
        self.clock.advance(1)
        self.assertEqual(self.systemd.heard(), [])

    def test_ready_is_said_again_where_systemd_could_not_take_it(self) -> None:
        self.supervision().start()
        self.clock.pump([1] * 20)  # more than a socket keeps for who does not read
        self.is_connected = True
        self.clock.advance(1)
        self.systemd.heard()
        self.clock.advance(1)
        self.assertEqual(self.systemd.heard(), [{"READY": "1"}])

    def test_systemd_is_asked_to_wait_for_as_long_as_there_is_no_connection(
        self,
    ) -> None:
        """The daemon may be started before Asterisk: a boot does not fail for it."""
        self.supervision().start()
        self.systemd.heard()
        for _ in range(600):
            self.clock.advance(1)
            asked = [said["EXTEND_TIMEOUT_USEC"] for said in self.systemd.heard()]
            self.assertEqual(asked, ["30000000"])

    def test_status_is_said_when_it_changes(self) -> None:
        self.is_connected = True
        self.supervision().start()
        self.clock.pump([1, 1])
        self.status = "3 calls"
        self.clock.pump([1, 1])
        self.assertEqual(
            self.systemd.heard(),
            [{"READY": "1", "STATUS": "not connected"}, {"STATUS": "3 calls"}],
        )

    def test_watchdog_is_fed_twice_in_its_time(self) -> None:
        self.is_connected = True
        self.supervision(watchdog=0.5).start()
        self.clock.pump([0.25] * 8)
        self.assertEqual(sum("WATCHDOG" in said for said in self.systemd.heard()), 9)

    def test_patient_watchdog_is_fed_every_second(self) -> None:
        self.supervision(watchdog=30).start()
        self.clock.pump([1] * 10)
        self.assertEqual(sum("WATCHDOG" in said for said in self.systemd.heard()), 11)

    def test_reactor_that_hangs_feeds_no_watchdog(self) -> None:
        self.supervision(watchdog=0.5).start()
        self.systemd.heard()
        self.clock.rightNow += 60  # its timers are due, and nobody runs them
        self.assertEqual(self.systemd.heard(), [])

    def test_without_a_watchdog_none_is_fed(self) -> None:
        self.supervision().start()
        self.clock.advance(1)
        self.assertFalse(any("WATCHDOG" in said for said in self.systemd.heard()))

    def test_reload_ends_as_it_began_being_ready(self) -> None:
        self.is_connected = True
        supervision = self.supervision()
        supervision.start()
        self.systemd.heard()
        supervision.reloading()
        supervision.reloaded()
        self.assertEqual(self.names(), [["MONOTONIC_USEC", "RELOADING"], ["READY"]])

    def test_reload_makes_nobody_ready(self) -> None:
        supervision = self.supervision()
        supervision.start()
        supervision.reloading()
        supervision.reloaded()
        self.assertFalse(any("READY" in said for said in self.systemd.heard()))

    def test_end_is_announced_with_its_time_and_nothing_is_asked_after(self) -> None:
        supervision = self.supervision(watchdog=2)
        supervision.start()
        self.systemd.heard()
        supervision.stopping(within=25)
        self.is_connected = True
        self.clock.pump([1, 1])
        self.assertEqual(
            self.systemd.heard(),
            [
                {"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "25000000"},
                {"WATCHDOG": "1"},
                {"WATCHDOG": "1"},
            ],
        )

    def test_stopped_it_leaves_nothing(self) -> None:
        supervision = self.supervision()
        supervision.start()
        supervision.stop()
        supervision.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class EnvironmentTests(SystemdCase):
    def made_from(self, environ: dict[str, str]) -> Supervision | None:
        made = Supervision.from_environment(
            environ,
            clock=self.clock,
            is_ready=lambda: self.is_connected,
            describe=lambda: self.status,
        )
        if made is not None:
            self.addCleanup(made.stop)
        return made

    def test_without_systemd_nobody_is_told(self) -> None:
        for address in ("", "vsock:2:1234"):
            self.assertIsNone(self.made_from({"NOTIFY_SOCKET": address}))
        self.assertIsNone(self.made_from({}))

    def test_socket_and_watchdog_are_those_of_the_environment(self) -> None:
        made = self.made_from(
            {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": "1000000"}
        )
        assert made is not None
        made.start()
        self.clock.advance(0.5)
        self.assertEqual(sum("WATCHDOG" in said for said in self.systemd.heard()), 2)

    def test_watchdog_may_be_another_process_s(self) -> None:
        usec = {"WATCHDOG_USEC": "3000000"}
        self.assertEqual(watchdog_seconds(usec), 3.0)
        self.assertEqual(
            watchdog_seconds({**usec, "WATCHDOG_PID": f"{os.getpid()}"}), 3
        )
        self.assertEqual(watchdog_seconds({**usec, "WATCHDOG_PID": "1"}), 0)
        self.assertEqual(watchdog_seconds({}), 0)
        self.assertEqual(watchdog_seconds({"WATCHDOG_USEC": "soon"}), 0)


class NotifierTests(SystemdCase):
    def setUp(self) -> None:
        super().setUp()
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.logged = stack.enter_context(capturedLogs())

    def test_line_break_in_a_value_makes_no_further_value(self) -> None:
        notifier = Notifier(self.address)
        notifier.send(STATUS="Asterisk 22\nMAINPID=1")
        notifier.close()
        self.assertEqual(self.systemd.heard(), [{"STATUS": "Asterisk 22 MAINPID=1"}])

    def test_systemd_that_is_gone_is_told_of_once_and_stops_nothing(self) -> None:
        notifier = Notifier("@nobody-listens-here")
        notifier.send(READY=1)
        notifier.send(READY=1)
        notifier.close()
        self.assertEqual([each["log_level"] for each in self.logged], [LogLevel.warn])

    def test_systemd_that_does_not_read_holds_nothing_up(self) -> None:
        notifier = Notifier(self.address)
        for _ in range(5000):
            notifier.send(WATCHDOG=1)
        notifier.close()
        self.assertEqual([each["log_level"] for each in self.logged], [LogLevel.warn])
