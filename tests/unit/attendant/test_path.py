"""The way of a call through the menus, for the dialplan and Asterisk's CDR."""

from __future__ import annotations

from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.navigation import MAX_PATH_LENGTH, CallPath
from channel_aa.attendant.path import assignment
from channel_aa.interfaces import DialOutcome
from tests.support.call_case import CallTestCase

MENUS = """
[menus.main]
prompt = ["main"]
timeout = 5
max_noinput = 1
max_nomatch = 1
failure = "outside"
[menus.main.options]
1 = "sales"
2 = "pin"
3 = "hangup"
4 = { dial = "PJSIP/410", else = "outside" }
[menus.main.extensions]
pattern = "8XX"
continue = { context = "from-internal", extension = "{digits}" }
[menus.sales]
prompt = ["sales"]
options.7 = "outside"
[menus.pin]
prompt = ["pin"]
secret = true
options.4711 = "outside"
[actions]
outside = { continue = { context = "from-internal", extension = "6001" } }
"""


class PathTests(CallTestCase):
    FLOW = MENUS

    def setUp(self) -> None:
        super().setUp()
        self.enter()
        self.hear("main")
        self.sent()

    def path(self) -> str:
        """Return what the variable was set to."""
        (line,) = [each for each in self.sent() if each.startswith("set CHANNEL_AA_P")]
        return line.removeprefix("set CHANNEL_AA_PATH=")

    def test_options_are_in_the_path(self) -> None:
        self.press("1")
        self.hear("sales")
        self.press("7")
        self.assertEqual(self.path(), "main:1>sales:7")

    def test_dialled_extension_is_in_the_path(self) -> None:
        self.press("812")
        self.assertEqual(self.path(), "main:812")

    def test_silence_is_in_the_path(self) -> None:
        self.clock.advance(5)
        self.assertEqual(self.path(), "main:t")

    def test_wrong_keys_are_in_the_path(self) -> None:
        self.press("9")
        self.clock.advance(5)
        self.assertEqual(self.path(), "main:i")

    def test_secret_keys_are_not_in_the_path(self) -> None:
        self.press("2")
        self.hear("pin")
        self.press("4711")
        self.assertEqual(self.path(), "main:2>pin:secret")

    def test_asterisks_cdr_is_left_alone(self) -> None:
        self.press("3")
        self.assertEqual(self.sent(), ["hang up"])

    def test_reason_and_path_are_set_in_one_request(self) -> None:
        self.press("1")
        self.sent()
        self.successResultOf(self.close())
        line = "set ARRAY(CHANNEL_AA_REASON,CHANNEL_AA_PATH)=stopping,main:1"
        self.assertEqual(self.sent()[-2:], [line, "continue"])


class CdrTests(CallTestCase):
    FLOW = f"cdr_userfield = true\n{MENUS}"
    NAMES: ClassVar = "ARRAY(CHANNEL_AA_PATH,CDR(userfield))"

    def test_path_is_written_when_the_call_continues(self) -> None:
        line, _ = self.press_in_the_menu("812")
        self.assertEqual(line, f"set {self.NAMES}=main:812,main:812")

    def test_path_is_written_before_a_hangup(self) -> None:
        line = f"set {self.NAMES}=main:3,main:3"
        self.assertEqual(self.press_in_the_menu("3"), [line, "hang up"])

    def test_path_is_written_before_a_conversation(self) -> None:
        sent = self.press_in_the_menu("4")
        self.assertEqual(sent[0], f"set {self.NAMES}=main:4,main:4")
        self.channel.phones[0].end_dialling(DialOutcome.BUSY)

    def test_path_is_written_once_when_the_call_has_reached_its_limit(self) -> None:
        self.enter()
        self.hear("main")
        self.press("1")
        self.sent()
        self.clock.advance(3600)
        names = "ARRAY(CHANNEL_AA_REASON,CHANNEL_AA_PATH,CDR(userfield))"
        *_, line, last = [each for each in self.sent() if "sound:" not in each]
        self.assertEqual((line, last), (f"set {names}=limit,main:1,main:1", "hang up"))

    def test_failure_harms_no_call(self) -> None:
        line = f"set {self.NAMES}=main:3,main:3"
        self.channel.responses[line] = lambda: self.failed("no")
        self.assertEqual(self.press_in_the_menu("3"), [line, "hang up"])


class TextTests(SynchronousTestCase):
    def test_long_path_loses_its_beginning(self) -> None:
        path = CallPath()
        for number in range(200):
            path.add(f"menu-{number}", "1")
        text = str(path)
        self.assertLessEqual(len(text), MAX_PATH_LENGTH)
        self.assertTrue(text.startswith("...>menu-"), text)
        self.assertTrue(text.endswith(">menu-198:1>menu-199:1"), text)

    def test_no_character_of_a_menu_is_dialplan_code(self) -> None:
        path = CallPath()
        path.add("a,b${X}'>(c)", "*#4")
        self.assertEqual(str(path), "a_b__X____c_:*#4")

    def test_one_variable_needs_no_array(self) -> None:
        self.assertEqual(assignment({"A": "1"}), ("A", "1"))
        self.assertEqual(assignment({"A": "1", "B": "2"}), ("ARRAY(A,B)", "1,2"))
