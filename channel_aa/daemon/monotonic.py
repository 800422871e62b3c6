"""A monotonic clock for the reactor's timers."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def use_monotonic_clock(
    reactor: Any,  # noqa: ANN401 - no interface allows to set seconds
    *,
    clock: Callable[[], float] = monotonic,
) -> None:
    """Make a reactor's timers independent of changes to the system's clock.

    Twisted's reactors use ``time.time()``. If the system's clock is set back by an
    hour, each timer fires an hour late: a menu's timeout, a request's, the
    keep-alive. If it is set forward, all fire at once.

    From now on `reactor.seconds` continues from its current value at the rate of
    ``time.monotonic()``. It stays close to the seconds since 1970, as `twisted.web`
    expects.

    Args:
        reactor: the reactor. Delayed calls that it has already keep their time.
        clock: the clock to use.
    """
    offset = reactor.seconds() - clock()
    reactor.seconds = lambda: offset + clock()
