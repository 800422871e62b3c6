"""A websocket client with a fast path for short text messages.

Autobahn opens, checks and closes the connection, and handles all other frames. Apart
from those, Asterisk and this client exchange only short text messages in single frames
(RFC 6455, section 5.2). This module reads and writes them at a tenth of the cost
(docs/performance.md).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from autobahn.twisted.websocket import WebSocketClientProtocol
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import connectionDone
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

_TEXT_IN_ONE_FRAME = 0x81  # FIN, opcode 1
_MASKED = 0x80
_RESERVED = 0x70
_DATA_OPCODES = frozenset({0, 1, 2})  # continuation, text, binary
_LENGTH_IN_TWO_BYTES = 126
_END_OF_HEADERS = b"\r\n\r\n"
MAX_SHORT_FRAME = 0xFFFF
"""The longest payload, in bytes, of a frame with a two-byte length."""

MAX_HANDSHAKE_BYTES = 16 * 1024
"""The size limit of the handshake's response; Asterisk's has some 200 bytes."""

MAX_FRAGMENTS = 1024
"""The most frames of one message; Asterisk sends each in one."""

MAX_FRAMES_PER_TURN = 64
"""The most frames that are handled in one turn of the reactor.

Some 20 ms of work if each lets a call enter, which takes the longest. Requests that
were made meanwhile are sent then, and timers and other sockets have their turn."""


def text_frame(payload: bytes, mask: bytes) -> bytes:
    """Make the frame of a text message from a client to a server.

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


def random_masks() -> Iterator[bytes]:
    """Yield the masks of frames; one call of the system serves 256 of them."""
    while True:
        block = os.urandom(1024)
        for start in range(0, len(block), 4):
            yield block[start : start + 4]


