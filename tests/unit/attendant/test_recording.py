"""Recordings, with and without a review."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import fail
from twisted.logger import capturedLogs

from channel_aa.attendant.recording import MAX_EMPTY, REVIEW_SECONDS, REVIEW_TRIES
from channel_aa.interfaces import RecordingEnd, TelephonyError
from channel_aa.menus.flow import CallFlow
from channel_aa.problems import ConfigError
from tests.support.call_case import CHANNEL, CallTestCase

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

REVIEWED = """
[menus.main]
prompt = ["main"]
[menus.main.options]
1 = { record = "welcome", review = true, then = { play = ["thanks"] } }
2 = { record = "welcome", review = true, else = { play = ["dropped"] } }
"""
QUESTION = ("vm-review", "vm-star-cancel")


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


class ReviewTests(CallTestCase):
    FLOW = REVIEWED

    def record(self, key: str = "1") -> None:
        self.enter()
        self.hear("main")
        self.press(key)

    def end_recording(self, *, talking: int | None = 2) -> str:
        """End the recording that is made; return its name."""
        recording = self.channel.recordings[-1]
        recording.talking_seconds = talking
        self.sent()
        recording.end()
        return f"recording:{recording.name}"

    def test_recording_is_made_under_another_name(self) -> None:
        self.record()
        self.assertRegex(self.sent()[-1], "record welcome-review-[0-9a-f]{8} 120 5 # ")

    def test_recording_that_is_kept_replaces_the_earlier_one(self) -> None:
        self.record()
        self.hear(self.end_recording(), *QUESTION)
        self.sent()
        self.press("1")
        self.assertEqual(self.sent(), ["replace welcome", "sound:vm-msgsaved"])
        self.hear("vm-msgsaved", "thanks", "main")
        self.assertEqual(self.call.context.recording, "welcome")

    def test_recording_can_be_heard_again_and_again(self) -> None:
        self.record()
        heard = self.end_recording()
        for _ in range(2 * REVIEW_TRIES):
            self.hear(heard, *QUESTION)
            self.press("2")
        self.assert_plays(heard)

    def test_key_interrupts_the_recording_that_is_heard(self) -> None:
        self.record()
        self.assert_plays(self.end_recording())
        self.press("1")
        self.hear("vm-msgsaved", "thanks")

    def test_another_recording_can_be_made(self) -> None:
        self.record()
        self.hear(self.end_recording(), *QUESTION)
        first = self.channel.recordings[0].name
        self.press("3")
        self.assertIn(f"discard {first}", self.sent())
        self.assertEqual(len(self.channel.recordings), 2)
        self.hear(self.end_recording(), *QUESTION)
        self.assertNotEqual(self.channel.recordings[1].name, first)

    def test_recording_that_is_dropped_is_deleted(self) -> None:
        self.record("2")
        self.hear(self.end_recording(), *QUESTION)
        self.sent()
        self.press("*")
        [name] = [each.name for each in self.channel.recordings]
        self.assertEqual(self.sent(), [f"discard {name}", "sound:dropped"])
        self.assertEqual(self.call.context.recording, "")

    def test_without_an_else_the_menu_follows_a_recording_that_is_dropped(self) -> None:
        self.record()
        self.hear(self.end_recording(), *QUESTION)
        self.press("*")
        self.assert_plays("main")

    def test_caller_who_does_not_choose_drops_the_recording(self) -> None:
        self.record("2")
        self.hear(self.end_recording())
        for _ in range(REVIEW_TRIES):
            self.hear(*QUESTION)
            self.clock.advance(REVIEW_SECONDS)
        self.assert_plays("dropped")

    def test_keys_that_mean_nothing_repeat_the_question(self) -> None:
        self.record()
        self.hear(self.end_recording(), *QUESTION)
        self.press("7")
        self.hear(*QUESTION)
        self.press("1")
        self.hear("vm-msgsaved")

    def test_empty_recording_is_not_offered(self) -> None:
        self.record("2")
        for count in range(MAX_EMPTY):
            self.assertEqual(len(self.channel.recordings), count + 1)
            self.end_recording(talking=0)
            self.hear("vm-tooshort")
            self.assertIn(f"discard {self.channel.recordings[count].name}", self.sent())
        self.assert_plays("dropped")

    def test_recording_of_unknown_content_is_offered(self) -> None:
        self.record()
        self.assert_plays(self.end_recording(talking=None))

    def test_hangup_deletes_the_recording(self) -> None:
        self.record()
        name = self.channel.recordings[0].name
        self.call.hung_up()
        self.assertEqual(self.sent()[-2:], [f"keep {name}", f"discard {name}"])

    def test_hangup_during_the_review_deletes_the_recording(self) -> None:
        self.record()
        self.assert_plays(self.end_recording())
        name = self.channel.recordings[0].name
        self.sent()
        self.call.hung_up()
        self.assertIn(f"discard {name}", self.sent())

    def test_recording_that_could_not_get_its_name_is_kept_and_named(self) -> None:
        self.record("2")
        self.hear(self.end_recording(), *QUESTION)
        recording = self.channel.recordings[0]
        recording.replacement = fail(TelephonyError("the disk is full"))
        self.sent()
        with capturedLogs() as events:
            self.press("1")
        self.assertNotIn(f"discard {recording.name}", self.sent())
        self.assert_logged(
            events, f"welcome is stored as {recording.name}: the disk is full"
        )
        self.assert_plays("dropped")


class ReviewConflictTests(CallTestCase):
    def problem(self, **keys: object) -> str:
        option = {"record": "x", "review": True, **keys}
        menu: Any = {"prompt": ["or"], "options": {"1": option}}
        with self.assertRaises(ConfigError) as caught:
            CallFlow(menus={"main": menu})
        return str(caught.exception)

    def test_review_needs_silence_to_end_the_recording(self) -> None:
        problem = self.problem(max_silence=0)
        self.assertTrue(problem.startswith("menus.main.options.1.max_silence: "))
        self.assertIn("an empty recording shows by its silence", problem)

    def test_review_decides_what_is_replaced(self) -> None:
        problem = self.problem(overwrite=True)
        self.assertTrue(problem.startswith("menus.main.options.1.overwrite: "))
