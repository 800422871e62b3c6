"""An events websocket's messages, without a socket; see `InMemoryLink`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from channel_aa.simulator.direction import Direction
from channel_aa.simulator.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from channel_aa.simulator.in_memory import InMemoryLink

_OPENING = b""
"""What arrives first, in place of the answer to the websocket's handshake."""


class InMemoryConnection:
    """What an `AriClient` takes for its events websocket; made by a `InMemoryLink`."""

    def __init__(
        self,
        line: InMemoryLink,
        app: str,
        *,
        on_open: Callable[[], None],
        on_message: Callable[[bytes], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.is_open = False
        self._line = line
        self._app = app
        self._on_open = on_open
        self._on_message = on_message
        self._on_lost = on_lost
        self._socket: _Socket | None = None
        self._next: IDelayedCall | None = None
        self._stopped: Deferred[None] | None = None

    def start(self) -> None:
        """Begin to connect, and keep at it."""
        self._stopped = None
        self._after(0.0, self._connect)

    def stop(self) -> Deferred[None]:
        """Close the connection, and make no other."""
        stopped: Deferred[None] = Deferred()
        self._stopped = stopped
        if self._socket is None:
            self._end()
        else:
            self.drop()
        return stopped

    def send(self, message: bytes) -> None:
        """Send a message, if the connection is open."""
        if self._socket is not None and self.is_open:
            self._socket.send(message)

    def drop(self) -> None:
        """End the connection without a word; it is noticed in a later turn."""
        if self._socket is not None:
            self._socket.close()
            self._after(0.0, self._lost)

    def _connect(self) -> None:
        line = self._line
        if line.is_cut or line.simulator.is_booting:
            self._after(line.retry_seconds, self._connect)
        else:
            self._socket = _Socket(
                line, self._app, deliver=self._received, drop=self.drop
            )
            self._socket.open()

    def _received(self, message: bytes) -> None:
        if message == _OPENING:
            self.is_open = True
            self._on_open()
        else:
            self._on_message(message)

    def _lost(self) -> None:
        self._socket = None
        if self.is_open:
            self.is_open = False
            self._on_lost()
        if self._stopped is None:
            self._after(self._line.retry_seconds, self._connect)
        else:
            self._end()

    def _end(self) -> None:
        self._cancel_next()
        if self._stopped is not None:
            self._stopped.callback(None)

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        self._cancel_next()
        self._next = self._line.clock.callLater(seconds, call)

    def _cancel_next(self) -> None:
        if self._next is not None and self._next.active():
            self._next.cancel()


class _Socket:
    """One connection's two streams, and the session at Asterisk's end of it."""

    def __init__(
        self,
        line: InMemoryLink,
        app: str,
        *,
        deliver: Callable[[bytes], None],
        drop: Callable[[], None],
    ) -> None:
        self._line = line
        self._is_open = False
        self._to_asterisk = _Stream(line.clock, self._asterisk_received)
        self._from_asterisk = _Stream(line.clock, deliver)
        bus, handler = line.simulator.state.bus, line.simulator.handler
        self._session = Session(
            bus, handler, names=[app], send=self._asterisk_sends, drop=drop
        )

    def open(self) -> None:
        self._is_open = True
        self._asterisk_sends(_OPENING)
        self._session.open()

    def close(self) -> None:
        """Lose what is on its way."""
        if self._is_open:
            self._is_open = False
            self._session.close()
            self._to_asterisk.close()
            self._from_asterisk.close()

    def send(self, message: bytes) -> None:
        if self._is_open:
            delay = self._line.delay(Direction.MESSAGE_TO_ASTERISK)
            self._to_asterisk.put(message, delay)

    def _asterisk_received(self, message: bytes) -> None:
        if self._line.simulator.serves_requests_over_websocket:
            self._session.received(message)

    def _asterisk_sends(self, message: bytes) -> None:
        if self._is_open:
            delay = self._line.delay(Direction.MESSAGE_FROM_ASTERISK)
            self._from_asterisk.put(message, delay)


class _Stream:
    """One direction of a connection: what is put in comes out later, in order."""

    def __init__(self, clock: IReactorTime, deliver: Callable[[bytes], None]) -> None:
        self._clock = clock
        self._deliver = deliver
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._timer: IDelayedCall | None = None

    def put(self, message: bytes, delay: float) -> None:
        self._waiting.append((self._clock.seconds() + delay, message))
        if self._timer is None:
            self._timer = self._clock.callLater(delay, self._deliver_due)

    def close(self) -> None:
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _deliver_due(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        # What is put in meanwhile waits for a turn of its own.
        for _ in range(len(self._waiting)):
            if not self._waiting or self._waiting[0][0] > now:
                break
            self._deliver(self._waiting.popleft()[1])
        if self._waiting and self._timer is None:
            wait = max(0.0, self._waiting[0][0] - now)
            self._timer = self._clock.callLater(wait, self._deliver_due)
