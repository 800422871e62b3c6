"""Any bytes on the websocket: at most the connection ends, and no other call."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.ari_sockets import handshake_for
from tests.support.fuzz_harness import FUZZ, FuzzHarness, corpus, feed
from tests.support.fuzz_strategies import CUTS, STREAMS, cut, damaged

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
        self.enter_bystander()
        feed(self.socket, parts)
        self.settle()
        self.assert_bystander_served()
        self.finish()

    @FUZZ
    @given(STREAMS, CUTS)
    def test_any_bytes(self, stream: bytes, places: list[int]) -> None:
        self.try_stream(cut(stream, places))

    def test_kept_inputs(self) -> None:
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
        self.assert_bystander_served()
        self.finish()

    @FUZZ
    @given(HANDSHAKES, CUTS)
    def test_any_answer(self, answer: bytes, places: list[int]) -> None:
        self.try_handshake(cut(answer, places))

    @FUZZ
    @given(st.data(), CUTS)
    def test_damaged_answers(self, data: st.DataObject, places: list[int]) -> None:
        self.begin()
        handshake = handshake_for(self.socket)
        damaged_handshake = data.draw(damaged(st.just(handshake)))
        feed(self.socket, cut(damaged_handshake, places))
        self.settle()
        self.assert_bystander_served()
        self.finish()

    def test_kept_inputs(self) -> None:
        for name, answer in corpus("handshake"):
            with self.subTest(name):
                self.try_handshake([answer])
