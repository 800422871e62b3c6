"""The decoding of events, valid or not."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari import events
from channel_aa.ari.events import (
    ApplicationReplaced,
    ChannelDestroyed,
    ChannelDialplan,
    ChannelDtmfReceived,
    ChannelHangupRequest,
    ChannelStateChange,
    ChannelVarset,
    Event,
    MalformedEventError,
    PlaybackFinished,
    PlaybackStarted,
    StasisEnd,
    StasisStart,
    UnknownEvent,
    decode,
)
from channel_aa.ari.wire.websocket_sender import RESTResponse

RECORDING = Path(__file__).parents[2] / "data" / "one-call-asterisk-22.10.1.jsonl"
KNOWN = [
    "RESTResponse",
    *[kind.__name__ for kind in events.KnownEvent.__subclasses__()],
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "channel", "playback", "id", "args", "digit"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)
CLAIMED = st.builds(
    lambda kind, rest: {**rest, "type": kind},
    st.sampled_from(KNOWN) | st.text(max_size=8),
    st.dictionaries(st.sampled_from(["channel", "playback", "digit", "args"]), JSON),
)


def message(kind: str, **fields: object) -> bytes:
    return json.dumps({"type": kind, **fields}).encode()


class RecordingTests(SynchronousTestCase):
    """The events of a real call on Asterisk 22.10.1."""

    def setUp(self) -> None:
        self.lines = RECORDING.read_bytes().splitlines()
        self.events = [decode(line) for line in self.lines]

    def test_each_line_is_decoded_to_its_type(self) -> None:
        for line, event in zip(self.lines, self.events, strict=True):
            name = json.loads(line)["type"]
            if isinstance(event, UnknownEvent):
                self.assertEqual(event.type, name)
                self.assertNotIn(name, KNOWN)
            else:
                self.assertEqual(type(event).__name__, name)

    def test_dtmf_events_have_digit_and_duration(self) -> None:
        keys = [
            (event.digit, event.duration_ms, event.channel.name)
            for event in self.events
            if isinstance(event, ChannelDtmfReceived)
        ]
        name = "Local/1000@default-00000001;2"
        self.assertEqual(keys, [("1", 100, name), ("2", 100, name)])

    def test_each_playback_started_and_finished(self) -> None:
        started = [
            event.playback.id
            for event in self.events
            if isinstance(event, PlaybackStarted)
        ]
        finished = [
            event.playback.id
            for event in self.events
            if isinstance(event, PlaybackFinished)
        ]
        self.assertEqual(started, finished)
        self.assertGreater(len(started), 5)


class DecodeTests(SynchronousTestCase):
    def test_stasis_start_is_decoded_with_all_fields(self) -> None:
        event = decode(
            message(
                "StasisStart",
                timestamp="2026-11-22T06:18:31.164+0000",
                application="channel-aa",
                args=["sales", "en"],
                channel={
                    "id": "1795328311.3",
                    "name": "PJSIP/alice-00000001",
                    "state": "Ring",
                    "caller": {"name": "Alice", "number": "100"},
                    "connected": {"name": "", "number": ""},
                    "dialplan": {"context": "default", "exten": "1", "priority": 2},
                    "language": "en",
                    "accountcode": "not read",
                },
                asterisk_id="not read",
            )
        )
        assert isinstance(event, StasisStart)
        self.assertEqual(event.args, ("sales", "en"))
        self.assertEqual(event.application, "channel-aa")
        self.assertEqual(event.timestamp, "2026-11-22T06:18:31.164+0000")
        self.assertEqual(event.channel.caller.number, "100")
        self.assertEqual(event.channel.dialplan.priority, 2)

    def test_only_the_subject_of_an_event_is_required(self) -> None:
        channel = {"channel": {"id": "1"}}
        playback = {"playback": {"id": "1"}}
        for kind, fields in (
            (StasisStart, channel),
            (StasisEnd, channel),
            (ChannelDtmfReceived, {**channel, "digit": "#"}),
            (ChannelHangupRequest, channel),
            (ChannelDestroyed, channel),
            (ChannelStateChange, channel),
            (ChannelVarset, {"variable": "a", "value": "b"}),
            (ChannelDialplan, channel),
            (PlaybackStarted, playback),
            (PlaybackFinished, playback),
            (ApplicationReplaced, {}),
        ):
            with self.subTest(kind=kind.__name__):
                self.assertIsInstance(decode(message(kind.__name__, **fields)), kind)

    def test_type_may_stand_last(self) -> None:
        event = decode(b'{"channel":{"id":"1"},"type":"StasisEnd"}')
        self.assertIsInstance(event, StasisEnd)

    def test_event_of_an_unknown_type_keeps_its_payload(self) -> None:
        payload = message("ContactStatusChange", contact_info={"uri": "sip:a@b"})
        event = decode(payload)
        assert isinstance(event, UnknownEvent)
        self.assertEqual(event.type, "ContactStatusChange")
        self.assertEqual(event.payload, payload)

    def test_base_classes_are_not_event_types(self) -> None:
        for name in ("Event", "KnownEvent", "UnknownEvent"):
            with self.subTest(name=name):
                self.assertIsInstance(decode(message(name)), UnknownEvent)

    def test_event_is_immutable(self) -> None:
        event = decode(message("StasisEnd", channel={"id": "1"}))
        assert isinstance(event, Event)
        with self.assertRaises(AttributeError):
            event.timestamp = "now"  # type: ignore[misc] # the point of the test


class MalformedEventTests(SynchronousTestCase):
    def kind_of(self, payload: bytes) -> str:
        error = self.assertRaises(MalformedEventError, decode, payload)
        assert isinstance(error, MalformedEventError)
        self.assertEqual(str(error), f"{error.kind}: {error.reason}")
        self.assertTrue(error.reason)
        return error.kind

    def test_invalid_json_is_malformed(self) -> None:
        for payload in (
            b"",
            b"hello",
            b"\xff\xfe",
            b'{"type":',
            b'{"type":"\xff"}',
            b'{"type":"StasisEnd","channel":{"id":"\xff"}}',
            b'{"type":"StasisEnd"} trailing',
            b'{"type":"Unknown"} trailing',
            b'{"type":"Unknown", garbage',
            b'{"type":"StasisEnd","x":' + b"[" * 100_000,
            b'{"type":"Unknown","x":' + b"[" * 100_000,
        ):
            with self.subTest(payload=payload[:40]):
                self.assertEqual(self.kind_of(payload), "not JSON")

    def test_json_without_a_type_is_malformed(self) -> None:
        for payload in (
            b"{}",
            b"null",
            b"[]",
            b"7",
            b'"StasisEnd"',
            b'{"type":null}',
            b'{"type":7}',
            b'{"type":["StasisEnd"]}',
            b"[" * 100_000,
        ):
            with self.subTest(payload=payload[:40]):
                self.assertEqual(self.kind_of(payload), "not an event")

    def test_event_without_its_subject_is_malformed(self) -> None:
        for payload, kind in (
            (message("StasisStart"), "StasisStart"),
            (message("StasisEnd", channel=None), "StasisEnd"),
            (message("StasisEnd", channel={}), "StasisEnd"),
            (message("StasisEnd", channel={"id": 7}), "StasisEnd"),
            (message("StasisStart", channel={"id": "1"}, args="x"), "StasisStart"),
            (
                message("ChannelDtmfReceived", channel={"id": "1"}, digit=1),
                "ChannelDtmfReceived",
            ),
            (message("PlaybackFinished", playback=[]), "PlaybackFinished"),
        ):
            with self.subTest(payload=payload):
                self.assertEqual(self.kind_of(payload), kind)

    def test_reason_names_the_field(self) -> None:
        error = self.assertRaises(
            MalformedEventError, decode, message("StasisEnd", channel={"id": 7})
        )
        self.assertIn("$.channel.id", str(error))

    def check(self, payload: bytes) -> None:
        """Assert that decoding gives an event or `MalformedEventError`."""
        try:
            event = decode(payload)
        except MalformedEventError:
            return
        self.assertIsInstance(event, Event | RESTResponse)

    @given(st.binary(max_size=300))
    def test_any_bytes_are_decoded_or_malformed(self, payload: bytes) -> None:
        self.check(payload)

    @given(JSON | CLAIMED)
    def test_any_json_is_decoded_or_malformed(self, value: object) -> None:
        self.check(json.dumps(value).encode())

    @given(CLAIMED, st.integers(min_value=0), st.binary(max_size=4))
    def test_any_damaged_event_is_decoded_or_malformed(
        self, value: object, place: int, patch: bytes
    ) -> None:
        payload = json.dumps(value).encode()
        cut = place % (len(payload) + 1)
        self.check(payload[:cut] + patch)
        self.check(payload[:cut] + patch + payload[cut:])
