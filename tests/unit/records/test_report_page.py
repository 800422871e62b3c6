"""The page has the numbers of the report, and nothing that a browser would run."""

from __future__ import annotations

from datetime import date, datetime
from html import unescape

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.records.report import MenuReport, Report
from channel_aa.records.report_page import to_html
from tests.support.html_page import HtmlPage

HOSTILE = '<script>alert("1")</script>&amp;'


def at(text: str) -> float:
    """Convert a local time to seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


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
    def page(
        self,
        now: Report,
        before: Report | None = None,
        *,
        since: str = "2026-11-26",
        end: str = "2026-11-29",
        **meanings: dict[str, str],
    ) -> HtmlPage:
        self.text = to_html(
            now,
            before,
            since=at(since) if since else None,
            end=at(end),
            source="channel-aa at http://pbx",
            meanings=meanings,
        )
        return HtmlPage(self.text)

    def test_numbers(self) -> None:
        page = self.page(report())
        self.assertEqual(page.row("passed on (queue, voicemail, …)"), ["7"])
        self.assertEqual(page.row("chose 1"), ["5"])
        self.assertEqual(page.row("chose (secret)"), ["2"])
        self.assertEqual(page.row("were silent"), ["4"])
        self.assertEqual(page.row("hung up"), ["3"])
        self.assertEqual(page.row("09"), ["4"])
        self.assertEqual(page.row("PJSIP/410"), ["6", "1", "2"])
        self.assertIn("had heard it for 4.2 s", self.text)
        self.assertNotIn("before", page.tables["10 calls"][0])

    def test_each_day_of_the_time_has_a_column(self) -> None:
        page = self.page(report(), since="2026-11-24 12:00", end="2026-11-30 12:00")
        self.assertEqual(
            page.tables["By day"],
            [
                [f"2026-11-{day}", "4" if day == 26 else "6" if day == 28 else "0"]
                for day in range(24, 31)
            ],
        )

    def test_day_at_whose_begin_the_time_ends_has_none(self) -> None:
        days = self.page(report(), end="2026-11-29").tables["By day"]
        self.assertEqual([day for day, _ in days][-1], "2026-11-28")

    def test_all_days_begin_with_the_first_call(self) -> None:
        days = self.page(report(), since="").tables["By day"]
        self.assertEqual(days[0], ["2026-11-26", "4"])

    def test_chart_of_many_days_names_some_of_them(self) -> None:
        self.page(report(), since="2026-09-01")
        self.assertEqual(self.text.count('y="124"'), (89 + 1) // 2 + 24)

    def test_time_in_words(self) -> None:
        for since, end, expected in (
            ("2026-11-26", "2026-11-29", "2026-11-26 to 2026-11-28"),
            ("2026-11-26", "2026-11-27", "2026-11-26"),
            ("2026-11-26", "2026-11-28 09:30", "2026-11-26 00:00 to 2026-11-28 09:30"),
            ("", "2026-11-28 09:30", "up to 2026-11-28 09:30"),
            ("", "2026-11-28", "up to 2026-11-27"),
        ):
            self.page(report(), since=since, end=end)
            self.assertIn(f"<title>Calls, {expected}</title>", self.text)
        self.page(report(), report())
        self.assertIn("compared with 2026-11-23 to 2026-11-25<", self.text)

    def test_long_time_is_charted_by_month(self) -> None:
        now = report()
        now.days[date(2026, 1, 31)] = 7
        page = self.page(now, since="2025-06-01")
        self.assertEqual(page.tables["By day"][0][0], "2026-01")
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

    def test_outcomes_of_dials_are_compared(self) -> None:
        before = report()
        before.phones["PJSIP/411"]["ANSWER"] = 6
        page = self.page(report(), before)
        self.assertEqual(
            page.row("answered", below="Phones"), ["6", "12", "-6 (-50\u202f%)"]
        )
        self.assertEqual(page.row("ODD", below="Phones"), ["2", "2", "±0"])

    def test_options_have_their_meanings(self) -> None:
        page = self.page(report(), main={"1": "Sales"})
        self.assertEqual(page.row("chose 1, Sales"), ["5"])
        self.assertEqual(page.row("chose (secret)"), ["2"])

    def test_option_that_is_no_longer_chosen_is_compared(self) -> None:
        before = report()
        before.menus["main"].chosen["9"] = 3
        page = self.page(report(), before)
        self.assertEqual(page.row("chose 9"), ["0", "3", "-3 (-100\u202f%)"])

    def test_menu_that_is_new_is_compared_with_nothing(self) -> None:
        page = self.page(report(), Report())
        self.assertEqual(page.row("chose 1"), ["5", "0", "+5"])

    def test_time_without_calls(self) -> None:
        page = self.page(Report(), report())
        self.assertIn("There were no calls.", self.text)
        self.assertEqual(page.elements["table"], 0)

    def test_text_of_others_is_no_markup(self) -> None:
        now = report(name=HOSTILE)
        now.phones[HOSTILE]["ANSWER"] = 1
        now.ends[HOSTILE] = 1
        now.menus["sales"].chosen["1"] = 2
        page = self.page(now, now, sales={"1": HOSTILE})
        self.assertNotIn("script", page.elements)
        self.assertEqual(page.row(f"chose 1, {HOSTILE}")[0], "2")
        self.assertEqual(page.row(HOSTILE, below="By phone"), ["1"])
        self.assertEqual(page.row(HOSTILE, below="10 calls"), ["1", "1", "±0"])
        self.assertIn(f"Menu {HOSTILE}", unescape(self.text))

    def test_page_needs_nothing_else(self) -> None:
        page = self.page(report(), report())
        self.assertFalse({"script", "link", "img", "iframe"} & set(page.elements))
        names = {name for name, _ in page.attributes}
        self.assertFalse({"src", "href", "onclick"} & names)
        self.assertNotIn("url(", self.text)
