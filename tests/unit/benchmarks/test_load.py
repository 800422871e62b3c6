"""The benchmark's simulated Asterisk, its callers, and its wire format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load import wire
from benchmarks.load.asterisk import Asterisk
from benchmarks.load.calls import CallerBehaviour

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from twisted.internet.base import DelayedCall

APP = "channel-aa"
HABITS = CallerBehaviour(call_seconds=10.0, key_seconds=(1.0, 1.0), sound_seconds=0.5)


class Timer:
    """A timer of the `Loop`."""

    def __init__(self, call: DelayedCall) -> None:
        self._call = call

    def cancel(self) -> None:
        if self._call.active():
            self._call.cancel()


class Loop:
    """The part of asyncio's event loop that the load uses, with a manual clock."""

    def __init__(self) -> None:
        self.clock = Clock()

    def time(self) -> float:
        return self.clock.seconds()

    def call_later(
        self, delay: float, act: Callable[..., Any], *given: object
    ) -> Timer:
        return Timer(cast("DelayedCall", self.clock.callLater(delay, act, *given)))

    def call_at(self, when: float, act: Callable[..., Any], *given: object) -> Timer:
        return self.call_later(when - self.time(), act, *given)

    def call_soon(self, act: Callable[..., Any], *given: object) -> Timer:
        return self.call_later(0, act, *given)


class LoadTests(SynchronousTestCase):
    """A load of one call by default, with a key every second."""

    def setUp(self) -> None:
        self.loop = Loop()
        self.asterisk = Asterisk(APP, HABITS, loop=cast("AbstractEventLoop", self.loop))
        self.told: list[dict[str, Any]] = []
        self.asterisk.send = lambda event: self.told.append(json.loads(event))
        self.asterisk.place_call()
        self.call = next(iter(self.asterisk.calls))

    def types(self) -> list[str]:
        """The events since the last time."""
        types = [event["type"] for event in self.told]
        self.told.clear()
        return types

    def ask(self, method: str, uri: str) -> int:
        return self.asterisk.request(method, uri).status

    def answer(self) -> None:
        self.assertEqual(self.ask("POST", f"channels/{self.call}/answer"), 204)

    def play(self, playback: str, media: str = "press-1") -> None:
        uri = f"channels/{self.call}/play/{playback}?media=sound%3A{media}"
        self.assertEqual(self.ask("POST", uri), 201)

    def advance(self, *steps: float) -> None:
        self.loop.clock.pump(steps)


class CallTests(LoadTests):
    def test_call_enters_and_is_answered(self) -> None:
        self.answer()
        self.assertEqual(self.types(), ["StasisStart", "ChannelStateChange"])

    def test_keys_are_pressed_only_after_the_answer(self) -> None:
        self.advance(5)
        self.assertEqual(self.asterisk.record.keys, 0)
        self.answer()
        self.advance(1)
        self.assertEqual(self.asterisk.record.keys, 1)
        self.assertEqual(self.types()[-1], "ChannelDtmfReceived")

    def test_call_ends_with_its_sounds_and_another_one_enters(self) -> None:
        self.advance(9.8)
        self.play("one")
        self.play("two")
        self.types()
        self.advance(0.2)
        self.assertEqual(
            self.types(),
            [
                "ChannelHangupRequest",
                "PlaybackFinished",
                "PlaybackStarted",
                "PlaybackFinished",
                "StasisEnd",
                "StasisStart",
            ],
        )
        self.assertEqual(len(self.asterisk.calls), 1)
        self.assertEqual(self.ask("POST", f"channels/{self.call}/answer"), 404)
        self.assertEqual(self.asterisk.record.calls_unanswered, 1)

    def test_callers_press_the_same_keys_in_each_run(self) -> None:
        def choices() -> list[str]:
            self.setUp()
            self.answer()
            self.advance(*[0.1] * 85)
            return [event["digit"] for event in self.told if "digit" in event]

        chosen = choices()
        self.assertEqual(len(chosen), 8)
        self.assertEqual(choices(), chosen)

    def test_call_continued_by_the_program_is_counted(self) -> None:
        self.assertEqual(self.ask("POST", f"channels/{self.call}/continue"), 204)
        self.assertEqual(self.asterisk.record.calls_sent_away, 1)
        self.assertIn("StasisEnd", self.types())


