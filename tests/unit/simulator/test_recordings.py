from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator.api import Api
from channel_aa.simulator.responses import Response
from channel_aa.simulator.routes import ROOT
from channel_aa.simulator.sounds import Sounds
from tests.support.simulated import SimulatedPbx


class RecordingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pbx = SimulatedPbx()
        self.api = Api(self.pbx.state, ROOT)
        self.caller = self.pbx.caller
        self.pbx.channel.answer()
        self.pbx.forget_events()

    def ask(self, method: str, *path: str, **given: object) -> Response:
        answer = self.api.dispatch(method, path, given)
        assert isinstance(answer, Response)
        return answer

    def record(self, **limits: object) -> None:
        channel = self.pbx.channel.id
        asked = {"name": "one", "format": "wav", **limits}
        answer = self.ask("POST", "channels", channel, "record", **asked)
        self.assertEqual(answer.status, 201)

    def seconds(self) -> float:
        return self.pbx.state.sounds.recordings["one"].seconds

    def test_recording_ends_at_its_maximum_duration(self) -> None:
        self.record(maxDurationSeconds="3", maxSilenceSeconds="10")
        self.pbx.pass_time(2.9)
        self.assertEqual(self.pbx.published, ["RecordingStarted"])
        self.pbx.pass_time(0.2)
        self.assertEqual(self.pbx.published, ["RecordingStarted", "RecordingFinished"])
        self.assertApproximates(self.seconds(), 3.0, 0.02)

    def test_silence_is_counted_from_the_end_of_speech(self) -> None:
        self.record(maxSilenceSeconds="2")
        self.pbx.pass_time(1)
        self.caller.speak(1.5)
        self.pbx.pass_time(3.4)
        self.assertEqual(self.pbx.published, ["RecordingStarted"])
        self.pbx.pass_time(0.2)
        self.assertEqual(self.pbx.published[-1], "RecordingFinished")
        recording = self.pbx.events[-1]["recording"]
        self.assertEqual(recording["duration"], 4)
        self.assertEqual(
            (recording["talking_duration"], recording["silence_duration"]), (2, 2)
        )

    def test_recording_begins_after_the_beep_which_no_key_ends(self) -> None:
        self.record(beep="true", terminateOn="#", maxDurationSeconds="1")
        self.assertEqual(self.pbx.published, ["RecordingStarted"])
        self.pbx.pass_time(0.4)
        self.assertEqual(self.caller.heard[-1].media, "sound:beep")
        self.caller.press("#")
        self.pbx.pass_time(0.3)
        self.assertEqual(self.pbx.published[-1], "ChannelDtmfReceived #")
        self.assertEqual(self.caller.heard[-1].how, "done")
        self.caller.press("#")
        self.assertEqual(self.pbx.published[-1], "RecordingFinished")

    def test_stop_during_the_beep_ends_the_recording(self) -> None:
        self.record(beep="true")
        self.ask("POST", "recordings", "live", "one", "stop")
        self.assertEqual(self.caller.heard[-1].how, "stopped")
        self.assertEqual(self.seconds(), 0.0)
        self.assertEqual(self.pbx.clock.getDelayedCalls(), [])

    def test_queued_recording_can_be_cancelled_or_stopped(self) -> None:
        for method, path in (("DELETE", ()), ("POST", ("stop",))):
            self.pbx.forget_events()
            self.pbx.play("a", "sound:or")
            self.record()
            self.ask(method, "recordings", "live", "one", *path)
            self.pbx.pass_time(1)
            self.assertNotIn("RecordingStarted", self.pbx.published)
            self.assertEqual(self.pbx.state.recordings, {})
            self.assertEqual(self.pbx.state.sounds.recordings, {})

    def test_recording_after_the_hangup_keeps_the_channel_for_seconds(
        self,
    ) -> None:
        self.pbx.play("a", "sound:or")
        self.record()
        self.caller.hang_up()
        self.assertEqual(self.pbx.published[-1], "RecordingStarted")
        self.pbx.pass_time(4.1)
        self.assertEqual(self.pbx.published[-2:], ["RecordingFinished", "StasisEnd"])

    def test_played_recording_lasts_as_long_as_it_was_recorded(self) -> None:
        self.record(maxDurationSeconds="1")
        self.pbx.pass_time(1.1)
        self.pbx.play("a", "recording:one")
        self.pbx.pass_time(0.9)
        self.assertEqual(self.pbx.published[-1], "PlaybackStarted a")
        self.pbx.pass_time(0.2)
        self.assertEqual(self.pbx.published[-1], "PlaybackFinished a done")

    def test_speak_step_is_recorded_for_its_seconds(self) -> None:
        self.record(maxSilenceSeconds="1")
        done = self.caller.run("wait 0.5, speak 2")
        self.pbx.pass_time(2.4)
        self.assertNoResult(done)
        self.pbx.pass_time(0.4)
        self.successResultOf(done)
        self.pbx.pass_time(1.2)
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

    def test_number_lasts_the_sum_of_its_words(self) -> None:
        for number, words in ((7, 1), (12, 1), (20, 1), (27, 2), (127, 4), (-7, 2)):
            self.assertEqual(self.length(f"number:{number}"), words, number)
        self.assertEqual(self.length("number:2127"), 6)
        self.assertEqual(self.length("number:200"), 2)

    def test_number_with_a_missing_word_fails(self) -> None:
        self.assertIsNone(self.length("number:30"))

    def test_characters_are_spelt_without_unknown_ones(self) -> None:
        self.assertEqual(self.length("characters:A1*z"), 3)
        self.assertEqual(self.length("digits:1a*"), 2)

    def test_invalid_number_and_tone_are_not_found(self) -> None:
        self.assertIsNone(self.sounds.find("number:x"))
        self.assertIsNone(self.length("tone:nonsense"))
        self.assertEqual(self.length("tone:440+480/2000,0/4000"), float("inf"))
        self.assertEqual(self.length("tone:ring;tonezone=fr"), float("inf"))
