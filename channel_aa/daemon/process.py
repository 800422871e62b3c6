"""The attendant as a daemon, which a signal reloads and systemd supervises."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import TYPE_CHECKING

from twisted.application.service import Service

from channel_aa.daemon.systemd import Supervision
from channel_aa.logs import Logger
from channel_aa.problems import ConfigError
from channel_aa.service import AttendantService

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from twisted.internet.defer import Deferred

    from channel_aa.settings import Settings

REPLACED_EXIT_CODE = os.EX_UNAVAILABLE
"""Exit code after another program has taken the application's name: 69. The systemd
unit does not restart the daemon after it."""

ENDING_SECONDS = 20
"""How long a stop may take beyond ``drain_timeout``: the timeouts of a request or two
and of the websocket's closing handshake."""


class Daemon(Service):
    """Runs an `AttendantService` as a daemon.

    Args:
        settings: the configuration to start with.
        reactor: the reactor.
        load_settings: reads the configuration for a reload; None: there is no file.
        file: the configuration file's path, for the status.
        environ: the environment, in which systemd sets variables.

    Attributes:
        attendant: the service.
    """

    _log = Logger()

    def __init__(
        self,
        settings: Settings,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTime, IReactorCore and more at once
        load_settings: Callable[[], Settings] | None = None,
        file: str = "",
        environ: Mapping[str, str],
    ) -> None:
        self._reactor = reactor
        self._load_settings = load_settings
        self._environ = environ
        self._supervision: Supervision | None = None
        self.attendant = AttendantService(
            settings, reactor=reactor, file=file, on_replaced=self._replaced
        )

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Start the attendant; systemd is notified when it is connected."""
        super().startService()
        self._reactor.callWhenRunning(_freeze_objects)
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
        """Notify systemd, and drain; see `AttendantService`."""
        super().stopService()
        supervision, self._supervision = self._supervision, None
        if supervision is None:
            return self.attendant.stopService()

        def finish(result: None) -> None:
            supervision.stop()
            return result

        drain_timeout = self.attendant.settings.attendant.drain_timeout
        supervision.stopping(within=drain_timeout + ENDING_SECONDS)
        return self.attendant.stopService().addBoth(finish)

    def reload(self) -> None:
        """Read and apply the configuration; keep the current one if it has errors.

        Each error is logged in a line of its own.
        """
        if self._load_settings is None:
            self._log.warn("Nothing to reload: started without a configuration file")
            return
        if not self.running:
            return
        if self._supervision is not None:
            self._supervision.reloading()
        try:
            self.attendant.reload(self._load_settings())
        except ConfigError as error:
            self.attendant.reload_rejected()
            for problem in error.problems:
                self._log.error("{problem}", problem=problem)
            self._log.error("Reload rejected; keeping the current configuration")
        if self._supervision is not None:
            self._supervision.reloaded()

    def describe(self) -> str:
        """Return the status in one line."""
        status = self.attendant.status()
        asterisk, calls = status.asterisk, status.calls.now
        if asterisk.replaced:
            return asterisk.problem
        if status.draining:
            return f"Stopping; calls: {calls}"
        if not asterisk.connected:
            waiting = f"Waiting for Asterisk at {asterisk.url}; calls: {calls}"
            return f"{waiting}. {asterisk.problem}".removesuffix(". ")
        version = f" {asterisk.version}" if asterisk.version else ""
        refused = (
            "; the last reload was rejected" if status.configuration.refused else ""
        )
        return f"Serving calls on Asterisk{version}; calls: {calls}{refused}"

    def _replaced(self) -> None:
        self._log.error(
            "Exiting with code {code} because of exit_when_replaced",
            code=REPLACED_EXIT_CODE,
        )
        set_exit_code(REPLACED_EXIT_CODE)
        self._reactor.stop()


def _freeze_objects() -> None:
    """Exclude the objects of all modules from garbage collection.

    They live as long as the process. To look through these 70,000 objects at each full
    collection takes 20 to 100 ms, during which no key is handled.
    """
    gc.collect()
    gc.freeze()


def set_exit_code(code: int) -> None:
    """Set the code with which this process will exit.

    Neither twistd nor twist has an option for it.
    """

    def exit_with_code() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    atexit.register(exit_with_code)
