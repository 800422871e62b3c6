"""Actions that need no module of their own, and the limit on actions without a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import capturedLogs

from channel_aa.attendant.attendant import Attendant
from channel_aa.attendant.execute import MAX_ACTIONS_WITHOUT_KEY
from channel_aa.interfaces import RecordingEnd
from tests.support.call_case import CHANNEL, NOON, CallTestCase, call_flow

if TYPE_CHECKING:
    from channel_aa.attendant.custom_actions import Caller

MENUS = """
[menus.main]
prompt = ["main"]
[menus.main.options]
1 = { record = "{date}/{caller}-{time}", max_seconds = 60, then = "play-it" }
2 = { record = "name", beep = false, else = { play = ["sorry"] } }
3 = "play-it"
4 = { record = "greeting", overwrite = true }
[actions]
play-it = { play = ["you-said", "recording:{recording}"] }
"""
NAME = "2026-11-23/+441632960100-120000"


class RecordingTests(CallTestCase):
    FLOW = MENUS

    def record(self, key: str = "1") -> None:
        self.enter()
        self.hear("main")
        self.sent()
        self.press(key)

    def test_recording_has_the_name_and_the_limits_of_its_option(self) -> None:
        self.record()
        self.assertEqual(self.sent(), [f"record {NAME} 60 5 # True"])

    def test_recording_replaces_another_only_if_its_option_says_so(self) -> None:
        self.record("4")
        self.assertEqual(self.sent(), ["record greeting 120 5 # True overwrite"])

    def test_recording_that_got_another_name_is_played_by_it(self) -> None:
        self.record()
        self.channel.recordings[0].name = "other"
        self.channel.recordings[0].end()
        self.hear("you-said", "recording:other", "main")

    def test_recording_can_be_played(self) -> None:
        self.record()
        self.channel.recordings[0].end()
        self.hear("you-said", f"recording:{NAME}", "main")
        self.press("3")
        self.hear("you-said", f"recording:{NAME}", "main")

    def test_missing_recording_plays_nothing(self) -> None:
        self.record("3")
        self.hear("you-said", "main")

    def test_failure_is_logged_and_leads_to_else(self) -> None:
        self.record("2")
        with capturedLogs() as events:
            self.channel.recordings[0].end(RecordingEnd.FAILED)
        self.assert_logged(events, f"Could not record {CHANNEL}: the disk is full")
        self.hear("sorry", "main")

    def test_failure_without_an_else_is_announced(self) -> None:
        """The action then may thank for the message."""
        self.record()
        self.channel.recordings[0].end(RecordingEnd.FAILED)
        self.hear("im-sorry", "please-try-call-later", "main")

    def test_keys_of_the_recording_are_discarded(self) -> None:
        self.record()
        self.press("1#")
        self.channel.recordings[0].end()
        self.hear("you-said", f"recording:{NAME}", "main")
        self.assert_silent()

    def test_hangup_keeps_the_recording(self) -> None:
        self.record()
        self.call.hung_up()
        self.assertEqual(self.sent()[1:], [f"keep {NAME}"])


LOOP = """
[menus.main]
prompt = ["main"]
options = { 1 = "again", 2 = "ask" }
[actions]
again = { run = "again" }
ask = { run = "ask" }
[[routes]]
argument = "again"
to = "again"
"""


class ActionLimitTests(CallTestCase):
    FLOW = LOOP

    def setUp(self) -> None:
        super().setUp()
        self.executed = 0
        self.attendant = Attendant(
            call_flow(self.FLOW),
            clock=self.clock,
            now=lambda: NOON,
            actions={"again": self.again, "ask": self.ask},
        )

    async def again(self, _caller: Caller) -> str:
        self.executed += 1
        return "again"

    async def ask(self, caller: Caller) -> str:
        self.executed += 1
        await caller.next_key(1)
        return "ask"

    def choose(self, key: str) -> None:
        self.enter()
        self.hear("main")
        self.sent()
        self.press(key)

    def test_loop_ends_in_the_dialplan_after_the_limit_exactly(self) -> None:
        with capturedLogs() as events:
            self.choose("1")
        self.assertEqual(self.executed, MAX_ACTIONS_WITHOUT_KEY)
        self.assert_logged(events, f"{MAX_ACTIONS_WITHOUT_KEY} actions")
        self.assertEqual(self.sent(), ["set CHANNEL_AA_REASON=error", "continue"])

    def test_loop_without_any_key_ends_after_the_limit_exactly(self) -> None:
        self.enter("again")
        self.assertEqual(self.executed, MAX_ACTIONS_WITHOUT_KEY)

    def test_key_starts_the_count_again(self) -> None:
        self.choose("2")
        for _ in range(MAX_ACTIONS_WITHOUT_KEY - 1):
            self.clock.advance(1)
        self.press("5")
        self.assertEqual(self.executed, MAX_ACTIONS_WITHOUT_KEY + 1)
        for _ in range(MAX_ACTIONS_WITHOUT_KEY):
            self.clock.advance(1)
        self.assertEqual(self.executed, 2 * MAX_ACTIONS_WITHOUT_KEY)
        self.assertEqual(self.sent(), ["set CHANNEL_AA_REASON=error", "continue"])
