"""How long to wait before trying to connect again."""

from __future__ import annotations

from random import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Backoff:
    """Exponential back-off with jitter.

    The delays grow from ``initial`` to ``maximum``, each shortened by a random part
    of itself, so that many programs that lost the same Asterisk do not all come
    back in the same moment.

    Args:
        initial: seconds before the first new try.
        maximum: seconds that no delay exceeds.
        factor: how much longer each delay is than the one before.
        jitter: the largest part of a delay that chance takes away, from 0 to 1.
        random: gives a number from 0 to 1 at each call.
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
        """Give the seconds to wait before the next try."""
        delay = self._next
        self._next = min(delay * self._factor, self._maximum)
        return delay * (1 - self._jitter * self._random())

    def reset(self) -> None:
        """Begin again with the shortest delay."""
        self._next = self._initial
