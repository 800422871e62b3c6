from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from traceback import walk_tb

import msgspec
from pydantic import ValidationError

from channel_aa.config import load
from channel_aa.problems import ConfigError
from channel_aa.settings import AsteriskSettings, Secret, Settings
from tests.support.config_case import ConfigCase


class PasswordTests(ConfigCase):
    def password(self, content: str) -> str:
        return self.load(content).asterisk.password.get_secret_value()

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
        expected = (
            "asterisk.password_file: is set in addition to password; keep only one"
        )
        self.assertEqual(self.file_problems(content)[0], expected)
        for password in (None, Secret("x")):
            problems = self.problems(partial(self.load, content, password=password))
            self.assertEqual(problems[0], f"{self.file}: {expected}")

    def test_unreadable_password_file_is_reported_with_its_path(self) -> None:
        (problem,) = self.file_problems("asterisk.password_file = 'missing'")
        place = f"asterisk.password_file: {self.folder / 'missing'}"
        self.assertEqual(problem, f"{place} cannot be read: No such file or directory")
        (problem,) = self.file_problems("asterisk.password_file = '.'")
        self.assertIn("Is a directory", problem)
        (problem,) = self.file_problems('asterisk.password_file = "a\\u0000b"')
        self.assertIn("cannot be read", problem)

    def test_invalid_content_of_the_password_file_is_reported_there(self) -> None:
        for content in (b"", b"\n", b"hunter2\n\n", b"a\nb", b"\xff\xfehunter2"):
            (self.folder / "secret").write_bytes(content)
            (problem,) = self.file_problems("asterisk.password_file = 'secret'")
            self.assertTrue(problem.startswith("asterisk.password_file: "), problem)
            self.assertNotIn("hunter2", problem)

    def test_invalid_password_in_the_environment_is_reported_there(self) -> None:
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
        problem = self.problem(AsteriskSettings, password=271828)
        self.assertEqual(problem, "password: expected text in quotes, found a number")

    def test_program_may_give_the_password_as_text(self) -> None:
        settings = AsteriskSettings(password="hunter2")  # type: ignore[arg-type]
        self.assertEqual(settings.password, Secret("hunter2"))


class SecretTests(ConfigCase):
    def test_secret_is_shown_nowhere(self) -> None:
        secret = Secret("hunter2")
        settings = Settings(asterisk=AsteriskSettings(password=secret))
        for shown in (f"{secret}", f"{secret!r}", str(settings), repr(settings)):
            self.assertIn("**********", shown)
            self.assertNotIn("hunter2", shown)

    def test_secret_is_not_encoded_by_chance(self) -> None:
        with self.assertRaises(TypeError):
            msgspec.json.encode(Settings())
        settings = AsteriskSettings(password=Secret("hunter2"))
        self.assertNotIn("hunter2", settings.model_dump_json())

    def test_pydantic_s_own_errors_do_not_show_the_password(self) -> None:
        for table in (
            {"password": "hunter2\0"},
            {"password": ["hunter2"]},
            {"password": "hunter2", "url": "x"},
            {"passwort": "hunter2"},
            "hunter2",
        ):
            with self.assertRaises(ValidationError) as raised:
                AsteriskSettings.model_validate(table)
            self.assertNotIn("hunter2", str(raised.exception))
            self.assertNotIn("hunter2", repr(raised.exception.errors()))

    def test_refused_assignment_does_not_show_the_password(self) -> None:
        settings = AsteriskSettings()
        with self.assertRaises(AttributeError) as raised:
            settings.password = Secret("hunter2")  # type: ignore[misc]
        self.assertNotIn("hunter2", str(raised.exception))

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
