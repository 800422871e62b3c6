"""What passes between the daemon and Asterisk, read message by message.

It shares no code with this project's own client, nor with what that is built on.
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
    """Which way something passes."""

    TO_ASTERISK = "to Asterisk"
    TO_DAEMON = "to the daemon"


class Kind(Enum):
    """What passes."""

    REQUEST = "request"
    """A request, over HTTP or over the websocket; a handshake is one, too."""

    ANSWER = "answer"
    """The answer to one."""

    EVENT = "event"
    FRAME = "frame"
    """A frame of the websocket that is no text: its name is ``ping``, ``close`` …"""

    BYTES = "bytes"
    """What could not be made out."""


@dataclass(frozen=True)
class Message:
    """One message, as it was on the wire.

    Attributes:
        kind: what it is.
        name: of a request and its answer, ``POST channels/1/answer``; of an event,
            its type.
        data: all of its bytes.
        text: an event's JSON; empty for others.
        status: an answer's.
    """

    kind: Kind
    name: str
    data: bytes
    text: str = ""
    status: int = 0


class WireReader:
    """Reads both directions of one connection: HTTP, and the websocket after it."""

    def __init__(self) -> None:
        self._unread = {Direction.TO_ASTERISK: b"", Direction.TO_DAEMON: b""}
        self._is_websocket = dict.fromkeys(Direction, False)
        self._is_obscure = False
        self._asked: deque[str] = deque()
        self._asked_by_id: dict[str, str] = {}

    def read(self, way: Direction, data: bytes) -> list[Message]:
        """Take what has arrived, and give the messages that are whole now."""
        data = self._unread[way] + data
        messages = []
        while data:
            try:
                message = self._take(way, data)
            except (ValueError, LookupError):
                self._is_obscure = True
                continue
            if message is None:
                break
            messages.append(message)
            data = data[len(message.data) :]
        self._unread[way] = data
        return messages

    def _take(self, way: Direction, data: bytes) -> Message | None:
        """Read the first message of some data; ``None``: it is not whole."""
        if self._is_obscure:
            return Message(Kind.BYTES, "", data)
        if self._is_websocket[way]:
            return self._take_frame(way, data)
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
        if way is Direction.TO_ASTERISK:
            self._is_websocket[way] = "upgrade" in headers
            name = f"{first} {second.removeprefix('/ari/')}"
            self._asked.append(name)
            return Message(Kind.REQUEST, name, data[:end])
        status = int(second)
        self._is_websocket[way] = status == 101
        return Message(Kind.ANSWER, self._asked.popleft(), data[:end], status=status)

    def _take_frame(self, way: Direction, data: bytes) -> Message | None:
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
            return Message(Kind.FRAME, name, whole)
        if mask:
            key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
            payload = (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")
        return self._message(way, whole, payload.decode())

    def _message(self, way: Direction, whole: bytes, text: str) -> Message:
        said: dict[str, Any] = json.loads(text)
        if way is Direction.TO_ASTERISK:
            name = f"{said['method']} {said['uri']}"
            self._asked_by_id[said["request_id"]] = name
            return Message(Kind.REQUEST, name, whole)
        if said["type"] == "RESTResponse":
            name = self._asked_by_id.pop(said["request_id"])
            return Message(Kind.ANSWER, name, whole, status=said["status_code"])
        return Message(Kind.EVENT, said["type"], whole, text)
