"""Where records are stored, and what stands for a caller there."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, make_url

from channel_aa.attendant.context import WITHHELD

if TYPE_CHECKING:
    from channel_aa.settings import RecordsSettings

DATABASE = "calls.sqlite"
KEY = "callers.key"
_HASH_CHARACTERS = 16


def records_folder(settings: RecordsSettings) -> Path:
    """Return the folder for the records; it need not exist."""
    if settings.folder:
        return Path(settings.folder)
    state = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if state:
        return Path(state)
    home = os.environ.get("XDG_STATE_HOME", "")
    return (Path(home) if home else Path.home() / ".local/state") / "channel-aa"


def database_url(settings: RecordsSettings) -> URL:
    """Return the URL of the database, for SQLAlchemy."""
    if not settings.url:
        path = records_folder(settings) / DATABASE
        return URL.create("sqlite", database=str(path))
    return make_url(settings.url).set(drivername="postgresql+psycopg")


def make_private_folder(folder: Path) -> None:
    """Make a folder that other users cannot read, unless there is one.

    Raises:
        OSError: that is not possible.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_private_file(path: Path, flags: int = 0) -> int:
    """Open a file to read and write; make it if need be, so that others cannot read it.

    A link is not followed: somebody else may have put it there.

    Args:
        path: the file.
        flags: further flags of `os.open`.

    Returns:
        A file descriptor, which the caller closes.

    Raises:
        OSError: that is not possible.
    """
    flags |= os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


class Callers:
    """Gives what records have instead of a caller's number.

    Args:
        settings: the settings.
    """

    def __init__(self, settings: RecordsSettings) -> None:
        self._kind = settings.callers
        self._path = records_folder(settings) / KEY
        self._key = b""

    def shown(self, number: str) -> str:
        """Return what stands for a number.

        A hash has a key, which is in a file of its own: without it, all numbers could
        be tried.

        Raises:
            OSError: the file of the key cannot be read or made.
        """
        if self._kind == "shown" or number == WITHHELD:
            return number
        if self._kind == "none" or not number:
            return ""
        if not self._key:
            self._key = self._read_key()
        digest = hmac.new(self._key, number.encode(errors="replace"), hashlib.sha256)
        return digest.hexdigest()[:_HASH_CHARACTERS]

    def _read_key(self) -> bytes:
        with os.fdopen(open_private_file(self._path), "r+b") as file:
            key = file.read()
            if not key:
                key = secrets.token_bytes(32)
                file.write(key)
        return key
