"""The password in the environment."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.config import Secret
from channel_aa.daemon.environment import password_from
from channel_aa.problems import ConfigError


class PasswordTests(SynchronousTestCase):
    def file(self, content: bytes) -> str:
        path = Path(self.mktemp())
        path.write_bytes(content)
        return str(path)

    def problem(self, **environ: str) -> str:
        error = self.assertRaises(ConfigError, password_from, environ)
        self.assertIsNone(error.__cause__)
        self.assertTrue(error.__suppress_context__ or error.__context__ is None)
        return str(error)

    def test_there_need_be_none(self) -> None:
        self.assertIsNone(password_from({}))

    def test_it_may_stand_in_the_environment(self) -> None:
        self.assertEqual(
            password_from({"CHANNEL_AA_PASSWORD": "hunter2"}), Secret("hunter2")
        )

    def test_it_may_stand_in_a_file_with_a_line_break_at_its_end(self) -> None:
        for content in (
            b"hunter2",
            b"hunter2\n",
            b"hunter2\r\n",
            b"\xef\xbb\xbfhunter2",
        ):
            environ = {"CHANNEL_AA_PASSWORD_FILE": self.file(content)}
            self.assertEqual(password_from(environ), Secret("hunter2"))

    def test_two_are_one_too_many(self) -> None:
        text = self.problem(
            CHANNEL_AA_PASSWORD="hunter2",
            CHANNEL_AA_PASSWORD_FILE=self.file(b"hunter3"),
        )
        self.assertEqual(
            text,
            "CHANNEL_AA_PASSWORD_FILE: is set beside CHANNEL_AA_PASSWORD; keep only"
            " one",
        )

    def test_file_that_is_not_there_is_named(self) -> None:
        self.assertEqual(
            self.problem(CHANNEL_AA_PASSWORD_FILE="/no/such/file"),
            "CHANNEL_AA_PASSWORD_FILE: '/no/such/file' cannot be read: No such file or"
            " directory",
        )

    def test_what_is_no_text_is_refused_and_not_shown(self) -> None:
        text = self.problem(CHANNEL_AA_PASSWORD_FILE=self.file(b"hunter2\xff"))
        self.assertIn("it is not UTF-8 text", text)
        self.assertNotIn("hunter2", text)
