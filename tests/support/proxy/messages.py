"""The messages between the daemon and Asterisk, parsed from the bytes of a connection.

It shares no code with channel_aa's client, nor with the libraries that it uses.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Any

_END_OF_HEAD = b"\r\n\r\n"
_TEXT = 1
_CONTROL_FRAMES = {8: "close", 9: "ping", 10: "pong"}
_MASKED = 0x80
_TWO_BYTES, _EIGHT_BYTES = 126, 127


class Direction(Enum):
    """The direction of a message."""

    TO_ASTERISK = "to Asterisk"
    TO_DAEMON = "to the daemon"


class MessageKind(Enum):
    """The kind of a message."""

    REQUEST = "request"
    """A request over HTTP or the websocket; the websocket's handshake, too."""

    ANSWER = "answer"
    """The answer to a request."""

    EVENT = "event"
    FRAME = "frame"
    """A websocket frame without text; its name is ``ping``, ``close`` …"""

    BYTES = "bytes"
    """Bytes that could not be parsed."""


@dataclass(frozen=True)
class Message:
    """One message, as it was on the wire.

    Attributes:
        kind: its kind.
        name: of a request and its answer, ``POST channels/1/answer``; of an event,
            its type.
        data: its bytes.
        text: an event's JSON; else empty.
        status: an answer's HTTP status; else 0.
    """

    kind: MessageKind
    name: str
    data: bytes
    text: str = ""
    status: int = 0


class MessageParser:
    """Parses both directions of a connection: HTTP, and the websocket after it."""

    def __init__(self) -> None:
        self._unread = {Direction.TO_ASTERISK: b"", Direction.TO_DAEMON: b""}
        self._is_websocket = dict.fromkeys(Direction, False)
        self._is_unparsable = False
        self._names: deque[str] = deque()
        self._names_by_id: dict[str, str] = {}

    def feed(self, direction: Direction, data: bytes) -> list[Message]:
        """Add bytes, and return the messages that are complete."""
        data = self._unread[direction] + data
        messages = []
        while data:
            try:
                message = self._parse(direction, data)
            except (ValueError, LookupError):
                self._is_unparsable = True
                continue
            if message is None:
                break
            messages.append(message)
            data = data[len(message.data) :]
        self._unread[direction] = data
        return messages

    def _parse(self, direction: Direction, data: bytes) -> Message | None:
        """Parse the first message of the data; None: it is not complete."""
        if self._is_unparsable:
            return Message(MessageKind.BYTES, "", data)
        if self._is_websocket[direction]:
            return self._parse_frame(direction, data)
        end = data.find(_END_OF_HEAD)
        if end < 0:
            return None
        head = data[:end].decode("latin-1").split("\r\n")
        end += len(_END_OF_HEAD)
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        end += int(headers.get("content-length", "0"))
        if len(data) < end:
            return None
        first, second, *_ = head[0].split(" ")
        if direction is Direction.TO_ASTERISK:
            self._is_websocket[direction] = "upgrade" in headers
            name = f"{first} {second.removeprefix('/ari/')}"
            self._names.append(name)
            return Message(MessageKind.REQUEST, name, data[:end])
        status = int(second)
        self._is_websocket[direction] = status == 101
        return Message(
            MessageKind.ANSWER, self._names.popleft(), data[:end], status=status
        )

    def _parse_frame(self, direction: Direction, data: bytes) -> Message | None:
        if len(data) < 2:
            return None
        is_masked, size = data[1] & _MASKED, data[1] & ~_MASKED
        start = {_TWO_BYTES: 4, _EIGHT_BYTES: 10}.get(size, 2)
        if start > 2:
            size = int.from_bytes(data[2:start], "big")
        mask = data[start : start + 4] if is_masked else b""
        start += len(mask)
        if len(data) < start + size:
            return None
        whole, payload = data[: start + size], data[start : start + size]
        opcode = data[0] & 0x0F
        if opcode != _TEXT:
            name = _CONTROL_FRAMES.get(opcode, "")
            return Message(MessageKind.FRAME, name, whole)
        if mask:
            key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
            payload = (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")
        return self._parse_text(direction, whole, payload.decode())

    def _parse_text(self, direction: Direction, whole: bytes, text: str) -> Message:
        message: dict[str, Any] = json.loads(text)
        if direction is Direction.TO_ASTERISK:
            name = f"{message['method']} {message['uri']}"
            self._names_by_id[message["request_id"]] = name
            return Message(MessageKind.REQUEST, name, whole)
        if message["type"] == "RESTResponse":
            name = self._names_by_id.pop(message["request_id"])
            return Message(
                MessageKind.ANSWER, name, whole, status=message["status_code"]
            )
        return Message(MessageKind.EVENT, message["type"], whole, text)
