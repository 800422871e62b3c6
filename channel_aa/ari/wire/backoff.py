"""The delays between attempts to connect."""

from __future__ import annotations

from random import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Backoff:
    """Exponential back-off with jitter.

    The delays grow from ``initial`` to ``maximum``. Each is shortened by a random part
    of itself, so that the clients of one Asterisk do not reconnect all at once.

    Args:
        initial: seconds before the first new attempt.
        maximum: the longest delay in seconds.
        factor: the ratio of each delay to the one before.
        jitter: the largest part of a delay that is taken away at random, from 0 to 1.
        random: returns a number from 0 to 1.
    """

    def __init__(
        self,
        *,
        initial: float = 0.5,
        maximum: float = 30.0,
        factor: float = 2.0,
        jitter: float = 0.5,
        random: Callable[[], float] = random,
    ) -> None:
        self._initial = initial
        self._maximum = maximum
        self._factor = factor
        self._jitter = jitter
        self._random = random
        self._next = initial

    def next_delay(self) -> float:
        """Return the seconds to wait before the next attempt."""
        delay = self._next
        self._next = min(delay * self._factor, self._maximum)
        return delay * (1 - self._jitter * self._random())

    def reset(self) -> None:
        """Return to the shortest delay."""
        self._next = self._initial
