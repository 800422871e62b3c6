"""Leaving the attendant for a place in the dialplan."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail

from channel_aa.interfaces import ChannelGoneError, DialOutcome
from tests.support.call_case import CHANNEL, CallTestCase

MENUS = """
[menus.main]
prompt = ["main"]
[menus.main.options]
1 = { continue = { context = "from-internal", extension = "6001" } }
2 = { continue = { context = "from-internal", extension = "{digits}" } }
3 = { voicemail = "410@default" }
4 = { queue = "support" }
5 = { directory = "default" }

[[routes]]
argument = "direct"
to = { dial = "PJSIP/410" }
"""
PLACE = "continue 6001@from-internal:1"


class LeavingTests(CallTestCase):
    FLOW = MENUS

    def press_in_the_menu(self, keys: str) -> list[str]:
        """Enter, press keys, and give what is asked of Asterisk then."""
        self.enter()
        self.hear("main")
        self.asked()
        self.press(keys)
        return self.asked()

    def gone(self) -> Deferred[None]:
        return fail(ChannelGoneError("404"))

    def test_call_goes_on_at_the_place_in_the_dialplan(self) -> None:
        self.assertEqual(self.press_in_the_menu("1"), [PLACE])

    def test_keys_can_be_the_extension(self) -> None:
        self.assertEqual(self.press_in_the_menu("2"), ["continue 2@from-internal:1"])

    def test_shipped_contexts_are_told_what_is_wanted(self) -> None:
        for key, context, argument in (
            ("3", "voicemail", "410@default"),
            ("4", "queue", "support"),
            ("5", "directory", "default"),
        ):
            with self.subTest(context=context):
                self.setUp()
                self.assertEqual(
                    self.press_in_the_menu(key),
                    [
                        f"set CHANNEL_AA_ARGUMENT={argument}",
                        f"continue s@channel-aa-{context}:1",
                    ],
                )
                self.tearDown()

    def test_caller_whom_the_dialplan_does_not_take_hears_the_menu_again(self) -> None:
        self.channel.answers[PLACE] = lambda: self.failing("no such context")
        self.press_in_the_menu("1")
        self.hear("main")
        lines = self.log_of("1")
        self.assertIn(
            f"{CHANNEL} could not go on at 6001@from-internal: no such context", lines
        )

    def test_caller_whose_wish_cannot_be_told_hears_the_menu_again(self) -> None:
        line = "set CHANNEL_AA_ARGUMENT=support"
        self.channel.answers[line] = lambda: self.failing("no")
        self.assertEqual(self.press_in_the_menu("4"), [line, "sound:main"])

    def test_caller_who_is_gone_is_left_alone(self) -> None:
        self.channel.answers[PLACE] = self.gone
        self.assertEqual(self.press_in_the_menu("1"), [PLACE])

    def test_keys_after_the_departure_do_nothing(self) -> None:
        self.press_in_the_menu("1")
        self.press("12345" * 100)
        self.assertEqual(self.asked(), [])

    def test_stop_on_the_way_leaves_the_call_where_it_goes(self) -> None:
        self.press_in_the_menu("1")
        self.successResultOf(self.close())
        self.assertEqual(self.asked(), [])

    def test_what_a_route_does_without_a_menu_ends_in_the_dialplan(self) -> None:
        self.enter("direct")
        self.channel.phones[0].ends(DialOutcome.NO_ANSWER)
        self.hear("number-not-answering")
        self.assertEqual(self.asked()[-1], "continue")
