from __future__ import annotations

import tomllib
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari import Transport
from channel_aa.attendant.actions import Play
from channel_aa.attendant.menu import Menu
from channel_aa.attendant.sounds import prompt_of
from channel_aa.checked import Checked, converted, quoted
from channel_aa.config import (
    TRANSPORTS,
    AsteriskSettings,
    AttendantSettings,
    ConfigError,
    Problem,
    Secret,
    Settings,
    load,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SAMPLE = Path(__file__).parents[2] / "twistd.conf"
MENU = Menu(prompt=prompt_of("press-1"))


class ConfigCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "twistd.conf"

    def load(
        self,
        content: str | bytes,
        *,
        overrides: Mapping[str, str] | None = None,
        password: Secret | None = None,
    ) -> Settings:
        """Write a file, and load it."""
        self.file.write_bytes(content.encode() if isinstance(content, str) else content)
        return load(self.file, overrides=overrides or {}, password=password)

    def problems(self, call: Callable[[], object]) -> list[str]:
        """Give the lines that a mistake is told in."""
        error = self.assertRaises(ConfigError, call)
        lines = str(error).splitlines()
        self.assertEqual(lines, [str(problem) for problem in error.problems])
        return lines

    def problem(self, call: Callable[..., object], **fields: object) -> str:
        (problem,) = self.problems(partial(call, **fields))
        return problem

    def file_problems(self, content: str | bytes) -> list[str]:
        """Load a file, and give its problems without its name before them."""
        start = f"{self.file}: "
        problems = self.problems(partial(self.load, content))
        for problem in problems:
            self.assertTrue(problem.startswith(start), problem)
        return [problem.removeprefix(start) for problem in problems]


class DefaultTests(ConfigCase):
    def test_defaults_are_those_of_the_documentation(self) -> None:
        settings = Settings()
        self.assertEqual(
            settings.asterisk,
            AsteriskSettings(
                url="http://localhost:8088",
                username="asterisk",
                password=Secret("asterisk"),
                app="channel-aa",
            ),
        )
        self.assertEqual(
            settings.entry_menu.prompt, ("sound:press-1", "sound:or", "sound:press-2")
        )

    def test_without_a_file_the_defaults_hold(self) -> None:
        self.assertEqual(load(), Settings())

    def test_an_empty_file_changes_nothing(self) -> None:
        self.assertEqual(self.load(""), Settings())

    def test_the_sample_equals_the_defaults(self) -> None:
        self.assertEqual(load(SAMPLE), Settings())

    def test_the_sample_shows_every_key(self) -> None:
        text = SAMPLE.read_text("utf-8")
        missing = [
            key
            for key in all_keys(Settings, tomllib.loads(text))
            if f"{key} = " not in text
        ]
        self.assertEqual(missing, [])


def all_keys(kind: type[Checked], table: Mapping[str, Any]) -> list[str]:
    """Name every key that a file may have, in tables and in those of the sample."""
    keys = list(kind.keys_beside_fields())
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, Checked):
            keys += all_keys(field.type, table[field.name])
        elif field.name == "menus":
            keys += all_keys(Menu, table["menus"]["main"])
        elif field.name != "options":
            keys.append(field.name)
    return [*keys, *msgspec.structs.asdict(Play(play=prompt_of("x")))]


