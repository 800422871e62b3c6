"""What the tests of configured things share."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.config import load
from channel_aa.problems import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from channel_aa.settings import Secret, Settings


class ProblemCase(SynchronousTestCase):
    def problems(self, call: Callable[..., object], **fields: object) -> list[str]:
        """Call, and return the lines of the `ConfigError` that it raises."""
        error = self.assertRaises(ConfigError, call, **fields)
        lines = str(error).splitlines()
        self.assertEqual(lines, [str(problem) for problem in error.problems])
        return lines

    def problem(self, call: Callable[..., object], **fields: object) -> str:
        (problem,) = self.problems(call, **fields)
        return problem


class ConfigCase(ProblemCase):
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

    def file_problems(self, content: str | bytes) -> list[str]:
        """Load a file, and give its problems without its name before them."""
        start = f"{self.file}: "
        problems = self.problems(partial(self.load, content))
        for problem in problems:
            self.assertTrue(problem.startswith(start), problem)
        return [problem.removeprefix(start) for problem in problems]
