"""The password from the environment."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.daemon.environment import password_from
from channel_aa.problems import ConfigError
from channel_aa.settings import Secret


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

    def test_password_may_be_unset(self) -> None:
        self.assertIsNone(password_from({}))

    def test_password_is_read_from_its_variable(self) -> None:
        self.assertEqual(
            password_from({"CHANNEL_AA_PASSWORD": "hunter2"}), Secret("hunter2")
        )

    def test_password_is_read_from_a_file_without_its_trailing_line_break(self) -> None:
        for content in (
            b"hunter2",
            b"hunter2\n",
            b"hunter2\r\n",
            b"\xef\xbb\xbfhunter2",
        ):
            environ = {"CHANNEL_AA_PASSWORD_FILE": self.file(content)}
            self.assertEqual(password_from(environ), Secret("hunter2"))

    def test_password_has_the_name_of_its_file(self) -> None:
        """The service warns of a file that everyone may read."""
        name = self.file(b"hunter2")
        password = password_from({"CHANNEL_AA_PASSWORD_FILE": name})
        assert password is not None
        self.assertEqual(password.file, name)

    def test_both_variables_are_an_error(self) -> None:
        text = self.problem(
            CHANNEL_AA_PASSWORD="hunter2",
            CHANNEL_AA_PASSWORD_FILE=self.file(b"hunter3"),
        )
        self.assertEqual(
            text,
            "CHANNEL_AA_PASSWORD_FILE: is set in addition to CHANNEL_AA_PASSWORD;"
            " keep only one",
        )

    def test_missing_file_is_an_error_with_its_name(self) -> None:
        self.assertEqual(
            self.problem(CHANNEL_AA_PASSWORD_FILE="/no/such/file"),
            "CHANNEL_AA_PASSWORD_FILE: '/no/such/file' cannot be read: No such file or"
            " directory",
        )

    def test_file_that_is_not_utf_8_is_an_error_without_its_content(self) -> None:
        text = self.problem(CHANNEL_AA_PASSWORD_FILE=self.file(b"hunter2\xff"))
        self.assertIn("it is not UTF-8 text", text)
        self.assertNotIn("hunter2", text)
