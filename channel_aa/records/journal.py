"""Events that could not be stored yet, in a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from channel_aa.attendant.call_events import (
    ActionStarted,
    CallEnded,
    CallerIdentified,
    CallerRecorded,
    CallStarted,
    ConversationEnded,
    ConversationStarted,
    KeysEntered,
    MenuEntered,
    NoInput,
    PhoneDialled,
)
from channel_aa.logs import Logger
from channel_aa.records.location import open_private_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_log = Logger()


class CallsReconciled(msgspec.Struct, frozen=True, tag_field="event", tag=True):
    """The attendant is connected, and has adopted all calls of earlier runs."""


AnyEvent = (
    CallsReconciled
    | CallStarted
    | CallerIdentified
    | MenuEntered
    | KeysEntered
    | NoInput
    | ActionStarted
    | PhoneDialled
    | ConversationStarted
    | ConversationEnded
    | CallerRecorded
    | CallEnded
)
"""All events that change records."""


class Observed(msgspec.Struct, frozen=True, array_like=True):
    """An event that was observed.

    Attributes:
        at: when, in seconds since 1970.
        run: the run of the daemon.
        number: its number in this run: 1, 2, …
        event: the event.
    """

    at: float
    run: str
    number: int
    event: AnyEvent


class Journal:
    """A file with a line of JSON for each event.

    Args:
        path: the file, which is there only while it has events.

    Attributes:
        count: the number of its lines.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._decoder = msgspec.json.Decoder(Observed)
        self._encoder = msgspec.json.Encoder()
        try:
            with path.open("rb") as file:
                self.count = sum(1 for _ in file)
        except FileNotFoundError:
            pass

    def append(self, observed: Sequence[Observed]) -> None:
        """Add events to the file, and have the disk store them.

        Raises:
            OSError: it cannot be written; it is as before then.
        """
        lines = b"".join(self._encoder.encode(each) + b"\n" for each in observed)
        opened = open_private_file(self.path, os.O_APPEND)
        with os.fdopen(opened, "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                if file.read(1) != b"\n":  # of a run that ended while it wrote
                    lines = b"\n" + lines
            try:
                written = 0
                while written < len(lines):
                    written += file.write(lines[written:])
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise
        self.count += len(observed)

    def chunks(self, size: int) -> Iterator[list[Observed]]:
        """Yield the events, so many at once; a line that is broken is left out."""
        chunk: list[Observed] = []
        broken = 0
        if not self.count:
            return
        with self.path.open("rb") as file:
            for line in file:
                try:
                    chunk.append(self._decoder.decode(line))
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    broken += 1
                if len(chunk) >= size:
                    yield chunk
                    chunk = []
        if chunk:
            yield chunk
        if broken:
            _log.warn(
                "{path}: left out {count} broken lines, written when an earlier run"
                " was ended",
                path=str(self.path),
                count=broken,
            )

    def clear(self) -> None:
        """Remove the file.

        Raises:
            OSError: that is not possible.
        """
        self.path.unlink(missing_ok=True)
        self.count = 0
