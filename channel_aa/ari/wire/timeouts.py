"""Many timeouts of one length, on one reactor timer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

T = TypeVar("T", bound="Hashable")

MAX_PER_TURN = 64
"""The most timeouts that expire in one turn of the reactor, so that a burst of requests
without a response does not occupy it when they time out."""


class Timeouts(Generic[T]):
    """Timeouts of one length, each for a key.

    As all have the same length, they expire in the order they were started in: one
    reactor timer, for the first of them, is enough. Starting and cancelling a timeout,
    as happens to nearly all, writes and deletes an entry of a dict.

    Args:
        seconds: the length of each timeout.
        on_timeout: called with the key of a timeout that expires. The key has no
            timeout then; the callback may start another.
        clock: the clock to use.
    """

    def __init__(
        self, seconds: float, on_timeout: Callable[[T], object], *, clock: IReactorTime
    ) -> None:
        self._seconds = seconds
        self._on_timeout = on_timeout
        self._clock = clock
        self._deadlines: dict[T, float] = {}
        self._timer: IDelayedCall | None = None

    def start(self, key: T) -> float:
        """Start the timeout of a key; one that runs already starts over.

        Returns:
            When it expires, in the clock's time.
        """
        self._deadlines.pop(key, None)
        deadline = self._clock.seconds() + self._seconds
        self._deadlines[key] = deadline
        if self._timer is None:
            self._timer = self._clock.callLater(self._seconds, self._expire)
        return deadline

    def cancel(self, key: T) -> None:
        """Cancel the timeout of a key, if one runs."""
        self._deadlines.pop(key, None)
        if not self._deadlines and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        due: list[T] = []
        for key, deadline in self._deadlines.items():
            if deadline > now or len(due) == MAX_PER_TURN:
                wait = max(0, deadline - now)
                self._timer = self._clock.callLater(wait, self._expire)
                break
            due.append(key)
        for key in due:
            # An earlier callback may have cancelled this timeout, or restarted it.
            if self._deadlines.get(key, now + 1) <= now:
                del self._deadlines[key]
                self._on_timeout(key)
        if not self._deadlines and self._timer is not None:
            self._timer.cancel()
            self._timer = None
