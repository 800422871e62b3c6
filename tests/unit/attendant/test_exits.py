"""Exits to the dialplan."""

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

[[routes]]
argument = "context"
to = { continue = { context = "from-internal" } }
"""
LOCATION = "continue 6001@from-internal:1"


class ExitTests(CallTestCase):
    FLOW = MENUS

    def press_in_the_menu(self, keys: str) -> list[str]:
        """Enter, press keys, and return the requests that follow."""
        self.enter()
        self.hear("main")
        self.sent()
        self.press(keys)
        return self.sent()

    def gone(self) -> Deferred[None]:
        return fail(ChannelGoneError("404"))

    def test_call_continues_at_the_location_in_the_dialplan(self) -> None:
        self.assertEqual(self.press_in_the_menu("1"), [LOCATION])

    def test_keys_can_be_the_extension(self) -> None:
        self.assertEqual(self.press_in_the_menu("2"), ["continue 2@from-internal:1"])

    def test_location_without_an_extension_is_s(self) -> None:
        self.enter("context")
        self.assertEqual(self.sent()[-1], "continue s@from-internal:1")

    def test_shipped_contexts_get_their_argument(self) -> None:
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

    def test_rejected_continue_is_logged_and_repeats_the_menu(self) -> None:
        self.channel.responses[LOCATION] = lambda: self.failed("no such context")
        self.press_in_the_menu("1")
        self.hear("main")
        lines = self.log_of("1")
        self.assertIn(
            f"Could not continue {CHANNEL} at 6001@from-internal: no such context",
            lines,
        )

    def test_argument_that_cannot_be_set_repeats_the_menu(self) -> None:
        line = "set CHANNEL_AA_ARGUMENT=support"
        self.channel.responses[line] = lambda: self.failed("no")
        self.assertEqual(self.press_in_the_menu("4"), [line, "sound:main"])

    def test_caller_who_is_gone_gets_no_further_request(self) -> None:
        self.channel.responses[LOCATION] = self.gone
        self.assertEqual(self.press_in_the_menu("1"), [LOCATION])

    def test_keys_after_the_exit_do_nothing(self) -> None:
        self.press_in_the_menu("1")
        self.press("12345" * 100)
        self.assertEqual(self.sent(), [])

    def test_stop_after_the_exit_sends_no_request(self) -> None:
        self.press_in_the_menu("1")
        self.successResultOf(self.close())
        self.assertEqual(self.sent(), [])

    def test_route_without_a_menu_ends_in_the_dialplan(self) -> None:
        self.enter("direct")
        self.channel.phones[0].end_dialling(DialOutcome.NO_ANSWER)
        self.hear("number-not-answering")
        self.assertEqual(self.sent()[-1], "continue")
