"""How events become records, whatever becomes of the database."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any
from unittest.mock import patch

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.call_events import (
    ActionStarted,
    CallEvent,
    EndReason,
    MenuEntered,
)
from channel_aa.records import journal, store, writer
from channel_aa.records.journal import CallsReconciled
from channel_aa.records.location import KEY
from channel_aa.records.tables import REVISION, metadata
from tests.support.records_harness import (
    BEGAN,
    SOURCE,
    RecordsHarness,
    ended,
    event,
    identified,
    started,
    whole_call,
)

WHOLE_CALL = whole_call()


class WriterCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.harness = self.make()

    def make(self, **settings: object) -> RecordsHarness:
        harness = RecordsHarness(Path(self.mktemp()), **settings)
        self.addCleanup(harness.close)
        return harness

    def write(self, *events: CallEvent | CallsReconciled) -> writer.Written:
        written = self.harness.write(*events)
        self.assertEqual(written.problem, "")
        return written

    def only(self) -> dict[str, Any]:
        (row,) = self.harness.rows()
        return row


class RecordTests(WriterCase):
    def test_whole_call(self) -> None:
        written = self.write(*WHOLE_CALL)
        self.assertEqual((written.waiting, written.spooled, written.lost), (0, 0, 0))
        row = self.only()
        expected = {
            "source": SOURCE,
            "channel_id": "1.1",
            "channel": "PJSIP/alice-1",
            "began": BEGAN,
            "caller": "5550100",
            "dialled": "100",
            "arguments": "a,b",
            "route": 2,
            "language": "en",
            "adopted": 0,
            "answered": 0.5,
            "seconds": 20.0,
            "spoken": 10.5,
            "path": "main:2>sales:1>sales",
            "ended": "caller",
            "end_menu": "sales",
            "end_menu_seconds": 2.0,
            "end_action": "",
            "partner": "",
            "destination": "",
            "state": None,
        }
        self.assertEqual({**row, "id": 0}, {**expected, "id": 0})

    def test_steps_of_a_call(self) -> None:
        self.write(*WHOLE_CALL)
        self.assertEqual(
            [step[2:] for step in self.harness.steps()],
            [
                (0.5, "action", "", "menu", "", None),
                (0.5, "menu", "main", "", "", None),
                (1.0, "keys", "main", "7", "no match", None),
                (2.0, "silence", "main", "", "", None),
                (3.0, "keys", "main", "2", "option", None),
                (3.0, "action", "main", "menu", "Sales", None),
                (3.0, "menu", "sales", "", "", None),
                (4.0, "keys", "sales", "1", "option", None),
                (4.0, "action", "sales", "dial", "", None),
                (5.0, "phone", "sales", "PJSIP/1", "BUSY", None),
                (6.0, "phone", "sales", "PJSIP/2", "ANSWER", None),
                (16.5, "conversation", "sales", "PJSIP/2", "", 10.5),
                (17.0, "action", "sales", "record", "", None),
                (18.0, "recording", "sales", "message", "", None),
                (18.0, "menu", "sales", "", "", None),
            ],
        )
        self.assertEqual(
            [step[:2] for step in self.harness.steps()],
            [(1, number) for number in range(1, 16)],
        )

    def test_call_in_several_writes_is_one_record(self) -> None:
        for each in WHOLE_CALL:
            self.write(each)
        row, steps = self.only(), self.harness.steps()
        other = self.make()
        other.write(*WHOLE_CALL)
        self.assertEqual(row, other.rows()[0])
        self.assertEqual(steps, other.steps())

    def test_record_begins_with_the_call(self) -> None:
        self.write(started())
        row = self.only()
        self.assertEqual((row["ended"], row["seconds"]), ("", None))
        self.assertIsNotNone(row["state"])

    def test_record_of_a_call_that_goes_on_is_up_to_date(self) -> None:
        self.write(WHOLE_CALL[0])
        self.write(*WHOLE_CALL[1:15])
        self.harness.start()
        self.write(started(is_adopted=True))
        row = self.only()
        self.assertEqual(
            (row["caller"], row["answered"], row["spoken"], row["path"]),
            ("5550100", 0.5, 10.5, "main:2>sales:1"),
        )
        self.assertEqual((row["adopted"], row["ended"]), (1, ""))

    def test_call_that_ends_elsewhere_was_not_given_up_in_its_menu(self) -> None:
        for more in (
            {"reason": EndReason.DIALPLAN, "destination": "queue support"},
            {"partner": "PJSIP/2"},
            {"menus": ("main", "sales")},
        ):
            harness = self.make()
            harness.write(
                started(),
                event(MenuEntered, 1.0, menu="main"),
                event(ActionStarted, 3.0, verb="dial", label=""),
                ended(**{"menus": ("main",), **more}),  # type: ignore[arg-type]
            )
            (row,) = harness.rows()
            self.assertIsNone(row["end_menu_seconds"], more)
            self.assertEqual(row["end_action"], "dial")

    def test_rejected_call_is_not_answered(self) -> None:
        self.write(started(), ended(reason=EndReason.OVERLOAD))
        row = self.only()
        self.assertIsNone(row["answered"])
        self.assertEqual(row["ended"], "overload")

    def test_events_of_an_unknown_call_are_left_out(self) -> None:
        self.write(ended("9.9"), started())
        self.assertEqual(self.only()["channel_id"], "1.1")

    def test_text_of_others_is_stored_safely(self) -> None:
        self.write(started(channel="a\0b\ud800" + "c" * 2000))
        channel = self.only()["channel"]
        self.assertEqual(channel[:4], "ab?c")
        self.assertLessEqual(len(channel), 1000)


class CallerTests(WriterCase):
    def stored(self, number: str, **settings: object) -> str:
        harness = self.make(**settings)
        harness.write(started(), identified(number))
        caller: str = harness.rows()[0]["caller"]
        return caller

    def test_withheld_number_is_no_number(self) -> None:
        for callers in ("shown", "hashed"):
            self.assertEqual(self.stored("withheld", callers=callers), "withheld")

    def test_no_number_is_stored(self) -> None:
        self.assertEqual(self.stored("5550100", callers="none"), "")

    def test_hash_tells_whether_callers_are_the_same(self) -> None:
        self.harness = self.make(callers="hashed")
        for channel_id, number in (("1.1", "1"), ("1.2", "1"), ("1.3", "2")):
            self.write(
                started(channel_id),
                identified(number, channel_id),
            )
        self.harness.start()  # the key is kept
        self.write(started(), identified("1"))
        one, same, other, later = [each["caller"] for each in self.harness.rows()]
        self.assertEqual((one, one), (same, later))
        self.assertNotEqual(one, other)
        self.assertRegex(one, "^[0-9a-f]{16}$")
        key = self.harness.folder / "callers.key"
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        self.assertNotEqual(one, self.stored("1", callers="hashed"))

    def test_hashed_number_is_in_no_file(self) -> None:
        self.harness = self.make(callers="hashed")
        with failing_store():
            self.harness.write(started(), identified("5550100"))
        for path in self.harness.folder.iterdir():
            self.assertNotIn(b"5550100", path.read_bytes(), str(path))
            self.assertNotIn(b"Byron", path.read_bytes(), str(path))
        self.harness.retry()
        self.assertRegex(self.only()["caller"], "^[0-9a-f]{16}$")

    def test_link_in_place_of_the_key_is_not_followed(self) -> None:
        harness = self.make(callers="hashed")
        known = Path(self.mktemp())
        known.write_bytes(b"known to somebody else")
        harness.folder.mkdir()
        (harness.folder / KEY).symlink_to(known)
        harness.write(*WHOLE_CALL)
        (row,) = harness.rows()
        self.assertEqual(row["caller"], "")

    def test_files_are_private(self) -> None:
        self.write(started())
        for path in (self.harness.folder, self.harness.folder / "calls.sqlite"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0)


class RunTests(WriterCase):
    def test_adopted_call_continues_its_record(self) -> None:
        self.write(*WHOLE_CALL[:4])
        self.harness.now += 60
        self.harness.start()
        self.write(
            started(is_adopted=True),
            event(MenuEntered, 0.0, menu="main"),
            CallsReconciled(),
            ended(seconds=5.0, menus=("main",)),
        )
        row = self.only()
        self.assertEqual((row["adopted"], row["ended"]), (1, "caller"))
        self.assertEqual(row["seconds"], 65.0)
        self.assertEqual(row["caller"], "5550100")
        self.assertEqual(
            [(step[1], step[2], step[3]) for step in self.harness.steps()],
            [(1, 0.5, "action"), (2, 0.5, "menu"), (3, 60.0, "menu")],
        )

    def test_call_that_is_gone_is_lost(self) -> None:
        self.write(*WHOLE_CALL[:4])
        self.harness.start()
        self.write(started("2.2"))
        self.assertEqual([each["ended"] for each in self.harness.rows()], ["", ""])
        self.write(CallsReconciled())
        lost, new = self.harness.rows()
        self.assertEqual((lost["ended"], lost["seconds"]), ("lost", 0.5))
        self.assertEqual(lost["end_menu"], "main")
        self.assertEqual(new["ended"], "")

    def test_calls_of_other_attendants_are_left_alone(self) -> None:
        self.write(started())
        other = self.harness.writer
        other._source, other._open = "other", None
        self.harness.write(CallsReconciled())
        self.assertEqual(self.only()["ended"], "")

    def test_call_that_was_adopted_without_a_record_gets_one(self) -> None:
        self.write(started(is_adopted=True), ended())
        self.assertEqual(self.only()["adopted"], 1)

    def test_new_call_on_a_known_channel_is_another_record(self) -> None:
        self.write(started(), started(), ended())
        first, second = self.harness.rows()
        self.assertEqual((first["ended"], second["ended"]), ("lost", "caller"))


class failing_store:  # noqa: N801 - used like a function
    """Make all transactions fail."""

    def __init__(self, error: Exception | None = None) -> None:
        def begin(_self: object) -> None:
            raise error or OSError(28, "No space left on device")

        self._patch = patch.object(store.Store, "begin", begin)

    def __enter__(self) -> None:
        self._patch.__enter__()

    def __exit__(self, *error: object) -> None:
        self._patch.__exit__(None, None, None)


class OutageTests(WriterCase):
    def setUp(self) -> None:
        super().setUp()
        undisturbed = self.make()
        undisturbed.write(*WHOLE_CALL)
        self.expected = (undisturbed.rows(), undisturbed.steps())

    def assert_all_stored_once(self) -> None:
        self.assertEqual((self.harness.rows(), self.harness.steps()), self.expected)
        self.assertEqual(self.spools(), [])

    def spools(self) -> list[Path]:
        return list(self.harness.folder.glob("spool-*"))

    def test_events_are_taken_in_after_an_outage(self) -> None:
        for length in (4, 14, 18):
            self.harness = self.make()
            self.write(*WHOLE_CALL[:3])
            with failing_store():
                written = self.harness.write(*WHOLE_CALL[3:length])
                self.assertIn("No space left", written.problem)
            self.harness.write(*WHOLE_CALL[max(length, 3) :])
            written = self.harness.retry()
            self.assertEqual(
                (written.problem, written.spooled, written.waiting), ("", 0, 0)
            )
            self.assert_all_stored_once()

    def test_outage_is_counted_and_logged_once(self) -> None:
        with failing_store(), capturedLogs() as logged:
            for each in WHOLE_CALL[:3]:
                written = self.harness.write(each)
                self.harness.retry()
        self.assertEqual((written.spooled, written.waiting), (3, 0))
        (line,) = [formatEvent(each) or "" for each in logged]
        self.assertIn("cannot be stored", line)
        self.assertIn("No space left on device", line)
        with capturedLogs() as logged:
            self.harness.retry()
        self.assertIn("stored again", formatEvent(logged[0]) or "")

    def test_events_of_a_killed_run_are_taken_in(self) -> None:
        with failing_store():
            self.harness.write(*WHOLE_CALL)
        self.harness.start()
        self.write()
        self.assert_all_stored_once()

    def test_outage_from_the_start_and_across_runs(self) -> None:
        with failing_store():
            self.harness.write(*WHOLE_CALL[:4])
            self.harness.start()
            self.harness.write(
                started(is_adopted=True), CallsReconciled(), ended(menus=("main",))
            )
        self.harness.start()
        self.write(CallsReconciled())
        row = self.only()
        self.assertEqual((row["adopted"], row["ended"]), (1, "caller"))

    def test_transaction_with_an_unknown_outcome_is_stored_once(self) -> None:
        def stored_and_failed(own: store.Store, *args: object, **more: object) -> None:
            write(own, *args, **more)  # type: ignore[arg-type]
            raise OSError(5, "the connection was lost")

        write = store.Store.write
        self.write(*WHOLE_CALL[:5])
        with patch.object(store.Store, "write", stored_and_failed):
            self.assertNotEqual(self.harness.write(*WHOLE_CALL[5:9]).problem, "")
        self.harness.write(*WHOLE_CALL[9:])
        self.harness.retry()
        self.assert_all_stored_once()

    def test_run_that_is_killed_before_it_clears_the_journal(self) -> None:
        with failing_store():
            self.harness.write(*WHOLE_CALL[:9])
        with patch.object(
            journal.Journal, "clear", side_effect=OSError(30, "read-only")
        ):
            self.harness.retry()
        self.assertNotEqual(self.spools(), [])
        self.harness.write(*WHOLE_CALL[9:])
        self.harness.retry()
        self.assert_all_stored_once()

    def test_broken_journal_loses_its_last_line_only(self) -> None:
        for cut in (1, 5, 30):
            self.harness = self.make()
            with failing_store():
                self.harness.write(started("1.0"), started("1.1"))
            (path,) = self.spools()
            os.truncate(path, path.stat().st_size - cut)
            self.harness.start()
            with failing_store():
                self.harness.write(started("1.2"))
            with capturedLogs() as logged:
                self.harness.retry()
            stored = [each["channel_id"] for each in self.harness.rows()]
            # Without its line break, the last line is whole.
            expected = ["1.0", "1.1", "1.2"] if cut == 1 else ["1.0", "1.2"]
            self.assertEqual(stored, expected)
            lines = [formatEvent(each) or "" for each in logged]
            self.assertEqual(any("broken lines" in each for each in lines), cut > 1)

    def test_events_stay_in_memory_if_nothing_can_be_written(self) -> None:
        full = patch.object(journal.Journal, "append", side_effect=OSError(28, "full"))
        with failing_store(), full:
            written = self.harness.write(*WHOLE_CALL[:9])
            self.assertEqual((written.waiting, written.spooled), (9, 0))
        self.harness.write(*WHOLE_CALL[9:])
        self.harness.retry()
        self.assert_all_stored_once()

    def test_memory_is_limited_and_losses_are_counted(self) -> None:
        full = patch.object(journal.Journal, "append", side_effect=OSError(28, "full"))
        limit = patch.object(writer, "MAX_WAITING", 4)
        with failing_store(), full, limit, capturedLogs() as logged:
            self.harness.write(*WHOLE_CALL[:6])
            written = self.harness.write(WHOLE_CALL[6])
        self.assertEqual((written.waiting, written.lost), (4, 3))
        lines = [formatEvent(each) or "" for each in logged]
        self.assertEqual(sum("are dropped" in each for each in lines), 1)

    def test_link_in_place_of_the_journal_is_not_followed(self) -> None:
        other = Path(self.mktemp())
        with failing_store():
            self.harness.write(WHOLE_CALL[0])
            [path] = self.harness.folder.glob("*.jsonl")
            path.rename(other)
            path.symlink_to(other)
            before = other.read_bytes()
            written = self.harness.write(*WHOLE_CALL[1:])
        self.assertEqual(written.waiting, len(WHOLE_CALL) - 1)
        self.assertEqual(other.read_bytes(), before)

    def test_journal_that_was_half_written_is_as_before(self) -> None:
        with failing_store():
            self.harness.write(WHOLE_CALL[0])
            with patch("os.fsync", side_effect=OSError(28, "full")):
                self.assertEqual(self.harness.write(*WHOLE_CALL[1:]).waiting, 18)
        self.harness.retry()
        self.assert_all_stored_once()


class DatabaseTests(WriterCase):
    def test_locked_database_is_a_problem_until_it_is_free(self) -> None:
        self.write(*WHOLE_CALL[:3])
        self.harness.writer.close()
        lock = self.harness.lock()
        with patch.object(store, "TIMEOUT_SECONDS", 0):
            written = self.harness.write(*WHOLE_CALL[3:])
        self.assertIn("locked", written.problem)
        self.assertEqual(written.spooled, len(WHOLE_CALL) - 3)
        lock.close()
        self.assertEqual(self.harness.retry().problem, "")
        self.assertEqual(self.only()["ended"], "caller")

    def test_newer_schema_is_refused(self) -> None:
        self.write(started())
        self.harness.writer.close()
        lock = self.harness.lock()
        lock.execute("UPDATE alembic_version SET version_num = '9999'")
        lock.execute("COMMIT")
        lock.close()
        self.harness.start()
        problem = self.harness.write(started("2.2")).problem
        self.assertIn("is newer than this version of channel-aa", problem)
        self.assertIn("calls.sqlite", problem)

    def test_file_that_is_no_database(self) -> None:
        self.harness.folder.mkdir()
        (self.harness.folder / "calls.sqlite").write_text("no database" * 100)
        self.assertIn("not a database", self.harness.write(started()).problem)

    def test_folder_that_is_a_file(self) -> None:
        self.harness.folder.write_text("")
        written = self.harness.write(started())
        self.assertIn("File exists", written.problem)
        self.assertEqual(written.waiting, 1)

    def test_migrations_make_the_tables(self) -> None:
        self.write()
        made = {
            each["name"]: each["sql"]
            for each in self.harness.rows("SELECT * FROM sqlite_master")
        }
        for table in metadata.tables.values():
            self.assertIn(table.name, made)
            columns = self.harness.rows(f"PRAGMA table_info({table.name})")
            self.assertEqual(
                [
                    (each["name"], each["type"], bool(each["notnull"]))
                    for each in columns
                ],
                [
                    (each.name, str(each.type), not each.nullable)
                    for each in table.columns
                ],
            )
        (version,) = self.harness.rows("SELECT version_num FROM alembic_version")
        self.assertEqual(version["version_num"], REVISION)

    def test_old_records_are_deleted_once_a_day(self) -> None:
        self.harness = self.make(keep_days=30)
        self.write(started("old"), started("open"), ended("old"))
        self.harness.now += 86400 * 31
        self.write(started("new"), event(MenuEntered, 0.0, menu="main"), ended("new"))
        self.assertEqual(len(self.harness.rows()), 3)
        self.harness.monotonic += writer.DELETE_SECONDS
        self.write()
        ids = [each["channel_id"] for each in self.harness.rows()]
        self.assertEqual(ids, ["open", "new"])

    def test_records_are_kept_for_ever(self) -> None:
        self.harness = self.make(keep_days=0)
        self.harness.now = 0
        self.write(started(), ended())
        self.harness.now = BEGAN
        self.harness.monotonic += writer.DELETE_SECONDS
        self.write()
        self.assertEqual(len(self.harness.rows()), 1)

    def test_forgotten_caller_leaves_nothing_in_the_file(self) -> None:
        self.write(*WHOLE_CALL, started("2.2"), ended("2.2"))
        self.assertEqual(self.harness.writer._store.delete_callers(["5550100"]), 1)
        self.harness.writer.close()
        self.assertEqual([each["channel_id"] for each in self.harness.rows()], ["2.2"])
        self.assertEqual(self.harness.steps(), [])
        for path in self.harness.folder.iterdir():
            self.assertNotIn(b"5550100", path.read_bytes(), str(path))
