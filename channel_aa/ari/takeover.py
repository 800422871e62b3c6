"""Taking the application over again, once the program that took it has ended.

Asterisk gives an application to the websocket that connected last, and does not tell
the previous one when that websocket closes. The application may go on without it: with
a call left in it, ``GET /applications/{name}`` is 200 as before. So each client
registers a second application over its websocket (`presence_name`). No call enters it,
so it exists as long as the websocket is open, and its name tells who that is.
"""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
from twisted.internet.defer import CancelledError, Deferred

from channel_aa.ari.wire.backoff import Backoff
from channel_aa.ari.wire.errors import AriError, decode_response
from channel_aa.ari.wire.requests import Request
from channel_aa.logs import Logger, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from channel_aa.ari.wire.requests import IRequestSender

FIRST_CHECK_SECONDS = 0.5
"""The time until the first check: the websocket closes, which fails all requests."""

CHECK_SECONDS = 5.0
"""The interval of the checks whether the other program has ended."""

ABSENT_SECONDS = 60.0
"""How long the other program has to be gone at first; twice as long after each further
loss, so that two programs that both live do not replace each other all the time. One
that only reconnects, or is restarted, is back by then."""

MAX_ABSENT_SECONDS = 1920.0
"""The longest of these times: half an hour."""

HELD_SECONDS = 600.0
"""How long the application has to be kept before that time is the first one again."""

_NOT_IN_A_HOST = re.compile(r"[^A-Za-z0-9.-]")
_PRESENCE = re.compile(r"(?P<host>[^:]+):(?P<process>[0-9]+):[0-9a-f]+")
_LIST = Request(method="GET", path=("applications",))


def presence_name(app: str) -> str:
    """Make the name of the application that tells who has the application ``app``."""
    host = _NOT_IN_A_HOST.sub("-", socket.gethostname())[:63] or "unknown"
    return f"{app}@{host}:{os.getpid()}:{uuid4().hex[:8]}"


def programs_of(app: str, names: Iterable[str]) -> dict[str, str]:
    """Find the programs that have an application, among all applications' names.

    Returns:
        ``process 123 on pbx``, by the name that `presence_name` made.
    """
    programs = {}
    for name in names:
        if name.startswith(f"{app}@"):
            found = _PRESENCE.fullmatch(name.removeprefix(f"{app}@"))
            if found is not None:
                who = f"process {found['process']} on {found['host']}"
                programs[name] = printable(who)
    return programs


class _Application(msgspec.Struct):
    name: str


class Takeover:
    """Waits until the program that has taken the application is gone.

    That program is gone if its presence is. One without a presence, which is not this
    client, is gone when Asterisk does not have the application any more: then its
    calls have ended, too.

    Args:
        app: the application's name.
        sender: carries the requests.
        clock: times the checks.
        on_gone: called when the application may be taken over again.

    Attributes:
        absence: the times for which the other program has to be gone.
        problem: who has the application, for the status.
    """

    _log = Logger()

    def __init__(
        self,
        app: str,
        sender: IRequestSender,
        *,
        clock: IReactorTime,
        on_gone: Callable[[], None],
    ) -> None:
        self.absence = Backoff(
            initial=ABSENT_SECONDS, maximum=MAX_ABSENT_SECONDS, jitter=0.0
        )
        self.problem = ""
        self._app = app
        self._sender = sender
        self._clock = clock
        self._on_gone = on_gone
        self._own_presence = ""
        self._holders: dict[str, str] = {}
        self._taken_at: float | None = None
        self._gone_at: float | None = None
        self._seconds = 0.0
        self._timer: IDelayedCall | None = None
        self._checking: Deferred[None] | None = None

    def start(self, own_presence: str) -> None:
        """Wait for the end of the program that has just taken the application.

        Args:
            own_presence: the name of this client's presence.
        """
        self.stop()
        now = self._clock.seconds()
        if self._taken_at is None or now - self._taken_at >= HELD_SECONDS:
            self.absence.reset()
        self._seconds = self.absence.next_delay()
        self._own_presence = own_presence
        self._holders = {}
        self._gone_at = None
        self._describe("another program")
        self._timer = self._clock.callLater(FIRST_CHECK_SECONDS, self.check)

    def stop(self) -> None:
        """Wait no longer."""
        self.problem = ""
        checking, self._checking = self._checking, None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if checking is not None:
            checking.cancel()

    def check(self) -> None:
        """Check now, and then regularly, whether that program is gone."""
        self._checking = Deferred.fromCoroutine(self._check())
        self._checking.addErrback(
            lambda failure: failure.trap(CancelledError) and None
        ).addErrback(
            lambda failure: self._log.failure(
                "Checking the Stasis application {app} failed", failure, app=self._app
            )
        )

    async def _check(self) -> None:
        now = self._clock.seconds()
        if not await self._is_gone():
            self._gone_at = None
        elif self._gone_at is None:
            self._gone_at = now
        if self._gone_at is not None and now - self._gone_at >= self._seconds:
            self._taken_at = now
            self.problem = ""
            self._log.info(
                "The other program is gone; taking over the Stasis application {app}"
                " again",
                app=self._app,
            )
            self._on_gone()
        else:
            self._timer = self._clock.callLater(CHECK_SECONDS, self.check)

    async def _is_gone(self) -> bool:
        try:
            body = await self._sender.send(_LIST)
            listed = decode_response(_LIST, body, tuple[_Application, ...])
        except AriError:
            return False  # it is not known
        names = {each.name for each in listed} - {self._own_presence}
        holders = programs_of(self._app, names)
        if not holders:
            # With a call in it, the application exists without a program, too.
            return bool(self._holders) or self._app not in names
        if holders != self._holders:
            self._holders = holders
            who = ", ".join(holders.values())
            self._describe(who)
            self._log.warn(
                "The Stasis application {app} belongs to {who} now",
                app=self._app,
                who=who,
            )
        return False

    def _describe(self, who: str) -> None:
        self.problem = (
            f"The Stasis application {self._app} belongs to {who}. Stop that program,"
            " or give each program its own app."
        )
