"""The limit on actions without a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import capturedLogs

from channel_aa.attendant.attendant import Attendant
from channel_aa.attendant.execute import MAX_ACTIONS_WITHOUT_KEY
from tests.support.call_case import NOON, CallTestCase, call_flow, exit_of

if TYPE_CHECKING:
    from channel_aa.attendant.custom_actions import Caller

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
        self.assertEqual(self.sent(), exit_of("error", "main:1"))

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
        self.assertEqual(self.sent(), exit_of("error", "main:2"))
