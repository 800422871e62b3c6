"""The keys a caller has pressed, and whoever waits for them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime


class Keypad:
    """A caller's keypad: a key is data first, and an interruption second.

    A key that nobody waits for is kept for whoever asks next (type-ahead).

    Args:
        clock: keeps the time of `next_key`.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._pressed: deque[str] = deque()
        self._interrupt: Callable[[], None] | None = None
        self._waiting: Deferred[str | None] | None = None

    @property
    def has_keys(self) -> bool:
        """Whether a key was pressed that nobody has taken yet."""
        return bool(self._pressed)

    def press(self, key: str) -> None:
        """Take a key that the caller pressed."""
        if self._waiting is not None:
            self._waiting.callback(key)
            return
        self._pressed.append(key)
        if self._interrupt is not None:
            self._interrupt()

    def interrupt_with(self, interrupt: Callable[[], None] | None) -> None:
        """Have each key from now on call ``interrupt``, too; ``None`` ends that."""
        self._interrupt = interrupt

    def next_key(self, timeout: float) -> Deferred[str | None]:
        """Give the next key, or ``None`` after ``timeout`` seconds without one."""
        if self._pressed:
            return succeed(self._pressed.popleft())
        waiting: Deferred[str | None] = Deferred()
        silence = self._clock.callLater(timeout, waiting.callback, None)

        def over(result: str | None) -> str | None:
            self._waiting = None
            if silence.active():
                silence.cancel()
            return result

        self._waiting = waiting
        return waiting.addBoth(over)
