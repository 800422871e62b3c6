"""The timings computed from a real Asterisk's events."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.asterisk import SOUND_SECONDS, timings_of

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


class TimingsTests(SynchronousTestCase):
    def assert_times(self, times: list[float], *expected: float) -> None:
        self.assertEqual([round(each, 6) for each in times], list(expected))

    def test_time_from_key_to_silence_is_measured(self) -> None:
        timings = timings_of([started(1), pressed(1.1), finished(1.103)])
        self.assertEqual(timings.keys, 1)
        self.assert_times(timings.barge_ins, 0.003)
        self.assertEqual(timings.silences, [])

    def test_sound_heard_to_its_end_was_not_interrupted(self) -> None:
        timings = timings_of([started(1), pressed(1.1), finished(1 + SOUND_SECONDS)])
        self.assertEqual(timings.barge_ins, [])
        self.assertEqual(timings.keys_interrupting_nothing, 1)

    def test_key_just_before_the_sounds_end_is_not_counted(self) -> None:
        end = 1 + SOUND_SECONDS
        timings = timings_of([started(1), pressed(end - 0.01), finished(end)])
        self.assertEqual((timings.keys, timings.barge_ins), (1, []))
        self.assertEqual(timings.keys_interrupting_nothing, 0)

    def test_silence_between_sounds_of_a_prompt_is_measured(self) -> None:
        timings = timings_of(
            [started(1), finished(1.4), started(1.402, OR), finished(1.8)]
        )
        self.assert_times(timings.silences, 0.002)

    def test_silence_after_the_prompt_is_not_counted(self) -> None:
        timings = timings_of([started(1, PRESS_2), finished(1.4), started(3)])
        self.assertEqual(timings.silences, [])

    def test_key_ends_a_silence(self) -> None:
        timings = timings_of(
            [started(1), finished(1.4), pressed(1.41), started(1.42, OR)]
        )
        self.assertEqual(timings.silences, [])

    def test_hangup_is_no_interruption(self) -> None:
        timings = timings_of([started(1), pressed(1.1), finished(1.2, "failed")])
        self.assertEqual(
            (timings.barge_ins, timings.keys_interrupting_nothing), ([], 0)
        )

    def test_channels_without_sounds_are_ignored(self) -> None:
        self.assertEqual(timings_of([pressed(1, "1.2"), finished(2)]).keys, 0)