@implementer(IPushProducer)
class FastWebSocketProtocol(WebSocketClientProtocol):
    """A websocket client with a fast path for short text messages.

    Each message is passed to `message_received`, and `send_text` sends one. The text is
    not checked for UTF-8: an invalid one fails in the decoder of messages, and does not
    close the connection.

    A malicious server can close this connection, but use no more memory than one
    message may have: each buffer is bounded, and no ping is answered while the server
    does not read. Nor can it occupy the reactor: after `MAX_FRAMES_PER_TURN` frames no
    more data is read until those at hand are handled, in further turns.
    """

    utf8validateIncoming = False  # noqa: N815 - autobahn's name
    message_received: Callable[[bytes], object]
    """Called with each message; set it before the handshake."""

    def __init__(self) -> None:
        super().__init__()
        self.has_received = False
        """Whether a whole frame was received since this was last made false.

        A part of a frame does not count: the frame may never end.
        """
        self._unread = b""
        self._rest_of_frame = 0
        self._is_reading = False
        self._frames_left = 0
        self._next_turn: IDelayedCall | None = None
        self._outgoing: list[bytes] = []
        self._masks = random_masks()
        self._fragments = 0
        self._is_paused = False

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Begin the handshake, and register for `pauseProducing`."""
        super().connectionMade()
        self.registerProducer(self, streaming=True)

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Stop answering pings: the server does not read."""
        self._is_paused = True

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Answer pings again: the server reads."""
        self._is_paused = False

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Do nothing: `connectionLost` follows."""

    def onPing(self, payload: bytes) -> None:  # noqa: N802 - autobahn's name
        """Answer a ping, unless the server does not read: the answers would pile up."""
        if not self._is_paused:
            super().onPing(payload)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: ARG002, FBT001, N802, N803 - autobahn's
        """Pass on a message that autobahn has parsed."""
        self.message_received(payload)

    def onMessageBegin(self, isBinary: bool) -> None:  # noqa: FBT001, N802, N803 - autobahn's
        """Begin a message that autobahn parses."""
        super().onMessageBegin(isBinary)
        self._fragments = 0

    def onMessageFrameBegin(self, length: int) -> None:  # noqa: N802 - autobahn's name
        """Begin one of its frames; endless empty ones would fill the memory."""
        super().onMessageFrameBegin(length)
        self._fragments += 1
        if self._fragments > MAX_FRAGMENTS and not self.failedByMe:
            self._fail_connection(
                self.CLOSE_STATUS_CODE_MESSAGE_TOO_BIG,
                f"a message in more than {MAX_FRAGMENTS} frames",
            )

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Parse data, and send in one write what its messages cause to be sent."""
        if self._next_turn is not None:
            self._unread += data
            return
        self._is_reading = True
        self._frames_left = MAX_FRAMES_PER_TURN
        try:
            self._read(data)
        finally:
            self._is_reading = False
            self._flush()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Forget what was received and not handled."""
        if self._next_turn is not None:
            self._next_turn.cancel()
            self._next_turn = None
        super().connectionLost(reason)

    def _go_on_later(self, data: bytes) -> None:
        """Read the rest of the data in the next turn of the reactor."""
        self._unread = data
        self._next_turn = self.factory.reactor.callLater(0, self._go_on)
        transport: Any = self.transport
        transport.pauseProducing()

    def _go_on(self) -> None:
        self._next_turn = None
        self.dataReceived(b"")
        transport: Any = self.transport
        if self._next_turn is None and transport is not None:
            transport.resumeProducing()

    def send_text(self, payload: bytes) -> None:
        """Send a text message of at most `MAX_SHORT_FRAME` bytes, while open."""
        if self.state == self.STATE_OPEN:
            self._outgoing.append(text_frame(payload, next(self._masks)))
            if not self._is_reading:
                self._flush()

    def sendData(self, data: bytes, *arguments: Any, **options: Any) -> None:  # noqa: ANN401, N802 - autobahn's
        """Send autobahn's data after the messages sent before."""
        self._flush()
        super().sendData(data, *arguments, **options)

    def _flush(self) -> None:
        if self._outgoing:
            outgoing, self._outgoing = self._outgoing, []
            if self.transport is not None:
                self.transport.write(b"".join(outgoing))

    def _read(self, data: bytes) -> None:
        if self._unread:
            data = self._unread + data
            self._unread = b""
        if self.state == self.STATE_CONNECTING:
            data = self._hand_over_handshake(data)
        while data:
            if self.state != self.STATE_OPEN:
                self._pass_to_autobahn(data)
                return
            if self._frames_left <= 0:
                self._go_on_later(data)
                return
            data = self._hand_over(data, self._rest_of_frame)
            data, is_incomplete = self._read_frames(data)
            if is_incomplete:
                self._unread = data
                return
            if self._frames_left <= 0:
                continue
            size = _frame_size(data)
            if size is None:
                self._unread = data
                return
            data = self._hand_over(data, size)

    def _hand_over(self, data: bytes, size: int) -> bytes:
        """Give autobahn a frame of this size, or its rest; return what follows."""
        if size:
            self._frames_left -= 1
            self._rest_of_frame = max(0, size - len(data))
            self._pass_to_autobahn(data[:size])
            self.has_received = self.has_received or not self._rest_of_frame
        return data[size:]

    def _hand_over_handshake(self, data: bytes) -> bytes:
        """Give autobahn the handshake's response; return what follows."""
        begun = len(self.data)
        end = (self.data + data).find(_END_OF_HEADERS, 0, MAX_HANDSHAKE_BYTES)
        if end < 0 and begun + len(data) >= MAX_HANDSHAKE_BYTES:
            self.failHandshake(
                f"the headers of its response exceed {MAX_HANDSHAKE_BYTES} bytes"
            )
            return b""
        size = len(data) if end < 0 else end + len(_END_OF_HEADERS) - begun
        self._pass_to_autobahn(data[:size])
        return data[size:]

    def _pass_to_autobahn(self, data: bytes) -> None:
        """Let autobahn parse data; close the connection if it raises.

        It does for a header that is not UTF-8, for example.
        """
        try:
            super().dataReceived(data)
        except Exception as error:  # noqa: BLE001 - autobahn's, of any kind
            reason = f"it sent invalid data: {error}"
            if self.state == self.STATE_CONNECTING:
                self.failHandshake(reason)
            else:
                self._fail_connection(self.CLOSE_STATUS_CODE_PROTOCOL_ERROR, reason)

    def _read_frames(self, data: bytes) -> tuple[bytes, bool]:
        """Deliver the messages of the short text frames at the beginning of the data.

        Returns:
            The rest; and whether it is empty, or the beginning of another such frame.
        """
        position = 0
        available = len(data)
        while available - position >= 2:  # noqa: PLR2004 - the shortest head
            if (
                self.inside_message
                or self.state != self.STATE_OPEN
                or self._frames_left <= 0
            ):
                return data[position:], False
            if data[position] != _TEXT_IN_ONE_FRAME:
                return data[position:], False
            length = data[position + 1]
            start = position + 2
            if length == _LENGTH_IN_TWO_BYTES:
                start += 2
                if start > available:
                    break
                length = (data[position + 2] << 8) | data[position + 3]
                if length < _LENGTH_IN_TWO_BYTES:  # longer than needed
                    return data[position:], False
            elif length > _LENGTH_IN_TWO_BYTES:
                return data[position:], False
            end = start + length
            if end > available:
                break
            self.has_received = True
            self._frames_left -= 1
            self.message_received(data[start:end])
            position = end
        return data[position:], True


def _frame_size(data: bytes) -> int | None:
    """Return the size of a frame by its header; ``None`` while that is incomplete.

    All data counts as part of a frame that a server must not send: its first two bytes
    close the connection. See RFC 6455, section 5.2.
    """
    if len(data) < 2:  # noqa: PLR2004 - the shortest head
        return None
    length = data[1] & 0x7F
    is_short = length < _LENGTH_IN_TWO_BYTES
    is_data = data[0] & 0x0F in _DATA_OPCODES
    if data[0] & _RESERVED or data[1] & _MASKED or not (is_short or is_data):
        return len(data)
    if is_short:
        return 2 + length
    head = 4 if length == _LENGTH_IN_TWO_BYTES else 10
    if len(data) < head:
        return None
    return head + int.from_bytes(data[2:head], "big")
