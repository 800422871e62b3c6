"""The service: its start, reloads and status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.config import (
    AsteriskSettings,
    AttendantSettings,
    Secret,
    Settings,
    StatusSettings,
)
from channel_aa.menus.actions import Action, Named, Run
from channel_aa.menus.menu import Menu
from channel_aa.menus.sounds import prompt_of
from channel_aa.problems import ConfigError
from channel_aa.service import AttendantService
from tests.support.attendant_fakes import memory_reactor

if TYPE_CHECKING:
    from channel_aa.attendant.custom_actions import Caller

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROMPT = prompt_of("press-1")


async def look_up(_caller: Caller) -> None:
    """Do nothing."""


def menus(**options: Action) -> dict[str, Menu]:
    by_key = {key.removeprefix("key_"): action for key, action in options.items()}
    return {"main": Menu(prompt=PROMPT, options=by_key)}


RUNS = menus(key_1=Run(run="look-up"))


class ServiceCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = memory_reactor()
        self.now = NOON

    def service(
        self, settings: Settings | None = None, **more: object
    ) -> AttendantService:
        return AttendantService(
            settings or Settings(),
            reactor=self.reactor,
            now=lambda: self.now,
            **more,  # type: ignore[arg-type]
        )


class RegistrationTests(ServiceCase):
    def test_service_with_an_unregistered_action_is_an_error(self) -> None:
        settings = Settings(menus=RUNS)
        self.assertRaises(ConfigError, self.service, settings)
        self.service(settings, actions={"look-up": look_up})


class ReloadTests(ServiceCase):
    def test_reload_applies_settings_of_calls_at_once(self) -> None:
        service = self.service()
        changed = Settings(
            attendant=AttendantSettings(max_calls=7, drain_timeout=3),
            asterisk=AsteriskSettings(exit_when_replaced=True),
            menus=menus(key_1=Named(name="main")),
        )
        self.assertEqual(service.reload(changed), ())
        self.assertEqual(service.settings, changed)
        self.assertEqual(service.status().calls.limit, 7)

    def test_reload_keeps_and_names_settings_of_the_connection(self) -> None:
        service = self.service()
        changed = Settings(
            asterisk=AsteriskSettings(
                url="http://other:8088",
                password=Secret("hunter2"),
                app="other",
                exit_when_replaced=True,
            ),
            menus=menus(),
        )
        expected = ("asterisk.url", "asterisk.password", "asterisk.app")
        with capturedLogs() as logged:
            self.assertEqual(service.reload(changed), expected)
        self.assertEqual(service.settings.menus, changed.menus)
        self.assertEqual(service.settings.asterisk.url, AsteriskSettings().url)
        self.assertTrue(service.settings.asterisk.exit_when_replaced)
        warnings = [each for each in logged if each["log_level"] is LogLevel.warn]
        self.assertEqual([each["settings"] for each in warnings], [", ".join(expected)])
        self.assertNotIn("hunter2", str(logged))
        # What differs is named each time, not only when it came.
        self.assertEqual(service.reload(changed), expected)

    def test_reload_with_an_unregistered_action_changes_nothing(self) -> None:
        service = self.service(file="/etc/aa.conf")
        before = service.settings
        wrong = Settings(menus=RUNS, attendant=AttendantSettings(max_calls=7))
        error = self.assertRaises(ConfigError, service.reload, wrong)
        self.assertIn("/etc/aa.conf: menus.main.options.1.run", str(error))
        self.assertIs(service.settings, before)
        self.assertEqual(service.status().calls.limit, 0)

    def test_status_has_the_times_of_the_last_load_and_rejected_reload(self) -> None:
        service = self.service(file="/etc/aa.conf")
        self.now += timedelta(hours=1)
        service.reload_rejected()
        configuration = service.status().configuration
        self.assertEqual(
            (configuration.file, configuration.loaded, configuration.refused),
            ("/etc/aa.conf", NOON, self.now),
        )
        service.reload(Settings())
        configuration = service.status().configuration
        self.assertEqual(
            (configuration.loaded, configuration.refused), (self.now, None)
        )


class StatusTests(ServiceCase):
    def test_service_is_not_serving_before_it_is_connected(self) -> None:
        service = self.service()
        service.startService()
        status = service.status()
        self.assertFalse(status.serving)
        self.assertFalse(status.asterisk.connected)
        self.assertIsNone(status.asterisk.since)
        self.successResultOf(service.stopService())
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_status_contains_no_secret(self) -> None:
        settings = Settings(
            asterisk=AsteriskSettings(username="ivr", password=Secret("hunter2"))
        )
        encoded = msgspec.json.encode(self.service(settings).status()).decode()
        self.assertNotIn("hunter2", encoded)
        self.assertNotIn("ivr", encoded)

    def test_endpoint_that_cannot_be_opened_does_not_stop_the_service(self) -> None:
        service = self.service(
            Settings(status=StatusSettings(listen="systemd:index=99"))
        )
        with capturedLogs() as logged:
            service.startService()
        errors = [each for each in logged if each["log_level"] is LogLevel.error]
        self.assertIn("systemd:index=99", [each.get("where") for each in errors])
        self.assertTrue(service.running)
        self.successResultOf(service.stopService())
