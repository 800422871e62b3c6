"""The service: its start, reloads and status."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING

import msgspec
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari import TLS
from channel_aa.attendant.call_events import CallEnded, CallEvent, CallStarted
from channel_aa.menus.actions import HANGUP, Action, Named, Run
from channel_aa.menus.menu import Menu
from channel_aa.menus.routes import Route
from channel_aa.menus.sounds import Utterance, prompt_of
from channel_aa.problems import ConfigError
from channel_aa.service import AttendantService, address_of
from channel_aa.settings import (
    AsteriskSettings,
    AttendantSettings,
    Secret,
    Settings,
    SpeechSettings,
    StatusSettings,
)
from channel_aa.speech.engines import find_engine
from channel_aa.speech.rendering import job_for
from tests.support.ari_fakes import make_address
from tests.support.attendant_fakes import FakeChannel, memory_reactor
from tests.support.speech_engine import ENGINE

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


class SettingsTests(ServiceCase):
    def test_client_gets_every_setting_of_the_connection(self) -> None:
        settings = AsteriskSettings(
            url="https://pbx:8089",
            username="ivr",
            password=Secret("hunter2"),
            app="main",
            verify=False,
        ).model_copy(
            # Files that exist are not needed here.
            update={"ca_file": "ca", "certificate_file": "cert", "key_file": "key"}
        )
        address = address_of(settings)
        self.assertEqual(address.base_url, "https://pbx:8089/ari")
        self.assertEqual(address.app, "main")
        self.assertEqual(b64decode(address.authorization[6:]), b"ivr:hunter2")
        self.assertEqual(
            address.tls,
            TLS(ca_file="ca", certificate_file="cert", key_file="key", verify=False),
        )

    def test_client_gets_the_transport(self) -> None:
        for name in ("auto", "http", "websocket"):
            settings = Settings(asterisk=AsteriskSettings(transport=name))
            client = self.service(settings).client
            self.assertEqual(client.requests._wanted.value, name)

    def test_times_have_a_time_zone(self) -> None:
        started = AttendantService(Settings(), reactor=self.reactor).status().started
        self.assertIs(started.tzinfo, UTC)

    def test_limit_of_calls_holds_from_the_start(self) -> None:
        settings = Settings(attendant=AttendantSettings(max_calls=7))
        self.assertEqual(self.service(settings).status().calls.limit, 7)

    def test_secret_file_that_everyone_may_read_is_logged(self) -> None:
        path = Path(self.mktemp())
        path.write_text("hunter2")
        path.chmod(0o644)
        secret = Secret("hunter2", file=str(path))
        service = self.service(Settings(asterisk=AsteriskSettings(password=secret)))
        with capturedLogs() as logged:
            service.startService()
        warnings = [
            formatEvent(each) for each in logged if each["log_level"] is LogLevel.warn
        ]
        self.assertIn(f"chmod o-rwx {path}", "\n".join(warnings))
        self.successResultOf(service.stopService())

    def test_replacement_is_reported_only_if_configured(self) -> None:
        for is_configured in (False, True):
            replaced: list[str] = []
            service = self.service(
                Settings(asterisk=AsteriskSettings(exit_when_replaced=is_configured)),
                on_replaced=lambda told=replaced: told.append("replaced"),
            )
            service._attendant.replaced()
            self.assertEqual(replaced, ["replaced"] if is_configured else [])

    def test_replacement_without_a_callback_is_ignored(self) -> None:
        settings = Settings(asterisk=AsteriskSettings(exit_when_replaced=True))
        self.service(settings)._attendant.replaced()


class SpeechTests(ServiceCase):
    """Texts that are rendered already, so that nothing runs."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def settings(self, *, say: str = "", **speech: object) -> Settings:
        """Configure a menu of a text; empty: of a sound."""
        prompt = [{"say": say}] if say else ["or"]
        table = {"engine": ENGINE, "folder": str(self.folder), **speech}
        tables = {"menus": {"main": {"prompt": prompt}}, "speech": table}
        settings = Settings(**tables)  # type: ignore[arg-type]
        engine = find_engine(settings.speech)
        assert engine is not None
        job = job_for(Utterance(say, "en"), settings.speech, engine)
        (self.folder / job.file_name).write_bytes(b"RIFF")
        return settings

    @property
    def ports(self) -> list[int]:
        return [port for port, *_ in self.reactor.tcpServers]

    def media(self, service: AttendantService, text: str) -> object:
        return service._speech.media_of_text(text, "en")

    def test_texts_are_served_on_loopback(self) -> None:
        service = self.service(self.settings(say="Welcome."))
        service.startService()
        self.assertEqual(self.ports, [8087])
        self.assertEqual(self.reactor.tcpServers[0][3], "127.0.0.1")
        self.successResultOf(service.stopService())

    def test_url_is_that_of_the_settings(self) -> None:
        url = "http://192.0.2.10:8087/"
        service = self.service(self.settings(say="Welcome.", url=url))
        service.startService()
        media = str(self.media(service, "Welcome."))
        self.assertTrue(media.startswith("sound:http://192.0.2.10:8087/"), media)
        self.assertNotIn("8087//", media)
        self.successResultOf(service.stopService())

    def test_nothing_listens_without_texts(self) -> None:
        service = self.service(self.settings())
        service.startService()
        self.assertEqual(self.ports, [])
        self.successResultOf(service.stopService())

    def test_reload_begins_to_serve(self) -> None:
        service = self.service(self.settings())
        service.startService()
        service.reload(self.settings(say="Welcome."))
        self.assertEqual(self.ports, [8087])
        service.reload(self.settings(say="Welcome.", listen="tcp:8090"))
        self.assertEqual(self.ports[-1], 8090)
        self.successResultOf(service.stopService())


