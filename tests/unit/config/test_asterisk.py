from __future__ import annotations

from channel_aa.ari import Transport
from channel_aa.problems import quoted
from channel_aa.settings import TRANSPORTS, AsteriskSettings
from tests.support.config_case import ConfigCase


class UrlTests(ConfigCase):
    def test_url_of_an_http_server_is_allowed(self) -> None:
        for url in (
            "http://localhost:8088",
            "https://pbx.example/asterisk",
            "HTTP://192.0.2.1/a/b%20c",
            "http://[2001:db8::1]:8088",
        ):
            self.assertEqual(AsteriskSettings(url=url).url, url)

    def test_slash_at_the_end_makes_no_difference(self) -> None:
        self.assertEqual(
            AsteriskSettings(url="http://a:8088/"),
            AsteriskSettings(url="http://a:8088"),
        )

    def test_credentials_in_the_url_are_refused_and_not_shown(self) -> None:
        for url in (
            "http://asterisk:hunter2@localhost",
            "htp://hunter2@localhost",
            "http://localhost/?api_key=asterisk:hunter2",
            "http://localhost#hunter2",
        ):
            problem = self.problem(AsteriskSettings, url=url)
            self.assertNotIn("hunter2", problem)
        problem = self.problem(AsteriskSettings, url="http://a:b@c")
        self.assertIn("password_file or CHANNEL_AA_PASSWORD", problem)

    def test_invalid_url_is_refused_with_an_example(self) -> None:
        for url in (
            "",
            "localhost",
            "localhost:8088",
            "ftp://localhost",
            "ws://localhost:8088",
            "http://",
            "http://:8088",
            "http:///ari",
            "http://localhost:",
            "http://localhost:0",
            "http://localhost:65536",
            "http://localhost:" + "9" * 5000,
            "http://localhost:http",
            "http://local host",
            "http://localhost/a b",
            "http://localhost/\n",
            "\thttp://localhost",
            "http://bücher.example",
            "http://[::1",
            "http://::1",
            "http://[localhost]",
            r"http://localhost\asterisk",
        ):
            problem = self.problem(AsteriskSettings, url=url)
            self.assertIn("expected http://HOST:PORT", problem)

    def test_path_of_ari_is_refused_as_it_is_added(self) -> None:
        for url in ("http://localhost:8088/ari", "http://a/asterisk/ari/"):
            self.assertIn("remove /ari", self.problem(AsteriskSettings, url=url))


class NameTests(ConfigCase):
    def test_application_name_fits_the_dialplan_and_a_url(self) -> None:
        for app in ("a", "channel-aa", "Main_2.b", "x" * 80):
            self.assertEqual(AsteriskSettings(app=app).app, app)
        for app in ("", "a,b", "a b", "a/b", "a&b", "${x}", "ä", "a\n", "x" * 81):
            self.assertIn("letters", self.problem(AsteriskSettings, app=app))

    def test_user_name_fits_basic_authentication(self) -> None:
        for name in ("asterisk", "a b", "ü"):
            self.assertEqual(AsteriskSettings(username=name).username, name)
        for name in ("", "a:b", "a\n", "a\x00"):
            self.assertIn("no ':'", self.problem(AsteriskSettings, username=name))


class TransportTests(ConfigCase):
    def test_every_transport_of_the_client_can_be_named(self) -> None:
        for transport in Transport:
            name = transport.value
            self.assertEqual(AsteriskSettings(transport=name).transport, name)
            content = f"[asterisk]\ntransport = '{name}'"
            self.assertEqual(self.load(content).asterisk.transport, name)
        self.assertEqual(len(Transport), len(TRANSPORTS))

    def test_unknown_transport_is_refused_with_the_known_ones(self) -> None:
        for name in ("", "HTTP", "websockets", "auto "):
            [problem] = self.file_problems(f"[asterisk]\ntransport = '{name}'")
            self.assertEqual(
                problem,
                f"asterisk.transport: {quoted(name)} is not a transport; allowed are"
                " 'auto', 'http' and 'websocket'",
            )

    def test_transport_of_another_type_is_refused(self) -> None:
        [problem] = self.file_problems("[asterisk]\ntransport = true")
        self.assertIn("transport", problem)

    def test_transport_is_auto_by_default(self) -> None:
        self.assertEqual(self.load("[asterisk]").asterisk.transport, "auto")
