"""Hypothesis strategies for the bytes that an Asterisk may send."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.support.ari_sockets import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    frame,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# Not ApplicationReplaced, which ends all calls, as it should.
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
    """Draw valid bytes, and damage them."""
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
    """Cut bytes into segments."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


CUTS = st.lists(st.integers(0, 10_000), max_size=6)

STATUSES = st.sampled_from([200, 201, 204, 302, 400, 401, 404, 409, 412, 500, 503, 999])
SHAPES = st.sampled_from(
    [
        {"channel_ids": ["..", ".", "", "a/../b", "c1", "x" * 500]},
        {"channel_ids": [1, None]},
        {"channel_ids": None},
        [{"id": "channel-aa-1", "name": "channel-aa channel-aa", "channels": [".."]}],
        [{"id": "channel-aa-..", "name": "channel-aa channel-aa"}],
        [[]],
        {"id": "..", "name": "\x1b[2J"},
        {"value": {"a": 1}},
        {"message": ["a"]},
        {"message": "forged\n2026 [channel_aa#info]\x1b[2J"},
        {"system": {"version": 22}},
    ]
)
BODIES = st.builds(encoded, SHAPES | VALUES) | st.binary(max_size=30) | NESTED
STATUSES_AND_BODIES = st.lists(st.tuples(STATUSES, BODIES), min_size=1, max_size=6)
