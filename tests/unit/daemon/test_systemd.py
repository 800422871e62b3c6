"""Notifications to systemd."""

from __future__ import annotations

import os
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from time import monotonic

from twisted.logger import LogLevel, capturedLogs, formatEvent

from channel_aa.daemon.systemd import Notifier, Supervision, watchdog_seconds
from tests.support.fake_systemd import FakeSystemd, SystemdCase


class SupervisionTests(SystemdCase):
    def test_ready_is_sent_once_after_the_connection(self) -> None:
        self.supervision().start()
        self.clock.pump([1, 1])
        self.assertFalse(any("READY" in sent for sent in self.systemd.heard()))
        self.is_connected = True
        self.clock.advance(1)
        self.assertEqual(self.systemd.heard(), [{"READY": "1"}])
        self.is_connected = False
        self.clock.advance(1)
        self.is_connected = True
        self.clock.advance(1)
        self.assertEqual(self.systemd.heard(), [])

    def test_ready_that_could_not_be_sent_is_sent_again(self) -> None:
        self.supervision().start()
        self.clock.pump([1] * 20)  # more than the socket buffers
        self.is_connected = True
        self.clock.advance(1)
        self.systemd.heard()
        self.clock.advance(1)
        self.assertEqual(self.systemd.heard(), [{"READY": "1"}])

    def test_start_timeout_is_extended_until_the_connection(
        self,
    ) -> None:
        """The daemon may be started before Asterisk: the boot does not fail."""
        self.supervision().start()
        self.systemd.heard()
        for _ in range(600):
            self.clock.advance(1)
            extensions = [sent["EXTEND_TIMEOUT_USEC"] for sent in self.systemd.heard()]
            self.assertEqual(extensions, ["30000000"])

    def test_status_is_sent_when_it_changes(self) -> None:
        self.is_connected = True
        self.supervision().start()
        self.clock.pump([1, 1])
        self.status = "3 calls"
        self.clock.pump([1, 1])
        self.assertEqual(
            self.systemd.heard(),
            [{"READY": "1", "STATUS": "not connected"}, {"STATUS": "3 calls"}],
        )

    def test_watchdog_is_notified_twice_per_timeout(self) -> None:
        self.is_connected = True
        self.supervision(watchdog=0.5).start()
        self.clock.pump([0.25] * 8)
        self.assertEqual(sum("WATCHDOG" in sent for sent in self.systemd.heard()), 9)

    def test_watchdog_with_a_long_timeout_is_notified_every_second(self) -> None:
        self.supervision(watchdog=30).start()
        self.clock.pump([1] * 10)
        self.assertEqual(sum("WATCHDOG" in sent for sent in self.systemd.heard()), 11)

    def test_blocked_reactor_does_not_notify_the_watchdog(self) -> None:
        self.supervision(watchdog=0.5).start()
        self.systemd.heard()
        self.clock.rightNow += 60  # its timers are due, but do not run
        self.assertEqual(self.systemd.heard(), [])

    def test_watchdog_is_not_notified_if_there_is_none(self) -> None:
        self.supervision().start()
        self.clock.advance(1)
        self.assertFalse(any("WATCHDOG" in sent for sent in self.systemd.heard()))

    def test_reload_is_sent_and_ends_with_ready(self) -> None:
        self.is_connected = True
        supervision = self.supervision()
        supervision.start()
        self.systemd.heard()
        earliest = monotonic()
        supervision.reloading()
        latest = monotonic()
        supervision.reloaded()
        reloading, ready = self.systemd.heard()
        at = int(reloading.pop("MONOTONIC_USEC"))
        self.assertEqual((reloading, ready), ({"RELOADING": "1"}, {"READY": "1"}))
        self.assertIn(at, range(int(earliest * 1e6), int(latest * 1e6) + 1))

    def test_reload_before_the_connection_does_not_send_ready(self) -> None:
        supervision = self.supervision()
        supervision.start()
        supervision.reloading()
        supervision.reloaded()
        self.assertFalse(any("READY" in sent for sent in self.systemd.heard()))

    def test_stop_is_sent_with_its_timeout_and_only_the_watchdog_afterwards(
        self,
    ) -> None:
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

    def test_stop_leaves_no_timer(self) -> None:
        supervision = self.supervision()
        supervision.start()
        supervision.stop()
        supervision.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class EnvironmentTests(SystemdCase):
    def supervision_from(self, environ: dict[str, str]) -> Supervision | None:
        made = Supervision.from_environment(
            environ,
            clock=self.clock,
            is_ready=lambda: self.is_connected,
            describe=lambda: self.status,
        )
        if made is not None:
            self.addCleanup(made.stop)
        return made

    def test_supervision_needs_a_unix_socket(self) -> None:
        for address in ("", "vsock:2:1234"):
            self.assertIsNone(self.supervision_from({"NOTIFY_SOCKET": address}))
        self.assertIsNone(self.supervision_from({}))
        for address in ("/run/systemd/notify", self.address):
            self.assertIsNotNone(self.supervision_from({"NOTIFY_SOCKET": address}))

    def test_socket_and_watchdog_come_from_the_environment(self) -> None:
        made = self.supervision_from(
            {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": "1000000"}
        )
        assert made is not None
        made.start()
        self.clock.advance(0.5)
        self.assertEqual(sum("WATCHDOG" in sent for sent in self.systemd.heard()), 2)

    def test_watchdog_of_another_process_is_ignored(self) -> None:
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

    def test_line_break_in_a_value_adds_no_variable(self) -> None:
        notifier = Notifier(self.address)
        notifier.send(STATUS="Asterisk 22\nMAINPID=1")
        notifier.close()
        self.assertEqual(self.systemd.heard(), [{"STATUS": "Asterisk 22 MAINPID=1"}])

    def test_character_that_utf_8_lacks_is_replaced(self) -> None:
        notifier = Notifier(self.address)
        notifier.send(STATUS="Asterisk \ud800")
        notifier.close()
        self.assertEqual(self.systemd.heard(), [{"STATUS": "Asterisk ?"}])

    def test_address_may_be_a_path(self) -> None:
        folder = TemporaryDirectory()  # a socket's path has at most 107 characters
        self.addCleanup(folder.cleanup)
        path = f"{folder.name}/notify"
        systemd = FakeSystemd(path)
        self.addCleanup(systemd.close)
        notifier = Notifier(path)
        notifier.send(READY=1)
        notifier.close()
        self.assertEqual(systemd.heard(), [{"READY": "1"}])

    def test_missing_systemd_is_logged_once(self) -> None:
        notifier = Notifier("@nobody-listens-here")
        notifier.send(READY=1)
        notifier.send(READY=1)
        notifier.close()
        [warning] = self.logged
        self.assertIs(warning["log_level"], LogLevel.warn)
        text = formatEvent(warning)
        self.assertIn("Could not notify systemd: [Errno 111] Connection refused", text)

    def test_systemd_that_does_not_read_does_not_block(self) -> None:
        notifier = Notifier(self.address)
        for _ in range(5000):
            notifier.send(WATCHDOG=1)
        notifier.close()
        self.assertEqual([each["log_level"] for each in self.logged], [LogLevel.warn])
