"""Limits of the websocket client against a malicious server."""

from __future__ import annotations

from itertools import pairwise, repeat

from channel_aa.ari.wire.websocket import (
    MAX_FRAGMENTS,
    MAX_FRAMES_PER_TURN,
    MAX_HANDSHAKE_BYTES,
    FastWebSocketProtocol,
)
from tests.support.ari_sockets import (
    CONTINUATION,
    PING,
    TEXT,
    Socket,
    SocketTestCase,
    frame,
)
from tests.support.turns import run_turn

PIECE = 1000


def kept(socket: Socket) -> int:
    """How many received bytes are kept, and in how many pieces."""
    client = socket.client
    lists = [getattr(client, name, None) for name in ("message_data", "frame_data")]
    pieces = [piece for each in lists for piece in each or ()]
    return len(client.data) + len(client._unread) + sum(map(len, pieces)) + len(pieces)


class HandshakeTests(SocketTestCase):
    def connect(self) -> Socket:
        socket = Socket(FastWebSocketProtocol, self.clock)
        socket.handshake()
        return socket

    def assert_refused(self, socket: Socket, parts: list[bytes]) -> None:
        socket.feed(parts)
        self.assertTrue(socket.wire.is_closing)
        self.assertIn(f"{MAX_HANDSHAKE_BYTES} bytes", socket.client.wasNotCleanReason)
        self.assertLessEqual(kept(socket), MAX_HANDSHAKE_BYTES)

    def test_endless_status_line_closes(self) -> None:
        self.assert_refused(self.connect(), [b"H" * PIECE] * 20)

    def test_endless_headers_close(self) -> None:
        header = b"A: b\r\n" * 100
        self.assert_refused(
            self.connect(), [b"HTTP/1.1 101 Go\r\n", *repeat(header, 100)]
        )

    def test_too_long_headers_in_one_segment_close(self) -> None:
        whole = b"HTTP/1.1 101 Go\r\n" + b"A: b\r\n" * 10_000 + b"\r\n"
        self.assert_refused(self.connect(), [whole])

    def test_longest_headers_are_read(self) -> None:
        socket = Socket(FastWebSocketProtocol, self.clock)
        handshake = socket.handshake()
        room = MAX_HANDSHAKE_BYTES - len(handshake) - len(b"A: \r\n")
        long = handshake[:-2] + b"A: " + b"b" * room + b"\r\n\r\n"
        self.assertEqual(len(long), MAX_HANDSHAKE_BYTES)
        socket.feed([long + frame(TEXT, b"hello")])
        self.assertEqual(socket.messages, [b"hello"])
        socket.lose()

    def test_compression_that_was_not_offered_is_refused(self) -> None:
        socket = Socket(FastWebSocketProtocol, self.clock)
        extension = b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        socket.feed([socket.handshake()[:-4] + extension])
        self.assertTrue(socket.wire.is_closing)


class MessageTests(SocketTestCase):
    def limited(self) -> Socket:
        return self.open(maxMessagePayloadSize=PIECE, maxFramePayloadSize=PIECE)

    def test_message_with_too_long_a_length_is_not_read(self) -> None:
        for length in (PIECE + 1, 2**31, 2**63 - 1):
            socket = self.limited()
            socket.feed([b"\x81\x7f" + length.to_bytes(8, "big"), b"x" * 100])
            self.assertTrue(socket.wire.is_closing)
            self.assertLess(kept(socket), PIECE)

    def test_frames_that_are_too_long_together_close(self) -> None:
        socket = self.limited()
        part = frame(CONTINUATION, b"x" * 100, fin=False)
        socket.feed([frame(TEXT, fin=False), *[part] * 12])
        self.assertTrue(socket.wire.is_closing)
        self.assertIn("exceeds payload limit", socket.client.wasNotCleanReason)

    def test_endless_empty_frames_close(self) -> None:
        socket = self.limited()
        empty = frame(CONTINUATION, fin=False)
        socket.feed([frame(TEXT, fin=False), *[empty] * MAX_FRAGMENTS])
        self.assertTrue(socket.wire.is_closing)
        self.assertIn(f"{MAX_FRAGMENTS} frames", socket.client.wasNotCleanReason)

    def test_message_may_have_the_most_frames(self) -> None:
        socket = self.limited()
        empty = frame(CONTINUATION, fin=False)
        middle = [empty] * (MAX_FRAGMENTS - 2)
        for _ in range(2):
            socket.feed([frame(TEXT, b"a", fin=False), *middle])
            socket.feed([frame(CONTINUATION, b"b")])
        self.assertEqual(socket.messages, [b"ab", b"ab"])
        socket.lose()


