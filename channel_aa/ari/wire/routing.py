"""The choice of transport for each request: HTTP, or the events websocket."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.task import deferLater
from twisted.logger import LogLevel
from twisted.python.failure import Failure
from zope.interface import implementer

from channel_aa.ari.wire.errors import AriError
from channel_aa.ari.wire.requests import IRequestSender, Request
from channel_aa.ari.wire.websocket_sender import FrameTooLongError
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.ari.wire.websocket_sender import WebSocketSender

PROBE_SECONDS = 1.0
"""How long to wait for the response to the first request over a websocket. An Asterisk
without such requests ignores them (seen on 16.28)."""

GRACE_SECONDS = 0.25
"""How much longer than over HTTP a response over the websocket may take, once one is
slow."""

MAX_PENDING = 20_000
"""The most requests that may be without a response; further ones fail at once.

Two for each of the channels that a client holds; each uses some 2 KiB."""

_AFTER_A_SOUND = "is answered only after the sound on the channel has ended"
ALWAYS_OVER_HTTP = {
    ("POST", "channels", "answer"): _AFTER_A_SOUND,
    ("POST", "channels", "variable"): _AFTER_A_SOUND,
    ("POST", "channels", "variables"): _AFTER_A_SOUND,
    ("POST", "bridges", "addChannel"): _AFTER_A_SOUND,
    ("POST", "bridges", "removeChannel"): _AFTER_A_SOUND,
    ("GET", "recordings", "file"): "has a binary response",
}
"""The requests that always go over HTTP, and why.

