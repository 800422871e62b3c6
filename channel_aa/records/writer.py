"""Stores observed events as records; everything here runs in one thread."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy.exc import DBAPIError

from channel_aa.attendant.call_events import CallerIdentified, CallStarted
from channel_aa.attendant.context import WITHHELD
from channel_aa.logs import Logger
from channel_aa.records.journal import CallsReconciled, Journal
from channel_aa.records.location import (
    DATABASE,
    Callers,
    database_url,
    make_private_folder,
    open_private_file,
    records_folder,
)
from channel_aa.records.record import CallRecord
from channel_aa.records.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from channel_aa.records.journal import Observed
    from channel_aa.records.record import Step
    from channel_aa.settings import RecordsSettings

CHUNK = 2000
"""The number of events that are stored in one transaction."""

MAX_WAITING = 100_000
"""The number of events that are kept in memory if neither the database nor the journal
can be written."""

RETRY_SECONDS = 5.0
"""How long after a failure the database is tried again."""

DELETE_SECONDS = 86400.0
"""The interval at which records older than ``keep_days`` are deleted."""

_log = Logger()


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The state after a write.

    Attributes:
        waiting: events in memory that are stored nowhere.
        spooled: events in the journal.
        lost: events that were dropped, since the start.
        problem: why the database cannot be written, with a remedy; empty if it can.
    """

    waiting: int
    spooled: int
    lost: int
    problem: str


