from __future__ import annotations

from math import inf

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator.playbacks import CannotStopError
from channel_aa.simulator.sounds import Sound, Sounds
from tests.support.simulated import Simulated


class SoundsTests(SynchronousTestCase):
    sounds = Sounds(
        seconds={"long": 5.0, "gone": 1.0, "recording:greeting": 2.0},
        missing={"gone"},
    )

    def test_a_sound_lasts_as_long_as_it_was_said_to(self) -> None:
        self.assertEqual(self.sounds.find("sound:long"), Sound(5.0))

    def test_another_sound_lasts_as_long_as_the_default(self) -> None:
        self.assertEqual(self.sounds.find("sound:other"), Sound(0.5))

    def test_with_no_default_another_sound_is_missing(self) -> None:
        self.assertEqual(Sounds(default_seconds=None).find("sound:x"), Sound(None))

    def test_a_missing_sound_is_missing_whatever_its_length(self) -> None:
        self.assertEqual(self.sounds.find("sound:gone"), Sound(None))
        self.assertEqual(list(self.sounds.names()), ["long"])

    def test_digits_last_as_long_as_each_of_them_and_cannot_be_stopped(self) -> None:
        self.assertEqual(self.sounds.find("digits:12"), Sound(1.0, can_stop=False))

    def test_digits_with_no_sounds_take_no_time(self) -> None:
        sounds = Sounds(default_seconds=None)
        self.assertEqual(sounds.find("digits:12"), Sound(0, can_stop=False))

    def test_a_tone_never_ends(self) -> None:
        self.assertEqual(self.sounds.find("tone:ring"), Sound(inf))

    def test_a_recording_is_named_with_its_scheme(self) -> None:
        self.assertEqual(self.sounds.find("recording:greeting"), Sound(2.0))

    def test_a_missing_recording_and_an_unknown_scheme_are_never_heard_of(self) -> None:
        self.assertIsNone(self.sounds.find("recording:none"))
        self.assertIsNone(self.sounds.find("bogus:x"))
        self.assertIsNone(self.sounds.find("no-scheme"))


class PlaybackCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.on = Simulated()
        self.on.forget_events()

    def test_a_sound_starts_at_once_and_ends_after_its_length(self) -> None:
        self.on.play("a", "sound:long")
        self.assertEqual(self.on.said, ["PlaybackStarted a"])
        self.on.clock.advance(4.9)
        self.assertEqual(self.on.said, ["PlaybackStarted a"])
        self.on.clock.advance(0.1)
        self.assertEqual(self.on.said[1:], ["PlaybackFinished a done"])

    def test_durations_are_divided_by_the_speed(self) -> None:
        on = Simulated(speed=10)
        on.play("a", "sound:long")
        on.clock.advance(0.5)
        self.assertEqual(on.said[-1], "PlaybackFinished a done")
        self.assertEqual(on.caller.heard[0].ended, 5.0)

    def test_a_busy_thread_starts_a_sound_later(self) -> None:
        on = Simulated(thread_delay=0.1)
        on.forget_events()
        on.play("a", "sound:or")
        on.play("b", "sound:or")
        self.assertEqual(on.said, [])
        on.clock.advance(0.1)
        self.assertEqual(on.said, ["PlaybackStarted a"])
        on.clock.advance(0.5)
        self.assertEqual(on.said[-1], "PlaybackStarted b")

    def test_one_plays_at_a_time_and_the_next_when_it_is_over(self) -> None:
        self.on.play("a", "sound:or")
        later = self.on.play("b", "sound:or")
        self.assertEqual(later.state, "queued")
        self.on.clock.advance(0.5)
        self.assertEqual(
            self.on.said,
            ["PlaybackStarted a", "PlaybackFinished a done", "PlaybackStarted b"],
        )

    def test_a_stopped_sound_ends_a_frame_later_and_is_done(self) -> None:
        playback = self.on.play("a", "sound:long")
        playback.stop()
        playback.stop()
        self.assertEqual(self.on.said, ["PlaybackStarted a"])
        self.on.clock.advance(0.02)
        self.assertEqual(self.on.said[1:], ["PlaybackFinished a done"])
        self.assertEqual(self.on.caller.heard[0].how, "stopped")

    def test_a_sound_stopped_before_its_turn_ends_at_its_turn(self) -> None:
        self.on.play("a", "sound:or")
        self.on.play("b", "sound:or").stop()
        self.assertEqual(self.on.said, ["PlaybackStarted a"])
        self.on.clock.advance(0.5)
        self.assertEqual(
            self.on.said[1:], ["PlaybackFinished a done", "PlaybackFinished b done"]
        )
        self.assertEqual(len(self.on.caller.heard), 1)

    def test_spoken_digits_cannot_be_stopped(self) -> None:
        playback = self.on.play("a", "digits:12")
        error = self.assertRaises(CannotStopError, playback.stop)
        self.assertEqual(str(error), "Could not stop playback")
        self.on.clock.advance(1.0)
        self.assertEqual(self.on.said[1:], ["PlaybackFinished a done"])

    def test_spoken_digits_can_be_stopped_before_their_turn(self) -> None:
        self.on.play("a", "sound:or")
        self.on.play("b", "digits:1").stop()
        self.on.clock.advance(0.5)
        self.assertEqual(self.on.said[-1], "PlaybackFinished b done")

    def test_a_missing_sound_starts_and_fails_at_once(self) -> None:
        self.on.play("a", "sound:missing")
        self.on.play("b", "sound:or")
        self.assertEqual(
            self.on.said,
            ["PlaybackStarted a", "PlaybackFinished a failed", "PlaybackStarted b"],
        )
        self.assertEqual(self.on.caller.heard[0].how, "failed")

    def test_an_unknown_scheme_starts_and_is_never_heard_of_again(self) -> None:
        self.on.play("a", "bogus:x")
        self.on.play("b", "sound:or")
        self.assertEqual(self.on.said, ["PlaybackStarted a", "PlaybackStarted b"])
        self.assertIsNone(self.on.state.playbacks.find("a"))

    def test_a_list_of_sounds_continues_even_after_a_missing_one(self) -> None:
        self.on.play("a", "sound:missing", "sound:or")
        self.on.clock.advance(0.5)
        self.assertEqual(
            self.on.said,
            [
                "PlaybackStarted a",
                "PlaybackContinuing a",
                "PlaybackStarted a",
                "PlaybackFinished a done",
            ],
        )

    def test_a_stopped_list_does_not_continue(self) -> None:
        self.on.play("a", "sound:or", "sound:or").stop()
        self.on.clock.advance(1.0)
        self.assertEqual(self.on.said, ["PlaybackStarted a", "PlaybackFinished a done"])

    def test_two_playbacks_of_one_id_both_play(self) -> None:
        self.on.play("a", "sound:or")
        second = self.on.play("a", "sound:or")
        self.on.clock.advance(0.5)
        self.assertIs(self.on.state.playbacks.find("a"), second)
        self.on.clock.advance(0.5)
        self.assertEqual(self.on.said.count("PlaybackFinished a done"), 2)
        self.assertIsNone(self.on.state.playbacks.find("a"))

    def test_a_fault_lets_a_sound_play_on_until_it_is_stopped(self) -> None:
        self.on.faults.never_finish("sound:or")
        playback = self.on.play("a", "sound:or")
        self.on.clock.advance(1000)
        self.assertEqual(playback.state, "playing")
        playback.stop()
        self.on.clock.advance(0.02)
        self.assertEqual(self.on.said[1:], ["PlaybackFinished a done"])