class FileTests(ConfigCase):
    def test_what_the_file_says_wins_over_the_defaults(self) -> None:
        settings = self.load(
            """
            [asterisk]
            url = "https://pbx.example:8089/asterisk"
            app = "reception"
            [attendant]
            entry = "day"
            [menus.day]
            prompt = ["custom/welcome"]
            timeout = 2.5
            options = { "*" = { play = ["thanks"] } }
            """
        )
        self.assertEqual(
            settings,
            Settings(
                asterisk=AsteriskSettings(
                    url="https://pbx.example:8089/asterisk", app="reception"
                ),
                attendant=AttendantSettings(entry="day"),
                menus={
                    "day": Menu(
                        prompt=prompt_of("custom/welcome"),
                        timeout=2.5,
                        options={"*": Play(play=prompt_of("thanks"))},
                    )
                },
            ),
        )
        self.assertEqual(settings.entry_menu, settings.menus["day"])

    def test_file_of_another_system_s_editor_is_read(self) -> None:
        settings = self.load(b'\xef\xbb\xbf[asterisk]\r\napp = "reception"\r\n')
        self.assertEqual(settings.asterisk.app, "reception")

    def test_all_problems_are_told_at_once(self) -> None:
        found = self.file_problems(
            """
            asterik = 1
            [asterisk]
            url = "htp://x"
            user = "x"
            app = 5
            [attendant]
            entry = "man"
            [menus.main]
            prompt = "press-1"
            timeout = "ten"
            noinput = []
            nomatch = ["digits:1", 5]
            [menus.main.options]
            1 = { play = ["{digit}", "digits/{digits}"] }
            x = { play = ["x"], paly = ["y"] }
            "a.b" = 3
            [menus."n ight"]
            timeout = 99999
            """
        )
        places = [problem.split(": ")[0] for problem in found]
        self.assertEqual(
            places,
            [
                "asterik",
                "asterisk.user",
                "asterisk.url",
                "asterisk.app",
                "menus.main.prompt",
                "menus.main.timeout",
                "menus.main.noinput",
                "menus.main.nomatch[0]",
                "menus.main.nomatch[1]",
                "menus.main.options.1.play[0]",
                "menus.main.options.x",
                "menus.main.options.x.paly",
                "menus.main.options.'a.b'",
                "menus.main.options.'a.b'",
                "menus.'n ight'",
                "menus.'n ight'.prompt",
                "menus.'n ight'.timeout",
                "attendant.entry",
            ],
        )

    def test_unknown_key_is_refused_with_the_nearest_one(self) -> None:
        self.assertEqual(
            self.file_problems(
                """
                [asterisk]
                Pasword_file = "x"
                [attendant]
                greeting = "x"
                """
            ),
            [
                "asterisk.Pasword_file: unknown key; did you mean 'password_file'?",
                "attendant.greeting: unknown key; allowed here: entry",
            ],
        )

    def test_wrong_types_are_named_in_the_file_s_own_words(self) -> None:
        self.assertEqual(
            self.file_problems(
                """
                attendant = 5
                [asterisk]
                url = 5
                username = true
                app = 2026-01-01
                [menus.main]
                prompt = 5
                timeout = "ten"
                noinput = { a = 1 }
                nomatch = [{ x = 1 }]
                options = [1]
                """
            ),
            [
                "asterisk.url: expected text in quotes, found a number: 5",
                "asterisk.username: expected text in quotes, found true or false: True",
                "asterisk.app: expected text in quotes, found a date or a time",
                "attendant: expected a table, found a number",
                "menus.main.prompt: expected a list in brackets, found a number: 5",
                "menus.main.timeout: expected a number, found text in quotes: 'ten'",
                "menus.main.noinput: expected a list in brackets, found a table",
                "menus.main.nomatch[0]: expected text in quotes, found a table",
                "menus.main.options: expected a table, found a list in brackets",
            ],
        )

    def test_numbers_beyond_bounds_are_refused_like_any_other(self) -> None:
        for number in ("1" + "0" * 400, "0x" + "f" * 9000, "1e999", "nan", "true"):
            problems = self.file_problems(
                f"[menus.main]\nprompt = ['x']\ntimeout = {number}"
            )
            self.assertIn("menus.main.timeout", problems[0])

    def test_missing_prompt_is_told(self) -> None:
        self.assertEqual(
            self.file_problems("[menus.main]\ntimeout = 5"),
            ["menus.main.prompt: is missing"],
        )


