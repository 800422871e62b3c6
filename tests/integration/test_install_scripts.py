"""The scripts that install a Debian system check the archive's signature."""

from __future__ import annotations

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "debian-system.bash"


def run(commands: str) -> list[str]:
    """Run commands after the script, which prints what it would run, up to a mount."""
    printing = 'quietly() { echo "$*"; }; mount() { exit; }'
    found = subprocess.run(  # noqa: S603 - the project's own script
        ["/bin/bash", "-c", f". {SCRIPT}\n{printing}\n{commands}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return found.stdout.splitlines()


def test_unsigned_archive_is_refused() -> None:
    lines = run("fill_system forky http://m /keys.gpg /none asterisk")
    [line] = [line for line in lines if line.startswith("debootstrap ")]
    assert "--force-check-gpg --keyring=/keys.gpg forky /none http://m" in line


def test_missing_keyring_is_installed() -> None:
    lines = run("need debian-archive-keyring test -e /none")
    assert lines[-1].endswith("install debian-archive-keyring")
    assert run("need debian-archive-keyring test -e /") == []


def test_installed_commands_are_left_alone() -> None:
    assert run("need_command bash") == []
    assert run("need_command no-such-command package")[-1].endswith("install package")
