"""The events websocket: connecting, keep-alive, and reconnecting."""

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
    Diagnosis,
    diagnose_connect_error,
    diagnose_exposure,
    diagnose_loss,
    diagnose_no_websocket,
    diagnose_refusal,
    diagnose_silence,
    diagnose_tls_error,
    is_tls_error,
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
"""How long nothing may be received before a ping is sent. Asterisk answers pings (but
not while it serves a request that waits), and never sends one."""

_CHECKS_PER_QUIET_SECONDS = 5
_MAX_SILENT_CHECKS = 13
"""How many checks in a row may find that nothing was received; the last one drops the
connection. With five checks in five seconds that is after 13 to 14 seconds, 8 of them
after the ping."""

MAX_MESSAGE_BYTES = 1024 * 1024
"""The size limit of a message; far above any event, even one with long variables."""

_STATUS = re.compile(r"[1-9][0-9]{2}", re.ASCII)
_NORMAL_CLOSURE = 1000  # RFC 6455, section 7.4.1
_SWITCHING_PROTOCOLS = 101


class EventsProtocol(FastWebSocketProtocol):
    """The websocket of one connection."""

    factory: _EventsFactory

    # Autobahn logs the request's headers, which hold the password. `EventsConnection`
    # logs each problem in one line.
    log = make_logger(level="critical")

    def __init__(self) -> None:
        super().__init__()
        self.closed: Deferred[Diagnosis] = Deferred()
        """Fires when the TCP connection is closed, with the reason."""
        self._diagnosis: Diagnosis | None = None
        self._was_open = False
        self._silent_checks = 0

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Begin the handshake."""
        self.message_received = self.factory.connection.message_received
        super().connectionMade()

    def onOpen(self) -> None:  # noqa: N802 - autobahn's name
        """Report that the handshake is complete."""
        self._was_open = True
        self.factory.connection.handshake_completed()

    def failHandshake(self, reason: str) -> None:  # noqa: N802 - autobahn's name
        """Diagnose why the handshake failed, and drop the connection."""
        address = self.factory.connection.address
        words = getattr(self, "http_status_line", "").split(maxsplit=2)
        if len(words) > 1 and _STATUS.fullmatch(words[1]):
            status = int(words[1])
            if status != _SWITCHING_PROTOCOLS:
                text = words[2] if len(words) > 2 else ""  # noqa: PLR2004 - the third
                self._diagnosis = diagnose_refusal(status, text, address)
        self._diagnosis = self._diagnosis or diagnose_no_websocket(address, reason)
        self.wasNotCleanReason = reason
        self.dropConnection(abort=True)

    def onOpenHandshakeTimeout(self) -> None:  # noqa: N802 - autobahn's name
        """Diagnose that the handshake was not answered, and drop the connection."""
        self._diagnosis = diagnose_no_websocket(
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
        """Diagnose why the connection closed, unless that is known already."""
        address = self.factory.connection.address
        if self._diagnosis is None and self._was_open:
            self._diagnosis = diagnose_loss(address, code, reason)
        self._diagnosis = self._diagnosis or diagnose_no_websocket(
            address, reason or "closed"
        )

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Fire `closed`."""
        if is_tls_error(reason.value):
            self._diagnosis = diagnose_tls_error(
                reason.value, self.factory.connection.address
            )
        super().connectionLost(reason)
        self.closed.callback(
            self._diagnosis
            or diagnose_loss(
                self.factory.connection.address, None, reason.getErrorMessage()
            )
        )

    def keep_alive(self) -> None:
        """Ping a silent peer; drop the connection if it stays silent.

        This counts its calls, not seconds: when this process was suspended, or the
        clock jumps, the peer has not been silent for long.
        """
        if self.has_received:
            self.has_received = False
            self._silent_checks = 0
            return
        self._silent_checks += 1
        if self._silent_checks == _CHECKS_PER_QUIET_SECONDS:
            self.sendPing()
        elif self._silent_checks >= _MAX_SILENT_CHECKS:
            self._diagnosis = diagnose_silence()
            self.dropConnection(abort=True)

    def close(self) -> None:
        """Close the websocket with code 1000; drop an unfinished handshake."""
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

    A problem is logged once, with what to do about it, until another kind of problem
    or a completed handshake follows.

    This does not use Twisted's `ClientService`. A connection that closes while its
    ``prepareConnection`` waits for the handshake, as each does that Asterisk refuses
    while it starts (503), raises ``NoTransition`` there, and if that Deferred is left
    alone it never tries again (seen on Twisted 24.10 and 26.10). It also logs a line at
    each attempt, and stops by closing TCP, without a close frame.

    Args:
        address: the URL and the credentials.
        on_open: called after each completed handshake.
        on_message: called with each message.
        on_lost: called when an open connection has closed.
        reactor: the reactor to connect with, and its clock.
        endpoint: used instead of the address's own.
        backoff: the delays between attempts, reset only by a completed handshake.
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
        self.message_received = on_message
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
        """Connect until `stop`; warn of a connection that is not secure."""
        self._stopping = False
        if (danger := diagnose_exposure(self.address)) is not None:
            level = LogLevel.error if self.address.is_secure else LogLevel.warn
            self._log.emit(level, "{danger}", danger=danger.text)
        self._loop = Deferred.fromCoroutine(self._keep_open())
        self._loop.addErrback(
            lambda failure: self._log.failure("The reconnection loop failed", failure)
        )

    def stop(self) -> Deferred[None]:
        """Close the websocket with code 1000, within some 2 seconds."""
        loop, self._loop = self._loop, None
        if loop is None:
            return succeed(None)
        self.stay_away()
        if self._protocol is None:
            loop.cancel()
        return loop

    def stay_away(self) -> None:
        """Close the websocket, and do not reconnect before the next `start`."""
        self._stopping = True
        if self._protocol is not None:
            self._protocol.close()

    def handshake_completed(self) -> None:
        """Reset the delays, and start to keep the connection alive."""
        self.is_open = True
        self._keeping_alive.start(
            self._quiet_seconds / _CHECKS_PER_QUIET_SECONDS, now=False
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
        """Send a text message if the websocket is open, else drop it."""
        if self._protocol is not None and self.is_open:
            self._protocol.send_text(message)

    def _keep_alive(self) -> None:
        if self._protocol is not None:
            self._protocol.keep_alive()

    async def _keep_open(self) -> None:
        try:
            while not self._stopping:
                diagnosis = await self._connect_once()
                if self._stopping:
                    return
                delay = self._backoff.next_delay()
                self._log_problem(diagnosis, delay)
                await deferLater(self._reactor, delay)
        except CancelledError:
            return

    async def _connect_once(self) -> Diagnosis:
        """Connect, and wait until the connection is closed or could not be made."""
        try:
            connected = await self._endpoint.connect(self._factory)
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - an endpoint may raise anything
            return diagnose_connect_error(error, self.address)
        protocol = cast("EventsProtocol", connected)
        self._protocol = protocol
        if self._stopping:
            protocol.close()
        diagnosis = await protocol.closed
        self._protocol = None
        if self._keeping_alive.running:
            self._keeping_alive.stop()
        if self.is_open:
            self.is_open = False
            try:
                self._on_lost()
            except Exception:  # noqa: BLE001 - reconnect in any case
                self._log.failure("Handling the lost connection failed")
        return diagnosis

    def _log_problem(self, diagnosis: Diagnosis, delay: float) -> None:
        if diagnosis.kind == self._last_kind:
            return
        self._last_kind = diagnosis.kind
        self._log.error(
            "{problem} Trying again in {delay:.1f} s, and until it succeeds.",
            problem=diagnosis.text,
            delay=delay,
        )
