from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import twisted.internet
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides

from channel_aa.daemon.process import Daemon
from channel_aa.settings import Secret, Settings
from channel_aa.tap import Options, makeService


class OptionsCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "twistd.conf"
        environ = {
            name: text
            for name, text in os.environ.items()
            if name != "CHANNEL_AA_PASSWORD"
        }
        self.environ: dict[str, str] = environ
        self.patch(os, "environ", environ)

    def settings(self, *arguments: str) -> Settings:
        options = Options()
        options.parseOptions(arguments)
        return options.settings

    def errors(self, *arguments: str) -> list[str]:
        """Return the lines on stderr for a command line with errors."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            error = self.assertRaises(SystemExit, self.settings, *arguments)
        self.assertEqual(error.code, 1)
        self.assertEqual(out.getvalue(), "")
        return err.getvalue().splitlines()


class OptionsTests(OptionsCase):
    def test_settings_without_options_are_the_defaults(self) -> None:
        self.assertEqual(self.settings(), Settings())

    def test_config_names_the_file(self) -> None:
        self.file.write_text('asterisk.app = "reception"', "utf-8")
        for option in (("--config", str(self.file)), ("-c", str(self.file))):
            self.assertEqual(self.settings(*option).asterisk.app, "reception")

    def test_other_options_override_the_file(self) -> None:
        self.file.write_text(
            'asterisk = { url = "http://a", username = "a", app = "a" }', "utf-8"
        )
        asterisk = self.settings(
            *("--config", str(self.file)),
            *("--url", "http://b:8088", "--username", "b", "--app=b"),
        ).asterisk
        self.assertEqual(
            (asterisk.url, asterisk.username, asterisk.app), ("http://b:8088", "b", "b")
        )

    def test_password_comes_from_the_environment(self) -> None:
        self.environ["CHANNEL_AA_PASSWORD"] = "hunter2"
        self.file.write_text('asterisk.password = "other"', "utf-8")
        for arguments in ((), ("--config", str(self.file))):
            settings = self.settings(*arguments)
            self.assertEqual(settings.asterisk.password, Secret("hunter2"))

    def test_password_is_no_option(self) -> None:
        for arguments in (("--password", "hunter2"), ("--password=hunter2",)):
            (line,) = self.errors(*arguments)
            self.assertIn("option --password not recognized", line)
            self.assertNotIn("hunter2", line)

    def test_password_file_is_relative_to_the_configuration_file(self) -> None:
        self.file.write_text('asterisk.password_file = "secret"', "utf-8")
        (self.folder / "secret").write_text("hunter2\n", "utf-8")
        before = Path.cwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        settings = self.settings("--config", "twistd.conf")
        self.assertEqual(settings.asterisk.password, Secret("hunter2"))


class ErrorTests(OptionsCase):
    def test_each_problem_has_a_line_with_its_place(self) -> None:
        self.file.write_text("attendant.entry = 1\n[asterisk]\nurl = 2", "utf-8")
        self.environ["CHANNEL_AA_PASSWORD"] = ""
        lines = self.errors("-c", str(self.file), "--app", "a b")
        places = [line.split(": ")[:3] for line in lines]
        self.assertEqual(
            places,
            [
                ["channel-aa", str(self.file), "attendant.entry"],
                ["channel-aa", str(self.file), "asterisk.url"],
                ["channel-aa", "--app", lines[2].split(": ")[2]],
                ["channel-aa", "CHANNEL_AA_PASSWORD", "the password is empty"],
            ],
        )

    def test_missing_file_is_named_by_its_absolute_path(self) -> None:
        (line,) = self.errors("--config", "no/such.conf")
        self.assertIn(f"{Path.cwd()}/no/such.conf: cannot be read", line)

    def test_errors_of_the_command_line_have_one_line(self) -> None:
        for arguments, message in {
            ("--bogus",): "option --bogus not recognized",
            ("--config",): "option --config requires argument",
            ("--config", ""): "--config: expected the name of a file, found ''",
            ("start",): "unexpected argument 'start'",
            ("--app", "x", "a\nb", "c"): r"unexpected argument 'a\nb'",
        }.items():
            (line,) = self.errors(*arguments)
            self.assertEqual(
                line, f"channel-aa: {message} (see twistd channel-aa --help)"
            )


class HelpTests(OptionsCase):
    def output(self, option: str) -> str:
        out = io.StringIO()
        with redirect_stdout(out):
            error = self.assertRaises(SystemExit, self.settings, option)
        self.assertIn(error.code, (None, 0))
        return out.getvalue()

    def test_help_explains_every_option_and_the_environment(self) -> None:
        text = self.output("--help")
        for word in ("--config=", "-c,", "--url=", "--username=", "--app="):
            self.assertIn(word, text)
        self.assertIn("CHANNEL_AA_PASSWORD", text)
        self.assertIn("password_file", text)
        self.assertIn("channel-aa --config /etc/channel-aa/twistd.conf", text)

    def test_version_is_that_of_channel_aa(self) -> None:
        self.assertRegex(self.output("--version"), r"\Achannel-aa \d+\.\d+\.\d+\n\Z")


class MakeServiceTests(OptionsCase):
    def test_service_has_the_settings_and_connects_only_when_started(self) -> None:
        reactor = MemoryReactorClock()
        # MemoryReactorClock provides no name resolver before Twisted 25.5.
        vars(reactor).setdefault("nameResolver", None)
        alsoProvides(reactor, IReactorPluggableNameResolver)
        options = Options()
        options.parseOptions(["--url", "http://127.0.0.1:8088", "--app", "reception"])
        with patch.object(twisted.internet, "reactor", reactor, create=True):
            service = makeService(options)
        assert isinstance(service, Daemon)
        self.assertEqual(service.attendant.settings, options.settings)
        self.assertEqual(reactor.tcpClients, [])
        self.assertEqual(reactor.getDelayedCalls(), [])

    def test_importing_tap_installs_no_reactor(self) -> None:
        """``twist --reactor`` installs one after the options are parsed."""
        script = (
            "import sys, channel_aa.tap as tap; tap.Options().parseOptions([]);"
            " sys.exit('twisted.internet.reactor' in sys.modules)"
        )
        done = subprocess.run(  # noqa: S603 - this program's own words
            [sys.executable, "-c", script], check=False, timeout=60
        )
        self.assertEqual(done.returncode, 0)
