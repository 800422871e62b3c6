"""The files that twistd writes: its log and its process id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def unwritable_files(options: Mapping[str, Any]) -> Iterator[str]:
    """Find files that cannot be written, which twistd answers with a traceback.

    Args:
        options: those of twistd, which precede ``channel-aa``; those of twist, or none,
            are allowed.

    Yields:
        A line for each: the option, the file, the reason and the remedy.
    """
    for option, path in _files(options):
        if reason := _problem(path.absolute()):
            yield (
                f"--{option}: {path.absolute()}: {reason}; name another file with"
                f" twistd --{option}=FILE … channel-aa"
            )


def _problem(path: Path) -> str:
    """Return why a file cannot be written; empty if it can."""
    if not path.parent.is_dir():
        return "there is no such folder"
    is_there = path.exists()
    try:
        with path.open("ab"):
            pass
        if not is_there:
            path.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _files(options: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    if "nodaemon" not in options:
        return  # the command twist writes none
    log = options["logfile"]
    on_terminal = options["nodaemon"] and not log
    if not (options["syslog"] or on_terminal or log == "-"):
        yield "logfile", Path(log or "twistd.log")
    if options["pidfile"]:
        yield "pidfile", Path(options["pidfile"])
