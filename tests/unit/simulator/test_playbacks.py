from __future__ import annotations

from math import inf

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator.responses import RefusedError
from channel_aa.simulator.sounds import Sound, Sounds
from tests.support.simulated import SimulatedPbx


class SoundsTests(SynchronousTestCase):
    sounds = Sounds(
        seconds={"long": 5.0, "gone": 1.0, "recording:greeting": 2.0},
        missing={"gone"},
    )

    def test_sound_lasts_its_configured_seconds(self) -> None:
        self.assertEqual(self.sounds.find("sound:long"), Sound(5.0))

    def test_other_sound_lasts_the_default(self) -> None:
        self.assertEqual(self.sounds.find("sound:other"), Sound(0.5))

    def test_other_sound_is_missing_without_a_default(self) -> None:
        self.assertEqual(Sounds(default_seconds=None).find("sound:x"), Sound(None))

    def test_missing_sound_is_missing_even_with_seconds(self) -> None:
        self.assertEqual(self.sounds.find("sound:gone"), Sound(None))
        self.assertEqual(list(self.sounds.names()), ["long"])

    def test_digits_last_the_sum_and_cannot_be_stopped(self) -> None:
        self.assertEqual(self.sounds.find("digits:12"), Sound(1.0, can_stop=False))

    def test_digits_without_sounds_take_no_time(self) -> None:
        sounds = Sounds(default_seconds=None)
        self.assertEqual(sounds.find("digits:12"), Sound(0, can_stop=False))

    def test_tone_never_ends(self) -> None:
        self.assertEqual(self.sounds.find("tone:ring"), Sound(inf))

    def test_recording_is_configured_with_its_scheme(self) -> None:
        self.assertEqual(self.sounds.find("recording:greeting"), Sound(2.0))

    def test_missing_recording_and_unknown_scheme_are_not_found(self) -> None:
        self.assertIsNone(self.sounds.find("recording:none"))
        self.assertIsNone(self.sounds.find("bogus:x"))
        self.assertIsNone(self.sounds.find("no-scheme"))


class PlaybackTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pbx = SimulatedPbx()
        self.pbx.forget_events()

    def test_playback_starts_at_once_and_ends_after_its_seconds(self) -> None:
        self.pbx.play("a", "sound:long")
        self.assertEqual(self.pbx.published, ["PlaybackStarted a"])
        self.pbx.clock.advance(4.9)
        self.assertEqual(self.pbx.published, ["PlaybackStarted a"])
        self.pbx.clock.advance(0.1)
        self.assertEqual(self.pbx.published[1:], ["PlaybackFinished a done"])

    def test_durations_are_divided_by_the_speed(self) -> None:
        pbx = SimulatedPbx(speed=10)
        pbx.play("a", "sound:long")
        pbx.clock.advance(0.5)
        self.assertEqual(pbx.published[-1], "PlaybackFinished a done")
        self.assertEqual(pbx.caller.heard[0].ended, 5.0)

    def test_queued_playback_starts_when_the_first_ends(self) -> None:
        self.pbx.play("a", "sound:or")
        later = self.pbx.play("b", "sound:or")
        self.assertEqual(later.state, "queued")
        self.pbx.clock.advance(0.5)
        self.assertEqual(
            self.pbx.published,
            ["PlaybackStarted a", "PlaybackFinished a done", "PlaybackStarted b"],
        )

    def test_stopped_playback_ends_a_frame_later_as_done(self) -> None:
        playback = self.pbx.play("a", "sound:long")
        playback.stop()
        playback.stop()
        self.assertEqual(self.pbx.published, ["PlaybackStarted a"])
        self.pbx.clock.advance(0.02)
        self.assertEqual(self.pbx.published[1:], ["PlaybackFinished a done"])
        self.assertEqual(self.pbx.caller.heard[0].how, "stopped")

    def test_playback_stopped_while_queued_ends_at_its_turn(self) -> None:
        self.pbx.play("a", "sound:or")
        self.pbx.play("b", "sound:or").stop()
        self.assertEqual(self.pbx.published, ["PlaybackStarted a"])
        self.pbx.clock.advance(0.5)
        self.assertEqual(
            self.pbx.published[1:],
            ["PlaybackFinished a done", "PlaybackFinished b done"],
        )
        self.assertEqual(len(self.pbx.caller.heard), 1)

    def test_spoken_digits_cannot_be_stopped(self) -> None:
        playback = self.pbx.play("a", "digits:12")
        error = self.assertRaises(RefusedError, playback.stop)
        self.assertEqual(str(error), "Could not stop playback")
        self.pbx.clock.advance(1.0)
        self.assertEqual(self.pbx.published[1:], ["PlaybackFinished a done"])

    def test_queued_spoken_digits_can_be_stopped(self) -> None:
        self.pbx.play("a", "sound:or")
        self.pbx.play("b", "digits:1").stop()
        self.pbx.clock.advance(0.5)
        self.assertEqual(self.pbx.published[-1], "PlaybackFinished b done")

    def test_missing_sound_starts_and_fails_at_once(self) -> None:
        self.pbx.play("a", "sound:missing")
        self.pbx.play("b", "sound:or")
        self.assertEqual(
            self.pbx.published,
            ["PlaybackStarted a", "PlaybackFinished a failed", "PlaybackStarted b"],
        )
        self.assertEqual(self.pbx.caller.heard[0].how, "failed")

    def test_unknown_scheme_starts_and_sends_no_other_event(self) -> None:
        self.pbx.play("a", "bogus:x")
        self.pbx.play("b", "sound:or")
        self.assertEqual(self.pbx.published, ["PlaybackStarted a", "PlaybackStarted b"])
        self.assertNotIn("a", [each.id for each in self.pbx.state.playbacks])

    def test_media_list_continues_after_a_missing_sound(self) -> None:
        self.pbx.play("a", "sound:missing", "sound:or")
        self.pbx.clock.advance(0.5)
        self.assertEqual(
            self.pbx.published,
            [
                "PlaybackStarted a",
                "PlaybackContinuing a",
                "PlaybackStarted a",
                "PlaybackFinished a done",
            ],
        )

    def test_stopped_media_list_does_not_continue(self) -> None:
        self.pbx.play("a", "sound:or", "sound:or").stop()
        self.pbx.clock.advance(1.0)
        self.assertEqual(
            self.pbx.published, ["PlaybackStarted a", "PlaybackFinished a done"]
        )

    def test_two_playbacks_with_the_same_id_both_play(self) -> None:
        self.pbx.play("a", "sound:or")
        second = self.pbx.play("a", "sound:or")
        self.pbx.clock.advance(0.5)
        self.assertEqual(self.pbx.state.playbacks, [second])
        self.pbx.clock.advance(0.5)
        self.assertEqual(self.pbx.published.count("PlaybackFinished a done"), 2)
        self.assertNotIn("a", [each.id for each in self.pbx.state.playbacks])