class SoundTests(LoadTests):
    def test_sound_plays_for_its_length(self) -> None:
        self.play("one")
        self.assertEqual(self.types(), ["StasisStart", "PlaybackStarted"])
        self.assertEqual(self.ask("GET", "playbacks/one"), 200)
        self.advance(0.5)
        self.assertEqual(self.types(), ["PlaybackFinished"])
        self.assertEqual(self.ask("GET", "playbacks/one"), 404)

    def test_second_sound_waits_for_the_first(self) -> None:
        self.play("one")
        self.play("two")
        self.types()
        self.advance(0.5)
        self.assertEqual(self.types(), ["PlaybackFinished", "PlaybackStarted"])

    def test_first_stop_ends_a_sound_and_second_is_not_found(self) -> None:
        self.play("one")
        self.types()
        self.assertEqual(self.ask("DELETE", "playbacks/one"), 204)
        self.advance(0)
        self.assertEqual(self.types(), ["PlaybackFinished"])
        self.assertEqual(self.ask("DELETE", "playbacks/one"), 404)
        self.assertEqual(self.asterisk.record.refused, {"404": 1})

    def test_sound_stopped_in_the_queue_is_skipped(self) -> None:
        self.play("one")
        self.play("two")
        self.assertEqual(self.ask("DELETE", "playbacks/two"), 204)
        self.types()
        self.advance(0.5)
        self.assertEqual(self.types(), ["PlaybackFinished", "PlaybackFinished"])

    def test_spoken_digits_cannot_be_stopped(self) -> None:
        uri = f"channels/{self.call}/play?media=digits:1&playbackId=one"
        self.assertEqual(self.ask("POST", uri), 201)
        self.assertEqual(self.ask("DELETE", "playbacks/one"), 500)

    def test_event_filter_is_applied(self) -> None:
        body = b'{"allowed": [{"type": "PlaybackFinished"}]}'
        uri = f"applications/{APP}/eventFilter"
        self.assertEqual(self.asterisk.request("PUT", uri, body).status, 200)
        self.types()
        self.play("one")
        self.advance(0.5)
        self.assertEqual(self.types(), ["PlaybackFinished"])


