"""HTTP requests and websocket frames, as bytes."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1
from typing import NamedTuple

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3

TEXT, CLOSE, PING = 1, 8, 9
_FINAL = 0x80
_MASKED = 0x80
_TWO_BYTES = 126
_EIGHT_BYTES = 127
_SHORT, _MEDIUM = 126, 65536

_OPCODE = 0x0F
_SHORTEST_FRAME = 6  # two bytes of head, and the mask

_END_OF_HEAD = b"\r\n\r\n"


class WireError(ValueError):
    """A client sent invalid data."""


class Frame(NamedTuple):
    """A websocket frame from a client, its payload unmasked."""

    opcode: int
    payload: bytes


class HttpRequest(NamedTuple):
    """An HTTP request."""

    method: str
    target: str
    head: bytes
    body: bytes = b""

    def header(self, name: bytes) -> bytes:
        """Return a header's value by its lower-case name; empty: it is missing."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name:
                return value.strip()
        return b""


def frame(opcode: int, payload: bytes) -> bytes:
    """Encode a server's frame, which is unmasked."""
    length = len(payload)
    if length < _SHORT:
        return b"%c%c%b" % (_FINAL | opcode, length, payload)
    if length < _MEDIUM:
        size = length.to_bytes(2, "big")
        return b"%c%c%b%b" % (_FINAL | opcode, _TWO_BYTES, size, payload)
    size = length.to_bytes(8, "big")
    return b"%c%c%b%b" % (_FINAL | opcode, _EIGHT_BYTES, size, payload)


def parse_frames(data: bytes) -> tuple[list[Frame], bytes]:
    """Parse a client's frames at the beginning of data; return them and the rest.

    Raises:
        WireError: one is not masked, or a part of a message.
    """
    frames = []
    begin, have = 0, len(data)
    while have - begin >= _SHORTEST_FRAME:
        first, second = data[begin], data[begin + 1]
        if not (first & _FINAL and second & _MASKED):
            raise WireError("a frame that is fragmented, or not masked")
        length = second & ~_MASKED
        start = begin + _SHORTEST_FRAME
        if length >= _TWO_BYTES:
            start += 2 if length == _TWO_BYTES else 8
            length = int.from_bytes(data[begin + 2 : start - 4], "big")
        end = start + length
        if have < end:
            break
        mask = data[start - 4 : start]
        key = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
        masked = int.from_bytes(data[start:end], "big")
        frames.append(Frame(first & _OPCODE, (masked ^ key).to_bytes(length, "big")))
        begin = end
    return frames, data[begin:]


def parse_request(data: bytes) -> tuple[HttpRequest | None, bytes]:
    """Parse an HTTP request at the beginning of data; return it and the rest.

    None: it is not whole yet.

    Raises:
        WireError: it is not an HTTP request.
    """
    end = data.find(_END_OF_HEAD)
    if end < 0:
        return None, data
    head = data[:end]
    line = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    if len(line) != len(("method", "target", "version")):
        raise WireError("not an HTTP request")
    request = HttpRequest(line[0], line[1], head)
    start = end = end + len(_END_OF_HEAD)
    if b"ontent-" in head:
        end += int(request.header(b"content-length") or 0)
    if len(data) < end:
        return None, data
    return request._replace(body=data[start:end]), data[end:]


def handshake_answer(request: HttpRequest) -> bytes:
    """Accept a websocket, with ARI's subprotocol if it is requested."""
    digest = sha1(request.header(b"sec-websocket-key") + _GUID).digest()  # noqa: S324 - RFC 6455
    answer = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n" % b64encode(digest)
    )
    if request.header(b"sec-websocket-protocol"):
        answer += b"Sec-WebSocket-Protocol: ari\r\n"
    return answer + b"\r\n"
