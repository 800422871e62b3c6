"""The fast websocket client behaves as autobahn's own does."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from autobahn.twisted.websocket import (
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport

from channel_aa.ari.wire.websocket import (
    MAX_SHORT_FRAME,
    FastWebSocketProtocol,
    text_frame,
)
from tests.support.ari_sockets import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    AutobahnClient,
    Socket,
    SocketTestCase,
    frame,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST_HEAD = 14
MASK = b"\x01\x02\x03\x04"
GOODBYE = frame(CLOSE, (1000).to_bytes(2, "big"))


def fragments(parts: Sequence[bytes], between: bytes) -> bytes:
    """Make a message in several frames, with control frames between them."""
    opcodes = [TEXT, *[CONTINUATION] * (len(parts) - 1)]
    frames = [frame(*each, fin=False) for each in zip(opcodes, parts, strict=True)]
    frames[-1] = frame(opcodes[-1], parts[-1])
    return between.join(frames)


def close(code: int, reason: str) -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode()[:100])


SHORT = st.binary(max_size=20)
LENGTHS = st.sampled_from([0, 1, 2, 124, 125, 126, 127, 255, 256, 300, 65535, 65536])
PAYLOADS = SHORT | st.builds(lambda length: b"x" * length, LENGTHS)
TEXTS = st.builds(frame, st.just(TEXT), PAYLOADS)
CONTROLS = st.builds(frame, st.sampled_from([PING, PONG]), SHORT)
ORDINARY = (
    TEXTS
    | st.builds(frame, st.just(BINARY), PAYLOADS)
    | st.builds(fragments, st.lists(SHORT, min_size=2, max_size=4), CONTROLS)
    | CONTROLS
)
VIOLATIONS = st.one_of(
    st.builds(frame, st.just(TEXT), SHORT, is_masked=st.sampled_from([True])),
    st.builds(frame, st.just(TEXT), SHORT, reserved=st.integers(1, 7)),
    st.builds(frame, st.integers(0, 15), SHORT, fin=st.booleans()),
    st.builds(frame, st.just(TEXT), SHORT, length_bytes=st.sampled_from([2, 8])),
    st.builds(frame, st.just(TEXT), st.just(b"x" * 300), length_bytes=st.just(8)),
    st.just(frame(TEXT, b"x")[:1]),
    SHORT,
)
CLOSES = st.builds(
    close, st.sampled_from([1000, 1001, 1005, 1009, 3000, 70]), st.text(max_size=9)
) | st.just(frame(CLOSE))
# Most streams are to be right for long: of what follows a violation nothing is read.
STREAMS = st.builds(
    lambda right, last: [*right, *last],
    st.lists(TEXTS | ORDINARY, max_size=8),
    st.lists(TEXTS | ORDINARY | VIOLATIONS | CLOSES, max_size=3),
)


@st.composite
def segments(
    draw: Callable[[st.SearchStrategy[list[int]]], list[int]], frames: list[bytes]
) -> list[bytes]:
    """Cut frames into segments, most of them near their edges."""
    stream = b"".join(frames)
    edges = [0]
    for each in frames:
        edges.append(edges[-1] + len(each))
    near_an_edge = st.builds(
        lambda edge, offset: max(0, edge + offset),
        st.sampled_from(edges),
        st.integers(-2, 12),
    )
    anywhere = st.integers(0, len(stream))
    cuts = draw(st.lists(near_an_edge | anywhere, max_size=12))
    places = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    return [stream[start:end] for start, end in pairwise(places)]


ARRIVALS = STREAMS.flatmap(segments)
THOROUGH = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class ReferenceTests(SocketTestCase):
    """Any frames in any segments have the same outcome as with autobahn alone."""

    def both(self) -> tuple[Socket, Socket]:
        return self.open(AutobahnClient), self.open(FastWebSocketProtocol)

    def assume_heads_are_whole(self, reference: Socket, lean: Socket) -> None:
        """Leave out an invalid frame with an incomplete header: the rest shows it."""
        has_begun = 2 <= len(lean.client._unread) < LONGEST_HEAD
        differ = reference.wire.is_closing and not lean.wire.is_closing
        if has_begun and differ:
            reject()

    def assert_same(self, reference: Socket, lean: Socket) -> None:
        self.assume_heads_are_whole(reference, lean)
        self.assertEqual(lean.outcome, reference.outcome)
        for socket in (reference, lean):
            socket.lose()
        self.assert_nothing_left()
        self.assertEqual(lean.outcome, reference.outcome)

    @THOROUGH
    @given(ARRIVALS)
    def test_outcome_is_that_of_autobahn(self, arrivals: list[bytes]) -> None:
        reference, lean = self.both()
        for socket in (reference, lean):
            socket.feed(arrivals)
        self.assert_same(reference, lean)

    @THOROUGH
    @given(ARRIVALS, st.integers(1, 4))
    def test_outcome_is_that_of_autobahn_if_a_message_causes_a_close(
        self, arrivals: list[bytes], messages: int
    ) -> None:
        reference, lean = self.both()
        for socket in (reference, lean):
            socket.messages_until_close = messages
            socket.feed(arrivals)
        self.assert_same(reference, lean)

    @THOROUGH
    @given(ARRIVALS, st.integers(0, 10))
    def test_outcome_is_that_of_autobahn_if_closed_between_segments(
        self, arrivals: list[bytes], place: int
    ) -> None:
        reference, lean = self.both()
        for socket in (reference, lean):
            socket.feed(arrivals[:place])
        self.assume_heads_are_whole(reference, lean)
        for socket in (reference, lean):
            if not socket.wire.is_closing:
                socket.client.sendClose(1000)
            socket.feed(arrivals[place:])
        self.assert_same(reference, lean)

    @THOROUGH
    @given(ARRIVALS)
    def test_outcome_is_that_of_autobahn_for_data_with_the_handshake(
        self, arrivals: list[bytes]
    ) -> None:
        reference = Socket(AutobahnClient, self.clock)
        lean = Socket(FastWebSocketProtocol, self.clock)
        for socket in (reference, lean):
            socket.feed([socket.handshake() + b"".join(arrivals[:1]), *arrivals[1:]])
        self.assert_same(reference, lean)

    def test_outcome_is_that_of_autobahn_for_single_bytes(self) -> None:
        stream = b"".join(
            [
                frame(TEXT, b"one"),
                frame(TEXT, b"x" * 300),
                frame(PING, b"?"),
                frame(TEXT, b""),
                fragments([b"t", b"w", b"o"], frame(PONG)),
                frame(BINARY, b"three"),
                frame(TEXT, b"four"),
                GOODBYE,
            ]
        )
        reference, lean = self.both()
        for socket in (reference, lean):
            socket.feed(stream[place : place + 1] for place in range(len(stream)))
        self.assertEqual(
            lean.messages, [b"one", b"x" * 300, b"", b"two", b"three", b"four"]
        )
        self.assert_same(reference, lean)


class FastPathTests(SocketTestCase):
    def test_short_messages_bypass_autobahn(self) -> None:
        """Otherwise the tests of this module would compare autobahn with itself."""
        socket = self.open()
        self.patch(WebSocketClientProtocol, "dataReceived", None)
        texts = [b"", b"x" * 125, b"x" * 126, b"x" * MAX_SHORT_FRAME]
        stream = b"".join(frame(TEXT, text) for text in texts)
        socket.feed([stream[:1], stream[1:200], stream[200:]])
        self.assertEqual(socket.messages, texts)

    def test_short_messages_after_other_frames_bypass_autobahn(
        self,
    ) -> None:
        socket = self.open()
        socket.feed([fragments([b"a", b"b"], frame(PING)), frame(TEXT, b"c")])
        self.patch(WebSocketClientProtocol, "dataReceived", None)
        socket.feed([frame(TEXT, b"d")])
        self.assertEqual(socket.messages, [b"ab", b"c", b"d"])

    def test_message_without_valid_utf8_does_not_close(self) -> None:
        """The decoder of events reports it."""
        socket = self.open()
        wrong = frame(TEXT, b"\xff")
        socket.feed(
            [wrong + frame(PING) + wrong, wrong, fragments([b"\xff", b""], b"")]
        )
        self.assertEqual(socket.messages, [b"\xff"] * 4)
        self.assertFalse(socket.wire.is_closing)

    def test_length_in_more_bytes_than_needed_is_a_violation(self) -> None:
        for first in (5, 2, 3):
            with self.subTest(first=first):
                socket = self.open()
                wrong = frame(TEXT, b"x", length_bytes=2)
                socket.feed([wrong[:first], wrong[first:]])
                self.assertEqual(socket.messages, [])
                self.assertTrue(socket.wire.is_closing)

    def test_invalid_header_closes_once_it_is_complete(self) -> None:
        for head in (b"\xff\xff", b"\x81\xff", b"\x81\x80", b"\xc1\x7f", b"\x89\x7e"):
            with self.subTest(head=head):
                socket = self.open()
                socket.feed([head, bytes(LONGEST_HEAD - 2)])
                self.assertTrue(socket.wire.is_closing)
                self.assertEqual(socket.messages, [])

    def test_rest_of_a_message_may_follow_our_close(self) -> None:
        socket = self.open()
        whole = frame(TEXT, b"x" * 20)
        socket.feed([whole[:9]])
        socket.client.sendClose(1000)
        socket.feed([whole[9:] + GOODBYE])
        self.assertEqual(socket.messages, [b"x" * 20])
        self.assertTrue(socket.client.wasClean)
        socket.lose()

    def test_close_frame_after_a_message_that_causes_a_close_is_read(self) -> None:
        socket = self.open()
        socket.messages_until_close = 1
        socket.feed([frame(TEXT, b"last") + GOODBYE])
        self.assertTrue(socket.client.wasClean)
        socket.lose()

    def test_no_message_after_the_loss(self) -> None:
        socket = self.open()
        socket.feed([frame(TEXT, b"x" * 20)[:9]])
        socket.lose()
        before = list(socket.calls)
        socket.client.dataReceived(frame(TEXT, b"x" * 20)[9:] + frame(TEXT, b"late"))
        self.assertEqual(socket.calls, before)
        self.assertEqual(socket.messages, [])

    def test_no_message_after_the_drop(self) -> None:
        for drop in (True, False):
            with self.subTest(abort=drop):
                socket = self.open()
                socket.client.dropConnection(abort=drop)
                socket.client.dataReceived(frame(TEXT, b"late"))
                self.assertEqual(socket.messages, [])

    def test_every_whole_frame_counts_as_received(self) -> None:
        long = frame(TEXT, b"x" * 70_000)
        for chunks in (
            [frame(TEXT, b"x")],
            [frame(PONG)],
            [frame(TEXT, b"x" * 200) + frame(TEXT, b"x")[:1]],
            [long[:50_000], long[50_000:]],
        ):
            with self.subTest(first=chunks[0][:4]):
                socket = self.open()
                socket.client.has_received = False
                socket.feed(chunks)
                self.assertTrue(socket.client.has_received)

    def test_unfinished_frame_does_not_count_as_received(self) -> None:
        for data in (frame(TEXT, b"x" * 200), frame(TEXT, b"x" * 70_000)):
            with self.subTest(first=data[:4]):
                socket = self.open()
                socket.client.has_received = False
                socket.feed([data[:100], data[100:150]])
                self.assertFalse(socket.client.has_received)


class ServedSocket:
    """A client of ours, connected to autobahn's server."""

    def __init__(self, case: SocketTestCase) -> None:
        factory = WebSocketServerFactory(reactor=case.clock)
        factory.setProtocolOptions(openHandshakeTimeout=0)
        self.received: list[bytes] = []
        self.socket = Socket(FastWebSocketProtocol, case.clock, maskClientFrames=True)
        self.server = cast("Any", WebSocketServerProtocol())
        self.server.factory = factory
        self.server.onMessage = lambda payload, _: self.received.append(payload)
        self.server.makeConnection(StringTransport())
        self.pass_on()
        self.socket.feed([self.server.transport.value()])

    def pass_on(self) -> bytes:
        """Pass what the client has written to the server."""
        written: bytes = self.socket.wire.value()
        self.socket.wire.clear()
        self.server.dataReceived(written)
        return written