class RecordTests(LoadTests):
    def setUp(self) -> None:
        super().setUp()
        self.record = self.asterisk.record

    def press(self) -> None:
        """Let the caller press a key, without a reaction of the program."""
        self.answer()
        self.advance(1)

    def test_time_from_key_to_stop_is_measured(self) -> None:
        self.answer()
        self.advance(0.9)
        self.play("one")
        self.play("two")
        self.advance(0.1, 0.05)
        self.ask("DELETE", "playbacks/two")
        self.assertEqual(self.record.stop_delays, [])
        self.ask("DELETE", "playbacks/one")
        self.assertEqual([round(it, 6) for it in self.record.stop_delays], [0.05])

    def test_stop_after_the_sounds_end_counts_with_its_time(self) -> None:
        self.answer()
        self.advance(0.9)
        self.play("one")
        self.advance(0.1, 0.6)
        self.assertEqual(self.ask("DELETE", "playbacks/one"), 404)
        self.assertEqual([round(it, 6) for it in self.record.stop_delays], [0.6])

    def test_key_that_stopped_no_sound_is_counted_at_the_calls_end(self) -> None:
        self.answer()
        self.advance(0.9)
        self.play("one")
        self.advance(0.1)
        self.assertEqual(self.record.keys_in_sound, 1)
        self.asterisk.hang_up_all()
        self.assertEqual(self.record.keys_interrupting_nothing, 1)

    def test_key_in_silence_is_not_counted_as_missed(
        self,
    ) -> None:
        self.press()
        self.asterisk.hang_up_all()
        self.assertEqual(self.record.keys_interrupting_nothing, 0)

    def test_key_in_a_stopping_sound_has_nothing_to_stop(
        self,
    ) -> None:
        self.answer()
        self.advance(0.9)
        self.play("one")
        self.loop.clock.callLater(0.09, self.ask, "DELETE", "playbacks/one")
        self.advance(0.1)
        self.asterisk.hang_up_all()
        self.assertEqual(self.record.keys_interrupting_nothing, 0)

    def test_key_with_feedback_is_not_lost(self) -> None:
        self.press()
        self.play("one", "you-entered")
        self.asterisk.hang_up_all()
        self.assertEqual((self.record.keys, self.record.keys_lost), (1, 0))

    def test_late_feedback_does_not_count(self) -> None:
        self.press()
        self.asterisk.stop_keys()
        self.advance(5.1)
        self.play("one", "option-is-invalid")
        self.assertEqual(self.record.keys_lost, 1)

    def test_feedback_answers_a_single_key(self) -> None:
        self.press()
        self.advance(1)
        self.play("one", "you-entered")
        self.asterisk.hang_up_all()
        self.assertEqual((self.record.keys, self.record.keys_lost), (2, 1))

    def test_silence_between_sounds_of_a_prompt_is_measured(self) -> None:
        self.play("one")
        self.advance(0.5, 0.1)
        self.play("two", "or")
        self.assertEqual([round(it, 6) for it in self.record.silences], [0.1])

    def test_queued_sound_leaves_no_silence(self) -> None:
        self.play("one")
        self.play("two", "or")
        self.advance(0.5)
        self.assertEqual(self.record.silences, [0.0])

    def test_silence_after_the_prompt_is_not_counted(self) -> None:
        self.play("one", "press-2")
        self.advance(0.5, 0.1)
        self.play("two", "you-entered")
        self.assertEqual(self.record.silences, [])


class WireTests(SynchronousTestCase):
    @given(st.binary(max_size=70_000), st.binary(min_size=4, max_size=4))
    def test_client_frame_is_unmasked(self, payload: bytes, mask: bytes) -> None:
        served = wire.frame(wire.TEXT, payload)
        head = bytearray(served[: len(served) - len(payload)])
        head[1] |= 0x80
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        sent = bytes(head) + mask + masked
        taken = wire.parse_frames(sent + sent + b"rest")
        self.assertEqual(taken, ([(wire.TEXT, payload)] * 2, b"rest"))

    def test_incomplete_frame_waits_for_the_rest(self) -> None:
        for whole in (b"\x81\x85\0\0\0\0hello", b"\x81\xfe\0\5\0\0\0\0hello"):
            for length in range(len(whole)):
                part = whole[:length]
                self.assertEqual(wire.parse_frames(part), ([], part))
            self.assertEqual(wire.parse_frames(whole), ([(wire.TEXT, b"hello")], b""))

    def test_unmasked_client_frame_is_refused(self) -> None:
        with self.assertRaises(wire.WireError):
            wire.parse_frames(b"\x81\x05hello")

    def test_requests_are_parsed_with_their_bodies(self) -> None:
        first = b"PUT /ari/one HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
        second = b"GET /ari/two HTTP/1.1\r\nHost: x\r\n\r\n"
        put, rest = wire.parse_request(first + second)
        get, rest = wire.parse_request(rest)
        assert put is not None
        assert get is not None
        self.assertEqual(
            (put.method, put.target, put.body), ("PUT", "/ari/one", b"body")
        )
        self.assertEqual((get.method, get.target, get.body), ("GET", "/ari/two", b""))
        self.assertEqual(get.header(b"host"), b"x")
        self.assertEqual(wire.parse_request(rest), (None, b""))
        for length in range(len(first)):
            part = first[:length]
            self.assertEqual(wire.parse_request(part), (None, part))

    def test_handshake_is_answered_as_in_rfc_6455(self) -> None:
        request = wire.HttpRequest(
            "GET",
            "/ari/events?app=a",
            b"GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Protocol: ari",
        )
        answer = wire.handshake_answer(request)
        self.assertIn(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", answer)
        self.assertIn(b"Sec-WebSocket-Protocol: ari", answer)
