"""The figures on the page of security are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from channel_aa import logs
from channel_aa.ari.wire import http_limits
from channel_aa.attendant import entry_log
from channel_aa.commands import status

PAGE = (Path(__file__).parents[3] / "docs/security.md").read_text("utf-8")
KIB = 1024

FIGURES = {
    "another program answers `channel-aa status`": (
        f"{http_limits.MAX_BODY_BYTES // KIB**2} MiB of body",
        f"{http_limits.MAX_HEAD_BYTES // KIB} KiB of headers",
        f"within {status.SECONDS:g} seconds",
    ),
    "a caller fills the log with keys": (
        f"{entry_log.MAX_PER_PERIOD} entries in {entry_log.PERIOD_SECONDS:g} seconds",
    ),
    "a traceback in the log": (f"{logs.MAX_TRACEBACK_LENGTH:,} characters",),
    "entries of a call that are logged each": (
        f"{entry_log.MAX_PER_PERIOD} in {entry_log.PERIOD_SECONDS:g} seconds",
    ),
}
"""What rows say, by their beginning."""


class SecurityPageTests(SynchronousTestCase):
    def test_figures_are_those_of_the_program(self) -> None:
        for beginning, figures in FIGURES.items():
            (row,) = re.findall(rf"^\| {re.escape(beginning)}.*$", PAGE, re.MULTILINE)
            for figure in figures:
                self.assertIn(figure, row)