class PingTests(SocketTestCase):
    def test_pings_are_not_answered_while_the_server_does_not_read(self) -> None:
        socket = self.open()
        socket.wire.clear()
        socket.client.pauseProducing()
        socket.feed([frame(PING, b"x" * 125)] * 1000)
        self.assertEqual(socket.wire.value(), b"")
        socket.client.resumeProducing()
        socket.feed([frame(PING, b"x")])
        self.assertNotEqual(socket.wire.value(), b"")
        socket.lose()

    def test_transport_pauses_the_protocol_while_the_server_does_not_read(self) -> None:
        socket = self.open()
        self.assertIs(socket.wire.producer, socket.client)
        self.assertTrue(socket.wire.streaming)
        socket.lose()


class TurnTests(SocketTestCase):
    """`MAX_FRAMES_PER_TURN` frames are handled in a turn of the reactor."""

    def handled_in_turns(self, socket: Socket, stream: bytes) -> list[int]:
        """Feed a stream; return how many messages each turn handled."""
        before = len(socket.messages)
        socket.feed([stream])
        turns = [len(socket.messages) - before]
        while self.clock.getDelayedCalls():
            self.assertEqual(socket.wire.producerState, "paused")
            before = len(socket.messages)
            if not run_turn(self.clock):
                break
            turns.append(len(socket.messages) - before)
        self.assertEqual(socket.wire.producerState, "producing")
        return turns

    def test_flood_of_messages_is_handled_in_turns(self) -> None:
        socket = self.open()
        messages = [b"%d" % number for number in range(10 * MAX_FRAMES_PER_TURN + 1)]
        stream = b"".join(frame(TEXT, each) for each in messages)
        turns = self.handled_in_turns(socket, stream)
        self.assertEqual(turns, [MAX_FRAMES_PER_TURN] * 10 + [1])
        self.assertEqual(socket.messages, messages)
        socket.lose()

    def test_flood_of_pings_is_handled_in_turns(self) -> None:
        socket = self.open()
        pongs = []
        socket.feed([frame(PING) * 1000])
        pongs.append(len(socket.wire.value()))
        while run_turn(self.clock):
            pongs.append(len(socket.wire.value()))
        each_turn = [after - before for before, after in pairwise([0, *pongs])]
        pong = 2
        self.assertEqual(max(each_turn), MAX_FRAMES_PER_TURN * pong)
        self.assertEqual(sum(each_turn), 1000 * pong)
        socket.lose()

    def test_request_of_a_message_is_sent_before_the_next_turn(self) -> None:
        socket = self.open()
        client = socket.client
        client.message_received = lambda payload: (
            client.send_text(b"stop") if payload == b"key" else None
        )
        flood = [frame(TEXT, b"x")] * 10_000
        socket.wire.clear()
        socket.feed([b"".join([frame(TEXT, b"key"), *flood])])
        self.assertEqual(len(socket.wire.value()), 6 + len(b"stop"))
        socket.lose()

    def test_data_meanwhile_is_handled_after_what_was_received_before(self) -> None:
        socket = self.open()
        messages = [b"%d" % number for number in range(1000)]
        frames = [frame(TEXT, each) for each in messages]
        socket.feed([b"".join(frames[:500]), b"".join(frames[500:])])
        while run_turn(self.clock):
            pass
        self.assertEqual(socket.messages, messages)
        socket.lose()

    def test_lost_connection_ends_the_turns(self) -> None:
        socket = self.open()
        socket.feed([frame(TEXT, b"x") * 1000])
        socket.lose()
        self.assertEqual(len(socket.messages), MAX_FRAMES_PER_TURN)

    def test_message_of_autobahn_counts_too(self) -> None:
        """Frames of more than 65,535 bytes, and fragments, are autobahn's."""
        socket = self.open()
        fragments = frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b")
        turns = self.handled_in_turns(socket, fragments * MAX_FRAMES_PER_TURN)
        self.assertEqual(turns, [MAX_FRAMES_PER_TURN // 2] * 2)
        socket.lose()
