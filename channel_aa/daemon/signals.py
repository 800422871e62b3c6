"""Signal handlers that run in the reactor."""

from __future__ import annotations

from signal import SIGHUP, SIGINT, SIGTERM, Signals, signal
from typing import TYPE_CHECKING

from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.base import ReactorBase

_log = Logger()


def handle_signals(reactor: ReactorBase, *, reload: Callable[[], None]) -> None:
    """Handle SIGTERM, SIGINT and SIGHUP in a turn of the reactor.

    The first SIGTERM or SIGINT stops the reactor, which drains; the second crashes it.
    In both cases twistd cleans up after the reactor: it removes its pid file. SIGHUP
    reloads, also in the foreground.

    Twisted's handlers log within the signal handler. A signal that arrives while a log
    line is written would wait for the lock that this line holds: a deadlock, which has
    happened on a busy daemon.

    Args:
        reactor: the running reactor.
        reload: called for SIGHUP.
    """
    handlers = {SIGTERM: reactor.sigTerm, SIGINT: reactor.sigInt}
    is_stopping = False

    def stop(number: int) -> None:
        nonlocal is_stopping
        if is_stopping:
            _log.warn(
                "Received {signal} again: ending at once", signal=Signals(number).name
            )
            reactor.crash()
        else:
            is_stopping = True
            handlers[Signals(number)](number, None)

    signal(SIGTERM, lambda number, _frame: reactor.callFromThread(stop, number))
    signal(SIGINT, lambda number, _frame: reactor.callFromThread(stop, number))
    signal(SIGHUP, lambda _number, _frame: reactor.callFromThread(reload))
