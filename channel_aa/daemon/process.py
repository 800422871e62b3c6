"""The attendant as a process of its own: reloaded by a signal, watched by systemd."""

from __future__ import annotations

import atexit
import os
import sys
from typing import TYPE_CHECKING

from twisted.application.service import Service

from channel_aa.config import ConfigError
from channel_aa.daemon.systemd import Supervision
from channel_aa.logs import Logger
from channel_aa.service import AttendantService

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from twisted.internet.defer import Deferred

    from channel_aa.config import Settings

REPLACED_EXIT_CODE = os.EX_UNAVAILABLE
"""How the process ends when another program has taken the application: 69, which the
systemd unit does not restart it after."""

ENDING_SECONDS = 20
"""How long the end may take beyond ``drain_timeout``: a request or two without an
answer, and the websocket's farewell."""


class Daemon(Service):
    """Runs an `AttendantService`, and does with it what a daemon is asked to do.

    Args:
        settings: what holds at first.
        reactor: the reactor.
        read_again: reads the settings again, at a reload; None: there is no file.
        file: the configuration file.
        environ: the environment variables that systemd sets.

    Attributes:
        attendant: the service.
    """

    _log = Logger()

    def __init__(
        self,
        settings: Settings,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTime, IReactorCore and more at once
        read_again: Callable[[], Settings] | None = None,
        file: str = "",
        environ: Mapping[str, str],
    ) -> None:
        self._reactor = reactor
        self._read_again = read_again
        self._environ = environ
        self._supervision: Supervision | None = None
        self.attendant = AttendantService(
            settings, reactor=reactor, file=file, on_replaced=self._replaced
        )

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Start to connect, and tell systemd when that is done."""
        super().startService()
        self.attendant.startService()
        self._supervision = Supervision.from_environment(
            self._environ,
            clock=self._reactor,
            is_ready=lambda: self.attendant.is_connected,
            describe=self.describe,
        )
        if self._supervision is not None:
            self._supervision.start()

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """End in order; see `AttendantService`."""
        super().stopService()
        supervision, self._supervision = self._supervision, None
        if supervision is not None:
            drain_timeout = self.attendant.settings.attendant.drain_timeout
            supervision.stopping(within=drain_timeout + ENDING_SECONDS)

        def end(result: None) -> None:
            if supervision is not None:
                supervision.stop()
            return result

        return self.attendant.stopService().addBoth(end)

    def reload(self) -> None:
        """Read the settings again: all of them are right, or the old ones stay.

        What is wrong is logged, line by line.
        """
        if self._read_again is None:
            self._log.warn("There is nothing to read again: no file was named")
            return
        if not self.running:
            return
        if self._supervision is not None:
            self._supervision.reloading()
        try:
            self.attendant.reload(self._read_again())
        except ConfigError as error:
            self.attendant.reload_rejected()
            for problem in error.problems:
                self._log.error("{problem}", problem=problem)
            self._log.error("Nothing was changed: what held before holds on")
        if self._supervision is not None:
            self._supervision.reloaded()

    def describe(self) -> str:
        """Say in one line how the daemon is."""
        status = self.attendant.status()
        asterisk, calls = status.asterisk, status.calls.now
        if asterisk.replaced:
            return f"Another program has taken the application {asterisk.application}"
        if status.draining:
            return f"Stopping; calls: {calls}"
        if not asterisk.connected:
            return f"Waits for Asterisk at {asterisk.url}; calls: {calls}"
        version = f" {asterisk.version}" if asterisk.version else ""
        refused = (
            "; the last reload was refused" if status.configuration.refused else ""
        )
        return f"Attends to calls on Asterisk{version}; calls: {calls}{refused}"

    def _replaced(self) -> None:
        self._log.error(
            "Ending with exit code {code}, as exit_when_replaced says",
            code=REPLACED_EXIT_CODE,
        )
        exit_later_with(REPLACED_EXIT_CODE)
        self._reactor.stop()


def exit_later_with(code: int) -> None:
    """Choose the code that this process will end with, once it does.

    Neither twistd nor twist can be asked for one.
    """

    def leave() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    atexit.register(leave)