class Writer:
    """Stores events in the database, or in the journal as long as that fails.

    Events are applied in their order. Together with the records, the database has the
    number of each run's last event, so that an event is applied once, however often
    it is read from the journal.

    Args:
        settings: the settings.
        source: the attendant.
        run: this run of the daemon.
        store: the database; replaced in tests.
        now: returns the time, in seconds since 1970.
        monotonic: returns a time for intervals.
    """

    def __init__(
        self,
        settings: RecordsSettings,
        *,
        source: str,
        run: str,
        store: Store | None = None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.keep_days = settings.keep_days
        self._folder = records_folder(settings)
        self._is_sqlite = not settings.url
        self._store = store or Store(database_url(settings))
        self._callers = Callers(settings)
        self._source = source
        self._run = run
        self._now = now
        self._monotonic = monotonic
        self._journal: Journal | None = None
        self._waiting: list[Observed] = []
        self._lost = 0
        self._problem = ""
        self._retry_at = 0.0
        self._delete_at = 0.0
        self._open: dict[str, CallRecord] | None = None
        self._stored: dict[str, int] = {}

    def write(self, observed: Sequence[Observed]) -> Written:
        """Store events, and those that could not be stored before."""
        self._waiting += map(self._concealed, observed)
        if self._monotonic() >= self._retry_at:
            try:
                self._write()
            except Exception as error:  # noqa: BLE001 - a driver may raise anything
                self._fail(error)
            else:
                self._report("")
        if self._waiting and self._problem:
            self._spool()
        return Written(
            waiting=len(self._waiting),
            spooled=self._journal.count if self._journal else 0,
            lost=self._lost,
            problem=self._problem,
        )

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    def _write(self) -> None:
        journal = self._open_journal()
        if self._open is None:
            database = self._folder / DATABASE
            # Closing the file while SQLite has it open would release SQLite's locks.
            if self._is_sqlite and not database.exists():
                os.close(open_private_file(database))
            self._stored = self._store.stored(self._source)
            records = self._store.open_records(self._source)
            self._open = {each.channel_id: each for each in records}
            for chunk in journal.chunks(CHUNK):
                self._apply(chunk)
            journal.clear()
            self._store.forget_runs(self._source, but=self._run)
        while self._waiting:
            self._apply(self._waiting[:CHUNK])
            del self._waiting[:CHUNK]
        self._delete_old()

    def _apply(self, observed: Sequence[Observed]) -> None:
        stored = dict(self._stored)
        changed: dict[int, CallRecord] = {}
        steps: list[tuple[CallRecord, int, Step]] = []
        for each in observed:
            if each.number <= stored.get(each.run, 0):
                continue
            stored[each.run] = each.number
            for record, step in self._take(each):
                changed[id(record)] = record
                if step is not None:
                    steps.append((record, record.steps, step))
        if stored != self._stored:
            self._store.write([*changed.values()], steps, stored, source=self._source)
            self._stored = stored

    def _take(self, each: Observed) -> Iterator[tuple[CallRecord, Step | None]]:
        """Apply an event, and yield each record that it changes."""
        records, event = self._open, each.event
        assert records is not None  # noqa: S101 - loaded before
        if isinstance(event, CallsReconciled):
            for gone in [it for it in records.values() if it.run != each.run]:
                gone.lose()
                yield records.pop(gone.channel_id), None
            return
        record = records.get(event.channel_id)
        if isinstance(event, CallStarted):
            if record is not None and event.is_adopted:
                record.resume(event, at=each.at, run=each.run)
                yield record, None
                return
            if record is not None:
                record.lose()
                yield record, None
            new = CallRecord.begin(event, at=each.at, run=each.run, source=self._source)
            records[event.channel_id] = new
            yield new, None
        elif record is not None:
            yield record, record.add(event)
            if record.ended:
                del records[event.channel_id]

    def _delete_old(self) -> None:
        if not self.keep_days or self._monotonic() < self._delete_at:
            return
        began = self._now() - self.keep_days * 86400
        deleted = self._store.delete_before(began)
        self._delete_at = self._monotonic() + DELETE_SECONDS
        if deleted:
            _log.info(
                "Deleted {count} records of calls, older than {days} days",
                count=deleted,
                days=self.keep_days,
            )

    def _fail(self, error: Exception) -> None:
        self._retry_at = self._monotonic() + RETRY_SECONDS
        # The transaction is rolled back: what is open is what the database says.
        self._open = None
        self._store.close()
        self._report(self._described(error))

    def _report(self, problem: str) -> None:
        if problem == self._problem:
            return
        if problem:
            _log.error(
                "Records of calls cannot be stored: {problem}; they are kept in"
                " {folder} until they can",
                problem=problem,
                folder=str(self._folder),
            )
        elif self._problem:
            _log.info("Records of calls are stored again")
        self._problem = problem

    def _described(self, error: Exception) -> str:
        if isinstance(error, DBAPIError):
            reason = str(error.orig).strip().split("\n", maxsplit=1)[0]
        elif isinstance(error, OSError):
            reason = f"{error.filename or self._folder}: {error.strerror}"
        else:
            reason = str(error).split("\n", maxsplit=1)[0] or type(error).__name__
        where = self._store.url.render_as_string(hide_password=True)
        return f"{where}: {reason}"

    def _concealed(self, observed: Observed) -> Observed:
        """Replace the caller's number as the settings want it."""
        event = observed.event
        if not isinstance(event, CallerIdentified):
            return observed
        try:
            self._open_journal()  # makes the folder
            number = WITHHELD if event.is_withheld else event.number
            shown = self._callers.shown(number)
        except OSError:  # which is reported when the database is opened
            shown = ""
        concealed = msgspec.structs.replace(event, number=shown, name="")
        return msgspec.structs.replace(observed, event=concealed)

    def _open_journal(self) -> Journal:
        if self._journal is None:
            make_private_folder(self._folder)
            name = hashlib.sha256(self._source.encode()).hexdigest()[:8]
            self._journal = Journal(self._folder / f"spool-{name}.jsonl")
        return self._journal

    def _spool(self) -> None:
        """Move the events that wait to the journal; drop some if that is impossible."""
        try:
            self._open_journal().append(self._waiting)
        except OSError as error:
            excess = len(self._waiting) - MAX_WAITING
            if excess > 0:
                if not self._lost:
                    _log.error(
                        "Events of calls are dropped: neither the database nor {folder}"
                        " can be written: {error}",
                        folder=str(self._folder),
                        error=error.strerror,
                    )
                self._lost += excess
                del self._waiting[:excess]
        else:
            self._waiting.clear()
