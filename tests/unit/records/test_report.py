"""The numbers of a report equal a naive count."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from sqlalchemy import event
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.call_events import (
    ActionStarted,
    CallEvent,
    EndReason,
    KeysEntered,
    MenuEntered,
    NoInput,
    PhoneDialled,
)
from channel_aa.commands.main import main
from channel_aa.dialogue.digits import Match
from channel_aa.records import report as counting
from channel_aa.records.query import CallFilter, find_calls
from channel_aa.records.report import MenuReport, Report, make_report
from tests.support.html_page import HtmlPage
from tests.support.printed import printed
from tests.support.records_harness import BEGAN, RecordsHarness, ended, started

CALLS = 200
FILE = """
[menus.main]
prompt = ["hello"]
options = { 1 = { queue = "a", label = "Support" }, 2 = "sales", 3 = "hangup" }
[menus.sales]
prompt = ["hello"]
secret = true
options = { 1 = { queue = "a", label = "Support" } }
[records]
folder = "state"
"""


def random_call(channel_id: str, random: Random) -> list[CallEvent]:
    arguments = random.choice((("sales",), ("channel-aa-menu=main.sales",)))
    route = random.choice((None, 0, 1))
    events: list[CallEvent] = [started(channel_id, route=route, arguments=arguments)]
    menu = "main"
    seconds = 0.0
    for _ in range(random.randrange(12)):
        seconds += random.choice((0.5, 2.0, 7.25))
        entered = random.choice(("main", "sales"))
        keys = {"keys": random.choice("123"), "match": random.choice([*Match][1:])}
        outcome = random.choice(("BUSY", "ANSWER"))
        endpoint = random.choice(("PJSIP/1", "PJSIP/2"))
        choices: list[tuple[type[CallEvent], dict[str, object]]] = [
            (MenuEntered, {"menu": entered}),
            (KeysEntered, {"menu": menu, **keys}),
            (NoInput, {"menu": menu}),
            (PhoneDialled, {"endpoint": endpoint, "outcome": outcome}),
            (ActionStarted, {"verb": random.choice(("dial", "repeat")), "label": ""}),
        ]
        kind, data = random.choice(choices)
        if kind is MenuEntered:
            menu = entered
        made: CallEvent = kind(channel_id=channel_id, seconds=seconds, **data)
        events.append(made)
    reason = random.choice((EndReason.CALLER, EndReason.DIALPLAN))
    events.append(ended(channel_id, seconds + 3, reason=reason, menus=(menu,)))
    return events[: random.choice((-1, None))]  # some calls go on


def naive(calls: list[dict[str, Any]]) -> Report:
    report = Report(calls=len(calls))
    given_up: defaultdict[str, list[float]] = defaultdict(list)
    for call in calls:
        report.ends[call["ended"]] += 1
        if not call["arguments"].startswith("channel-aa-menu="):
            report.routes[call["route"]] += 1
        began = datetime.fromtimestamp(call["began"], UTC).astimezone()
        report.hours[began.hour] += 1
        report.days[began.date()] += 1
        if call["end_menu_seconds"] is not None:
            given_up[call["end_menu"]].append(call["end_menu_seconds"])
        for step in call["steps"]:
            count_step(report, step)
        for step, following in pairwise(call["steps"]):
            is_missed = step["kind"] == "silence" or step["outcome"] == "no match"
            if is_missed and (following["kind"], following["value"]) == (
                "action",
                "dial",
            ):
                report.menus[step["menu"]].failed += 1
        for menu in {step["menu"] for step in call["steps"] if step["kind"] == "menu"}:
            report.menus[menu].calls += 1
    for menu, seconds in given_up.items():
        report.menus[menu].given_up = len(seconds)
        report.menus[menu].given_up_after = median(seconds)
    return report


def count_step(report: Report, step: dict[str, Any]) -> None:
    if step["kind"] == "action":
        return
    if step["kind"] == "phone":
        report.phones[step["value"]][step["outcome"]] += 1
        return
    menu = report.menus[step["menu"]]
    menu.entered += step["kind"] == "menu"
    menu.silent += step["kind"] == "silence"
    menu.extensions += step["outcome"] == "extension"
    menu.no_match += step["outcome"] == "no match"
    if step["outcome"] == "option":
        menu.chosen[step["value"]] += 1


class ReportTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.file = folder / "twistd.conf"
        self.file.write_text('[records]\nfolder = "state"')
        self.harness = RecordsHarness(folder / "state")
        random = Random(1)  # noqa: S311 - it need not be unpredictable
        for number in range(CALLS):
            self.harness.now = BEGAN + number * 1234.5
            events = random_call(f"1.{number}", random)
            self.harness.writer._waiting += self.harness.observed(*events)
        self.harness.write()
        self.store = self.harness.writer._store
        self.addCleanup(self.harness.close)

    def test_report_equals_a_naive_count(self) -> None:
        half = BEGAN + CALLS / 2 * 1234.5
        for wanted in (
            CallFilter(),
            CallFilter(since=half),
            CallFilter(until=half),
            CallFilter(until=BEGAN),
            CallFilter(menu="sales"),
        ):
            calls = [*find_calls(self.store, wanted, with_steps=True)]
            report = make_report(self.store, wanted)
            self.assertEqual(report, naive(calls))
        whole = make_report(self.store, CallFilter())
        self.assertEqual(whole.calls, CALLS)
        for menu in ("main", "sales"):
            self.assertNotIn(0, vars(whole.menus[menu]).values())

    def test_slices_of_the_time_add_up(self) -> None:
        wanted = CallFilter(since=BEGAN + 100 * 1234.5)
        for each in (CallFilter(), wanted, CallFilter(menu="sales")):
            whole = make_report(self.store, each)
            for number in (1, 7, CALLS):
                self.patch(counting, "SLICE_CALLS", number)
                self.assertEqual(make_report(self.store, each), whole)

    def test_progress_is_that_of_the_slices(self) -> None:
        parts: list[float] = []
        make_report(self.store, CallFilter(), progress=parts.append)
        self.assertEqual(parts, [])
        self.patch(counting, "SLICE_CALLS", CALLS // 4)
        make_report(self.store, CallFilter(), progress=parts.append)
        self.assertEqual(parts, [0, 0.25, 0.5, 0.75])

    def test_steps_of_a_time_are_found_by_the_index(self) -> None:
        """Without it, each report would read all steps."""
        queries: list[tuple[str, Any]] = []
        with self.store.begin() as connection:
            event.listen(
                connection,
                "before_cursor_execute",
                lambda _c, _cursor, text, values, *_: queries.append((text, values)),
            )
            [whole] = counting._slices(connection, CallFilter(since=BEGAN))
            counting._count_steps(connection, [*whole.conditions()], Report())
            _, *of_steps = queries
            self.assertEqual(len(of_steps), 3)
            for text, values in of_steps:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
                self.assertNotIn("SCAN steps", [row[3] for row in plan])

    def report(self, *options: str) -> str:
        code, out, err = printed(main, ["report", str(self.file), *options])
        self.assertEqual((code, err), (0, ""))
        return out

    def test_progress_is_shown_on_a_terminal_only(self) -> None:
        class Terminal(StringIO):
            def isatty(self) -> bool:
                return True

        self.patch(counting, "SLICE_CALLS", CALLS // 4)
        shown = Terminal()
        with redirect_stdout(StringIO()), redirect_stderr(shown):
            main(["report", str(self.file)])
        self.assertIn("Counting calls: 25%", shown.getvalue())
        self.assertTrue(shown.getvalue().endswith("\r\x1b[K"))
        self.report()  # which asserts that nothing is printed otherwise

    def test_text_has_the_numbers(self) -> None:
        out = self.report()
        report = make_report(self.store, CallFilter())
        main_menu: MenuReport = report.menus["main"]
        self.assertIn(f"calls: {CALLS}\n", out)
        self.assertIn(
            f"{main_menu.entered:>8}  entered, in {main_menu.calls} calls", out
        )
        self.assertIn(f"{main_menu.silent:>8}  silent", out)
        after = f"{main_menu.given_up_after:.1f}"
        self.assertIn(
            f"{main_menu.given_up:>8}  hung up, after {after} s (median)", out
        )
        self.assertIn("PJSIP/1: ", out)
        self.assertIn("####", out)

    def test_csv_has_the_numbers(self) -> None:
        rows = list(csv.DictReader(StringIO(self.report("--format", "csv"))))
        report = make_report(self.store, CallFilter())
        found = {(row["subject"], row["name"], row["what"]): row for row in rows}
        for keys, count in report.menus["sales"].chosen.items():
            row = found["menu", "sales", f"chose {keys}"]
            self.assertEqual(row["count"], str(count))
        hours = Counter(
            {
                int(row["name"][:2]): int(row["count"])
                for row in rows
                if row["subject"] == "hour"
            }
        )
        self.assertEqual(+hours, report.hours)
        self.assertEqual(found["phone", "PJSIP/2", "BUSY"]["median_seconds"], "")

    def test_page_has_the_numbers_and_those_of_the_period_before(self) -> None:
        half = datetime.fromtimestamp(BEGAN + CALLS / 2 * 1234.5, UTC).astimezone()
        out = self.report("--since", half.isoformat(), "--format", "html")
        report = make_report(self.store, CallFilter(since=half.timestamp()))
        self.assertIn(f">{report.calls} calls</h2>", out)
        self.assertIn("compared with", out)
        out = self.report("--format", "html")
        self.assertIn(f">{CALLS} calls</h2>", out)
        self.assertNotIn("compared with", out)

    def test_page_has_the_numbers_of_the_csv(self) -> None:
        # Without the menus main and sales, whose options would have meanings.
        other = FILE.replace("main", "night").replace("sales", "day")
        self.file.write_text(f'{other}[attendant]\nentry = "night"')
        page = HtmlPage(self.report("--format", "html"))
        rows = list(csv.DictReader(StringIO(self.report("--format", "csv"))))
        words = {"silent": "were silent", "extension": "dialled an extension"}
        words["failed"] = "reached the limit of these two"
        words["no match"] = "pressed keys without a meaning"
        compared = 0
        for row in rows:
            name, what, count = row["name"], row["what"], row["count"]
            match row["subject"], what:
                case "menu", "entered" | "calls":
                    continue
                case "menu", _ if count == "0":
                    continue  # is left out
                case "menu", _:
                    label = words.get(what, what)
                    found = page.row(label, below=f"Menu {name}".strip())[0]
                case "hour", _:
                    found = page.row(name[:2], below="By hour of the day")[0]
                case "phone", "ANSWER":
                    found = page.row(name, below="By phone")[0]
                case _:
                    continue
            self.assertEqual(found, count, row)
            compared += 1
        self.assertGreaterEqual(compared, 2 * 8 + 24 + 2)  # two menus, hours, phones

    def test_options_are_named_as_in_the_file(self) -> None:
        self.file.write_text(FILE)
        page = HtmlPage(self.report("--format", "html"))
        for text in ("chose 1, Support", "chose 2, sales", "chose 3, hangup"):
            self.assertTrue(page.row(text, below="Menu main"))
        self.assertTrue(page.row("chose 1", below="Menu sales"))

    def test_period_that_begins_long_ago_is_not_compared(self) -> None:
        for ago in ("30000d", "700000d"):
            out = self.report("--since", ago, "--format", "html")
            self.assertIn(f">{CALLS} calls</h2>", out)
            self.assertNotIn("compared with", out)

    def test_end_in_the_future_is_now(self) -> None:
        out = self.report("--since", "1d", "--until", "2999-01-01", "--format", "html")
        self.assertNotIn("2999", out)

    def test_period_without_calls(self) -> None:
        out = self.report("--until", "2001-01-01", "--format", "html")
        self.assertIn("There were no calls.", out)
        self.assertIn("calls: 0\n", self.report("--until", "2001-01-01"))
