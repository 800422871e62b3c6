"""Service notifications to systemd: ready, watchdog, reloading, stopping, status.

The protocol is that of ``sd_notify(3)``, whose manual page declares it stable and open
to other implementations: a datagram of ``NAME=VALUE`` lines to the socket that the
environment variable ``NOTIFY_SOCKET`` names. The watchdog follows
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
"""Maximum interval between checks for something to send."""

START_EXTENSION_SECONDS = 30.0
"""By how much each tick before the daemon is ready extends systemd's start timeout."""

_MICROSECONDS = 1_000_000


def watchdog_seconds(environ: Mapping[str, str]) -> float:
    """Return the watchdog's timeout in seconds; 0: no watchdog for this process."""
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
        # Never block: calls must not wait for systemd.
        self._socket.settimeout(0)
        self._has_failed = False

    def send(self, **values: object) -> bool:
        """Send ``NAME=VALUE`` lines, and return whether that succeeded.

        The first error in a row is logged; none is raised.
        """
        lines = "\n".join(
            f"{name}={value}".replace("\n", " ") for name, value in values.items()
        )
        try:
            self._socket.sendto(lines.encode("utf-8", "replace"), self._address)
        except OSError as error:
            if not self._has_failed:
                self._log.warn("Could not notify systemd: {error}", error=error)
            self._has_failed = True
        else:
            self._has_failed = False
        return not self._has_failed

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Supervision:
    """Notifies systemd from the reactor, so that a blocked reactor is noticed.

    Until the daemon is ready, each tick extends the start timeout: a boot or a
    deployment does not fail because Asterisk is not running yet, but a daemon that
    hangs while it starts is detected.

    Args:
        notifier: sends to systemd.
        clock: the clock for the ticks.
        is_ready: returns whether the daemon is connected.
        describe: returns the daemon's status in one line.
        watchdog: the watchdog's timeout in seconds; 0: no watchdog.
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
        self._has_sent_ready = False
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
        """Create it from the environment; ``None`` if systemd set no socket."""
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
        """Start the ticks."""
        self._ticks.start(self._interval)

    def reloading(self) -> None:
        """Notify systemd that a reload begins."""
        # Type=notify-reload of systemd.service(5) requires the time.
        now = int(monotonic() * _MICROSECONDS)
        self._notifier.send(RELOADING=1, MONOTONIC_USEC=now)

    def reloaded(self) -> None:
        """Notify systemd that the reload is over, successful or not."""
        if self._has_sent_ready:
            self._notifier.send(READY=1)

    def stopping(self, *, within: float) -> None:
        """Notify systemd that the daemon stops, and how many seconds that may take."""
        self._is_stopping = True
        self._notifier.send(STOPPING=1, EXTEND_TIMEOUT_USEC=int(within * _MICROSECONDS))

    def stop(self) -> None:
        """Stop the ticks, and close the socket."""
        if self._ticks.running:
            self._ticks.stop()
        self._notifier.close()

    def _tick(self) -> None:
        values: dict[str, object] = {}
        if self._has_watchdog:
            values["WATCHDOG"] = 1
        if not (self._has_sent_ready or self._is_stopping):
            if self._is_ready():
                values["READY"] = 1
            else:
                extension = int(START_EXTENSION_SECONDS * _MICROSECONDS)
                values["EXTEND_TIMEOUT_USEC"] = extension
        status = self._describe()
        if status != self._status:
            values["STATUS"] = status
        if values and self._notifier.send(**values):
            self._has_sent_ready |= "READY" in values
            self._status = status
