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

_END_OF_HEAD = b"\r\n\r\n"


class WireError(ValueError):
    """Something that no client should send."""


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
        """Give a header's value, by its name in small letters; empty: there is none."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name:
                return value.strip()
        return b""


def frame(opcode: int, payload: bytes) -> bytes:
    """Make a frame as a server sends it: unmasked."""
    length = len(payload)
    if length < _SHORT:
        return b"%c%c%b" % (_FINAL | opcode, length, payload)
    if length < _MEDIUM:
        size = length.to_bytes(2, "big")
        return b"%c%c%b%b" % (_FINAL | opcode, _TWO_BYTES, size, payload)
    size = length.to_bytes(8, "big")
    return b"%c%c%b%b" % (_FINAL | opcode, _EIGHT_BYTES, size, payload)


def take_frame(buffer: bytearray) -> Frame | None:
    """Take a client's frame from the front of a buffer; None: it is not whole yet.

    Raises:
        WireError: it is not masked, or a part of a message.
    """
    have = len(buffer)
    start = 2
    if have < start:
        return None
    if not buffer[0] & _FINAL or not buffer[1] & _MASKED:
        raise WireError("a frame that is fragmented, or not masked")
    length = buffer[1] & ~_MASKED
    if length >= _TWO_BYTES:
        start += 2 if length == _TWO_BYTES else 8
        if have < start:
            return None
        length = int.from_bytes(buffer[2:start], "big")
    end = start + 4 + length
    if have < end:
        return None
    mask = bytes(buffer[start : start + 4])
    masked = buffer[start + 4 : end]
    opcode = buffer[0] & 0x0F
    del buffer[:end]
    whole = int.from_bytes(masked, "big")
    key = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
    return Frame(opcode, (whole ^ key).to_bytes(length, "big"))


def take_request(buffer: bytearray) -> HttpRequest | None:
    """Take an HTTP request from the front of a buffer; None: it is not whole yet.

    Raises:
        WireError: it is not an HTTP request.
    """
    end = buffer.find(_END_OF_HEAD)
    if end < 0:
        return None
    head = bytes(buffer[:end])
    line = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    if len(line) != len(("method", "target", "version")):
        raise WireError("not an HTTP request")
    request = HttpRequest(line[0], line[1], head)
    start = end = end + len(_END_OF_HEAD)
    if b"ontent-" in head:
        end += int(request.header(b"content-length") or 0)
    if len(buffer) < end:
        return None
    body = bytes(buffer[start:end])
    del buffer[:end]
    return request._replace(body=body) if body else request


def handshake_answer(request: HttpRequest) -> bytes:
    """Accept a websocket, with ARI's subprotocol where it was asked for."""
    digest = sha1(request.header(b"sec-websocket-key") + _GUID).digest()  # noqa: S324 - RFC 6455
    answer = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n" % b64encode(digest)
    )
    if request.header(b"sec-websocket-protocol"):
        answer += b"Sec-WebSocket-Protocol: ari\r\n"
    return answer + b"\r\n"