class UnreadableFileTests(ConfigCase):
    def test_mistake_in_toml_is_told_with_line_and_column(self) -> None:
        (problem,) = self.file_problems('[asterisk]\nurl = "x"\napp x\n')
        self.assertIn("is not TOML", problem)
        self.assertIn("line 3, column 5", problem)

    def test_mistake_in_toml_does_not_show_the_password_beside_it(self) -> None:
        self.file.write_text("[asterisk]\npassword = hunter2\n", "utf-8")
        try:
            load(self.file)
        except ConfigError as error:
            self.assertIsNone(error.__context__)
            self.assertIsNone(error.__cause__)
            self.assertNotIn("hunter2", str(error))
        else:
            self.fail("it was loaded")

    def test_file_that_is_not_utf_8_is_refused_with_the_line(self) -> None:
        (problem,) = self.file_problems(b'[asterisk]\n# \xe9t\xe9\napp = "x"\n')
        self.assertIn("is not UTF-8 text", problem)
        self.assertIn("line 2", problem)

    def test_missing_file_and_folder_are_refused(self) -> None:
        self.assertEqual(
            self.problem(load, path=self.file),
            f"{self.file}: cannot be read: No such file or directory",
        )
        self.assertEqual(
            self.problem(load, path=self.folder),
            f"{self.folder}: cannot be read: Is a directory",
        )

    def test_strange_file_names_stay_on_one_line(self) -> None:
        problem = self.problem(load, path=self.folder / "a\nb")
        self.assertIn(r"a\nb", problem)

    def test_tables_nested_too_deeply_are_refused(self) -> None:
        (problem,) = self.file_problems("a = " + "[" * 100_000)
        self.assertIn("nested too deeply", problem)


class PasswordTests(ConfigCase):
    def password(self, content: str) -> str:
        return self.load(content).asterisk.password.reveal()

    def test_password_is_in_the_file(self) -> None:
        self.assertEqual(self.password("asterisk.password = 'hunter2'"), "hunter2")

    def test_password_is_in_a_file_of_its_own_beside_this_one(self) -> None:
        for content, password in (
            (b"hunter2", "hunter2"),
            (b"hunter2\n", "hunter2"),
            (b"hunter2\r\n", "hunter2"),
            (b" hunter2 \n", " hunter2 "),
            ("grüezi\n".encode(), "grüezi"),
        ):
            (self.folder / "secret").write_bytes(content)
            self.assertEqual(
                self.password("asterisk.password_file = 'secret'"), password
            )

    def test_password_file_may_be_anywhere(self) -> None:
        with TemporaryDirectory() as elsewhere:
            path = Path(elsewhere, "secret")
            path.write_text("hunter2", "utf-8")
            self.assertEqual(
                self.password(f"asterisk.password_file = '{path}'"), "hunter2"
            )

    def test_password_of_the_environment_wins_over_the_file(self) -> None:
        secret = Secret("hunter2")
        for line in ("password = 'other'", "password_file = 'missing'", "app = 'x'"):
            settings = self.load(f"asterisk.{line}", password=secret)
            self.assertEqual(settings.asterisk.password, secret)
        self.assertEqual(load(password=secret).asterisk.password, secret)

    def test_two_passwords_in_the_file_are_refused(self) -> None:
        content = "[asterisk]\npassword = 'hunter2'\npassword_file = 'twistd.conf'"
        expected = "asterisk.password_file: stands beside password; keep only one"
        self.assertEqual(self.file_problems(content)[0], expected)
        for password in (None, Secret("x")):
            problems = self.problems(partial(self.load, content, password=password))
            self.assertEqual(problems[0], f"{self.file}: {expected}")

    def test_password_file_that_cannot_be_read_is_told_with_its_path(self) -> None:
        (problem,) = self.file_problems("asterisk.password_file = 'missing'")
        place = f"asterisk.password_file: {self.folder / 'missing'}"
        self.assertEqual(problem, f"{place} cannot be read: No such file or directory")
        (problem,) = self.file_problems("asterisk.password_file = '.'")
        self.assertIn("Is a directory", problem)
        (problem,) = self.file_problems('asterisk.password_file = "a\\u0000b"')
        self.assertIn("cannot be read", problem)

    def test_unusable_content_of_the_password_file_is_told_of_that_file(self) -> None:
        for content in (b"", b"\n", b"hunter2\n\n", b"a\nb", b"\xff\xfehunter2"):
            (self.folder / "secret").write_bytes(content)
            (problem,) = self.file_problems("asterisk.password_file = 'secret'")
            self.assertTrue(problem.startswith("asterisk.password_file: "), problem)
            self.assertNotIn("hunter2", problem)

    def test_unusable_password_in_the_environment_is_told_of_the_variable(self) -> None:
        for password in ("", "hunter2\n", "hunter2\udcff"):
            problem = self.problem(load, password=Secret(password))
            self.assertTrue(problem.startswith("CHANNEL_AA_PASSWORD: the password "))
            self.assertNotIn("hunter2", problem)

    def test_password_of_another_type_is_named_by_type_alone(self) -> None:
        self.assertEqual(
            self.file_problems("asterisk.password = 271828"),
            ["asterisk.password: expected text in quotes, found a number"],
        )
        self.assertEqual(
            self.file_problems("asterisk.password_file = 271828"),
            ["asterisk.password_file: expected text in quotes, found a number"],
        )
        problem = self.problem(AsteriskSettings, password="hunter2")
        self.assertEqual(problem, "password: expected a Secret, found text in quotes")


