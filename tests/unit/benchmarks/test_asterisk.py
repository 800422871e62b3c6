"""What the benchmark reads out of a real Asterisk's events."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.asterisk import SOUND_SECONDS, hear

PRESS_1, OR, PRESS_2 = "sound:press-1", "sound:or", "sound:press-2"


def at(seconds: float) -> str:
    return f"2026-11-22T06:18:{seconds:06.3f}+0000"


def started(seconds: float, media: str = PRESS_1) -> dict[str, Any]:
    playback = {"media_uri": media, "target_uri": "channel:1.1"}
    return {"type": "PlaybackStarted", "timestamp": at(seconds), "playback": playback}


def finished(seconds: float, state: str = "done") -> dict[str, Any]:
    playback = {"target_uri": "channel:1.1", "state": state}
    return {"type": "PlaybackFinished", "timestamp": at(seconds), "playback": playback}


def pressed(seconds: float, channel: str = "1.1") -> dict[str, Any]:
    event = {"type": "ChannelDtmfReceived", "timestamp": at(seconds)}
    return {**event, "channel": {"id": channel}}


class HeardTests(SynchronousTestCase):
    def assert_times(self, times: list[float], *expected: float) -> None:
        self.assertEqual([round(each, 6) for each in times], list(expected))

    def test_a_key_that_stops_a_sound_is_timed(self) -> None:
        heard = hear([started(1), pressed(1.1), finished(1.103)])
        self.assertEqual(heard.keys, 1)
        self.assert_times(heard.barge_ins, 0.003)
        self.assertEqual(heard.silences, [])

    def test_a_sound_heard_to_its_end_was_not_interrupted(self) -> None:
        heard = hear([started(1), pressed(1.1), finished(1 + SOUND_SECONDS)])
        self.assertEqual(heard.barge_ins, [])
        self.assertEqual(heard.keys_interrupting_nothing, 1)

    def test_a_key_just_before_the_sounds_own_end_tells_nothing(self) -> None:
        end = 1 + SOUND_SECONDS
        heard = hear([started(1), pressed(end - 0.01), finished(end)])
        self.assertEqual((heard.keys, heard.barge_ins), (1, []))
        self.assertEqual(heard.keys_interrupting_nothing, 0)

    def test_the_silence_between_two_sounds_of_a_prompt_is_timed(self) -> None:
        heard = hear([started(1), finished(1.4), started(1.402, OR), finished(1.8)])
        self.assert_times(heard.silences, 0.002)

    def test_the_silence_after_the_prompt_is_the_callers(self) -> None:
        heard = hear([started(1, PRESS_2), finished(1.4), started(3)])
        self.assertEqual(heard.silences, [])

    def test_a_key_in_a_silence_ends_it(self) -> None:
        heard = hear([started(1), finished(1.4), pressed(1.41), started(1.42, OR)])
        self.assertEqual(heard.silences, [])

    def test_a_hangup_interrupts_nothing(self) -> None:
        heard = hear([started(1), pressed(1.1), finished(1.2, "failed")])
        self.assertEqual((heard.barge_ins, heard.keys_interrupting_nothing), ([], 0))

    def test_channels_on_which_nothing_was_heard_are_not_the_programs(self) -> None:
        self.assertEqual(hear([pressed(1, "1.2"), finished(2)]).keys, 0)
