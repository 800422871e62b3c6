"""The daemon: what it asks of the attendant, and what it sends to systemd."""

from __future__ import annotations

import gc

from msgspec.structs import replace
from twisted.logger import capturedLogs, formatEvent

from channel_aa.daemon import process
from channel_aa.daemon.process import REPLACED_EXIT_CODE, Daemon
from channel_aa.problems import ConfigError, Problem
from channel_aa.settings import AsteriskSettings, AttendantSettings, Settings
from tests.support.attendant_fakes import memory_reactor
from tests.support.fake_systemd import SystemdCase
from tests.support.statuses import NOON, a_status

SETTINGS = Settings(attendant=AttendantSettings(drain_timeout=10))


class DaemonTests(SystemdCase):
    def setUp(self) -> None:
        super().setUp()
        self.reactor = memory_reactor()
        self.loaded = SETTINGS
        self.daemon = Daemon(
            SETTINGS,
            reactor=self.reactor,
            load_settings=lambda: self.loaded,
            file="/etc/aa.conf",
            environ={"NOTIFY_SOCKET": self.address},
        )
        self.daemon.startService()
        self.systemd.heard()

    def stop(self) -> None:
        self.successResultOf(self.daemon.stopService())

    def test_stop_is_announced_to_systemd_with_its_timeout(self) -> None:
        self.stop()
        self.assertEqual(
            self.systemd.heard(),
            [{"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "30000000"}],
        )

    def test_objects_of_the_modules_are_not_collected(self) -> None:
        calls: list[str] = []
        self.patch(gc, "collect", lambda: calls.append("collect"))
        self.patch(gc, "freeze", lambda: calls.append("freeze"))
        self.assertEqual(calls, [])
        for hook, arguments, options in self.reactor.whenRunningHooks:
            hook(*arguments, **options)
        self.assertEqual(calls, ["collect", "freeze"])
        self.stop()

    def test_stop_leaves_no_timer(self) -> None:
        self.stop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_reload_is_announced_to_systemd_and_applied(self) -> None:
        self.loaded = Settings(attendant=AttendantSettings(max_calls=7))
        self.daemon.reload()
        self.assertEqual(self.names(), [["MONOTONIC_USEC", "RELOADING"]])
        self.assertEqual(self.daemon.attendant.settings, self.loaded)
        self.stop()

    def test_reload_with_errors_is_logged_and_changes_nothing(self) -> None:
        def fail() -> Settings:
            raise ConfigError([Problem("a.conf: menus", "is wrong")])

        self.patch(self.daemon, "_load_settings", fail)
        with capturedLogs() as events:
            self.daemon.reload()
        self.assertEqual(
            [formatEvent(event) for event in events],
            [
                "a.conf: menus: is wrong",
                "Reload rejected; keeping the current configuration",
            ],
        )
        self.assertEqual(self.daemon.attendant.settings, SETTINGS)
        self.assertIsNotNone(self.daemon.attendant.status().configuration.refused)
        self.stop()

    def test_reload_without_a_file_is_logged(self) -> None:
        self.patch(self.daemon, "_load_settings", None)
        with capturedLogs() as events:
            self.daemon.reload()
        self.assertEqual(
            [formatEvent(event) for event in events],
            ["Nothing to reload: started without a configuration file"],
        )
        self.assertEqual(self.systemd.heard(), [])
        self.stop()

    def test_status_has_the_file(self) -> None:
        status = self.daemon.attendant.status()
        self.assertEqual(status.configuration.file, "/etc/aa.conf")
        self.stop()

    def test_replaced_daemon_ends_with_its_own_exit_code_if_configured(self) -> None:
        done: list[object] = []
        self.patch(process, "set_exit_code", done.append)
        self.patch(self.reactor, "stop", lambda: done.append("stop"))
        self.daemon.attendant._attendant.replaced()
        self.assertEqual(done, [])
        self.loaded = Settings(asterisk=AsteriskSettings(exit_when_replaced=True))
        self.daemon.reload()
        self.daemon.attendant._attendant.replaced()
        self.assertEqual(done, [REPLACED_EXIT_CODE, "stop"])
        self.stop()


class DescriptionTests(SystemdCase):
    """The status in one line, which systemd shows."""

    def describe(self, **changes: object) -> str:
        daemon = Daemon(SETTINGS, reactor=memory_reactor(), environ={})
        status = replace(a_status(), **changes)
        self.patch(daemon.attendant, "status", lambda: status)
        return daemon.describe()

    def test_connected_daemon_serves_calls(self) -> None:
        self.assertEqual(self.describe(), "Serving calls on Asterisk 22.10.1; calls: 3")
        asterisk = replace(a_status().asterisk, version="")
        self.assertEqual(
            self.describe(asterisk=asterisk), "Serving calls on Asterisk; calls: 3"
        )

    def test_rejected_reload_is_mentioned(self) -> None:
        configuration = replace(a_status().configuration, refused=NOON)
        self.assertEqual(
            self.describe(configuration=configuration),
            "Serving calls on Asterisk 22.10.1; calls: 3; the last reload was rejected",
        )

    def test_daemon_without_a_connection_waits(self) -> None:
        asterisk = a_status(serving=False).asterisk
        self.assertEqual(
            self.describe(asterisk=asterisk),
            "Waiting for Asterisk at http://localhost:8088; calls: 3. Nothing listens"
            " at localhost:8088.",
        )
        self.assertEqual(
            self.describe(asterisk=replace(asterisk, problem="")),
            "Waiting for Asterisk at http://localhost:8088; calls: 3",
        )

    def test_stopping_daemon_has_its_calls(self) -> None:
        self.assertEqual(self.describe(draining=True), "Stopping; calls: 3")

    def test_replaced_daemon_names_its_application(self) -> None:
        problem = "The Stasis application channel-aa belongs to process 1 on pbx."
        asterisk = replace(a_status().asterisk, replaced=True, problem=problem)
        self.assertEqual(self.describe(asterisk=asterisk), problem)
