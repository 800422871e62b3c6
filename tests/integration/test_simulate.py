"""``channel-aa simulate``, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from time import monotonic, sleep
from typing import TYPE_CHECKING

from real_asterisk.sounds import write_sounds
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


PLAYER = """\
#!/bin/sh
echo "begin $2" >>"$PLAYED"
exec sleep 60
"""


def test_manual_call_is_heard_on_the_loudspeaker(tmp_path: Path) -> None:
    file, played = tmp_path / "twistd.conf", tmp_path / "played"
    file.write_text(MENU)
    sounds, programs = tmp_path / "sounds", tmp_path / "bin"
    write_sounds(sounds, {"press-1": 2.0})
    programs.mkdir()
    program = programs / "aplay"
    program.write_text(PLAYER)
    program.chmod(0o700)
    keys = {"press-1": "1", "you-entered": "", "conversation begins": "\x04"}
    options = (str(file), "--play", "--sounds", str(sounds))
    environ = {"PATH": f"{programs}:/bin", "PLAYED": str(played)}
    with closing(TerminalProcess(*COMMAND, *options, environ=environ)) as terminal:
        for line in terminal.lines():
            if line[10:] == "press-1":
                deadline = monotonic() + TIMEOUT_SECONDS
                while not played.exists() and monotonic() < deadline:
                    sleep(0.01)
            terminal.type(keys.pop(line[10:], ""))
        assert terminal.status() == 0
    first, second = played.read_text().splitlines()
    assert first == f"begin {sounds}/press-1.wav"
    assert second.endswith("/tone.wav")  # you-entered has no file


def test_missing_player_is_named_with_the_packages(tmp_path: Path) -> None:
    file = tmp_path / "twistd.conf"
    file.write_text(MENU)
    ended = subprocess.run(  # noqa: S603 - our own program
        [*COMMAND, str(file), "--play"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert ended.stderr.startswith(b"channel-aa: --play: no program is installed")
    assert ended.returncode == 1


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
