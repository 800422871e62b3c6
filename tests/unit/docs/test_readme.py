"""The README's excerpts work when copied."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.application.service import Application, IServiceCollection
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.config import load
from channel_aa.service import AttendantService
from tests.support.attendant_fakes import memory_reactor

README = Path(__file__).parents[3] / "README.md"

REST = """
[menus.sales]
prompt = ["acme/sales-menu"]
[menus.night]
prompt = ["acme/night-menu"]
"""
"""The menus that the excerpt refers to and omits."""


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

    def test_program_has_the_service(self) -> None:
        application = Application("README")
        names = {"reactor": memory_reactor(), "application": application}
        exec(compile(self.block("python"), str(README), "exec"), names)  # noqa: S102
        [service] = list(IServiceCollection(application))
        self.assertIsInstance(service, AttendantService)
        self.assertEqual(service.settings.asterisk.url, "http://pbx:8088")
