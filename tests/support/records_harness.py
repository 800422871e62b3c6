"""Events of calls as an attendant has them, and a writer that stores them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from channel_aa.attendant.call_events import (
    ActionStarted,
    CallEnded,
    CallerIdentified,
    CallerRecorded,
    CallEvent,
    CallStarted,
    ConversationEnded,
    ConversationStarted,
    EndReason,
    KeysEntered,
    MenuEntered,
    NoInput,
    PhoneDialled,
)
from channel_aa.attendant.context import WITHHELD
from channel_aa.dialogue.digits import Match
from channel_aa.records.journal import CallsReconciled, Observed
from channel_aa.records.writer import RETRY_SECONDS, Writer
from channel_aa.settings import RecordsSettings

if TYPE_CHECKING:
    from pathlib import Path

    from channel_aa.records.writer import Written

BEGAN = 1_700_000_000.0
SOURCE = "channel-aa at http://pbx:8088"


def started(
    channel_id: str = "1.1", seconds: float = 0.0, **more: object
) -> CallStarted:
    fields: dict[str, Any] = {
        "channel": "PJSIP/alice-1",
        "dialled": "100",
        "arguments": ("a", "b"),
        "language": "en",
        "route": None,
        "is_adopted": False,
    }
    return CallStarted(channel_id=channel_id, seconds=seconds, **{**fields, **more})


def ended(channel_id: str = "1.1", seconds: float = 9.0, **more: object) -> CallEnded:
    fields: dict[str, Any] = {
        "channel": "PJSIP/alice-1",
        "reason": EndReason.CALLER,
        "destination": "",
        "partner": "",
        "menus": (),
    }
    return CallEnded(channel_id=channel_id, seconds=seconds, **{**fields, **more})


def identified(number: str, channel_id: str = "1.1") -> CallerIdentified:
    """Make the event of a caller's number, which may be ``withheld``."""
    is_withheld = number == WITHHELD
    return CallerIdentified(
        channel_id=channel_id,
        seconds=0.1,
        channel="PJSIP/alice-1",
        number="" if is_withheld else number,
        name="" if is_withheld else "Ada Byron",
        is_withheld=is_withheld,
        dialled="1000",
        route=None,
    )


def event(kind: type[CallEvent], seconds: float, **data: object) -> CallEvent:
    return kind(channel_id="1.1", seconds=seconds, **data)


def whole_call() -> tuple[CallEvent, ...]:
    """Return the events of a call with every kind of step."""
    return (
        started(route=2),
        identified("5550100"),
        event(ActionStarted, 0.5, verb="menu", label=""),
        event(MenuEntered, 0.5, menu="main"),
        event(KeysEntered, 1.0, menu="main", keys="7", match=Match.NO_MATCH),
        event(NoInput, 2.0, menu="main"),
        event(KeysEntered, 3.0, menu="main", keys="2", match=Match.OPTION),
        event(ActionStarted, 3.0, verb="menu", label="Sales"),
        event(MenuEntered, 3.0, menu="sales"),
        event(KeysEntered, 4.0, menu="sales", keys="1", match=Match.OPTION),
        event(ActionStarted, 4.0, verb="dial", label=""),
        event(PhoneDialled, 5.0, endpoint="PJSIP/1", outcome="BUSY"),
        event(PhoneDialled, 6.0, endpoint="PJSIP/2", outcome="ANSWER"),
        event(ConversationStarted, 6.0, endpoint="PJSIP/2"),
        event(ConversationEnded, 16.5),
        event(ActionStarted, 17.0, verb="record", label=""),
        event(CallerRecorded, 18.0, name="message"),
        event(MenuEntered, 18.0, menu="sales"),
        ended(seconds=20.0, menus=("main", "sales")),
    )


class RecordsHarness:
    """A folder with a database of records, and the runs of a daemon that write it.

    Attributes:
        folder: the folder.
        now: the time, in seconds since 1970.
    """

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.now = BEGAN
        self.monotonic = 0.0
        self.settings = RecordsSettings(folder=str(folder), **settings)  # type: ignore[arg-type]
        self._runs = 0
        self._writers: list[Writer] = []
        self.start()

    def start(self) -> None:
        """Begin another run of the daemon; the last one ends without a word."""
        self._runs += 1
        self._number = 0
        self.run = f"run{self._runs}"
        self.writer = Writer(
            self.settings,
            source=SOURCE,
            run=self.run,
            now=lambda: self.now,
            monotonic=lambda: self.monotonic,
        )
        self._writers.append(self.writer)

    def close(self) -> None:
        """Close the database of each run."""
        for each in self._writers:
            each.close()

    def observed(self, *events: CallEvent | CallsReconciled) -> list[Observed]:
        made = []
        for event in events:
            self._number += 1
            at = self.now + getattr(event, "seconds", 0.0)
            made.append(Observed(at, self.run, self._number, event))  # type: ignore[arg-type]
        return made

    def write(self, *events: CallEvent | CallsReconciled) -> Written:
        return self.writer.write(self.observed(*events))

    def retry(self) -> Written:
        """Let the time pass after which the database is tried again."""
        self.monotonic += RETRY_SECONDS
        return self.writer.write([])

    def rows(
        self, query: str = "SELECT * FROM calls ORDER BY id"
    ) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.folder / "calls.sqlite")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]

    def steps(self) -> list[tuple[Any, ...]]:
        rows = self.rows("SELECT * FROM steps ORDER BY call_id, number")
        return [tuple(row.values()) for row in rows]

    def lock(self) -> sqlite3.Connection:
        """Lock the database until the connection is closed."""
        connection = sqlite3.connect(self.folder / "calls.sqlite", isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        return connection
