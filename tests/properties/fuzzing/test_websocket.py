"""Any bytes on the websocket cost at most the connection, and no other call."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.ari_sockets import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    frame,
    handshake_for,
)
from tests.support.fuzz_harness import FUZZ, FuzzHarness, corpus, feed

if TYPE_CHECKING:
    from collections.abc import Callable

# Not ApplicationReplaced, which rightly ends every call here.
EVENTS = [
    "StasisStart",
    "StasisEnd",
    "ChannelDtmfReceived",
    "ChannelHangupRequest",
    "ChannelDestroyed",
    "ChannelLeftBridge",
    "Dial",
    "PlaybackStarted",
    "PlaybackFinished",
    "RecordingFinished",
    "RecordingFailed",
    "RESTResponse",
    "Unheard",
]
FIELDS = [
    "type",
    "channel",
    "playback",
    "recording",
    "bridge",
    "peer",
    "id",
    "name",
    "state",
    "digit",
    "args",
    "caller",
    "number",
    "dialplan",
    "app_data",
    "language",
    "cause",
    "dialstatus",
    "timestamp",
    "request_id",
    "status_code",
    "message_body",
]
IDS = st.sampled_from(
    ["", ".", "..", "../../etc/passwd", "a/b", "a%2Fb", "\x00", "\n\x1b[2J", "x" * 2000]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | IDS
    | st.sampled_from(EVENTS)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner)
    ),
    max_leaves=8,
)
NAMED = st.fixed_dictionaries(
    {"id": IDS | st.just("c1")},
    optional={"name": LEAVES, "state": LEAVES, "caller": VALUES, "dialplan": VALUES},
)
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(EVENTS) | LEAVES},
    optional={
        "channel": NAMED | VALUES,
        "playback": NAMED | VALUES,
        "recording": NAMED | VALUES,
        "bridge": NAMED | VALUES,
        "peer": NAMED | VALUES,
        "digit": LEAVES | st.sampled_from(["1", "#", "11", "é", "\r"]),
        "args": VALUES | st.lists(st.text(max_size=5), max_size=3),
        "cause": LEAVES,
        "dialstatus": LEAVES,
        "request_id": LEAVES | st.sampled_from(["1", "2", "3"]),
        "status_code": LEAVES | st.sampled_from([200, 204, 404, 500]),
        "message_body": LEAVES | st.just('{"channel_ids":["..","c1"]}'),
    },
)


def encoded(message: Any) -> bytes:  # noqa: ANN401 - any JSON, NaN and all
    return json.dumps(message).encode("utf-8", "surrogatepass")


NESTED = st.builds(
    lambda depth, left: left * depth,
    st.integers(1, 20_000),
    st.sampled_from([b"[", b'{"a":']),
)
PAYLOADS = st.builds(encoded, MESSAGES | VALUES) | st.binary(max_size=40) | NESTED


@st.composite
def damaged(
    draw: Callable[[st.SearchStrategy[Any]], Any], whole: st.SearchStrategy[bytes]
) -> bytes:
    """Make something right, and spoil it."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(0, 3))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data))) or len(data)])


FRAMES = st.one_of(
    st.builds(frame, st.just(TEXT), PAYLOADS),
    st.builds(frame, st.just(TEXT), PAYLOADS),
    st.builds(frame, st.sampled_from([BINARY, CONTINUATION]), PAYLOADS),
    st.builds(frame, st.just(TEXT), PAYLOADS, fin=st.booleans()),
    st.builds(frame, st.sampled_from([PING, PONG]), st.binary(max_size=125)),
    st.builds(frame, st.just(CLOSE), st.binary(max_size=125)),
    st.builds(
        frame,
        st.integers(0, 15),
        st.binary(max_size=300),
        fin=st.booleans(),
        reserved=st.integers(0, 7),
        is_masked=st.booleans(),
        length_bytes=st.sampled_from([None, 2, 8]),
    ),
    st.binary(max_size=20),
)
STREAMS = st.lists(FRAMES | damaged(FRAMES), min_size=1, max_size=8).map(b"".join)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut a stream into the segments that arrive."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


CUTS = st.lists(st.integers(0, 10_000), max_size=6)
HEADERS = st.sampled_from(
    [
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: x",
        b"Sec-WebSocket-Protocol: ari",
        b"Sec-WebSocket-Protocol: other",
        b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
        b"Sec-WebSocket-Extensions: ;;=,",
        b"Content-Length: 99999999999999999999",
        b"Location: http://elsewhere/\x1b[2J",
        b"",
        b": ",
        b"\xff\xfe",
    ]
)
STATUSES = st.sampled_from(
    [
        b"HTTP/1.1 101 Switching Protocols",
        b"HTTP/1.1 401 \x1b[31mNo",
        b"HTTP/1.1 999999999999999999999 x",
        b"HTTP/1.1 -1 x",
        b"HTTP/1.1 101",
        b"HTTP/9.9 200 OK",
        b"",
        b" ",
        b"\x85\x1c",
    ]
) | st.binary(max_size=30)
HANDSHAKES = st.builds(
    lambda status, headers: b"\r\n".join([status, *headers, b"", b""]),
    STATUSES,
    st.lists(HEADERS | st.binary(max_size=20), max_size=5),
) | st.binary(max_size=60)


class OpenWebSocketTests(FuzzHarness):
    def try_stream(self, parts: list[bytes]) -> None:
        self.begin()
        self.open()
        self.clock.advance(2.0)
        self.bystander_calls()
        feed(self.socket, parts)
        self.settle()
        self.assert_all_is_well()
        self.finish()

    @FUZZ
    @given(STREAMS, CUTS)
    def test_any_bytes(self, stream: bytes, places: list[int]) -> None:
        self.try_stream(cut(stream, places))

    def test_what_is_kept_for_being_interesting(self) -> None:
        for name, stream in corpus("websocket"):
            with self.subTest(name):
                self.try_stream([stream])
            with self.subTest(f"{name}, byte by byte"):
                self.try_stream(cut(stream[:3000], list(range(3000))))


class HandshakeTests(FuzzHarness):
    def try_handshake(self, parts: list[bytes]) -> None:
        self.begin()
        feed(self.socket, parts)
        self.settle()
        self.assertFalse(self.client.is_connected)
        self.assert_all_is_well()
        self.finish()

    @FUZZ
    @given(HANDSHAKES, CUTS)
    def test_any_answer(self, answer: bytes, places: list[int]) -> None:
        self.try_handshake(cut(answer, places))

    @FUZZ
    @given(st.data(), CUTS)
    def test_an_answer_that_was_right(
        self, data: st.DataObject, places: list[int]
    ) -> None:
        self.begin()
        right = handshake_for(self.socket)
        spoilt = data.draw(damaged(st.just(right)))
        feed(self.socket, cut(spoilt, places))
        self.settle()
        self.assert_all_is_well()
        self.finish()

    def test_what_is_kept_for_being_interesting(self) -> None:
        for name, answer in corpus("handshake"):
            with self.subTest(name):
                self.try_handshake([answer])
