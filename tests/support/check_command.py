"""``channel-aa check --asterisk`` and ``doctor`` as a user runs them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from twisted.internet.utils import getProcessOutputAndValue

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.harness import Asterisk


async def check(
    reactor: PosixReactorBase,
    folder: Path,
    asterisk: Asterisk,
    menus: str,
    *,
    username: str = "asterisk",
    password: str = "asterisk",  # noqa: S107 - a test's
) -> tuple[int, list[str]]:
    """Run ``check``; return its exit code, and its lines without the file's name."""
    file = write_file(folder, asterisk, menus, username=username, password=password)
    return await run(reactor, asterisk, file, "check", str(file), "--asterisk")


def write_file(
    folder: Path, asterisk: Asterisk, menus: str, *, username: str, password: str
) -> Path:
    """Write a configuration for an Asterisk; return its path."""
    file = folder / "twistd.conf"
    file.write_text(
        f'[asterisk]\nurl = "{asterisk.url}"\nusername = "{username}"\n'
        f'password = "{password}"\n{menus}'
    )
    file.chmod(0o600)  # others could read the password
    return file


async def run(
    reactor: PosixReactorBase, asterisk: Asterisk, file: Path, *arguments: str
) -> tuple[int, list[str]]:
    """Run a subcommand; return its exit code, and its lines without the file's name."""
    command = ["-m", "channel_aa.commands", *arguments]
    out, err, code = await getProcessOutputAndValue(
        sys.executable, command, env={}, reactor=reactor
    )
    assert err == b""
    lines = out.decode().replace(asterisk.url, "URL").splitlines()
    return code, [line.removeprefix(f"{file}: ") for line in lines]
