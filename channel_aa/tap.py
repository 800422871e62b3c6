"""The daemon's door: ``twistd channel-aa`` and ``twist channel-aa``.

Everything that a user can get wrong is found here, before the daemon leaves its
terminal. Nothing is connected: sockets would not outlive the way to the background.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NoReturn

from twisted.python import usage

from channel_aa import __version__
from channel_aa.attendant.custom_actions import check_registered
from channel_aa.config import PASSWORD_VARIABLE, ConfigError, Settings, load
from channel_aa.daemon.environment import PASSWORD_FILE_VARIABLE, password_from
from channel_aa.daemon.monotonic import keep_monotonic_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from twisted.application.service import IService

_OVERRIDES = ("url", "username", "app")
_EPILOG = f"""
What neither an option nor the file says is as in the commented sample. An option
wins over the file.

The password is no option, as other users can read a command line. It comes from
the environment variable {PASSWORD_VARIABLE}, or from the file that
{PASSWORD_FILE_VARIABLE} names; without them from the configuration file, or from
the file that this names (password_file).

Signals: TERM and INT end it in order, the second one at once; HUP has it read the
configuration file again.

Example, with the log on the terminal:
  {PASSWORD_VARIABLE}=secret twistd -n channel-aa --url http://pbx:8088

Example, as a daemon:
  twistd --pidfile=/run/channel-aa.pid channel-aa --config /etc/channel-aa/twistd.conf
"""


class Options(usage.Options):
    """The command line after ``channel-aa``, and the settings it leads to.

    A mistake in it, in the environment or in the file ends the program with exit
    code 1, after one line on stderr for each.

    Attributes:
        settings: what holds, once the command line is parsed.
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
        """Parse the command line, and load what it names."""
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            _refuse([f"{error} (see twistd channel-aa --help)"])

    def parseArgs(self, *arguments: str) -> None:  # noqa: N802 - Twisted's name
        """Refuse what is no option."""
        if arguments:
            raise usage.UsageError(f"unexpected argument {arguments[0]!r}")

    def postOptions(self) -> None:  # noqa: N802 - Twisted's name
        """Load the settings.

        Paths in them are absolute: twistd's ``--rundir`` changes the folder later.
        """
        if self["config"] == "":
            raise usage.UsageError("--config: expected the name of a file, found ''")
        self.file = self["config"] and str(Path(self["config"]).absolute())
        try:
            self.settings = self.load()
        except ConfigError as error:
            _refuse(error.problems)

    def load(self) -> Settings:
        """Read the settings from all places; at a reload, again.

        Raises:
            ConfigError: it names everything that is wrong.
        """
        settings = load(
            Path(self.file) if self.file else None,
            overrides={key: self[key] for key in _OVERRIDES if self[key] is not None},
            password=password_from(os.environ),
        )
        check_registered(settings.flow, (), file=self.file or "")
        return settings

    def getUsage(self, width: int | None = None) -> str:  # noqa: N802 - Twisted's name
        """Explain the options, and where the password comes from."""
        return super().getUsage(width) + _EPILOG

    def opt_version(self) -> NoReturn:
        """Display this program's version and exit."""
        print(f"channel-aa {__version__}")  # noqa: T201 - what was asked for
        raise SystemExit(0)


def makeService(options: Options) -> IService:  # noqa: N802 - Twisted's name
    """Make the service that twistd runs; it connects when it is started."""
    # Imported here, because twistd chooses and installs the reactor before this.
    from twisted.internet import reactor  # noqa: PLC0415

    from channel_aa.daemon.process import Daemon  # noqa: PLC0415
    from channel_aa.daemon.signals import handle_signals  # noqa: PLC0415

    keep_monotonic_time(reactor)
    daemon = Daemon(
        options.settings,
        reactor=reactor,
        read_again=options.load if options.file else None,
        file=options.file or "",
        environ=os.environ,
    )
    reactor.callWhenRunning(handle_signals, reactor, reload=daemon.reload)
    return daemon


def _refuse(lines: Iterable[object]) -> NoReturn:
    for line in lines:
        print(f"channel-aa: {line}", file=sys.stderr)  # noqa: T201 - no log is open yet
    raise SystemExit(1)
