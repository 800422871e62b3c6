"""What all subcommands of ``channel-aa`` do alike."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.commands import main as main_module
from channel_aa.commands.cli import CommandError
from channel_aa.commands.main import main
from channel_aa.problems import ConfigError, Problem

if TYPE_CHECKING:
    from argparse import Namespace
    from typing import NoReturn

    from channel_aa.commands.cli import Subparsers


class MainTests(SynchronousTestCase):
    def run_main(self, *arguments: str) -> tuple[int, str, str]:
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = main(arguments)
            except SystemExit as ended:
                code = int(ended.code or 0)
        return code, out.getvalue(), err.getvalue()

    def ended_by(self, error: BaseException) -> tuple[int, str, str]:
        """Run a subcommand that raises."""

        def fail(_arguments: Namespace) -> NoReturn:
            raise error

        def add(subparsers: Subparsers) -> None:
            subparsers.add_parser("fail").set_defaults(run=fail)

        with patch.object(main_module, "COMMANDS", (add,)):
            return self.run_main("fail")

    def test_help_lists_the_subcommands(self) -> None:
        code, out, _ = self.run_main("--help")
        self.assertEqual(code, 0)
        for name in ("check", "graph", "schema", "simulate", "status"):
            self.assertIn(name, out)

    def test_version_is_printed(self) -> None:
        code, out, _ = self.run_main("--version")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"\Achannel-aa \d+\.\d+\.\d+\n\Z")

    def test_command_line_error_is_exit_code_2(self) -> None:
        for arguments in ((), ("bogus",), ("status",)):
            code, out, err = self.run_main(*arguments)
            self.assertEqual((code, out), (2, ""))
            self.assertIn("usage: channel-aa", err)

    def test_each_error_of_a_file_is_one_line(self) -> None:
        error = ConfigError([Problem("a.b", "is wrong"), Problem("c", "is missing")])
        self.assertEqual(
            self.ended_by(error),
            (1, "", "channel-aa: a.b: is wrong\nchannel-aa: c: is missing\n"),
        )

    def test_command_error_is_one_line(self) -> None:
        self.assertEqual(
            self.ended_by(CommandError("no daemon")), (1, "", "channel-aa: no daemon\n")
        )

    def test_interrupt_is_exit_code_130(self) -> None:
        self.assertEqual(self.ended_by(KeyboardInterrupt()), (130, "", ""))

    def test_closed_output_prints_no_traceback(self) -> None:
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        with os.fdopen(writing, "w") as pipe:

            def fail(_arguments: Namespace) -> NoReturn:
                raise BrokenPipeError

            def add(subparsers: Subparsers) -> None:
                subparsers.add_parser("fail").set_defaults(run=fail)

            with (
                patch.object(main_module, "COMMANDS", (add,)),
                patch.object(sys, "stdout", pipe),
            ):
                self.assertEqual(main(["fail"]), 1)
            leads_to = Path(f"/proc/self/fd/{writing}").readlink()
        self.assertEqual(leads_to, Path("/dev/null"))
