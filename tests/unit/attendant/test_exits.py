"""Exits to the dialplan."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail
from twisted.logger import capturedLogs

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
6 = "sales"
[menus.sales]
greeting = ["sales-welcome"]
prompt = ["sales"]
max_nomatch = 2
options = { 1 = { voicemail = "410" }, "*" = "back" }

[[routes]]
argument = "direct"
to = { dial = "PJSIP/410" }

[[routes]]
argument = "mailbox"
to = { voicemail = "410" }

[[routes]]
did = "+441632960000"
to = "sales"

[[routes]]
argument = "context"
to = { continue = { context = "from-internal" } }
"""
LOCATION = "continue 6001@from-internal:1"
VARIABLES = (
    "ARRAY(CHANNEL_AA_ARGUMENT,CHANNEL_AA_MENU,CHANNEL_AA_DIALLED,CHANNEL_AA_PATH)"
)


class ExitTests(CallTestCase):
    FLOW = MENUS

    def gone(self) -> Deferred[None]:
        return fail(ChannelGoneError("404"))

    def test_call_continues_at_the_location_in_the_dialplan(self) -> None:
        path = "set CHANNEL_AA_PATH=main:1"
        self.assertEqual(self.press_in_the_menu("1"), [path, LOCATION])

    def test_keys_can_be_the_extension(self) -> None:
        *_, line = self.press_in_the_menu("2")
        self.assertEqual(line, "continue 2@from-internal:1")

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
                        f"set {VARIABLES}={argument},main,1000,main:{key}",
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
        line = f"set {VARIABLES}=support,main,1000,main:4"
        self.channel.responses[line] = lambda: self.failed("no")
        self.assertEqual(self.press_in_the_menu("4"), [line, "sound:main"])

    def test_caller_who_is_gone_gets_no_further_request(self) -> None:
        self.channel.responses[LOCATION] = self.gone
        self.assertEqual(self.press_in_the_menu("1")[1:], [LOCATION])

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


class ReturnTests(CallTestCase):
    """The way back from the shipped contexts to the menu that the caller has left."""

    FLOW = MENUS

    def variables_after(self, keys: str, *arguments: str, dialled: str = "1000") -> str:
        """Enter, press keys, and return the variables that are set then."""
        self.channel.dialled = dialled
        self.enter(*arguments)
        self.press(keys)
        (line,) = [line for line in self.sent() if line.startswith("set ARRAY(")]
        names, _, values = line.removeprefix("set ARRAY(").partition(")=")
        first, *_ = zip(names.split(","), values.split(","), strict=True)
        self.assertEqual(first[0], "CHANNEL_AA_ARGUMENT")
        return ",".join(values.split(",")[:3])

    def test_menus_and_the_dialled_number_go_along(self) -> None:
        self.assertEqual(self.variables_after("61"), "410,main.sales,1000")

    def test_call_without_a_menu_has_none(self) -> None:
        self.assertEqual(self.variables_after("", "mailbox"), "410,,1000")

    def test_text_that_is_no_number_does_not_go_along(self) -> None:
        for dialled in ("", "s", "1,2", "1 2", "${X}", "1\n", "-1", "a)"):
            with self.subTest(dialled=dialled):
                self.setUp()
                values = self.variables_after("61", dialled=dialled)
                self.assertEqual(values, "410,main.sales,")
                self.tearDown()

    def test_call_returns_to_the_menu_without_its_greeting(self) -> None:
        self.enter("channel-aa-menu=main.sales")
        self.hear("sales")

    def test_returned_call_can_go_back(self) -> None:
        self.enter("channel-aa-menu=main.sales")
        self.press("*")
        self.hear("main")
        self.press("*")
        self.hear("option-is-invalid", "main")

    def test_returned_call_leaves_again_with_the_same_menus(self) -> None:
        values = self.variables_after("1", "channel-aa-menu=main.sales")
        self.assertEqual(values, "410,main.sales,1000")

    def test_argument_takes_precedence_over_routes(self) -> None:
        self.enter("direct", "channel-aa-menu=main")
        self.hear("main")

    def test_adopted_call_returns_to_the_menu(self) -> None:
        arguments = ("channel-aa-menu=main.sales",)
        self.call = self.attendant.channel_entered(
            self.channel, arguments, adopted=True
        )
        self.hear("sales")

    def test_menus_that_do_not_exist_are_left_out(self) -> None:
        self.enter("channel-aa-menu=gone.main.sales")
        self.hear("sales")
        self.assertEqual(self.call.context.history.names, ("main", "sales"))

    def test_unknown_menu_is_logged_and_the_call_begins_as_usual(self) -> None:
        self.channel.dialled = "+441632960000"
        with capturedLogs() as events:
            self.enter("channel-aa-menu=main.gone")
        self.hear("sales-welcome", "sales")
        self.assert_logged(events, f"{CHANNEL} comes back to the menu gone, which is")
        self.press("*")
        self.hear("sales")

    def test_argument_without_a_menu_is_as_none(self) -> None:
        with capturedLogs() as events:
            self.enter("channel-aa-menu=")
        self.hear("main")
        self.assertEqual(len(events), 1)

    def test_custom_action_gets_the_other_arguments_only(self) -> None:
        self.enter("one", "channel-aa-menu=main", "two")
        self.assertEqual(self.call.context.arguments, ("one", "two"))
