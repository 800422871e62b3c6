"""The terminator before a menu that has an option of the same key."""

from __future__ import annotations

from tests.support.call_case import CallTestCase

MENUS = """
[menus.main]
prompt = ["main"]
options = { 1 = "plain", 2 = "hash", 3 = { play = ["wait"], then = "hash" } }
[menus.plain]
prompt = ["plain"]
options = { 2 = "hash", 3 = "main" }
[menus.hash]
prompt = ["hash"]
options = { "#" = { play = ["chosen"] }, 1 = "plain" }
"""


class TerminatorOptionTests(CallTestCase):
    FLOW = MENUS

    def test_terminator_that_the_next_menu_has_as_an_option_is_that_option(
        self,
    ) -> None:
        for delay in (0, 1):
            with self.subTest(delay=delay):
                self.setUp()
                self.enter()
                self.press("2")
                self.clock.advance(delay)
                self.press("#")
                self.hear("chosen", "hash")
                self.tearDown()

    def test_terminator_before_the_next_menu_interrupts_no_sound(self) -> None:
        self.enter()
        self.press("3#")
        self.hear("wait", "chosen")

    def test_terminator_of_a_menu_that_has_it_as_an_option_ends_no_entry(self) -> None:
        self.enter()
        self.press("2")
        self.press("1#")
        self.assert_plays("option-is-invalid")

    def test_terminator_is_not_kept_for_a_later_menu(self) -> None:
        self.enter()
        self.press("1#")
        self.press("2")
        self.hear("hash")
        self.assert_silent()
