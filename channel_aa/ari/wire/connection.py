"""The events websocket: opened, read, and opened again when it is lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from autobahn.twisted.websocket import WebSocketClientFactory
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.protocol import connectionDone
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import LogLevel
from txaio.tx import make_logger

from channel_aa.ari.wire.backoff import Backoff
from channel_aa.ari.wire.diagnostics import (
    Problem,
    connect_problem,
    dead_problem,
    handshake_problem,
    is_tls_error,
    lost_problem,
    no_handshake_problem,
    risk,
    tls_problem,
)
from channel_aa.ari.wire.websocket import FastWebSocketProtocol
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from twisted.internet.interfaces import IStreamClientEndpoint
    from twisted.python.failure import Failure

    from channel_aa.ari.wire.address import Address

QUIET_SECONDS = 5.0
"""How long a connection may say nothing before it is sent a ping. Asterisk answers
pings (not while it serves a request that waits), and never sends one."""

_LOOKS_IN_QUIET_SECONDS = 5
_LOOKS_UNTIL_DEAD = 13
"""A connection on which nothing was heard at so many looks in a row is dead: with five
looks in five seconds, after 13 to 14 seconds. The ping has 8 of them to be answered."""

MAX_MESSAGE_BYTES = 1024 * 1024
"""Far above any event of Asterisk, whose channel variables can make one long."""

_STATUS = re.compile(r"[1-9][0-9]{2}", re.ASCII)
_NORMAL_CLOSURE = 1000  # RFC 6455, section 7.4.1
_SWITCHING_PROTOCOLS = 101


class EventsProtocol(FastWebSocketProtocol):
    """One connection's websocket."""

    factory: _EventsFactory

    # What autobahn says at lower levels we say better, in one line, and without
    # the request's headers, which hold the password.
    log = make_logger(level="critical")

    def __init__(self) -> None:
        super().__init__()
        self.ended: Deferred[Problem] = Deferred()
        """Fires when the TCP connection is gone, with the reason."""
        self._problem: Problem | None = None
        self._was_open = False
        self._quiet_looks = 0

    def onOpen(self) -> None:  # noqa: N802 - autobahn's name
        """Pass on that the handshake is complete."""
        self._was_open = True
        self.factory.connection.opened()

    def onMessage(  # noqa: N802 - autobahn's name
        self,
        payload: bytes,
        isBinary: bool,  # noqa: FBT001, N803, ARG002 - autobahn's signature
    ) -> None:
        """Pass on a message."""
        self.factory.connection.received(payload)

    def failHandshake(self, reason: str) -> None:  # noqa: N802 - autobahn's name
        """Keep why the handshake failed, and drop the connection."""
        address = self.factory.connection.address
        words = getattr(self, "http_status_line", "").split(maxsplit=2)
        if len(words) > 1 and _STATUS.fullmatch(words[1]):
            status = int(words[1])
            if status != _SWITCHING_PROTOCOLS:
                text = words[2] if len(words) > 2 else ""  # noqa: PLR2004 - the third
                self._problem = handshake_problem(status, text, address)
        self._problem = self._problem or no_handshake_problem(address, reason)
        self.wasNotCleanReason = reason
        self.dropConnection(abort=True)

    def onOpenHandshakeTimeout(self) -> None:  # noqa: N802 - autobahn's name
        """Keep that nobody answered the handshake."""
        self._problem = no_handshake_problem(
            self.factory.connection.address,
            f"no answer within {self.factory.openHandshakeTimeout:g} seconds",
        )
        super().onOpenHandshakeTimeout()

    def onClose(  # noqa: N802 - autobahn's name
        self,
        wasClean: bool,  # noqa: FBT001, N803, ARG002 - autobahn's signature
        code: int | None,
        reason: str | None,
    ) -> None:
        """Keep why the connection closed, where nothing else is known."""
        address = self.factory.connection.address
        if self._problem is None and self._was_open:
            self._problem = lost_problem(code, reason)
        self._problem = self._problem or no_handshake_problem(
            address, reason or "closed"
        )

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Tell that the connection is gone, and why."""
        if is_tls_error(reason.value):
            self._problem = tls_problem(reason.value, self.factory.connection.address)
        super().connectionLost(reason)
        problem = self._problem or lost_problem(None, reason.getErrorMessage())
        self.ended.callback(problem)

    def keep_alive(self) -> None:
        """Ping a peer that has been quiet; drop one that does not answer.

        It counts how often it was called, not seconds: when this program was stopped
        itself, or the clock jumps, the peer has not been silent for long.
        """
        if self.has_heard:
            self.has_heard = False
            self._quiet_looks = 0
            return
        self._quiet_looks += 1
        if self._quiet_looks == _LOOKS_IN_QUIET_SECONDS:
            self.sendPing()
        elif self._quiet_looks >= _LOOKS_UNTIL_DEAD:
            self._problem = dead_problem()
            self.dropConnection(abort=True)

    def leave(self) -> None:
        """Say goodbye and close; an unfinished handshake is dropped at once."""
        if self._was_open:
            self.sendClose(_NORMAL_CLOSURE)
        else:
            self.dropConnection(abort=True)


class _EventsFactory(WebSocketClientFactory):
    protocol = EventsProtocol  # type: ignore[assignment] # autobahn is half typed
    noisy = False

    def __init__(self, connection: EventsConnection, *, reactor: Any) -> None:  # noqa: ANN401
        address = connection.address
        super().__init__(
            address.events_url,
            protocols=["ari"],
            headers={"Authorization": address.authorization},
            reactor=reactor,
        )
        self.connection = connection
        self.setProtocolOptions(
            openHandshakeTimeout=10,
            closeHandshakeTimeout=2,
            maxMessagePayloadSize=MAX_MESSAGE_BYTES,
            maxFramePayloadSize=MAX_MESSAGE_BYTES,
            tcpNoDelay=True,
        )


class EventsConnection:
    """Keeps a websocket to Asterisk open, from `start` to `stop`.

    Each kind of trouble is logged once, in a line that says what to do, until
    another kind or success follows.

    Args:
        address: where to connect, as whom.
        on_open: called after each completed handshake.
        on_message: called with each message.
        on_lost: called when a connection that had been open has ended.
        reactor: the reactor to connect and to keep time with.
        endpoint: used instead of the address's own.
        backoff: the delays between tries, reset by a completed handshake only.
        quiet_seconds: see `QUIET_SECONDS`.
    """

    _log = Logger()

    def __init__(
        self,
        address: Address,
        *,
        on_open: Callable[[], None],
        on_message: Callable[[bytes], None],
        on_lost: Callable[[], None],
        reactor: Any,  # noqa: ANN401 - IReactorTime, IReactorTCP and more at once
        endpoint: IStreamClientEndpoint | None = None,
        backoff: Backoff | None = None,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self.address = address
        self._on_open = on_open
        self._on_lost = on_lost
        self.received = on_message
        self._reactor = reactor
        self._endpoint = endpoint or address.endpoint(reactor)
        self._backoff = backoff or Backoff()
        self._factory = _EventsFactory(self, reactor=reactor)
        self._protocol: EventsProtocol | None = None
        self._quiet_seconds = quiet_seconds
        self._keeping_alive = LoopingCall(self._keep_alive)
        self._keeping_alive.clock = reactor
        self._loop: Deferred[None] | None = None
        self._stopping = False
        self._last_kind: str | None = None
        self.is_open = False

    def start(self) -> None:
        """Begin to connect, and keep at it; warn of a way that is not secure."""
        self._stopping = False
        if (danger := risk(self.address)) is not None:
            level = LogLevel.error if self.address.is_secure else LogLevel.warn
            self._log.emit(level, "{danger}", danger=danger.text)
        self._loop = Deferred.fromCoroutine(self._keep_open())
        self._loop.addErrback(
            lambda failure: self._log.failure("The connection's loop died", failure)
        )

    def stop(self) -> Deferred[None]:
        """Close the websocket properly, within some 2 seconds."""
        self._stopping = True
        loop, self._loop = self._loop, None
        if loop is None:
            return succeed(None)
        if self._protocol is not None:
            self._protocol.leave()
        else:
            loop.cancel()
        return loop

    def stay_away(self) -> None:
        """Close the websocket, and do not connect again before the next `start`."""
        self._stopping = True
        if self._protocol is not None:
            self._protocol.leave()

    def opened(self) -> None:
        """Take note of a completed handshake."""
        self.is_open = True
        self._keeping_alive.start(
            self._quiet_seconds / _LOOKS_IN_QUIET_SECONDS, now=False
        )
        self._backoff.reset()
        self._last_kind = None
        self._log.info(
            "Connected to {url} as application {app}",
            url=self.address.base_url,
            app=self.address.app,
        )
        self._on_open()

    def send(self, message: bytes) -> None:
        """Send a text message, if the websocket is open."""
        if self._protocol is not None and self.is_open:
            self._protocol.send_text(message)

    def _keep_alive(self) -> None:
        if self._protocol is not None:
            self._protocol.keep_alive()

    async def _keep_open(self) -> None:
        try:
            while not self._stopping:
                problem = await self._one_connection()
                if self._stopping:
                    return
                delay = self._backoff.next_delay()
                self._report(problem, delay)
                await deferLater(self._reactor, delay)
        except CancelledError:
            return

    async def _one_connection(self) -> Problem:
        try:
            connected = await self._endpoint.connect(self._factory)
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - an endpoint may raise anything
            return connect_problem(error, self.address)
        protocol = cast("EventsProtocol", connected)
        self._protocol = protocol
        if self._stopping:
            protocol.leave()
        problem = await protocol.ended
        self._protocol = None
        if self._keeping_alive.running:
            self._keeping_alive.stop()
        if self.is_open:
            self.is_open = False
            try:
                self._on_lost()
            except Exception:  # noqa: BLE001 - it has to be opened again all the same
                self._log.failure("Taking note of a lost connection failed")
        return problem

    def _report(self, problem: Problem, delay: float) -> None:
        if problem.kind == self._last_kind:
            return
        self._last_kind = problem.kind
        self._log.error(
            "{problem} Trying again in {delay:.1f} s, and until it works.",
            problem=self.address.conceal(problem.text),
            delay=delay,
        )