class SendTests(SocketTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.served = ServedSocket(self)
        self.client = self.served.socket.client

    def test_every_kind_of_length_is_sent(self) -> None:
        for length in (0, 1, 2, 3, 4, 5, 125, 126, 127, 65534, MAX_SHORT_FRAME):
            with self.subTest(length=length):
                payload = bytes(32 + place % 95 for place in range(length))
                self.client.send_text(payload)
                self.served.pass_on()
                self.assertEqual(self.served.received.pop(), payload)
        self.assertEqual(self.served.received, [])

    @given(st.integers(0, MAX_SHORT_FRAME), st.binary(min_size=4, max_size=4))
    def test_autobahn_reads_any_length_and_mask(self, length: int, mask: bytes) -> None:
        payload = (b'{"type":"RESTRequest"}' * (length // 22 + 1))[:length]
        self.served.server.dataReceived(text_frame(payload, mask))
        self.assertEqual(self.served.received.pop(), payload)

    def test_mask_is_in_the_frame_and_on_the_payload(self) -> None:
        self.assertEqual(
            text_frame(b"abcde", MASK),
            b"\x81\x85" + MASK + bytes((0x60, 0x60, 0x60, 0x60, 0x64)),
        )

    def test_no_two_frames_have_the_same_mask(self) -> None:
        frames = set()
        for _ in range(5):
            self.client.send_text(b"abcde")
            frames.add(self.served.pass_on())
        self.assertGreater(len(frames), 1)

    def test_nothing_is_sent_after_our_close(self) -> None:
        """RFC 6455, section 5.5.1."""
        self.client.sendClose(1000)
        self.served.socket.wire.clear()
        self.client.send_text(b"late")
        self.assertEqual(self.served.socket.wire.value(), b"")
        self.served.socket.lose()
        self.client.send_text(b"later")
        self.assertEqual(self.served.socket.wire.value(), b"")

    def test_answers_to_messages_of_one_segment_are_sent_in_one_write(self) -> None:
        answers = iter((b"one", b"two"))
        writes: list[bytes] = []
        self.client.message_received = lambda _: self.client.send_text(next(answers))
        self.patch(self.served.socket.wire, "write", writes.append)
        self.client.dataReceived(frame(TEXT, b"a") + frame(TEXT, b"b"))
        [written] = writes
        self.served.server.dataReceived(written)
        self.assertEqual(self.served.received, [b"one", b"two"])

    def test_frames_of_autobahn_keep_their_order(self) -> None:
        self.client.send_text(b"one")
        self.client.sendMessage(b"two")
        self.client.send_text(b"three")
        self.served.pass_on()
        self.assertEqual(self.served.received, [b"one", b"two", b"three"])
