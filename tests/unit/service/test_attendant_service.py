"""The service: what a reload changes, what it refuses, what the status tells."""

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
from channel_aa.menus.actions import Action, Dial, Named, Play, Run
from channel_aa.menus.flow import CallFlow
from channel_aa.menus.menu import Menu
from channel_aa.menus.sounds import prompt_of
from channel_aa.problems import ConfigError
from channel_aa.service import AttendantService
from channel_aa.service.registration import check_registered
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
    def places(self, flow: CallFlow, *names: str) -> list[str]:
        error = self.assertRaises(ConfigError, check_registered, flow, names)
        return [problem.place for problem in error.problems]

    def test_every_place_that_runs_something_unknown_is_named(self) -> None:
        run = Run(run="look-up")
        flow = CallFlow(
            menus={
                "main": Menu(
                    prompt=PROMPT,
                    options={"1": run, "2": Play(play=PROMPT, then=run)},
                    failure=run,
                )
            },
            actions={"ring": Dial(dial=("PJSIP/410",), else_=run)},
        )
        self.assertEqual(
            self.places(flow),
            [
                "menus.main.options.1.run",
                "menus.main.options.2.then.run",
                "menus.main.failure.run",
                "actions.ring.else.run",
            ],
        )
        check_registered(flow, {"look-up"})

    def test_nearest_name_is_told(self) -> None:
        flow = CallFlow(menus=RUNS)
        error = self.assertRaises(ConfigError, check_registered, flow, {"look-it-up"})
        self.assertIn("did you mean 'look-it-up'?", str(error))

    def test_file_is_named_with_the_place(self) -> None:
        flow = CallFlow(menus=RUNS)
        with self.assertRaises(ConfigError) as caught:
            check_registered(flow, (), file="/etc/aa.conf")
        self.assertTrue(
            str(caught.exception).startswith(
                "/etc/aa.conf: menus.main.options.1.run: 'look-up' is an action of an"
                " embedding program's own"
            )
        )

    def test_service_is_not_made_with_an_unknown_action(self) -> None:
        settings = Settings(menus=RUNS)
        self.assertRaises(ConfigError, self.service, settings)
        self.service(settings, actions={"look-up": look_up})


class ReloadTests(ServiceCase):
    def test_what_is_about_calls_holds_at_once(self) -> None:
        service = self.service()
        changed = Settings(
            attendant=AttendantSettings(max_calls=7, drain_timeout=3),
            asterisk=AsteriskSettings(exit_when_replaced=True),
            menus=menus(key_1=Named(name="main")),
        )
        self.assertEqual(service.reload(changed), ())
        self.assertEqual(service.settings, changed)
        self.assertEqual(service.status().calls.limit, 7)

    def test_what_is_about_the_connection_is_named_and_stays(self) -> None:
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

    def test_unknown_action_leaves_everything_as_it_was(self) -> None:
        service = self.service(file="/etc/aa.conf")
        before = service.settings
        wrong = Settings(menus=RUNS, attendant=AttendantSettings(max_calls=7))
        error = self.assertRaises(ConfigError, service.reload, wrong)
        self.assertIn("/etc/aa.conf: menus.main.options.1.run", str(error))
        self.assertIs(service.settings, before)
        self.assertEqual(service.status().calls.limit, 0)

    def test_status_tells_when_it_was_and_whether_it_was_refused(self) -> None:
        service = self.service(file="/etc/aa.conf")
        self.now += timedelta(hours=1)
        service.refused()
        told = service.status().configuration
        self.assertEqual(
            (told.file, told.loaded, told.refused), ("/etc/aa.conf", NOON, self.now)
        )
        service.reload(Settings())
        told = service.status().configuration
        self.assertEqual((told.loaded, told.refused), (self.now, None))


class StatusTests(ServiceCase):
    def test_it_is_not_serving_before_it_is_connected(self) -> None:
        service = self.service()
        service.startService()
        status = service.status()
        self.assertFalse(status.serving)
        self.assertFalse(status.asterisk.connected)
        self.assertIsNone(status.asterisk.since)
        self.successResultOf(service.stopService())
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_no_secret_is_in_it(self) -> None:
        settings = Settings(
            asterisk=AsteriskSettings(username="ivr", password=Secret("hunter2"))
        )
        told = msgspec.json.encode(self.service(settings).status()).decode()
        self.assertNotIn("hunter2", told)
        self.assertNotIn("ivr", told)

    def test_endpoint_that_cannot_be_opened_keeps_no_call_waiting(self) -> None:
        service = self.service(
            Settings(status=StatusSettings(listen="systemd:index=99"))
        )
        with capturedLogs() as logged:
            service.startService()
        errors = [each for each in logged if each["log_level"] is LogLevel.error]
        self.assertIn("systemd:index=99", [each.get("where") for each in errors])
        self.assertTrue(service.running)
        self.successResultOf(service.stopService())
