"""The demo, as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pytest

from tests.support.process import TerminalProcess

SECONDS = 60
DEMO = (sys.executable, "-m", "channel_aa.demo")
SEED = """\
Channel PJSIP/alice-00000001 has entered the application
Channel PJSIP/alice-00000001 entered 1
Channel PJSIP/alice-00000001 entered 2
Channel PJSIP/alice-00000001 entered 8
Channel PJSIP/alice-00000001 entered an invalid option!
Channel PJSIP/alice-00000001 stopped paying attention...
PJSIP/alice-00000001 has left the application
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [*DEMO, *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_scripted_call_prints_the_seeds_seven_lines() -> None:
    ended = run("--speed", "4")
    assert (ended.stdout, ended.stderr, ended.returncode) == (SEED, "", 0)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--speed", "0"), "argument --speed: a number above 0, and up to 100"),
        (("--speed", "fast"), "argument --speed: a number above 0, and up to 100"),
        (("--by-hand",), "--by-hand needs a terminal to read keys from"),
    ],
)
def test_invalid_option_is_an_error(arguments: tuple[str, ...], error: str) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert ended.stderr.endswith(f"error: {error}\n")


def test_call_by_hand_takes_the_terminals_keys() -> None:
    keys = {"  > press-1": "1", "  > digits/1": "*", "  > option-is-invalid": "h"}
    shown = []
    with closing(TerminalProcess(*DEMO, "--by-hand", "--speed", "0.5")) as terminal:
        for line in terminal.lines():
            shown.append(line)
            terminal.type(keys.pop(line, ""))
        assert terminal.status() == 0
    assert [line for line in shown if line.startswith(("Channel", "PJSIP"))] == [
        "Channel PJSIP/alice-00000001 has entered the application",
        "Channel PJSIP/alice-00000001 entered 1",
        "Channel PJSIP/alice-00000001 entered *",
        "Channel PJSIP/alice-00000001 entered an invalid option!",
        "PJSIP/alice-00000001 has left the application",
    ]
    assert "  x digits/1 (stopped)" in shown
    assert "  - hung up by caller" in shown
