"""What systemd is told of the daemon: it is ready, alive, reloading, stopping.

The protocol is that of ``sd_notify(3)``, which its manual page declares stable and open
to other implementations: one datagram of ``NAME=VALUE`` lines to the socket that the
environment variable ``NOTIFY_SOCKET`` names. The watchdog is that of
``sd_watchdog_enabled(3)``.
"""

from __future__ import annotations

import os
import socket
from time import monotonic
from typing import TYPE_CHECKING

from twisted.internet.task import LoopingCall

from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.interfaces import IReactorTime

TICK_SECONDS = 1.0
"""How often systemd hears of the daemon, at least."""

PATIENCE_SECONDS = 30.0
"""How long systemd is asked to wait on, at each tick before the daemon is ready."""

_MICROSECONDS = 1_000_000


def watchdog_seconds(environ: Mapping[str, str]) -> float:
    """Give the seconds within which systemd wants a sign of life; 0: it wants none."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    microseconds = environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / _MICROSECONDS if microseconds.isdecimal() else 0.0


class Notifier:
    """Sends datagrams to systemd.

    Args:
        address: the value of ``NOTIFY_SOCKET``: a path, or a name in the abstract
            namespace after an ``@``.
    """

    _log = Logger()

    def __init__(self, address: str) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # systemd that does not read must not hold up the calls.
        self._socket.settimeout(0)
        self._has_failed = False

    def send(self, **values: object) -> bool:
        """Send ``NAME=VALUE`` lines, and tell whether that worked.

        That it did not is logged once, and no error.
        """
        lines = "\n".join(
            f"{name}={value}".replace("\n", " ") for name, value in values.items()
        )
        try:
            self._socket.sendto(lines.encode("utf-8", "replace"), self._address)
        except OSError as error:
            if not self._has_failed:
                self._log.warn("systemd cannot be told: {error}", error=error)
            self._has_failed = True
        else:
            self._has_failed = False
        return not self._has_failed

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Supervision:
    """Keeps systemd informed, in turns of the reactor: when these stop, it notices.

    Until the daemon is ready, systemd is asked at each tick to wait on: neither a boot
    nor a deployment fails because Asterisk is not there yet, yet a daemon that hangs
    while it starts is found.

    Args:
        notifier: what sends to systemd.
        clock: keeps time.
        is_ready: tells whether the daemon serves calls.
        describe: says in one line how the daemon is.
        watchdog: seconds within which systemd wants a sign of life; 0: it wants none.
    """

    def __init__(
        self,
        notifier: Notifier,
        *,
        clock: IReactorTime,
        is_ready: Callable[[], bool],
        describe: Callable[[], str],
        watchdog: float = 0.0,
    ) -> None:
        self._notifier = notifier
        self._is_ready = is_ready
        self._describe = describe
        self._has_watchdog = watchdog > 0
        self._interval = min(TICK_SECONDS, watchdog / 2 or TICK_SECONDS)
        self._said_ready = False
        self._is_stopping = False
        self._status = ""
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = clock

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str],
        *,
        clock: IReactorTime,
        is_ready: Callable[[], bool],
        describe: Callable[[], str],
    ) -> Supervision | None:
        """Make one, where systemd asked for it."""
        address = environ.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return None
        return cls(
            Notifier(address),
            clock=clock,
            is_ready=is_ready,
            describe=describe,
            watchdog=watchdog_seconds(environ),
        )

    def start(self) -> None:
        """Begin."""
        self._ticks.start(self._interval)

    def reloading(self) -> None:
        """Tell that the configuration is about to be read again."""
        # systemd orders reloads by this time; see Type=notify-reload of
        # systemd.service(5).
        now = int(monotonic() * _MICROSECONDS)
        self._notifier.send(RELOADING=1, MONOTONIC_USEC=now)

    def reloaded(self) -> None:
        """Tell that the reload is over, however it went."""
        if self._said_ready:
            self._notifier.send(READY=1)

    def stopping(self, *, within: float) -> None:
        """Tell that the daemon is about to end, and how many seconds that may take."""
        self._is_stopping = True
        self._notifier.send(STOPPING=1, EXTEND_TIMEOUT_USEC=int(within * _MICROSECONDS))

    def stop(self) -> None:
        """Send no more."""
        if self._ticks.running:
            self._ticks.stop()
        self._notifier.close()

    def _tick(self) -> None:
        values: dict[str, object] = {}
        if self._has_watchdog:
            values["WATCHDOG"] = 1
        if not (self._said_ready or self._is_stopping):
            if self._is_ready():
                values["READY"] = 1
            else:
                patience = int(PATIENCE_SECONDS * _MICROSECONDS)
                values["EXTEND_TIMEOUT_USEC"] = patience
        status = self._describe()
        if status != self._status:
            values["STATUS"] = status
        if values and self._notifier.send(**values):
            self._said_ready |= "READY" in values
            self._status = status
