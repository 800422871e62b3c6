"""Time that does not jump."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def keep_monotonic_time(
    reactor: Any,  # noqa: ANN401 - seconds is its own, and of no interface, to set
    *,
    steady: Callable[[], float] = monotonic,
) -> None:
    """Make a reactor's timers follow a clock that only goes forward.

    Twisted's reactors keep time with ``time.time()``. When somebody sets the machine's
    clock back by an hour, each timer is an hour late: a caller's silence, a request's
    bound, the keep-alive. When it is set forward, all of them ring at once.

    From now on `reactor.seconds` goes on from what it says now, at the pace of
    ``time.monotonic()``. It is still close to the seconds since 1970, which
    `twisted.web` takes it for.

    Args:
        reactor: the reactor. Timers that were set before keep their time.
        steady: the clock to follow.
    """
    ahead = reactor.seconds() - steady()
    reactor.seconds = lambda: ahead + steady()
