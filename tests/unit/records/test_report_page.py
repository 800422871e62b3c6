"""The page has the numbers of the report, and nothing that a browser would run."""

from __future__ import annotations

from collections import Counter
from datetime import date
from html import unescape
from html.parser import HTMLParser

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.records.report import MenuReport, Report
from channel_aa.records.report_page import to_html

HOSTILE = '<script>alert("1")</script>&amp;'


class Page(HTMLParser):
    """Collects the rows of tables, and the elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self._cell: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += attrs
        if tag == "tr":
            self.rows.append([])
        elif tag in {"th", "td"}:
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in {"th", "td"} and self._cell is not None:
            self.rows[-1].append("".join(self._cell).strip())
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def row(self, name: str) -> list[str]:
        """Return what follows the first cell of a row, without the bar."""
        [row] = [each for each in self.rows if each[:1] == [name]]
        return [each for each in row[1:] if each]


def report(*, calls: int = 10, name: str = "main") -> Report:
    menu = MenuReport(calls=8, entered=20, given_up=3, given_up_after=4.25)
    menu.chosen.update({"1": 5, "(secret)": 2})
    menu.silent = 4
    made = Report(calls=calls)
    made.ends.update({"caller": 3, "dialplan": calls - 3})
    made.menus[name] = menu
    made.hours.update({9: 4, 17: calls - 4})
    made.days.update({date(2026, 11, 26): 4, date(2026, 11, 28): calls - 4})
    made.phones["PJSIP/410"].update({"ANSWER": 6, "BUSY": 1, "ODD": 2})
    return made


class PageTests(SynchronousTestCase):
    def page(self, now: Report, before: Report | None = None) -> Page:
        self.text = to_html(
            now,
            before,
            period="2026-11-01 to 2026-11-28",
            previous_period="2026-10-04 to 2026-11-01",
            source="channel-aa at http://pbx",
        )
        return Page(self.text)

    def test_numbers(self) -> None:
        page = self.page(report())
        self.assertEqual(page.row("continued in the dialplan"), ["7"])
        self.assertEqual(page.row("chose 1"), ["5"])
        self.assertEqual(page.row("chose (secret)"), ["2"])
        self.assertEqual(page.row("were silent"), ["4"])
        self.assertEqual(page.row("hung up"), ["3"])
        self.assertEqual(page.row("09"), ["4"])
        self.assertEqual(page.row("PJSIP/410"), ["6", "1", "2"])
        self.assertIn("had heard it for 4.2 s", self.text)
        self.assertNotIn("before", page.rows[0])

    def test_each_day_of_the_time_has_a_column(self) -> None:
        page = self.page(report())
        self.assertEqual(page.row("2026-11-26"), ["4"])
        self.assertEqual(page.row("2026-11-27"), ["0"])

    def test_long_time_is_charted_by_month(self) -> None:
        now = report()
        now.days[date(2026, 1, 31)] = 7
        page = self.page(now)
        self.assertEqual(page.row("2026-01"), ["7"])
        self.assertEqual(page.row("2026-02"), ["0"])
        self.assertEqual(page.row("2026-11"), ["10"])

    def test_comparison_with_the_time_before(self) -> None:
        before = report(calls=8)
        before.menus["main"].chosen["1"] = 10
        before.menus["main"].no_match = 2
        page = self.page(report(), before)
        self.assertEqual(page.row("all"), ["10", "8", "+2 (+25\u202f%)"])
        self.assertEqual(page.row("chose 1"), ["5", "10", "-5 (-50\u202f%)"])
        self.assertEqual(page.row("were silent"), ["4", "4", "±0"])
        self.assertEqual(
            page.row("pressed keys without a meaning"), ["0", "2", "-2 (-100\u202f%)"]
        )

    def test_menu_that_is_new_is_compared_with_nothing(self) -> None:
        page = self.page(report(), Report())
        self.assertEqual(page.row("chose 1"), ["5", "0", "+5"])

    def test_time_without_calls(self) -> None:
        page = self.page(Report(), report())
        self.assertIn("There were no calls.", self.text)
        self.assertEqual(page.rows, [])

    def test_what_others_sent_is_text(self) -> None:
        now = report(name=HOSTILE)
        now.phones[HOSTILE]["ANSWER"] = 1
        now.ends[HOSTILE] = 1
        page = self.page(now, now)
        self.assertNotIn("script", page.elements)
        rows = [row for row in page.rows if row[0] == HOSTILE]
        self.assertEqual([row[1] for row in rows], ["1", "1"])
        self.assertIn(f"Menu {HOSTILE}", unescape(self.text))

    def test_page_needs_nothing_else(self) -> None:
        page = self.page(report(), report())
        self.assertFalse({"script", "link", "img", "iframe"} & set(page.elements))
        names = {name for name, _ in page.attributes}
        self.assertFalse({"src", "href", "onclick"} & names)
        self.assertNotIn("url(", self.text)
