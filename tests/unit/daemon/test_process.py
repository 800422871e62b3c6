"""The daemon: what it asks of the attendant, and what it sends to systemd."""

from __future__ import annotations

from twisted.logger import capturedLogs

from channel_aa.config import AttendantSettings, Settings
from channel_aa.daemon.process import Daemon
from channel_aa.problems import ConfigError, Problem
from tests.support.attendant_fakes import memory_reactor
from tests.support.fake_systemd import SystemdCase

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
        self.assertEqual(str(events[0]["problem"]), "a.conf: menus: is wrong")
        self.assertEqual(self.daemon.attendant.settings, SETTINGS)
        self.assertIsNotNone(self.daemon.attendant.status().configuration.refused)
        self.stop()
