"""``channel-aa simulate``, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from tests.support.process import TerminalProcess
from tests.support.waiting import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = (sys.executable, "-m", "channel_aa.commands", "simulate")
MENU = """
[menus.main]
prompt = ["press-1"]
options.1 = { play = ["you-entered"], then = { dial = "PJSIP/410" } }
"""


def test_manual_call_takes_keys_from_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "twistd.conf"
    file.write_text(MENU)
    keys = {"press-1": "x1", "you-entered": "", "conversation begins": "\x04"}
    shown = []
    with closing(TerminalProcess(*COMMAND, str(file))) as terminal:
        for line in terminal.lines():
            shown.append(line[10:] if line.startswith("  ") else line)
            terminal.type(keys.pop(shown[-1], ""))
        assert terminal.status() == 0
    assert shown[0].endswith(": somebody calls 1000")
    assert shown[1] == "Keys: 0-9 * # press themselves, h and Ctrl-D hang up."
    assert shown[2:] == [
        *("press-1", "key 1", "you-entered", "dials PJSIP/410"),
        *("PJSIP/410 answers", "conversation begins", "conversation ends"),
        "hung up by caller",
    ]


def test_closed_output_pipe_ends_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "twistd.conf"
    file.write_text(MENU)
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(  # noqa: S603 - our own program
        [*COMMAND, str(file), "--press", "1"],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    os.close(writing)
    assert ended.stderr == b""
    assert ended.returncode == 1
