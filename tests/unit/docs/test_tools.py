"""The examples in docs/tools.md."""

from __future__ import annotations

import os
import re
from pathlib import Path
from shlex import split
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.commands.main import main
from tests.support.printed import printed

PAGE = Path(__file__).parents[3] / "docs" / "tools.md"


class ToolsPageTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, Path.cwd())
        os.chdir(folder.name)
        blocks = re.findall(r"```(\w*)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        self.office = next(text for kind, text in blocks if kind == "toml")
        self.pictures = [text for kind, text in blocks if kind == "mermaid"]
        self.shown = [text for kind, text in blocks if not kind]
        Path("office.conf").write_text(self.office)

    def output_of(self, command: str) -> str:
        return printed(main, split(command)[1:])[1]

    def test_file_is_valid(self) -> None:
        out = self.output_of("channel-aa check office.conf")
        self.assertEqual(out, "office.conf: no errors, no warnings\n")

    def test_diagram_is_that_of_the_file(self) -> None:
        out = self.output_of("channel-aa graph office.conf")
        self.assertEqual(self.pictures, [out])

    def test_errors_are_those_of_the_file(self) -> None:
        wrong = self.office.replace('"sales-hours"', '"digits:x"')
        wrong = wrong.replace('0 = "operator"', '0 = "oprator"')
        Path("wrong.conf").write_text(wrong.replace("mon-fri", "mon-fry"))
        (shown,) = (text for text in self.shown if "wrong.conf" in text)
        command, expected = shown.removeprefix("$ ").split("\n", 1)
        self.assertEqual(self.output_of(command), expected)

    def test_transcript_is_that_of_the_call(self) -> None:
        (shown,) = (text for text in self.shown if "PJSIP/410 is busy" in text)
        command, expected = shown.removeprefix("$ ").split("\n", 1)
        self.assertEqual(self.output_of(command), expected)

    def test_expectation_is_met(self) -> None:
        (shown,) = (text for text in self.shown if "--expect" in text)
        first, *_ = shown.splitlines()
        command = split(first.removeprefix("$ "))[1:]
        code, _, err = printed(main, command)
        self.assertEqual((code, err), (0, ""))
