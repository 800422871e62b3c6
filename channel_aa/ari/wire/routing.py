"""Which way a request takes to Asterisk: HTTP, or the events websocket."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.task import deferLater
from twisted.logger import LogLevel
from zope.interface import implementer

from channel_aa.ari.wire.errors import AriError
from channel_aa.ari.wire.requests import IRequestSender, Request
from channel_aa.ari.wire.websocket_sender import FrameTooLongError
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from channel_aa.ari.events import RESTResponse
    from channel_aa.ari.wire.websocket_sender import WebSocketSender

PROBE_SECONDS = 1.0
"""How long Asterisk has to answer the first request over a websocket. One that does
not know such requests ignores them (seen on 16.28)."""

GRACE_SECONDS = 0.25
"""How much longer than over HTTP an answer over the websocket may take, once it is
slow."""

_AFTER_A_SOUND = "is answered only when the sound on the channel has ended"
ALWAYS_OVER_HTTP = {
    ("POST", "channels", "answer"): _AFTER_A_SOUND,
    ("POST", "channels", "variable"): _AFTER_A_SOUND,
    ("POST", "bridges", "addChannel"): _AFTER_A_SOUND,
    ("POST", "bridges", "removeChannel"): _AFTER_A_SOUND,
    ("GET", "recordings", "file"): "is answered with what is no text",
}
"""Requests that go over HTTP always, and why.

Asterisk serves the requests of one websocket strictly one after another: one that
waits would hold up every call, for seconds. The keys are the method, and the path's
first and last segment; docs/asterisk.md has the measurements.
"""

_PROBE = Request(method="GET", path=("asterisk", "ping"))


class Transport(Enum):
    """Which way requests are to take."""

    AUTO = "auto"
    """The websocket where Asterisk can, HTTP where it cannot."""

    HTTP = "http"
    """HTTP always."""

    WEBSOCKET = "websocket"
    """As `AUTO`, but an Asterisk that cannot is an error in the log."""


@implementer(IRequestSender)
class RoutingSender:
    """Chooses a request's way.

    Whether Asterisk serves requests over the websocket is found out anew on each
    connection, by a first request; until it is answered, all go over HTTP. When a
    later one is not answered in time, they go over HTTP again until the next
    connection.

    Args:
        wanted: which way requests are to take.
        http: sends over HTTP.
        websocket: sends over the events websocket.
        clock: what the probe is timed with.
    """

    _log = Logger()

    def __init__(
        self,
        wanted: Transport,
        *,
        http: IRequestSender,
        websocket: WebSocketSender,
        clock: IReactorTime,
    ) -> None:
        self._wanted = wanted
        self._http = http
        self._websocket = websocket
        websocket.on_timeout = self._no_longer_answered
        websocket.on_slow = self._begin_to_doubt
        self._clock = clock
        self._probe: Deferred[None] | None = None
        self._doubt: Deferred[None] | None = None
        self._websocket_works = False
        self._last_said = ""

    @property
    def pending(self) -> int:
        """How many requests have been sent and not answered yet."""
        return self._http.pending + self._websocket.pending

    @property
    def queued(self) -> int:
        """How many of these wait for their turn."""
        return self._http.queued + self._websocket.queued

    @property
    def in_use(self) -> Transport:
        """Which way ordinary requests take now: `HTTP` or `WEBSOCKET`."""
        return Transport.WEBSOCKET if self._websocket_works else Transport.HTTP

    def send(self, request: Request) -> Deferred[bytes]:
        """Send a request; see `IRequestSender.send`."""
        if not self._websocket_works or must_go_over_http(request):
            return self._http.send(request)
        try:
            return self._websocket.send(request)
        except FrameTooLongError:
            return self._http.send(request)

    def opened(self) -> Deferred[None]:
        """Take note that the websocket is open: find out what it can do.

        Fires when that is known, within `PROBE_SECONDS`.
        """
        if self._wanted is Transport.HTTP:
            return succeed(None)
        self._probe = Deferred.fromCoroutine(self._find_out())
        return self._probe

    def lost(self) -> None:
        """Take note that the websocket is closed."""
        self._websocket_works = False
        self._end_doubt()
        # In this order: what the loss brings about may go over HTTP.
        self._http.lost()
        self._websocket.lost()

    def answered(self, response: RESTResponse) -> None:
        """Take an answer that came over the websocket."""
        self._websocket.answered(response)

    async def _close(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
        self._end_doubt()
        await self._websocket.close()
        await self._http.close()

    def close(self) -> Deferred[None]:
        """Cancel what is pending, and close every connection."""
        return Deferred.fromCoroutine(self._close())

    async def _find_out(self) -> None:
        answer = self._websocket.send(_PROBE)
        try:
            await answer.addTimeout(PROBE_SECONDS, self._clock)
        except DeferredTimeoutError:
            self._say_it_cannot()
        except CancelledError:
            pass
        except AriError as error:
            # Any answer at all is proof enough; a lost connection is none.
            self._websocket_works = error.status is not None
        else:
            self._websocket_works = True
        if self._websocket_works:
            self._say("Requests go over the websocket")

    def _begin_to_doubt(self) -> None:
        if self._websocket_works and self._doubt is None:
            self._doubt = Deferred.fromCoroutine(self._compare_with_http())
            self._doubt.addErrback(lambda failure: failure.trap(CancelledError))

    def _end_doubt(self) -> None:
        doubt, self._doubt = self._doubt, None
        if doubt is not None:
            doubt.cancel()

    async def _compare_with_http(self) -> None:
        """Find out whether Asterisk answers over HTTP what it leaves unanswered here.

        Callers hear nothing until one or the other is given up.
        """
        answers = self._websocket.answers
        try:
            await self._http.send(_PROBE)
        except AriError as error:
            is_there = error.status is not None
        else:
            is_there = True
        # Where all of Asterisk had come to a halt, both are answered now.
        await deferLater(self._clock, GRACE_SECONDS)
        self._doubt = None
        if is_there and self._websocket.answers == answers and self._websocket.pending:
            self._no_longer_answered()
            self._websocket.give_up()

    def _no_longer_answered(self) -> None:
        if self._websocket_works:
            self._websocket_works = False
            self._say(
                "Asterisk no longer answers requests over the websocket; they go over"
                " HTTP until the next connection"
            )

    def _say_it_cannot(self) -> None:
        if self._wanted is Transport.WEBSOCKET:
            self._say(
                "This Asterisk does not serve requests over the websocket, as transport"
                ' = "websocket" asks for: 20.14, 21.9, 22.4 and later do. They go over'
                " HTTP.",
                level=LogLevel.error,
            )
        else:
            self._say(
                "Requests go over HTTP: this Asterisk serves none over the websocket"
            )

    def _say(self, text: str, *, level: LogLevel = LogLevel.info) -> None:
        """Log it, unless it was the last thing said."""
        if text != self._last_said:
            self._last_said = text
            self._log.emit(level, "{text}", text=text)


def must_go_over_http(request: Request) -> bool:
    """Tell whether a request would hold up others on the websocket."""
    path = request.path
    kind = (request.method, path[0], path[-1])
    return kind in ALWAYS_OVER_HTTP and request.may_wait
