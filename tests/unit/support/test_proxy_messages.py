"""`MessageParser`: messages from the bytes of a connection."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.websocket import text_frame
from tests.support.proxy.messages import Direction, MessageKind, MessageParser

UPGRADE = (
    b"GET /ari/events?app=a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    b"Authorization: Basic x\r\n\r\n"
)
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def server_frame(text: str) -> bytes:
    payload = text.encode()
    return b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload


class MessageParserTests(SynchronousTestCase):
    def test_answer_has_the_name_of_its_request(self) -> None:
        parser = MessageParser()
        asked = b"POST /ari/channels/1/answer HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
        answered = b"HTTP/1.1 404 Not Found\r\nContent-length: 3\r\n\r\n..."
        [request] = parser.feed(Direction.TO_ASTERISK, asked)
        [answer] = parser.feed(Direction.TO_DAEMON, answered)
        self.assertEqual(request.kind, MessageKind.REQUEST)
        self.assertEqual(answer.kind, MessageKind.ANSWER)
        self.assertEqual(request.name, "POST channels/1/answer")
        self.assertEqual(answer.name, "POST channels/1/answer")
        self.assertEqual(answer.status, 404)
        self.assertEqual((request.data, answer.data), (asked, answered))

    def test_websocket_is_parsed_in_both_directions(self) -> None:
        parser = MessageParser()
        rest = {"type": "RESTRequest", "request_id": "7", "method": "GET", "uri": "x"}
        response = {"type": "RESTResponse", "request_id": "7", "status_code": 200}
        up = UPGRADE + text_frame(json.dumps(rest).encode(), b"abcd")
        down = (
            UPGRADED
            + b"\x8a\x00"
            + server_frame('{"type":"StasisStart"}')
            + server_frame(json.dumps(response))
        )
        # Byte by byte.
        asked = [
            m for byte in up for m in parser.feed(Direction.TO_ASTERISK, bytes([byte]))
        ]
        received = [
            m for byte in down for m in parser.feed(Direction.TO_DAEMON, bytes([byte]))
        ]
        self.assertEqual([m.name for m in asked], ["GET events?app=a", "GET x"])
        self.assertEqual(
            [(m.kind, m.name) for m in received],
            [
                (MessageKind.ANSWER, "GET events?app=a"),
                (MessageKind.FRAME, "pong"),
                (MessageKind.EVENT, "StasisStart"),
                (MessageKind.ANSWER, "GET x"),
            ],
        )
        self.assertEqual(b"".join(m.data for m in asked), up)
        self.assertEqual(b"".join(m.data for m in received), down)

    def test_unparsable_bytes_are_passed_on_unchanged(self) -> None:
        parser = MessageParser()
        [message] = parser.feed(Direction.TO_DAEMON, b"nonsense\r\n\r\n")
        self.assertEqual(message.kind, MessageKind.BYTES)
        self.assertEqual(message.data, b"nonsense\r\n\r\n")
