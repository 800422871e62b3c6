"""What the subcommands that read records share: the database, times, callers."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from channel_aa.commands.cli import CommandError
from channel_aa.config import load
from channel_aa.problems import quoted
from channel_aa.settings import Secret

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

    from channel_aa.records.report import Report
    from channel_aa.records.store import Store
    from channel_aa.settings import RecordsSettings, Settings

_AGO = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_CLEAR_LINE = "\r\x1b[K"


def load_records(file: Path) -> tuple[Settings, RecordsSettings]:
    """Read a file that stores records.

    Raises:
        ConfigError: it has errors.
        CommandError: it stores none.
    """
    # The password is not needed, and the user may not be able to read it.
    settings = load(file, password=Secret("not needed"))
    if settings.records is None:
        raise CommandError(
            f"{file}: records: there is no table [records], so the daemon stores no"
            " records of calls"
        )
    return settings, settings.records


@contextmanager
def open_store(settings: RecordsSettings, *, read_only: bool = True) -> Iterator[Store]:
    """Open the database of records, which has to be there.

    Raises:
        CommandError: it cannot be used, now or within the block.
    """
    # Only these subcommands need SQLAlchemy, which need not be installed.
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from channel_aa.records.location import database_url  # noqa: PLC0415
    from channel_aa.records.store import Store, StoreError  # noqa: PLC0415

    url = database_url(settings)
    shown = url.render_as_string(hide_password=True)
    path = Path(url.database or "")
    if not settings.url and not path.exists():
        where = "" if settings.folder else "; if it runs under systemd, set folder, too"
        raise CommandError(
            f"records.folder: there is no {path}; the daemon makes it when it"
            f" starts{where}"
        )
    store = Store(url, read_only=read_only, may_upgrade=False)
    try:
        store.open()
        yield store
    except StoreError as error:
        raise CommandError(f"{shown}: {error}") from error
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
        raise CommandError(f"{shown}: {reason}") from error
    finally:
        store.close()


def count_calls(store: Store, *, since: float | None, until: float | None) -> Report:
    """Count what callers did in a time, and show progress on a terminal.

    Args:
        store: the database.
        since: the earliest begin of a call, in seconds since 1970; ``None``: any.
        until: the first begin that is too late.
    """
    from channel_aa.records.query import CallFilter  # noqa: PLC0415 - as above
    from channel_aa.records.report import make_report  # noqa: PLC0415

    wanted = CallFilter(since=since, until=until)
    if not sys.stderr.isatty():
        return make_report(store, wanted)
    try:
        return make_report(store, wanted, progress=_show_progress)
    finally:
        print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)


def _show_progress(part: float) -> None:
    text = f"{_CLEAR_LINE}Counting calls: {part:.0%}"
    print(text, end="", file=sys.stderr, flush=True)


def stored_callers(settings: RecordsSettings, number: str) -> Sequence[str]:
    """Return what may stand for a caller's number in records.

    Raises:
        CommandError: callers are hashed, and the key cannot be read.
    """
    from channel_aa.records.location import (  # noqa: PLC0415
        KEY,
        Callers,
        records_folder,
    )

    if settings.callers != "hashed":
        return (number,)
    key = records_folder(settings) / KEY
    try:
        if not key.exists():  # it must not be made here, by another user
            raise CommandError(
                f"{key}: is missing; the daemon makes it at the first call, and without"
                " it no caller can be found"
            )
        return (number, Callers(settings).shown(number))
    except OSError as error:
        raise CommandError(f"{key}: cannot be read: {error.strerror}") from error


def add_period(parser: ArgumentParser) -> None:
    """Add the arguments --since and --until."""
    parser.add_argument("--since", metavar="TIME", help="calls that began since")
    parser.add_argument("--until", metavar="TIME", help="calls that began before")


def period_of(arguments: Namespace) -> tuple[float | None, float | None]:
    """Return --since and --until in seconds since 1970; ``None``: not given.

    Raises:
        CommandError: one is no time, or they are in the wrong order.
    """
    now = datetime.now(UTC)
    since, until = (
        None if text is None else seconds_of(option, text, now=now, is_end=is_end)
        for option, text, is_end in (
            ("--since", arguments.since, False),
            ("--until", arguments.until, True),
        )
    )
    if since is not None and until is not None and since >= until:
        raise CommandError("--until: is not later than --since")
    return since, until


def seconds_of(option: str, text: str, *, now: datetime, is_end: bool = False) -> float:
    """Convert a time of the command line to seconds since 1970.

    Args:
        option: its option, for the error.
        text: a date, a date and a time (local ones), or how long ago: ``7d``.
        now: the time now.
        is_end: whether a date stands for the end of the day.

    Raises:
        CommandError: it is no time, or a begin in the future.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            time = now - timedelta(**{_UNITS[ago["unit"]]: int(ago["count"])})
        else:
            time = datetime.fromisoformat(text)
        if is_end and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            time += timedelta(days=1)
        seconds = time.timestamp()
    except (ValueError, OverflowError, OSError):
        raise CommandError(
            f"{option}: {quoted(text)} is not a time; write 2026-11-28,"
            " '2026-11-28 13:00', or how long ago: 7d, 12h, 30m"
        ) from None
    if not is_end and seconds > now.timestamp():
        raise CommandError(f"{option}: {quoted(text)} is in the future")
    return seconds
