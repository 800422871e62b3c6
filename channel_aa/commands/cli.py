"""What the subcommands share: the argument FILE, errors, and running a reactor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from channel_aa.config import load
from channel_aa.daemon.environment import PASSWORD_FILE_VARIABLE, password_from
from channel_aa.settings_fields import PASSWORD_VARIABLE

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction
    from collections.abc import Callable, Coroutine
    from typing import Any

    from channel_aa.settings import Settings

Subparsers: TypeAlias = "_SubParsersAction[ArgumentParser]"
"""What a subcommand adds its parser to; argparse has no public name for it."""


class CommandError(Exception):
    """The subcommand has failed; the message is one line that says why."""


def add_file(parser: ArgumentParser) -> None:
    """Add the argument FILE."""
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="a configuration file of the attendant"
    )


def load_file(path: Path) -> Settings:
    """Read the file as the daemon does, with the environment's password.

    Raises:
        ConfigError: it has errors; all of them are named.
    """
    return load(path, password=password_from(os.environ))


def load_with_password(path: Path) -> Settings:
    """Read the file to send requests to Asterisk.

    Without a password in the environment, it is the one in the file ``password`` beside
    it, as in the shipped systemd unit, if there is one.

    Raises:
        ConfigError: the file has errors, or the password cannot be read.
    """
    environ = dict(os.environ)
    beside = password_beside(path)
    given = {PASSWORD_VARIABLE, PASSWORD_FILE_VARIABLE} & {*environ}
    # Path.exists raises if this user may not enter the folder.
    if not given and os.access(beside, os.F_OK):
        environ[PASSWORD_FILE_VARIABLE] = str(beside)
    return load(path, password=password_from(environ))


def password_beside(path: Path) -> Path:
    """Return the file of the password that the shipped systemd unit has."""
    return path.parent / "password"


def run_in_reactor(task: Callable[[Any], Coroutine[Deferred[Any], Any, int]]) -> int:
    """Run a coroutine in the reactor, and return its exit code.

    Args:
        task: called with the running reactor.

    Raises:
        KeyboardInterrupt: the reactor was stopped before the task ended; any other
            exception is the task's.
    """
    # Only a subcommand that needs the reactor installs it.
    from twisted.internet import reactor  # noqa: PLC0415

    outcomes: list[int | Failure] = []

    def end(outcome: int | Failure) -> None:
        outcomes.append(outcome)
        # If the task has ended at once, the reactor is not quite running yet.
        reactor.callLater(0, reactor.stop)

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(task(reactor)).addBoth(end))
    reactor.run()
    if not outcomes:
        raise KeyboardInterrupt
    outcome = outcomes[0]
    if isinstance(outcome, Failure):
        outcome.raiseException()
    return outcome
