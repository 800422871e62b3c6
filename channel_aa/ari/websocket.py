"""A websocket client whose ordinary messages cost little.

Autobahn opens, checks and closes the connection, and handles whatever is out of
the ordinary. Between that, Asterisk and we send each other nothing but short text
messages in single frames (RFC 6455, section 5.2); these are read and written here,
at a tenth of the cost (docs/performance.md).
"""

from __future__ import annotations

import os

from autobahn.twisted.websocket import WebSocketClientProtocol

_TEXT_IN_ONE_FRAME = 0x81  # FIN, opcode 1
_MASKED = 0x80
_LENGTH_IN_TWO_BYTES = 126
MAX_SHORT_FRAME = 0xFFFF
"""The longest payload in bytes that a frame's two-byte length can tell."""


def text_frame(payload: bytes, mask: bytes) -> bytes:
    """Make the frame of one text message from a client to a server.

    Args:
        payload: the message, UTF-8, at most `MAX_SHORT_FRAME` bytes.
        mask: four random bytes (RFC 6455, section 5.3).
    """
    length = len(payload)
    if length < _LENGTH_IN_TWO_BYTES:
        head = bytes((_TEXT_IN_ONE_FRAME, _MASKED | length))
    else:
        head = bytes((_TEXT_IN_ONE_FRAME, _MASKED | _LENGTH_IN_TWO_BYTES))
        head += length.to_bytes(2, "big")
    whole = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")
    return head + mask + masked.to_bytes(length, "big")


class LeanWebSocketProtocol(WebSocketClientProtocol):
    """A websocket client with a short way for short text messages.

    Subclasses get each message by `onMessage`, whichever way it came, and send
    theirs by `send_text`. Whether a text is UTF-8 is left to whoever decodes it: one
    that is not costs that message, and no connection.
    """

    utf8validateIncoming = False  # noqa: N815 - autobahn's name

    def __init__(self) -> None:
        super().__init__()
        self.has_heard = False
        """Whether anything was received since this was last made false."""
        self._unread = b""

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Read what has arrived."""
        self.has_heard = True
        if self._unread:
            data = self._unread + data
            self._unread = b""
        if self._is_out_of_the_ordinary:
            super().dataReceived(data)
            return
        read, rest_is_ordinary = self._read_frames(data)
        if rest_is_ordinary:
            self._unread = data[read:]
        else:
            super().dataReceived(data[read:])

    def send_text(self, payload: bytes) -> None:
        """Send a text message of at most `MAX_SHORT_FRAME` bytes, while open."""
        if self.transport is not None and self.state == self.STATE_OPEN:
            self.transport.write(text_frame(payload, os.urandom(4)))

    @property
    def _is_out_of_the_ordinary(self) -> bool:
        """Whether autobahn is in the middle of something, or the handshake is."""
        return bool(
            self.state != self.STATE_OPEN
            or self.data
            or self.current_frame
            or self.inside_message
        )

    def _read_frames(self, data: bytes) -> tuple[int, bool]:
        """Deliver the ordinary frames at the data's beginning.

        Returns:
            How many bytes they are; and whether what follows is the beginning of
            another ordinary frame, or nothing.
        """
        position = 0
        available = len(data)
        while available - position >= 2:  # noqa: PLR2004 - the shortest head
            if data[position] != _TEXT_IN_ONE_FRAME:
                return position, False
            length = data[position + 1]
            start = position + 2
            if length == _LENGTH_IN_TWO_BYTES:
                start += 2
                length = int.from_bytes(data[position + 2 : start], "big")
                if length < _LENGTH_IN_TWO_BYTES:  # Too long a way to say it, or cut.
                    return position, False
            elif length > _LENGTH_IN_TWO_BYTES:
                return position, False
            end = start + length
            if end > available:
                break
            self.onMessage(data[start:end], False)  # noqa: FBT003 - autobahn's
            position = end
            if self.state != self.STATE_OPEN:
                return position, False
        return position, True