class RegistrationTests(ServiceCase):
    def test_service_with_an_unregistered_action_is_an_error(self) -> None:
        settings = Settings(menus=RUNS)
        error = self.assertRaises(ConfigError, self.service, settings, file="a.conf")
        self.assertIn("a.conf: menus.main.options.1.run", str(error))
        service = self.service(settings, actions={"look-up": look_up})
        self.assertEqual(service._attendant._actions, {"look-up": look_up})


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

    def test_start_and_reload_warn_of_files_that_others_can_write(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        file = Path(folder.name) / "twistd.conf"
        file.write_text("")
        file.chmod(0o666)
        authority = Path(folder.name) / "ca.pem"
        authority.write_text("")
        authority.chmod(0o666)
        asterisk = AsteriskSettings().model_copy(update={"ca_file": str(authority)})
        settings = Settings().model_copy(update={"asterisk": asterisk})
        service = self.service(settings, file=str(file))
        for step in (service.startService, lambda: service.reload(settings)):
            with capturedLogs() as logged:
                step()
            warnings = [
                formatEvent(event)
                for event in logged
                if event["log_level"] is LogLevel.warn
            ]
            self.assertEqual(
                [line.partition(" (mode 0666)")[0] for line in warnings],
                [f"others can change {file}", f"others can change {authority}"],
            )
        self.successResultOf(service.stopService())

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


class FakeClient:
    """The attributes of an `AriClient` that the status reads."""

    def __init__(self) -> None:
        self.address = make_address()
        self.asterisk_version = "22.10.1"
        self.connected_since: float | None = None
        self.is_replaced = False
        self.problem = ""
        self.requests = SimpleNamespace(pending=5, queued=2)
        self.sender = SimpleNamespace(held=3)

    @property
    def is_connected(self) -> bool:
        return self.connected_since is not None


class ConnectedStatusTests(ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        self.attendant = self.service()
        self.client = FakeClient()
        self.reactor.advance(100)
        self.client.connected_since = self.reactor.seconds()
        self.patch(self.attendant, "client", self.client)

    def test_connected_service_is_serving(self) -> None:
        self.reactor.advance(30)
        status = self.attendant.status()
        self.assertTrue(status.serving)
        self.assertTrue(status.asterisk.connected)
        self.assertEqual(status.asterisk.since, NOON - timedelta(seconds=30))
        self.assertEqual(status.asterisk.version, "22.10.1")

    def test_replaced_service_is_neither_connected_nor_serving(self) -> None:
        self.client.is_replaced = True
        status = self.attendant.status()
        self.assertTrue(status.asterisk.replaced)
        self.assertFalse(status.asterisk.connected)
        self.assertIsNone(status.asterisk.since)
        self.assertFalse(status.serving)

    def test_stopping_service_is_connected_but_not_serving(self) -> None:
        self.attendant._attendant.is_closing = True
        status = self.attendant.status()
        self.assertTrue(status.draining)
        self.assertTrue(status.asterisk.connected)
        self.assertFalse(status.serving)

    def test_requests_that_wait_for_the_connection_are_pending_and_queued(
        self,
    ) -> None:
        requests = self.attendant.status().requests
        self.assertEqual((requests.pending, requests.queued), (8, 5))

    def test_reactor_delay_is_in_milliseconds(self) -> None:
        measured = SimpleNamespace(last=0.0123456, worst=1.2345678)
        self.patch(self.attendant, "_delay", measured)
        delay = self.attendant.status().reactor_delay
        self.assertEqual((delay.last, delay.worst), (0.012, 1.235))


class StartTests(ServiceCase):
    def first_line(self, settings: Settings, **options: str) -> str | None:
        service = self.service(settings, **options)
        with capturedLogs() as logged:
            service.startService()
        self.successResultOf(service.stopService())
        return formatEvent(logged[0])

    def test_start_logs_what_the_defaults_are(self) -> None:
        self.assertEqual(
            self.first_line(Settings(speech=SpeechSettings(engine=("none",)))),
            "Configuration: none, the defaults apply: menus main (entry); routes: 0;"
            " speech none; transport auto",
        )

    def test_start_logs_file_menus_routes_and_speech(self) -> None:
        names = ["main", *(f"m{each}" for each in range(9))]
        settings = Settings(
            speech=SpeechSettings(engine=("true", "{wav}", "{text}")),
            menus=dict.fromkeys(names, Menu(prompt=PROMPT)),
            routes=(Route(did=("1",), to=HANGUP),),
        )
        self.assertEqual(
            self.first_line(settings, file="/etc/twistd.conf"),
            "Configuration: /etc/twistd.conf: menus main (entry), m0, m1, m2, m3, m4,"
            " m5, m6 and 2 more; routes: 1; speech true; transport auto",
        )

    def test_speech_that_is_not_installed_is_logged_as_none(self) -> None:
        engine = ("/no/such/program", "{wav}", "{text}")
        settings = Settings(speech=SpeechSettings(engine=engine))
        self.assertIn("; speech none; ", self.first_line(settings) or "")


class ObserveTests(ServiceCase):
    def test_observer_gets_events_until_it_is_removed(self) -> None:
        service = self.service()
        events: list[CallEvent] = []
        remove = service.observe(events.append)
        service._attendant.channel_entered(FakeChannel(), ()).left()
        self.assertIsInstance(events[0], CallStarted)
        self.assertIsInstance(events[-1], CallEnded)
        count = len(events)
        remove()
        service._attendant.channel_entered(FakeChannel(), ()).left()
        self.assertEqual(len(events), count)


class StopTests(ServiceCase):
    def test_stop_logs_the_calls_and_their_time(self) -> None:
        settings = Settings(attendant=AttendantSettings(drain_timeout=7))
        service = self.service(settings)
        service.startService()
        with capturedLogs() as logged:
            self.successResultOf(service.stopService())
        self.assertIn(
            "Stopping: new calls continue in the dialplan; the others (0) have 7.0 s"
            " to finish",
            [formatEvent(each) for each in logged],
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

    def test_endpoint_is_opened_when_the_service_starts(self) -> None:
        service = self.service(Settings(status=StatusSettings(listen="tcp:8089")))
        self.assertEqual(self.reactor.tcpServers, [])
        service.startService()
        self.assertEqual([port for port, *_ in self.reactor.tcpServers], [8089])
        self.successResultOf(service.stopService())

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