Asterisk serves the requests of one websocket strictly in order: one that waits would
delay every call by seconds. A key consists of the method, and of the first and last
segment of the path; docs/asterisk.md has the measurements.
"""

_PROBE = Request(method="GET", path=("asterisk", "ping"))


class Transport(Enum):
    """The transport that requests are to take."""

    AUTO = "auto"
    """The websocket if Asterisk serves requests on it, else HTTP."""

    HTTP = "http"
    """Always HTTP."""

    WEBSOCKET = "websocket"
    """As `AUTO`, but log an error if Asterisk serves no requests on the websocket."""


@implementer(IRequestSender)
class RoutingSender:
    """Sends each request over HTTP or the events websocket.

    Whether Asterisk serves requests over the websocket is probed on each connection,
    by a first request; until it is answered, all go over HTTP. If a later one is not
    answered in time, all go over HTTP until the next connection.

    Args:
        wanted: the transport that requests are to take.
        http: sends over HTTP.
        websocket: sends over the events websocket.
        clock: times the probe.
        on_response: called with each request once it is answered, or has failed.
    """

    _log = Logger()

    def __init__(
        self,
        wanted: Transport,
        *,
        http: IRequestSender,
        websocket: WebSocketSender,
        clock: IReactorTime,
        on_response: Callable[[Request, Failure | None], None] | None = None,
    ) -> None:
        self._on_response = on_response
        self._wanted = wanted
        self._http = http
        self._websocket = websocket
        websocket.on_timeout = self._fall_back_to_http
        websocket.on_slow = self._start_comparison
        self._clock = clock
        self._probe: Deferred[None] | None = None
        self._comparison: Deferred[None] | None = None
        self._websocket_works = False
        self._last_logged = ""

    @property
    def pending(self) -> int:
        """How many requests have no response yet."""
        return self._http.pending + self._websocket.pending

    @property
    def queued(self) -> int:
        """How many of these have not been sent yet."""
        return self._http.queued + self._websocket.queued

    @property
    def in_use(self) -> Transport:
        """The transport of ordinary requests now: `HTTP` or `WEBSOCKET`."""
        return Transport.WEBSOCKET if self._websocket_works else Transport.HTTP

    def send(self, request: Request) -> Deferred[bytes]:
        """Send a request; see `IRequestSender.send`."""
        if self._http.pending + self._websocket.pending >= MAX_PENDING:
            message = f"not sent: {MAX_PENDING} requests have no response yet"
            response = fail(AriError(*request.line, message=message))
        elif not self._websocket_works or must_go_over_http(request):
            response = self._http.send(request)
        else:
            try:
                response = self._websocket.send(request)
            except FrameTooLongError:
                response = self._http.send(request)
        if self._on_response is not None:
            response.addBoth(self._report, request, self._on_response)
        return response

    def _report(
        self,
        result: bytes | Failure,
        request: Request,
        on_response: Callable[[Request, Failure | None], None],
    ) -> bytes | Failure:
        on_response(request, result if isinstance(result, Failure) else None)
        return result

    def probe(self) -> Deferred[None]:
        """Probe whether Asterisk serves requests over the websocket, which has opened.

        Fires when that is known, within `PROBE_SECONDS`.
        """
        if self._wanted is Transport.HTTP:
            return succeed(None)
        self._probe = Deferred.fromCoroutine(self._run_probe())
        return self._probe

    def fail_pending(self) -> None:
        """Fail every pending request: the websocket has closed."""
        self._websocket_works = False
        self._cancel_comparison()
        # In this order: errbacks of the websocket's requests may send over HTTP.
        self._http.fail_pending()
        self._websocket.fail_pending()

    def close(self) -> Deferred[None]:
        """Cancel every pending request, and close every connection."""
        if self._probe is not None:
            self._probe.cancel()
        self._cancel_comparison()
        return self._websocket.close().addCallback(lambda _: self._http.close())

    async def _run_probe(self) -> None:
        response = self._websocket.send(_PROBE)
        try:
            await response.addTimeout(PROBE_SECONDS, self._clock)
        except DeferredTimeoutError:
            self._log_unsupported()
        except CancelledError:
            pass
        except AriError as error:
            # Any response will do as proof; a lost connection will not.
            self._websocket_works = error.status is not None
        else:
            self._websocket_works = True
        if self._websocket_works:
            self._log_once("Requests go over the websocket")

    def _start_comparison(self) -> None:
        if self._websocket_works and self._comparison is None:
            self._comparison = Deferred.fromCoroutine(self._compare_with_http())
            self._comparison.addErrback(lambda failure: failure.trap(CancelledError))

    def _cancel_comparison(self) -> None:
        comparison, self._comparison = self._comparison, None
        if comparison is not None:
            comparison.cancel()

    async def _compare_with_http(self) -> None:
        """Fall back to HTTP if Asterisk answers there, but not on the websocket.

        Callers hear nothing meanwhile.
        """
        responses = self._websocket.responses
        try:
            await self._http.send(_PROBE)
        except AriError as error:
            http_works = error.status is not None
        else:
            http_works = True
        # If Asterisk as a whole was stalled, it answers both now.
        await deferLater(self._clock, GRACE_SECONDS)
        self._comparison = None
        is_silent = self._websocket.responses == responses
        if http_works and is_silent and self._websocket.pending:
            self._fall_back_to_http()
            self._websocket.time_out_pending()

    def _fall_back_to_http(self) -> None:
        if self._websocket_works:
            self._websocket_works = False
            self._log_once(
                "Asterisk no longer answers requests over the websocket; they go over"
                " HTTP until the next connection"
            )

    def _log_unsupported(self) -> None:
        if self._wanted is Transport.WEBSOCKET:
            self._log_once(
                "This Asterisk does not serve requests over the websocket, which"
                ' transport = "websocket" requires: 20.14, 21.9, 22.4 and later do.'
                " Requests go over HTTP instead.",
                level=LogLevel.error,
            )
        else:
            self._log_once(
                "Requests go over HTTP: this Asterisk does not serve them over the"
                " websocket"
            )

    def _log_once(self, text: str, *, level: LogLevel = LogLevel.info) -> None:
        """Log a text, unless it was the last one logged."""
        if text != self._last_logged:
            self._last_logged = text
            self._log.emit(level, "{text}", text=text)


def must_go_over_http(request: Request) -> bool:
    """Tell whether a request could delay others on the websocket."""
    path = request.path
    kind = (request.method, path[0], path[-1])
    return kind in ALWAYS_OVER_HTTP and request.waits_for_sound
