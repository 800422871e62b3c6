"""The company of the examples: what the README shows, and other tests call."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.config import load
from channel_aa.menus.actions import VERBS, Dial, GoTo, Keyword, Play, Run
from channel_aa.menus.lint import lint

COMPANY = Path(__file__).parents[3] / "examples" / "company.conf"
LONDON = ZoneInfo("Europe/London")


class CompanyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.flow = load(COMPANY).flow

    def test_lint_finds_nothing(self) -> None:
        self.assertEqual(lint(self.flow, today=date(2026, 11, 28)), ())

    def test_every_action_of_a_file_alone_is_shown(self) -> None:
        actions = [action for _, action in self.flow.all_actions()]
        shown = {type(action) for action in actions}
        self.assertEqual(set(VERBS.values()) - shown, {Run})
        words = {each.word for each in actions if isinstance(each, Keyword)}
        self.assertEqual(words, {"repeat", "back", "top", "hangup"})

    def test_phones_are_rung_in_every_way(self) -> None:
        dials = [each for _, each in self.flow.all_actions() if isinstance(each, Dial)]
        self.assertEqual({each.strategy for each in dials}, {"hunt", "ringall"})
        self.assertTrue(any(each.music for each in dials))
        self.assertTrue(any(each.else_ is not None for each in dials))

    def test_time_decides_what_callers_get(self) -> None:
        for at, expected in {
            "2026-11-23 12:00": "main",
            "2026-11-27 16:00": "night",
            "2026-12-24 11:59": "main",
        }.items():
            self.assertEqual(self.target(at), GoTo(menu=expected))
        holiday = self.target("2026-12-24 13:00")
        self.assertIsInstance(holiday, Play)

    def target(self, at: str) -> object:
        moment = datetime.fromisoformat(at).replace(tzinfo=LONDON)
        start = self.flow.start(dialled="+441632960000", arguments=(), at=moment)
        return start.target
