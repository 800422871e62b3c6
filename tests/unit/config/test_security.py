"""Settings that secure the connection, and the files behind them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.config import load
from channel_aa.problems import ConfigError
from channel_aa.settings import AsteriskSettings, Secret, Settings
from tests.support.certificates import Authority

HTTPS = 'url = "https://pbx.example:8089"\n'


class SettingsTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.authority = Authority(self.folder)
        self.ours = self.authority.issue("attendant", file="ours")
        self.file = self.folder / "twistd.conf"

    def load(self, asterisk: str, *, password: Secret | None = None) -> Settings:
        self.file.write_text(f"[asterisk]\n{asterisk}")
        return load(self.file, password=password)

    def problems(self, asterisk: str) -> list[str]:
        error = self.assertRaises(ConfigError, self.load, asterisk)
        lines = str(error).splitlines()
        self.assertEqual(len(lines), len(error.problems))
        prefix = f"{self.file}: "
        for line in lines:
            self.assertTrue(line.startswith(prefix), line)
        return [line.removeprefix(prefix) for line in lines]


class SecuritySettingsTests(SettingsTestCase):
    def test_files_are_found_from_the_file_s_folder(self) -> None:
        asterisk = self.load(
            HTTPS + 'ca_file = "authority.pem"\n'
            'certificate_file = "ours.pem"\nkey_file = "ours.key"\n'
        ).asterisk
        self.assertEqual(asterisk.ca_file, self.authority.ca_file)
        self.assertEqual(asterisk.certificate_file, self.ours.certificate_file)
        self.assertEqual(asterisk.key_file, self.ours.key_file)
        self.assertTrue(asterisk.verify)

    def test_verification_can_be_given_up(self) -> None:
        self.assertFalse(self.load(HTTPS + "verify = false").asterisk.verify)

    def test_each_wrong_file_is_named_at_its_place(self) -> None:
        ca_file, key_file = self.problems(
            HTTPS + 'ca_file = "missing.pem"\n'
            'certificate_file = "ours.pem"\nkey_file = "twistd.conf"\n'
        )
        self.assertIn("asterisk.ca_file: ", ca_file)
        self.assertIn("missing.pem cannot be read: No such file", ca_file)
        self.assertIn("asterisk.key_file: ", key_file)
        self.assertIn("has no private key", key_file)

    def test_file_name_of_another_type_is_refused(self) -> None:
        [problem] = self.problems(HTTPS + "ca_file = 1")
        self.assertIn("asterisk.ca_file: expected text in quotes", problem)

    def test_tls_settings_without_https_are_refused(self) -> None:
        for setting in (
            'ca_file = "authority.pem"',
            'certificate_file = "ours.pem"\nkey_file = "ours.key"',
            "verify = false",
        ):
            problems = self.problems(f'url = "http://pbx.example"\n{setting}\n')
            self.assertEqual(len(problems), len(setting.splitlines()))
            for problem in problems:
                self.assertIn("has no effect", problem)

    def test_program_s_files_are_checked_too(self) -> None:
        error = self.assertRaises(
            ConfigError, AsteriskSettings, url="https://pbx", ca_file="/missing"
        )
        self.assertIn("ca_file: /missing cannot be read", str(error))


class SecretFilesTests(SettingsTestCase):
    def secret_files(self, asterisk: str, *, password: str = "") -> tuple[str, ...]:
        secret = Secret(password) if password else None
        return self.load(asterisk, password=secret).asterisk.secret_files

    def test_file_with_a_password_is_secret(self) -> None:
        self.assertEqual(self.secret_files('password = "x"'), (str(self.file),))

    def test_file_without_a_password_is_not_secret(self) -> None:
        self.assertEqual(self.secret_files(""), ())

    def test_password_file_is_secret_instead_of_the_file_that_names_it(self) -> None:
        (self.folder / "secret").write_text("x\n")
        self.assertEqual(
            self.secret_files('password_file = "secret"'),
            (str(self.folder / "secret"),),
        )

    def test_password_of_the_environment_is_in_no_file(self) -> None:
        self.assertEqual(self.secret_files("", password="x"), ())

    def test_file_with_a_key_is_secret(self) -> None:
        both = 'certificate_file = "ours.pem"\nkey_file = "ours.key"\n'
        self.assertEqual(self.secret_files(HTTPS + both), (self.ours.key_file,))
        whole = self.folder / "both.pem"
        whole.write_text("".join(Path(part).read_text() for part in self.ours))
        self.assertEqual(
            self.secret_files(HTTPS + 'certificate_file = "both.pem"'), (str(whole),)
        )
