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
    from collections.abc import Awaitable, Callable
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

STABLE_SECONDS = 60.0
"""How long a connection must last before the next one starts afresh: with the shortest
delay, and with a log line for each problem. A server that completes each handshake and
then closes the connection would otherwise be connected to twice a second, and logged
each time."""

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

    def close(self, diagnosis: Diagnosis | None = None) -> None:
        """Close the websocket with code 1000; drop an unfinished handshake.

        Args:
            diagnosis: why, for the log, if there is a problem.
        """
        self._diagnosis = diagnosis or self._diagnosis
        if self._was_open:
            self.sendClose(_NORMAL_CLOSURE)
        else:
            self.dropConnection(abort=True)


class _EventsFactory(WebSocketClientFactory):
    protocol = EventsProtocol  # type: ignore[assignment] # autobahn is half typed
    noisy = False

    def __init__(self, connection: EventsConnection, *, reactor: Any) -> None:  # noqa: ANN401
        super().__init__(reactor=reactor)
        self.connection = connection
        self.setProtocolOptions(
            openHandshakeTimeout=10,
            closeHandshakeTimeout=2,
            maxMessagePayloadSize=MAX_MESSAGE_BYTES,
            maxFramePayloadSize=MAX_MESSAGE_BYTES,
            tcpNoDelay=True,
        )

    def prepare(self, *further_apps: str) -> None:
        """Set the request of the handshake."""
        address = self.connection.address
        self.setSessionParameters(
            address.events_url(*further_apps),
            protocols=["ari"],
            headers={"Authorization": address.authorization},
            useragent=self.useragent,
        )


class EventsConnection:
    """Keeps a websocket to Asterisk open, from `start` to `stop`.

    A problem is logged once, with what to do about it, until another kind of problem
    or a connection follows. After a connection that was not stable (`STABLE_SECONDS`),
    the next one is logged only once it is; see `_log_connected`.

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
        check_access: returns why Asterisk would refuse requests, or ``None``. After
            `refuse`, there is no new connection before this returns ``None``.
        endpoint: used instead of the address's own.
        backoff: the delays between attempts, reset by a stable connection.
        quiet_seconds: see `QUIET_SECONDS`.

    Attributes:
        address: the URL and the credentials.
        message_received: called with each message.
        is_open: whether the websocket is open.
        problem: why it is not, with what to do; empty if it is open, or if the first
            attempt has not failed yet.
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
        check_access: Callable[[], Awaitable[Diagnosis | None]] | None = None,
        endpoint: IStreamClientEndpoint | None = None,
        backoff: Backoff | None = None,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self.address = address
        self._on_open = on_open
        self._on_lost = on_lost
        self.message_received = on_message
        self._reactor = reactor
        self._check_access = check_access
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
        self._opened_at = 0.0
        self._was_unstable = False
        self._is_refused = False
        self.is_open = False
        self.problem = ""

    def start(self, *further_apps: str) -> None:
        """Connect until `stop`; warn of a connection that is not secure.

        Args:
            further_apps: applications to register in addition to the address's own.
        """
        self._factory.prepare(*further_apps)
        self._stopping = self._was_unstable = self._is_refused = False
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

    def refuse(self, diagnosis: Diagnosis) -> None:
        """Close the websocket: Asterisk refuses requests, so no call can be served.

        Without the websocket, Asterisk lets new calls continue in the dialplan.

        Args:
            diagnosis: why it does.
        """
        if self._protocol is None or not self.is_open:
            return
        self._is_refused = True
        self.problem = diagnosis.text
        self._protocol.close(diagnosis)
        self._set_lost()

    def handshake_completed(self) -> None:
        """Start to keep the connection alive."""
        self.is_open = True
        self.problem = ""
        self._opened_at = self._reactor.seconds()
        self._keeping_alive.start(
            self._quiet_seconds / _CHECKS_PER_QUIET_SECONDS, now=False
        )
        if not self._was_unstable:
            self._log_connected()
        self._on_open()

    def send(self, message: bytes) -> None:
        """Send a text message if the websocket is open, else drop it."""
        if self._protocol is not None and self.is_open:
            self._protocol.send_text(message)

    def _keep_alive(self) -> None:
        if self._protocol is not None:
            self._protocol.keep_alive()
        if self._was_unstable and self._is_stable:
            self._was_unstable = False
            self._log_connected()

    @property
    def _is_stable(self) -> bool:
        return bool(self._reactor.seconds() - self._opened_at >= STABLE_SECONDS)

    def _log_connected(self) -> None:
        """Log the connection; the next problem is then logged, of whatever kind."""
        self._last_kind = None
        self._log.info(
            "Connected to {url} as application {app}",
            url=self.address.base_url,
            app=self.address.app,
        )

    def _set_lost(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self._keeping_alive.stop()
        self._was_unstable = not self._is_stable
        if not self._was_unstable:
            self._backoff.reset()
        try:
            self._on_lost()
        except Exception:  # noqa: BLE001 - reconnect in any case
            self._log.failure("Handling the lost connection failed")

    async def _keep_open(self) -> None:
        try:
            while not self._stopping:
                diagnosis = await self._connect_once()
                if self._stopping:
                    return
                delay = self._backoff.next_delay()
                self.problem = diagnosis.text
                self._log_problem(diagnosis, delay)
                await deferLater(self._reactor, delay)
        except CancelledError:
            return

    async def _connect_once(self) -> Diagnosis:
        """Connect, and wait until the connection is closed or could not be made."""
        if self._is_refused and self._check_access is not None:
            refusal = await self._check_access()
            if refusal is not None:
                return refusal
            self._is_refused = self._was_unstable = False
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
        self._set_lost()
        return diagnosis

    def _log_problem(self, diagnosis: Diagnosis, delay: float) -> None:
        if diagnosis.kind == self._last_kind:
            return
        self._last_kind = diagnosis.kind
        self._log.error(
            "{problem} Trying again in {delay:.1f} s, and until it succeeds.",
            problem=self.problem,
            delay=delay,
        )
