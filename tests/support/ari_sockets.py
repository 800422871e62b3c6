"""Websockets in memory: frames, and clients that receive them."""

# ruff: noqa: N802 - the names that Twisted calls
from __future__ import annotations

from base64 import b64encode
from hashlib import sha1
from typing import TYPE_CHECKING, Any, cast

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from txaio import tx

from channel_aa.ari.wire.websocket import FastWebSocketProtocol

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_ACCEPT_SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    is_masked: bool = False,
    length_bytes: int | None = None,
) -> bytes:
    """Make a server's frame, valid or not.

    ``length_bytes`` writes the length in 0, 2 or 8 bytes of its own, needed or not.
    """
    length = len(payload)
    if length_bytes is None:
        length_bytes = 0 if length < 126 else 2 if length < 65536 else 8
    code = {0: length, 2: 126, 8: 127}[length_bytes]
    head = bytes((fin << 7 | reserved << 4 | opcode, is_masked << 7 | code))
    if length_bytes:
        head += length.to_bytes(length_bytes, "big")
    return head + (bytes(4) if is_masked else b"") + payload


def handshake_for(client: Any) -> bytes:  # noqa: ANN401 - autobahn is half typed
    """Make the response to a client's handshake."""
    accept = b64encode(sha1(client.websocket_key + _ACCEPT_SALT).digest())  # noqa: S324 - RFC 6455's
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Protocol: ari",
        b"Sec-WebSocket-Accept: " + accept,
    ]
    return b"\r\n".join([*lines, b"", b""])


class AutobahnClient(WebSocketClientProtocol):
    """The reference: autobahn alone, without its check for UTF-8."""

    utf8validateIncoming = False  # noqa: N815 - autobahn's name


class Wire(StringTransport):
    """A transport that knows whether it was closed or aborted."""

    was_aborted = False

    @property
    def is_closing(self) -> bool:
        return self.disconnecting or self.disconnected

    def abortConnection(self) -> None:
        self.was_aborted = True
        super().abortConnection()

    def resumeProducing(self) -> None:
        """Read again; do nothing once it is closing, as a real transport."""
        if not self.is_closing:
            super().resumeProducing()

    def unregisterProducer(self) -> None:
        """Accept the call, as a real transport does."""


class Socket:
    """A client's websocket; the test is its server.

    Its frames are not masked, so that two clients' can be compared. It may close
    once it was told some messages.
    """

    def __init__(
        self, kind: type[WebSocketClientProtocol], clock: Clock, **options: object
    ) -> None:
        factory = WebSocketClientFactory(
            "ws://pbx.example/ari/events", protocols=["ari"], reactor=clock
        )
        factory.setProtocolOptions(**({"maskClientFrames": False} | options))
        self.calls: list[tuple[object, ...]] = []
        self.messages: list[bytes] = []
        self.messages_until_close = 0
        self.client = cast("Any", kind())
        self.client.factory = factory
        self.client.onMessage = self._message
        self.client.message_received = lambda payload: self._message(payload, False)  # noqa: FBT003 - autobahn's
        self.client.onClose = lambda *what: self.calls.append(what)
        self.wire = Wire()
        self.client.makeConnection(self.wire)

    def _message(self, payload: bytes, is_binary: bool) -> None:  # noqa: FBT001 - autobahn's
        self.messages.append(payload)
        self.calls.append((payload, is_binary))
        if len(self.messages) == self.messages_until_close:
            self.client.sendClose(1000)

    def handshake(self) -> bytes:
        """Make the response to the client's handshake, and clear what was sent."""
        self.wire.clear()
        return handshake_for(self.client)

    def feed(self, parts: Iterable[bytes]) -> None:
        """Receive segments, until the transport is closing."""
        for part in parts:
            if not self.wire.is_closing:
                self.client.dataReceived(part)

    def lose(self) -> None:
        self.client.connectionLost(Failure(ConnectionLost()))

    @property
    def outcome(self) -> tuple[object, ...]:
        """Everything that is visible from outside."""
        return (
            self.calls,
            self.client.state,
            self.client.wasNotCleanReason,
            self.wire.value(),
            self.wire.is_closing,
        )


class SocketTestCase(SynchronousTestCase):
    """Websockets whose timers are on a `Clock`; none may be left."""

    def setUp(self) -> None:
        self.clock = Clock()
        # Autobahn takes its clock from here, and not from its factory.
        self.patch(tx.config, "loop", self.clock)

    def open(
        self,
        kind: type[WebSocketClientProtocol] = FastWebSocketProtocol,
        **options: object,
    ) -> Socket:
        """Open a websocket."""
        socket = Socket(kind, self.clock, **options)
        socket.feed([socket.handshake()])
        return socket

    def assert_nothing_left(self) -> None:
        """Assert that no timer is left, once that of autobahn's close has expired."""
        self.clock.advance(10)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def tearDown(self) -> None:
        self.assert_nothing_left()
