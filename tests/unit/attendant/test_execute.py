"""Recording what a caller says."""

from __future__ import annotations

from twisted.logger import capturedLogs

from channel_aa.interfaces import RecordingEnd
from tests.support.call_case import CHANNEL, CallTestCase

MENUS = """
[menus.main]
prompt = ["main"]
[menus.main.options]
1 = { record = "{date}/{caller}-{time}", max_seconds = 60, then = "play-it" }
2 = { record = "name", beep = false, else = { play = ["sorry"] } }
3 = "play-it"
[actions]
play-it = { play = ["you-said", "recording:{recording}"] }
"""
NAME = "2026-11-23/+441632960100-120000"


class RecordingTests(CallTestCase):
    FLOW = MENUS

    def record(self, key: str = "1") -> None:
        self.enter()
        self.hear("main")
        self.asked()
        self.press(key)

    def test_recording_has_the_name_and_the_bounds_of_its_option(self) -> None:
        self.record()
        self.assertEqual(self.asked(), [f"record {NAME} 60 5 # True"])

    def test_recording_can_be_heard_afterwards(self) -> None:
        self.record()
        self.channel.recordings[0].end()
        self.hear("you-said", f"recording:{NAME}", "main")
        self.press("3")
        self.hear("you-said", f"recording:{NAME}", "main")

    def test_nothing_is_heard_of_a_recording_that_is_not_there(self) -> None:
        self.record("3")
        self.hear("you-said", "main")

    def test_failure_is_logged_and_leads_to_else(self) -> None:
        self.record("2")
        with capturedLogs() as events:
            self.channel.recordings[0].end(RecordingEnd.FAILED)
        self.assert_logged(events, f"{CHANNEL} could not be recorded: the disk is full")
        self.hear("sorry", "main")

    def test_failure_without_an_else_leads_on(self) -> None:
        self.record()
        self.channel.recordings[0].end(RecordingEnd.FAILED)
        self.hear("you-said", "main")

    def test_keys_of_the_recording_are_nobody_s(self) -> None:
        self.record()
        self.press("1#")
        self.channel.recordings[0].end()
        self.hear("you-said", f"recording:{NAME}", "main")
        self.assert_silent()

    def test_caller_who_hangs_up_keeps_what_was_said(self) -> None:
        self.record()
        self.call.hung_up()
        self.assertEqual(self.asked()[1:], [f"keep {NAME}"])