class SecretTests(ConfigCase):
    def test_secret_is_shown_nowhere(self) -> None:
        secret = Secret("hunter2")
        settings = Settings(asterisk=AsteriskSettings(password=secret))
        for shown in (f"{secret}", f"{secret!r}", str(settings), repr(settings)):
            self.assertIn("<secret>", shown)
            self.assertNotIn("hunter2", shown)

    def test_secret_is_not_encoded_by_chance(self) -> None:
        with self.assertRaises(TypeError):
            msgspec.json.encode(Settings())

    def test_no_variable_of_a_refused_file_s_traceback_shows_the_password(self) -> None:
        for line in ('password = "hunter2"\nurl = "x"', 'password = "hunter2\\u0000"'):
            self.file.write_text(f"[asterisk]\n{line}", "utf-8")
            error = self.assertRaises(ConfigError, load, self.file)
            frames = [frame for frame, _ in walk_tb(error.__traceback__)]
            self.assertIn("load", [frame.f_code.co_name for frame in frames])
            for frame in frames:
                if "channel_aa" in frame.f_code.co_filename:
                    self.assertNotIn("hunter2", repr(frame.f_locals))

    def test_secrets_compare_by_their_text(self) -> None:
        self.assertEqual(Secret("a"), Secret("a"))
        self.assertNotEqual(Secret("a"), Secret("b"))
        self.assertNotEqual(Secret("a"), "a")
        self.assertEqual(len({Secret("a"), Secret("a")}), 1)


class OverrideTests(ConfigCase):
    def test_overrides_win_over_the_file(self) -> None:
        settings = self.load(
            "[asterisk]\nurl = 'http://a'\napp = 'a'\nusername = 'a'",
            overrides={"url": "http://b:1", "app": "b"},
        )
        self.assertEqual(settings.asterisk.url, "http://b:1")
        self.assertEqual(settings.asterisk.app, "b")
        self.assertEqual(settings.asterisk.username, "a")

    def test_problem_of_an_override_names_the_option(self) -> None:
        overrides = {"url": "x", "app": "", "username": "a:b"}
        problems = self.problems(partial(self.load, "", overrides=overrides))
        self.assertEqual(
            [problem.split(":")[0] for problem in problems],
            ["--url", "--username", "--app"],
        )


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

    def test_what_is_no_url_of_a_server_is_refused_with_an_example(self) -> None:
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
            self.assertIn("leave out /ari", self.problem(AsteriskSettings, url=url))


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

    def test_any_other_is_refused_with_those_that_there_are(self) -> None:
        for name in ("", "HTTP", "websockets", "auto "):
            [problem] = self.file_problems(f"[asterisk]\ntransport = '{name}'")
            self.assertEqual(
                problem,
                f"asterisk.transport: {quoted(name)} is no transport; allowed are"
                " 'auto', 'http' and 'websocket'",
            )

    def test_what_is_no_text_is_refused(self) -> None:
        [problem] = self.file_problems("[asterisk]\ntransport = true")
        self.assertIn("transport", problem)

    def test_it_is_auto_unless_told(self) -> None:
        self.assertEqual(self.load("[asterisk]").asterisk.transport, "auto")


