"""The database of records: SQLite or PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite

from channel_aa.records.record import CallRecord
from channel_aa.records.tables import REVISION, calls, runs, steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Connection, Engine

    from channel_aa.records.record import Step

TIMEOUT_SECONDS = 5
"""How long to wait for a lock or a connection, and for a statement ten times that."""

# Only these two have "ON CONFLICT", each with its own class.
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
# What changes while a call goes on; its other columns have their values at its end.
_CHANGING = ("caller", "adopted", "answered", "spoken", "path")
_UPDATE_GOING_ON = (
    sa.update(calls)
    .where(calls.c.id == sa.bindparam("key"))
    .values({name: sa.bindparam(name) for name in (*_CHANGING, "state")})
)
_COLUMNS = tuple(column.name for column in calls.columns if column.name != "state")


class StoreError(Exception):
    """The database cannot be used; the message says what to do."""


class Store:
    """A database of records; used by one thread at a time.

    Args:
        url: of SQLAlchemy.
        read_only: whether it is only read.
        may_upgrade: whether `open` brings the schema up to date.
    """

    def __init__(
        self, url: sa.URL, *, read_only: bool = False, may_upgrade: bool = True
    ) -> None:
        self.url = url
        self._read_only = read_only
        self._may_upgrade = may_upgrade
        self._engine: Engine | None = None

    def open(self) -> None:
        """Connect, and bring the schema up to date.

        Raises:
            StoreError: the schema is newer, or may not be brought up to date.
            SQLAlchemyError: the database cannot be used.
        """
        if self._engine is not None:
            return
        engine = make_engine(self.url, read_only=self._read_only)
        try:
            with engine.begin() as connection:
                self._check_schema(connection)
        except BaseException:
            engine.dispose()
            raise
        self._engine = engine

    def close(self) -> None:
        """Disconnect; `open` connects again."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def begin(self) -> AbstractContextManager[Connection]:
        """Begin a transaction: ``with store.begin() as connection``."""
        self.open()
        assert self._engine is not None  # noqa: S101 - opened above
        return self._engine.begin()

    def open_records(self, source: str) -> list[CallRecord]:
        """Return the records of a source's calls that have not ended."""
        query = sa.select(calls.c.id, calls.c.state).where(
            calls.c.source == source, calls.c.state.is_not(None)
        )
        records = []
        with self.begin() as connection:
            for number, state in connection.execute(query):
                record = msgspec.json.decode(state, type=CallRecord)
                record.id = number
                records.append(record)
        return records

    def stored(self, source: str) -> dict[str, int]:
        """Return, by run, the number of the last event that is stored."""
        query = sa.select(runs.c.run, runs.c.stored).where(runs.c.source == source)
        with self.begin() as connection:
            return {row.run: row.stored for row in connection.execute(query)}

    def forget_runs(self, source: str, *, but: str) -> None:
        """Delete how far earlier runs are stored: their events cannot come again."""
        query = sa.delete(runs).where(runs.c.source == source, runs.c.run != but)
        with self.begin() as connection:
            connection.execute(query)

    def write(
        self,
        records: Sequence[CallRecord],
        new_steps: Sequence[tuple[CallRecord, int, Step]],
        stored: Mapping[str, int],
        *,
        source: str,
    ) -> None:
        """Store new and changed records, their steps, and how far runs are stored.

        Either all of it is stored or nothing; records get their `CallRecord.id`.

        Args:
            records: the new and the changed ones.
            new_steps: each with its record, and its number in it.
            stored: by run, the number of the last event in this.
            source: the attendant.
        """
        new = [each for each in records if each.id is None]
        with self.begin() as connection:
            ids: list[int] = []
            if new:
                insert = sa.insert(calls).returning(
                    calls.c.id, sort_by_parameter_order=True
                )
                rows = connection.execute(insert, [*map(_row, new)])
                ids = [*rows.scalars()]
            numbers = {id(each): at for each, at in zip(new, ids, strict=True)}
            changed = [each for each in records if each.id]
            over = [{**_row(each), "key": each.id} for each in changed if each.ended]
            if over:
                update = sa.update(calls).where(calls.c.id == sa.bindparam("key"))
                connection.execute(update, over)
            going_on = [
                {name: getattr(each, name) for name in _CHANGING}
                | {"key": each.id, "state": _state(each)}
                for each in changed
                if not each.ended
            ]
            if going_on:
                connection.execute(_UPDATE_GOING_ON, going_on)
            if new_steps:
                insert_new = _INSERT[self.url.get_backend_name()]
                connection.execute(
                    insert_new(steps).on_conflict_do_nothing(),
                    [
                        {
                            "call_id": record.id or numbers[id(record)],
                            "number": number,
                            **msgspec.structs.asdict(step),
                        }
                        for record, number, step in new_steps
                    ],
                )
            for run, number in stored.items():
                update = sa.update(runs).where(runs.c.run == run)
                if not connection.execute(update.values(stored=number)).rowcount:
                    row = {"run": run, "source": source, "stored": number}
                    connection.execute(sa.insert(runs), row)
        for each, at in zip(new, ids, strict=True):
            each.id = at

    def delete_before(self, began: float) -> int:
        """Delete the records of calls that began before a time, and have ended.

        Args:
            began: the time, in seconds since 1970.

        Returns:
            Their number.
        """
        return self._delete(calls.c.began < began, calls.c.state.is_(None))

    def delete_callers(self, callers: Sequence[str]) -> int:
        """Delete the records of callers, but not those of calls that go on.

        Returns:
            Their number.
        """
        return self._delete(calls.c.caller.in_(callers), calls.c.state.is_(None))

    def _delete(self, *conditions: sa.ColumnElement[bool]) -> int:
        of_calls = sa.select(calls.c.id).where(*conditions)
        with self.begin() as connection:
            connection.execute(sa.delete(steps).where(steps.c.call_id.in_(of_calls)))
            return connection.execute(sa.delete(calls).where(*conditions)).rowcount

    def _check_schema(self, connection: Connection) -> None:
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision == REVISION:
            return
        config = Config()
        config.set_main_option("script_location", "channel_aa.records:migrations")
        config.set_main_option("path_separator", "os")
        scripts = ScriptDirectory.from_config(config)
        known = {each.revision for each in scripts.walk_revisions()}
        if revision is not None and revision not in known:
            raise StoreError(
                f"its schema ({revision}) is newer than this version of channel-aa:"
                " upgrade channel-aa, or choose another database"
            )
        if not self._may_upgrade:
            raise StoreError(
                "the daemon of this version has not written to it yet: start the"
                " daemon, or restart it"
            )
        with EnvironmentContext(
            config,
            scripts,
            fn=lambda current, _context: scripts._upgrade_revs(REVISION, current),  # noqa: SLF001 - as Alembic's own command
        ) as environment:
            environment.configure(connection=connection, render_as_batch=True)
            environment.run_migrations()


def make_engine(url: sa.URL, *, read_only: bool = False) -> Engine:
    """Make the engine of a database, with timeouts."""
    if url.get_backend_name() != "sqlite":
        seconds = TIMEOUT_SECONDS
        options = f"-c lock_timeout={seconds}s -c statement_timeout={seconds * 10}s"
        return sa.create_engine(
            url,
            pool_size=1,
            pool_pre_ping=True,
            connect_args={"connect_timeout": seconds, "options": options},
        )
    engine = sa.create_engine(
        url,
        poolclass=sa.pool.StaticPool,
        connect_args={"timeout": TIMEOUT_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - DBAPI's
        connection.isolation_level = None  # sqlite3 begins no transactions by itself
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        # What is deleted is overwritten: someone may have asked for it.
        connection.execute("PRAGMA secure_delete = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that began to read could not wait for a lock to write.
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _row(record: CallRecord) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in _COLUMNS if name != "id"}
    return {**row, "state": None if record.ended else _state(record)}


def _state(record: CallRecord) -> str:
    return msgspec.json.encode(record).decode()
