"""Prompts with sounds that a key interrupts, and sounds that it does not."""

from __future__ import annotations

from tests.support.call_case import CallTestCase

MENUS = """
[menus.main]
greeting = [{ media = ["welcome"], barge_in = false }]
prompt = ["advert", { media = ["notice"], barge_in = false }, "press-1"]
options = { 1 = { play = ["sales"] } }
"""


class BargeInTests(CallTestCase):
    FLOW = MENUS

    def test_key_leaves_only_the_sounds_without_barge_in(self) -> None:
        self.enter()
        self.hear("welcome")
        self.assert_plays("advert")
        self.press("1")
        self.hear("notice")
        self.assert_plays("sales")

    def test_earlier_key_leaves_only_the_sounds_without_barge_in(self) -> None:
        self.enter()
        self.press("1")
        self.hear("welcome", "notice")
        self.assert_plays("sales")
