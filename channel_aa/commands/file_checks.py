"""Checks of who may read and write files of this machine, for ``doctor``."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from channel_aa.commands.cli import password_beside
from channel_aa.commands.findings import Topic

if TYPE_CHECKING:
    from channel_aa.commands.findings import Findings

DEFAULT_FILE = Path("/etc/channel-aa/twistd.conf")
"""The file of the shipped systemd unit."""

RECORDINGS = Path("/var/spool/asterisk/recording")
"""Where Debian's Asterisk, and others, keep recordings."""


def check_readable(file: Path, findings: Findings) -> None:
    """Check that the user of the shipped unit may read its file."""
    mode = stat.S_IMODE(file.stat().st_mode)
    if file == DEFAULT_FILE and not mode & stat.S_IROTH:
        findings.error(
            Topic.CONFIGURATION,
            "",
            f"the shipped unit's user may not read {file} (mode {mode:04o}); run:"
            f" chmod 644 {file}, with the password in {password_beside(file)} only",
        )


def check_owner(folder: Path, findings: Findings) -> None:
    """Check that the folder of recordings is of Asterisk's user, as its parent is."""
    try:
        own, parent = folder.stat(), folder.parent.stat()
    except OSError:
        return  # it is elsewhere
    shared = stat.S_IWOTH | (stat.S_IWGRP if own.st_gid == parent.st_gid else 0)
    if own.st_uid != parent.st_uid and not own.st_mode & shared:
        findings.warning(
            Topic.RECORDINGS,
            "",
            f"{folder} is of another user than {folder.parent}, so Asterisk may not be"
            f" able to write there; run: chown --reference={folder.parent} {folder}",
        )


def explain_unreadable(file: Path, findings: Findings) -> None:
    """Say what to do about a file that is not there, or that only root may read."""
    needed = {file.parent: os.X_OK, file: os.R_OK, password_beside(file): os.R_OK}
    there = [each for each in needed if os.access(each, os.F_OK)]
    if not all(os.access(each, needed[each]) for each in there):
        findings.note(Topic.CONFIGURATION, "", "run this command as root")
    elif file not in there:
        findings.note(
            Topic.CONFIGURATION,
            "",
            f"README tells how to install {DEFAULT_FILE}; for another file, run:"
            " channel-aa doctor FILE",
        )
