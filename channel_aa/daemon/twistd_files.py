"""The files that twistd writes: its log and its process id."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def unwritable_files(options: Mapping[str, Any]) -> Iterator[str]:
    """Find files that this user may not write, which twistd answers with a traceback.

    Args:
        options: those of twistd, which precede ``channel-aa``; those of twist, or none,
            are allowed.

    Yields:
        A line for each: the option, the file, the reason and the remedy.
    """
    for option, path in _files(options):
        folder = path.absolute().parent
        reason = ""
        if not folder.is_dir():
            reason = "there is no such folder"
        elif not os.access(path if path.exists() else folder, os.W_OK):
            reason = "this user may not write there"
        if reason:
            yield (
                f"--{option}: {path.absolute()}: {reason}; name another file with"
                f" twistd --{option}=FILE … channel-aa"
            )


def _files(options: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    if "nodaemon" not in options:
        return  # the command twist writes none
    log = options["logfile"]
    on_terminal = options["nodaemon"] and not log
    if not (options["syslog"] or on_terminal or log == "-"):
        yield "logfile", Path(log or "twistd.log")
    if options["pidfile"]:
        yield "pidfile", Path(options["pidfile"])
