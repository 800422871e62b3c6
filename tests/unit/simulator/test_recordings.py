from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator.api import Api, Response
from channel_aa.simulator.routes import ROUTES
from channel_aa.simulator.sounds import Sounds
from tests.support.simulated import Simulated


class RecordingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.on = Simulated()
        self.api = Api(self.on.state, ROUTES)
        self.caller = self.on.caller
        self.on.channel.answer()
        self.on.forget_events()

    def ask(self, method: str, *path: str, **given: object) -> Response:
        answer = self.api.dispatch(method, path, given)
        assert isinstance(answer, Response)
        return answer

    def record(self, **limits: object) -> None:
        channel = self.on.channel.id
        asked = {"name": "one", "format": "wav", **limits}
        answer = self.ask("POST", "channels", channel, "record", **asked)
        self.assertEqual(answer.status, 201)

    def seconds(self) -> float:
        return self.on.state.recordings.stored["one"].seconds

    def test_it_ends_when_its_time_is_up(self) -> None:
        self.record(maxDurationSeconds="3", maxSilenceSeconds="10")
        self.on.pass_time(2.9)
        self.assertEqual(self.on.said, ["RecordingStarted"])
        self.on.pass_time(0.2)
        self.assertEqual(self.on.said, ["RecordingStarted", "RecordingFinished"])
        self.assertApproximates(self.seconds(), 3.0, 0.02)

    def test_silence_is_counted_from_the_last_word(self) -> None:
        self.record(maxSilenceSeconds="2")
        self.on.pass_time(1)
        self.caller.speak(1.5)
        self.on.pass_time(3.4)
        self.assertEqual(self.on.said, ["RecordingStarted"])
        self.on.pass_time(0.2)
        self.assertEqual(self.on.said[-1], "RecordingFinished")
        told = self.on.events[-1]["recording"]
        self.assertEqual(told["duration"], 4)
        self.assertEqual((told["talking_duration"], told["silence_duration"]), (2, 2))

    def test_it_begins_after_the_beep_and_no_key_ends_that(self) -> None:
        self.record(beep="true", terminateOn="#", maxDurationSeconds="1")
        self.assertEqual(self.on.said, ["RecordingStarted"])
        self.on.pass_time(0.4)
        self.assertEqual(self.caller.heard[-1].media, "sound:beep")
        self.caller.press("#")
        self.on.pass_time(0.3)
        self.assertEqual(self.on.said[-1], "ChannelDtmfReceived #")
        self.assertEqual(self.caller.heard[-1].how, "done")
        self.caller.press("#")
        self.assertEqual(self.on.said[-1], "RecordingFinished")

    def test_a_stop_during_the_beep_ends_that_too(self) -> None:
        self.record(beep="true")
        self.ask("POST", "recordings", "live", "one", "stop")
        self.assertEqual(self.caller.heard[-1].how, "stopped")
        self.assertEqual(self.seconds(), 0.0)
        self.assertEqual(self.on.clock.getDelayedCalls(), [])

    def test_what_is_cancelled_or_stopped_in_the_queue_is_not_made(self) -> None:
        for method, path in (("DELETE", ()), ("POST", ("stop",))):
            self.on.forget_events()
            self.on.play("a", "sound:or")
            self.record()
            self.ask(method, "recordings", "live", "one", *path)
            self.on.pass_time(1)
            self.assertNotIn("RecordingStarted", self.on.said)
            self.assertEqual(self.on.state.recordings.live, {})
            self.assertEqual(self.on.state.recordings.stored, {})

    def test_one_that_begins_after_the_hangup_keeps_the_channel_for_seconds(
        self,
    ) -> None:
        self.on.play("a", "sound:or")
        self.record()
        self.caller.hang_up()
        self.assertEqual(self.on.said[-1], "RecordingStarted")
        self.on.pass_time(4.1)
        self.assertEqual(self.on.said[-2:], ["RecordingFinished", "StasisEnd"])

    def test_a_recording_is_as_long_when_it_is_played(self) -> None:
        self.record(maxDurationSeconds="1")
        self.on.pass_time(1.1)
        self.on.play("a", "recording:one")
        self.on.pass_time(0.9)
        self.assertEqual(self.on.said[-1], "PlaybackStarted a")
        self.on.pass_time(0.2)
        self.assertEqual(self.on.said[-1], "PlaybackFinished a done")

    def test_a_caller_says_something_for_as_long_as_the_script_has_it(self) -> None:
        self.record(maxSilenceSeconds="1")
        done = self.caller.run("wait 0.5, speak 2")
        self.on.pass_time(2.4)
        self.assertNoResult(done)
        self.on.pass_time(0.4)
        self.successResultOf(done)
        self.on.pass_time(1.2)
        self.assertApproximates(self.seconds(), 3.5, 0.3)


class SpokenTests(SynchronousTestCase):
    """How long it takes to say what is put together of other sounds."""

    def setUp(self) -> None:
        names = ("1", "2", "7", "20", "hundred", "thousand", "minus", "star", "12")
        seconds = {f"digits/{name}": 1.0 for name in names}
        self.sounds = Sounds(
            seconds={**seconds, "letters/a": 1.0}, default_seconds=None
        )

    def length(self, media: str) -> float | None:
        sound = self.sounds.find(media)
        assert sound is not None
        return sound.seconds

    def test_a_number_is_said_in_words(self) -> None:
        for number, words in ((7, 1), (12, 1), (20, 1), (27, 2), (127, 4), (-7, 2)):
            self.assertEqual(self.length(f"number:{number}"), words, number)
        self.assertEqual(self.length("number:2127"), 6)
        self.assertEqual(self.length("number:200"), 2)

    def test_a_number_that_lacks_a_word_fails(self) -> None:
        self.assertIsNone(self.length("number:30"))

    def test_characters_are_spelt_and_those_without_a_sound_left_out(self) -> None:
        self.assertEqual(self.length("characters:A1*z"), 3)
        self.assertEqual(self.length("digits:1a*"), 2)

    def test_what_is_no_number_and_no_tone(self) -> None:
        self.assertIsNone(self.sounds.find("number:x"))
        self.assertIsNone(self.length("tone:nonsense"))
        self.assertEqual(self.length("tone:440+480/2000,0/4000"), float("inf"))
        self.assertEqual(self.length("tone:ring;tonezone=fr"), float("inf"))
