"""The README's excerpts work when copied."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.application.service import Application, IServiceCollection
from twisted.trial.unittest import SynchronousTestCase

import channel_aa
from channel_aa.config import load
from channel_aa.service import AttendantService
from tests.support.attendant_fakes import memory_reactor

if TYPE_CHECKING:
    from collections.abc import Iterator

README = Path(__file__).parents[3] / "README.md"
PACKAGE = Path(channel_aa.__file__).parent

REST = """
[menus.sales]
prompt = ["acme/sales-menu"]
[menus.night]
prompt = ["acme/night-menu"]
"""
"""The menus that the excerpt refers to and omits."""


def source_texts() -> Iterator[str]:
    """Yield the texts in the package's sources; f-strings without their fields."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value)
                    for part in node.values
                    if isinstance(part, ast.Constant)
                )
            elif isinstance(node, ast.Constant):
                yield str(node.value)


class ReadmeTests(SynchronousTestCase):
    def block(self, language: str) -> str:
        """Return the only code block of a language."""
        pattern = rf"```{language}\n(.*?)```"
        [block] = re.findall(pattern, README.read_text("utf-8"), re.DOTALL)
        return str(block)

    def test_excerpt_of_a_file_is_valid(self) -> None:
        path = Path(self.mktemp())
        path.write_text(self.block("toml") + REST)
        flow = load(path).flow
        self.assertEqual(set(flow.menus), {"main", "sales", "night"})
        self.assertEqual(flow.routes[0].did, ("+441632960000",))

    def test_troubleshooting_quotes_lines_of_the_log(self) -> None:
        _, _, table = README.read_text("utf-8").partition("| log line or symptom |")
        rows = re.findall(r"^\| (.*?) \| ", table.partition("\n\n")[0], re.MULTILINE)
        *lines, symptom = rows
        self.assertEqual(symptom, "Connected, but callers hear nothing")
        self.assertGreater(len(lines), 6)
        texts = "\n".join(source_texts())
        for line in lines:
            with self.subTest(line=line):
                pattern = ".*".join(map(re.escape, line.split("…")))
                self.assertIsNotNone(re.search(pattern, texts))

    def test_program_has_the_service(self) -> None:
        application = Application("README")
        names = {"reactor": memory_reactor(), "application": application}
        exec(compile(self.block("python"), str(README), "exec"), names)  # noqa: S102
        [service] = list(IServiceCollection(application))
        self.assertIsInstance(service, AttendantService)
        self.assertEqual(service.settings.asterisk.url, "http://pbx:8088")
