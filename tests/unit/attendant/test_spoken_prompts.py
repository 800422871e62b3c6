"""Prompts of texts, and what is played for sounds that Asterisk lacks."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from channel_aa.attendant.attendant import Attendant
from channel_aa.interfaces import PlaybackEnd
from tests.support.call_case import NOON, CallTestCase, call_flow
from tests.support.speech_fakes import FakeSpeech

WELCOME = "sound:http://127.0.0.1:8087/welcome.wav"


class SpokenCase(CallTestCase):
    FLOW = """
        [menus.main]
        prompt = [{ say = "Welcome." }, "or", "press-2"]
        [menus.main.options]
        1 = { language = "fr" }
        2 = { play = [{ say = { en = "Bye.", fr = "Salut." }, barge_in = false }] }
        """

    def speak(self, speech: FakeSpeech | None) -> None:
        self.attendant = Attendant(
            call_flow(self.FLOW), clock=self.clock, now=lambda: NOON, speech=speech
        )
        self.enter()


class TextTests(SpokenCase):
    def test_text_is_played_as_its_media(self) -> None:
        self.speak(FakeSpeech({"Welcome.": WELCOME}))
        self.hear(WELCOME, "or", "press-2")

    def test_text_in_no_language_is_in_that_of_the_call(self) -> None:
        speech = FakeSpeech({"Welcome.": WELCOME})
        self.speak(speech)
        self.press("1")
        self.assertEqual(speech.languages, ["en", "fr"])

    def test_text_in_the_language_of_the_call_is_chosen(self) -> None:
        self.speak(FakeSpeech({"Salut.": "sound:salut", "Bye.": "sound:bye"}))
        self.press("1")
        self.press("2")
        self.hear("salut")

    def test_key_interrupts_a_text(self) -> None:
        self.speak(FakeSpeech({"Welcome.": WELCOME, "Bye.": "sound:bye"}))
        self.press("2")
        self.assertEqual(self.channel.playbacks[0].stops, 1)
        self.assert_plays("bye")

    def test_key_does_not_stop_a_text_without_barge_in(self) -> None:
        self.speak(FakeSpeech({"Welcome.": WELCOME, "Bye.": "sound:bye"}))
        self.press("2")
        self.press("2")
        self.hear("bye")

    def test_text_that_cannot_be_spoken_is_left_out(self) -> None:
        self.speak(FakeSpeech())
        with capturedLogs() as events:
            self.hear("or")
        self.assertEqual(events, [])  # it was reported when it failed

    def test_texts_are_left_out_without_speech(self) -> None:
        self.speak(None)
        self.hear("or")

    def test_call_waits_for_a_text_that_is_not_ready(self) -> None:
        waiting: Deferred[str] = Deferred()
        self.speak(FakeSpeech({"Welcome.": waiting}))
        self.assert_silent()
        waiting.callback(WELCOME)
        self.hear(WELCOME, "or")

    def test_key_ends_the_wait_for_a_text(self) -> None:
        waiting: Deferred[str] = Deferred()
        self.speak(FakeSpeech({"Welcome.": waiting, "Bye.": "sound:bye"}))
        self.press("2")
        self.assert_plays("bye")

    def test_hangup_ends_the_wait_for_a_text(self) -> None:
        waiting: Deferred[str] = Deferred()
        self.speak(FakeSpeech({"Welcome.": waiting}))
        self.call.hung_up()
        self.assert_finished()
        self.assertTrue(waiting.called)


class MissingSoundTests(SpokenCase):
    FLOW = ""

    def test_other_media_are_played_for_a_sound_that_is_missing(self) -> None:
        core = ("sound:vm-press", "sound:digits/1")
        self.speak(FakeSpeech(instead={"sound:press-1": core, "sound:or": ()}))
        self.hear("vm-press", "digits/1", "press-2")

    def test_key_interrupts_what_is_played_instead(self) -> None:
        core = ("sound:vm-press", "sound:digits/1")
        self.speak(FakeSpeech(instead={"sound:press-1": core}))
        self.press("1")
        self.hear("you-entered", "digits/1", "vm-press")

    def test_other_media_are_played_at_once_after_a_failure(self) -> None:
        self.speak(FakeSpeech(after_failure={"sound:press-1": (WELCOME,)}))
        with capturedLogs() as events:
            self.hear_failing("press-1")
            self.hear(WELCOME, "or")
        self.assertEqual(events, [])

    def test_failure_of_other_sounds_is_logged(self) -> None:
        self.speak(FakeSpeech())
        with capturedLogs() as events:
            self.hear_failing("press-1")
        self.assert_logged(events, "sound:press-1 was not played", "no such sound")
        self.hear("or")

    def test_failure_of_what_is_played_instead_is_logged(self) -> None:
        self.speak(FakeSpeech(after_failure={"sound:press-1": (WELCOME,)}))
        with capturedLogs() as events:
            self.hear_failing("press-1", WELCOME)
        self.assert_logged(events, f"{WELCOME} was not played")
        self.hear("or")

    def test_key_after_a_failure_ends_the_prompt(self) -> None:
        self.speak(FakeSpeech(after_failure={"sound:press-1": (WELCOME,)}))
        self.call.dtmf_received("1")
        self.channel.end_sound(PlaybackEnd.FAILED)
        self.hear("you-entered")
