"""The signals that a daemon is told what to do with."""

from __future__ import annotations

from signal import SIGHUP, SIGINT, SIGTERM, Signals, signal
from typing import TYPE_CHECKING

from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.base import ReactorBase

_log = Logger()


def handle_signals(reactor: ReactorBase, *, reload: Callable[[], None]) -> None:
    """Handle signals, each in a turn of the reactor.

    SIGTERM and SIGINT let the daemon end in order; the second one ends it at once: what
    twistd does after the reactor, such as to remove its pid file, is done all the same.
    SIGHUP reloads, in the foreground as well.

    Twisted logs within its signal handlers. A signal that comes in the middle of a
    line of the log then waits for the lock which that very line holds, for ever; on a
    busy daemon it was seen.

    Args:
        reactor: the running reactor.
        reload: reads the configuration again.
    """
    end_in_order = {SIGTERM: reactor.sigTerm, SIGINT: reactor.sigInt}
    is_ending = False

    def end(number: int) -> None:
        nonlocal is_ending
        if is_ending:
            _log.warn(
                "Received {signal} again: ending at once", signal=Signals(number).name
            )
            reactor.crash()
        else:
            is_ending = True
            end_in_order[Signals(number)](number, None)

    signal(SIGTERM, lambda number, _frame: reactor.callFromThread(end, number))
    signal(SIGINT, lambda number, _frame: reactor.callFromThread(end, number))
    signal(SIGHUP, lambda _number, _frame: reactor.callFromThread(reload))
