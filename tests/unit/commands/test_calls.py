"""``channel-aa calls`` and ``channel-aa records forget``."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.call_events import (
    CallerRecorded,
    EndReason,
    MenuEntered,
)
from channel_aa.commands import calls, stored_records
from channel_aa.commands.main import main
from channel_aa.records.query import IN_PROGRESS
from channel_aa.records.record import ENDS
from tests.support.printed import printed
from tests.support.records_harness import (
    BEGAN,
    RecordsHarness,
    ended,
    identified,
    started,
)

DAY = 86400.0
FILE = """
[records]
folder = "state"
{more}
[menus.main]
prompt = ["a"]
options.1 = "sales"
[menus.sales]
prompt = ["b"]
"""


class CommandCase(SynchronousTestCase):
    CALLERS = "shown"

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.file = folder / "twistd.conf"
        self.write_file(f'callers = "{self.CALLERS}"')
        self.harness = RecordsHarness(folder / "state", callers=self.CALLERS)
        for number, (caller, menus, end) in enumerate(
            [
                ("+441632960000", ("main",), EndReason.CALLER),
                ("5550100", ("main", "sales"), EndReason.DIALPLAN),
                ("5550100", ("main",), None),
            ]
        ):
            self.harness.now = BEGAN + number * DAY
            self.call(f"1.{number}", caller, menus, end)
        self.harness.close()

    def write_file(self, more: str) -> None:
        self.file.write_text(FILE.format(more=more))

    def call(
        self,
        channel_id: str,
        caller: str,
        menus: tuple[str, ...],
        end: EndReason | None,
    ) -> None:
        """Store a call of ten seconds; without an end, it goes on."""
        common = {"channel_id": channel_id, "seconds": 1.0}
        self.harness.write(
            started(channel_id),
            identified(caller, channel_id),
            *(MenuEntered(**common, menu=menu) for menu in menus),  # type: ignore[arg-type]
            CallerRecorded(**common, name=f"messages/{channel_id}"),  # type: ignore[arg-type]
        )
        if end is not None:
            self.harness.write(ended(channel_id, 10.4, reason=end, menus=menus))

    def printed(self, *arguments: str) -> tuple[int, str, str]:
        return printed(main, [arguments[0], *arguments[1:]])

    def calls(self, *options: str) -> list[str]:
        """Return the channels of the calls that are listed."""
        code, out, err = self.printed(
            "calls", str(self.file), "--format", "json", *options
        )
        self.assertEqual((code, err), (0, ""))
        return [call["channel_id"] for call in json.loads(out)]

    def refused(self, *options: str) -> str:
        """Return the one line that refuses a command."""
        code, out, err = self.printed("calls", str(self.file), *options)
        self.assertEqual((code, out), (1, ""))
        self.assertEqual(err.count("\n"), 1)
        return err


class FilterTests(CommandCase):
    def test_all_calls_are_listed_in_order(self) -> None:
        self.assertEqual(self.calls(), ["1.0", "1.1", "1.2"])

    def test_calls_of_a_time(self) -> None:
        second = datetime.fromtimestamp(BEGAN + DAY, UTC).astimezone()
        text = second.strftime("%Y-%m-%d %H:%M:%S")
        self.assertEqual(self.calls("--since", text), ["1.1", "1.2"])
        self.assertEqual(self.calls("--until", text), ["1.0"])
        day = second.strftime("%Y-%m-%d")
        self.assertEqual(self.calls("--since", day, "--until", day), ["1.1"])

    def test_calls_of_the_last_days(self) -> None:
        class Now(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(BEGAN + 3 * DAY, UTC)

        with patch.object(stored_records, "datetime", Now):
            for ago, expected in (("25h", ["1.2"]), ("2d", ["1.1", "1.2"]), ("5m", [])):
                self.assertEqual(self.calls("--since", ago), expected)

    def test_calls_of_a_caller_menu_or_end(self) -> None:
        for options, expected in (
            (("--caller", "5550100"), ["1.1", "1.2"]),
            (("--caller", "555"), []),
            (("--menu", "sales"), ["1.1"]),
            (("--ended", "caller"), ["1.0"]),
            (("--ended", "in-progress"), ["1.2"]),
            (("--ended", "limit"), []),
            (("--caller", "5550100", "--ended", "dialplan"), ["1.1"]),
        ):
            with self.subTest(options=options):
                self.assertEqual(self.calls(*options), expected)

    def test_ends_are_those_of_records(self) -> None:
        self.assertEqual(calls._ENDED, (*ENDS, IN_PROGRESS))

    def test_menu_that_the_file_no_longer_has(self) -> None:
        self.file.write_text('[records]\nfolder = "state"')
        self.assertEqual(self.calls("--menu", "sales"), ["1.1"])


class FormatTests(CommandCase):
    def test_table(self) -> None:
        _, out, err = self.printed("calls", str(self.file))
        head, first, second, third = out.splitlines()
        self.assertEqual(
            head.split(),
            ["BEGAN", "CALLER", "DIALLED", "SECONDS", "SPOKEN", "ENDED", "AT", "PATH"],
        )
        began = datetime.fromtimestamp(BEGAN, UTC).astimezone()
        self.assertEqual(
            first.split(),
            [
                *began.strftime("%Y-%m-%d %H:%M:%S").split(),
                *("+441632960000", "100", "10", "caller", "main", "main"),
            ],
        )
        self.assertIn("main>sales", second)
        self.assertIn("in progress", third)
        self.assertEqual(err, "3 calls\n")

    def test_csv(self) -> None:
        _, out, _ = self.printed("calls", str(self.file), "--format", "csv")
        rows = list(csv.DictReader(StringIO(out)))
        self.assertEqual(
            [(row["caller"], row["seconds"], row["path"]) for row in rows],
            [
                ("+441632960000", "10.4", "main"),
                ("5550100", "10.4", "main>sales"),
                ("5550100", "", "main"),
            ],
        )
        self.assertEqual(datetime.fromisoformat(rows[0]["began"]).timestamp(), BEGAN)

    def test_csv_has_no_formula_of_a_caller(self) -> None:
        self.call("1.9", "=HYPERLINK(1)", ("main",), EndReason.CALLER)
        _, out, _ = self.printed("calls", str(self.file), "--format", "csv")
        self.assertIn(",'=HYPERLINK(1),", out)

    def test_json_has_the_steps(self) -> None:
        _, out, _ = self.printed("calls", str(self.file), "--format", "json")
        first, second, _ = json.loads(out)
        self.assertEqual(first["ended"], "caller")
        self.assertEqual(
            [(step["kind"], step["menu"]) for step in second["steps"]],
            [("menu", "main"), ("menu", "sales"), ("recording", "sales")],
        )
        self.assertEqual(self.calls("--caller", "nobody"), [])

    def test_names_of_callers_control_no_terminal(self) -> None:
        self.call("1.9", "\x1b[2J\n", ("main",), EndReason.CALLER)
        for kind in ("table", "csv", "json"):
            _, out, _ = self.printed("calls", str(self.file), "--format", kind)
            self.assertNotIn("\x1b", out)


class BadInputTests(CommandCase):
    def test_wrong_times(self) -> None:
        for option in ("--since", "--until"):
            for text in ("2026-13-01", "yesterday", "7w", "", "99999999d", "999999d"):
                error = self.refused(option, text)
                self.assertIn(f"{option}: {text!r} is not a time", error)
        error = self.refused("--since", "2026-11-02", "--until", "2026-11-01")
        self.assertIn("--until: is not later than --since", error)

    def test_begin_in_the_future(self) -> None:
        error = self.refused("--since", "2999-01-01")
        self.assertIn("--since: '2999-01-01' is in the future", error)
        self.assertEqual(len(self.calls("--until", "2999-01-01")), 3)

    def test_unknown_menu(self) -> None:
        error = self.refused("--menu", "sale")
        self.assertIn("--menu: no menu is called 'sale'; did you mean 'sales'?", error)

    def test_file_without_records(self) -> None:
        self.file.write_text("")
        self.assertIn("there is no table [records]", self.refused())

    def test_no_database_yet(self) -> None:
        self.file.write_text('[records]\nfolder = "other"')
        self.assertIn("other/calls.sqlite; the daemon makes it", self.refused())
        self.assertFalse((self.file.parent / "other").exists())

    def test_file_that_is_no_database(self) -> None:
        (self.harness.folder / "calls.sqlite").write_text("no database" * 100)
        self.assertIn("file is not a database", self.refused())

    def test_database_that_is_empty(self) -> None:
        for path in self.harness.folder.iterdir():
            path.unlink()
        (self.harness.folder / "calls.sqlite").touch()
        self.assertIn("start the daemon", self.refused())

    def test_database_that_does_not_answer(self) -> None:
        self.write_file('url = "postgresql://aa@127.0.0.1:1/calls"')
        self.assertIn("postgresql+psycopg://aa@127.0.0.1:1/calls: ", self.refused())


class ForgetTests(CommandCase):
    def forget(self, number: str) -> tuple[int, str, str]:
        return self.printed("records", "forget", str(self.file), "--caller", number)

    def test_records_of_the_caller_are_deleted(self) -> None:
        code, out, err = self.forget("+441632960000")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out, "recording: messages/1.0\ndeleted 1 record\n")
        self.assertEqual(self.calls(), ["1.1", "1.2"])
        self.assertEqual({step[0] for step in self.harness.steps()}, {2, 3})

    def test_call_that_goes_on_is_left(self) -> None:
        _, out, err = self.forget("5550100")
        self.assertIn("deleted 1 record\n", out)
        self.assertIn("calls that go on, and were left: 1", err)
        self.assertEqual(self.calls(), ["1.0", "1.2"])

    def test_unknown_caller_is_no_error(self) -> None:
        self.assertEqual(self.forget("1"), (0, "deleted 0 records\n", ""))

    def test_events_that_are_not_stored_yet_are_named(self) -> None:
        path = self.harness.folder / "spool-1.jsonl"
        path.touch()
        self.assertIn(str(path.absolute()), self.forget("1")[2])


class HashedCallersTests(CommandCase):
    CALLERS = "hashed"

    def test_callers_are_found_by_their_numbers(self) -> None:
        self.assertEqual(self.calls("--caller", "5550100"), ["1.1", "1.2"])
        printed(
            main, ["records", "forget", str(self.file), "--caller", "+441632960000"]
        )
        self.assertEqual(self.calls(), ["1.1", "1.2"])

    def test_without_the_key_no_caller_can_be_found(self) -> None:
        key = self.harness.folder / "callers.key"
        key.unlink()
        self.assertIn(f"{key.name}: is missing", self.refused("--caller", "1"))
        self.assertFalse(key.exists())