class MenusTests(ConfigCase):
    def test_entry_that_names_no_menu_is_refused(self) -> None:
        for entry, rest in {
            "mian": "did you mean 'main'?",
            "xyz": "there are: 'main'",
            "x\ny": "there are: 'main'",
        }.items():
            problem = self.problem(Settings, attendant=AttendantSettings(entry=entry))
            self.assertTrue(problem.startswith("attendant.entry: no menu is called"))
            self.assertIn(rest, problem)
        self.assertIn("there are: none", self.problem(Settings, menus={}))

    def test_menu_that_nobody_can_hear_is_refused_with_the_reason(self) -> None:
        problem = self.problem(Settings, menus={"main": MENU, "night": MENU})
        self.assertTrue(problem.startswith("menus.night: no caller can hear this menu"))
        self.assertIn("attendant.entry is 'main'", problem)

    def test_menu_s_name_is_a_name(self) -> None:
        attendant = AttendantSettings(entry="a b")
        problem = self.problem(Settings, attendant=attendant, menus={"a b": MENU})
        self.assertTrue(problem.startswith("menus.'a b': 'a b' is not a name"))

    def test_menu_of_a_wrong_name_that_nobody_can_hear_stays_on_one_line(self) -> None:
        menus = {"main": MENU, "a\nb": MENU}
        problems = self.problems(partial(Settings, menus=menus))
        self.assertTrue(problems[0].startswith(r"menus.'a\nb': 'a\nb' is not a name"))
        self.assertTrue(problems[1].startswith(r"menus.'a\nb': no caller can hear"))


class ProgramTests(ConfigCase):
    """Settings that a program builds hold to the rules of the file."""

    def test_problems_are_told_all_at_once_as_data(self) -> None:
        error = self.assertRaises(
            ConfigError, AsteriskSettings, url="x", username="", app="ok"
        )
        self.assertEqual([each.place for each in error.problems], ["url", "username"])
        self.assertIsInstance(error.problems[0], Problem)
        self.assertIsInstance(error, ValueError)

    def test_changed_copy_is_checked_too(self) -> None:
        change = partial(msgspec.structs.replace, AsteriskSettings())
        problem = self.problem(change, url="x")
        self.assertTrue(problem.startswith("url: "))

    def test_what_is_inside_must_be_settings_as_well(self) -> None:
        self.assertEqual(
            self.problem(Settings, asterisk="http://localhost"),
            "asterisk: expected a table, found text in quotes",
        )

    def test_settings_are_frozen(self) -> None:
        settings = Settings()
        with self.assertRaises(AttributeError):
            settings.asterisk = AsteriskSettings()  # type: ignore[misc]
        with self.assertRaises(TypeError):
            settings.menus["night"] = MENU  # type: ignore[index]


KEYS = (
    *("asterisk", "url", "username", "password", "app", "attendant", "entry"),
    *("menus", "main", "prompt", "timeout", "noinput", "nomatch", "options"),
    *("1", "a", "A", "*", "play"),
)


def tables() -> st.SearchStrategy[Any]:
    scalars = (
        st.text()
        | st.sampled_from(["press-1", "main", "{digits}", "http://a:8088", "digits:1"])
        | st.integers()
        | st.floats()
        | st.booleans()
        | st.dates()
    )
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=5)
        ),
        max_leaves=20,
    )


class AnythingTests(SynchronousTestCase):
    @settings(deadline=None)  # a busy machine proves nothing
    @given(tables())
    def test_whatever_a_file_holds_is_settings_or_problems_on_one_line_each(
        self, document: object
    ) -> None:
        problems: list[Problem] = []
        settings = converted(document, Settings, "", problems)
        self.assertEqual(settings is None, bool(problems))
        for problem in problems:
            self.assertEqual(len(f"{problem}".splitlines()), 1)
            self.assertTrue(f"{problem}".isprintable())
            self.assertLess(len(problem.message), 400)
