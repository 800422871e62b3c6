"""The twistd plugin: ``twistd channel-aa`` and ``twist channel-aa``.

All errors of the command line and the configuration are found here, while twistd still
has its terminal. Connections are made when the service starts, after twistd has forked
into the background.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NoReturn

from twisted.logger import globalLogPublisher
from twisted.python import usage

from channel_aa import __version__
from channel_aa.attendant.custom_actions import check_registered
from channel_aa.config import load
from channel_aa.daemon.environment import PASSWORD_FILE_VARIABLE, password_from
from channel_aa.daemon.monotonic import use_monotonic_clock
from channel_aa.daemon.twistd_files import unwritable_files
from channel_aa.logs import escape_failure
from channel_aa.problems import ConfigError
from channel_aa.settings_fields import PASSWORD_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from twisted.application.service import IService

    from channel_aa.settings import Settings

_OVERRIDES = ("url", "username", "app")
_EPILOG = f"""
An option overrides the file. The commented sample has the defaults.

There is no option for the password, because other users can read a command line.
It comes from the environment variable {PASSWORD_VARIABLE}, or from the file named
in {PASSWORD_FILE_VARIABLE}; otherwise from the configuration file, or from the file
that its password_file names.

Signals: TERM and INT drain the calls and stop; a second one stops at once. HUP
reloads the configuration file.

Example, with the log on the terminal:
  {PASSWORD_VARIABLE}=secret twistd -n channel-aa --url http://pbx:8088

Example, as a daemon:
  twistd --pidfile=/run/channel-aa.pid channel-aa --config /etc/channel-aa/twistd.conf
"""


class Options(usage.Options):
    """The command line after ``channel-aa``, and the settings that result from it.

    Errors in it, in the environment or in the file end the program with exit code 1,
    after a line on stderr for each.

    Attributes:
        settings: the settings, after the command line was parsed.
        file: the configuration file's absolute path, or None.
    """

    settings: Settings
    file: str | None

    longdesc = "An automated attendant for Asterisk, connected over ARI."
    optParameters: ClassVar[list[list[str | None]]] = [  # noqa: N815 - Twisted's name
        [
            "config",
            "c",
            None,
            "A configuration file; the commented sample is twistd.conf.",
        ],
        [
            "url",
            None,
            None,
            "Asterisk's HTTP server, http://HOST:PORT; in the file: url.",
        ],
        [
            "username",
            None,
            None,
            "A user of Asterisk's ari.conf; in the file: username.",
        ],
        ["app", None, None, "The Stasis application's name; in the file: app."],
    ]
    compData = usage.Completions(  # noqa: N815 - Twisted's name
        optActions={"config": usage.CompleteFiles("*.conf")}
    )

    def parseOptions(self, options: Sequence[str] | None = None) -> None:  # noqa: N802 - Twisted's name
        """Parse the command line, and load the settings."""
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            _exit_with_errors([f"{error} (see twistd channel-aa --help)"])

    def parseArgs(self, *arguments: str) -> None:  # noqa: N802 - Twisted's name
        """Reject arguments that are no options."""
        if arguments:
            raise usage.UsageError(f"unexpected argument {arguments[0]!r}")

    def postOptions(self) -> None:  # noqa: N802 - Twisted's name
        """Load the settings.

        The file's path is made absolute: twistd's ``--rundir`` changes the working
        directory later.
        """
        if self["config"] == "":
            raise usage.UsageError("--config: expected the name of a file, found ''")
        self.file = self["config"] and str(Path(self["config"]).absolute())
        if problems := [*unwritable_files(self.parent or {})]:
            _exit_with_errors(problems)
        try:
            self.settings = self.load()
        except ConfigError as error:
            _exit_with_errors(error.problems)

    def load(self) -> Settings:
        """Load the settings from the command line, the environment and the file.

        Raises:
            ConfigError: with all problems.
        """
        settings = load(
            Path(self.file) if self.file else None,
            overrides={key: self[key] for key in _OVERRIDES if self[key] is not None},
            password=password_from(os.environ),
        )
        check_registered(settings.flow, {}, file=self.file or "")
        return settings

    def getUsage(self, width: int | None = None) -> str:  # noqa: N802 - Twisted's name
        """Return the help text."""
        return super().getUsage(width) + _EPILOG

    def opt_version(self) -> NoReturn:
        """Display this program's version and exit."""
        print(f"channel-aa {__version__}")  # noqa: T201 - the purpose of the option
        raise SystemExit(0)


def makeService(options: Options) -> IService:  # noqa: N802 - Twisted's name
    """Create the service that twistd runs; it connects when it is started."""
    # Imported here: twistd installs the reactor after it has imported this module.
    from twisted.internet import reactor  # noqa: PLC0415

    from channel_aa.daemon.process import Daemon  # noqa: PLC0415
    from channel_aa.daemon.signals import handle_signals  # noqa: PLC0415

    use_monotonic_clock(reactor)
    # twistd adds the log's file after this.
    globalLogPublisher.addObserver(escape_failure)
    daemon = Daemon(
        options.settings,
        reactor=reactor,
        load_settings=options.load if options.file else None,
        file=options.file or "",
        environ=os.environ,
    )
    reactor.callWhenRunning(handle_signals, reactor, reload=daemon.reload)
    return daemon


def _exit_with_errors(lines: Iterable[object]) -> NoReturn:
    for line in lines:
        print(f"channel-aa: {line}", file=sys.stderr)  # noqa: T201 - no log is open yet
    raise SystemExit(1)
