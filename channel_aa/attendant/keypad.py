"""The keys a caller has pressed, and whoever waits for them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime

MAX_KEPT = 64
"""How many keys are kept while nobody takes them; more are ignored."""

MAX_PER_SECOND = 20
"""How many keys a second are taken in the long run, after a burst of `MAX_KEPT`.

A telephone sends at most 12 (ITU-T Q.24: 40 ms of tone, 40 ms of pause). What is
faster is no caller, and each key costs a request or two and a line of the log.
"""

NOBODY = ""
"""What `Keypad.next_key` gives to whoever was woken: see `Keypad.wake`."""


class Keypad:
    """A caller's keypad: a key is data first, and an interruption second.

    A key that nobody waits for is kept for whoever asks next (type-ahead).

    Args:
        clock: keeps the time of `next_key`.

    Attributes:
        presses: how many keys were taken.
        ignored: how many keys were not, because they were too many.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.presses = 0
        self.ignored = 0
        self._clock = clock
        self._kept: deque[str] = deque()
        self._interrupt: Callable[[], None] | None = None
        self._waiting: Deferred[str | None] | None = None
        self._unwanted: tuple[str, float] | None = None
        self._credit = float(MAX_KEPT)
        self._credited_at = clock.seconds()

    @property
    def has_keys(self) -> bool:
        """Whether a key was pressed that nobody has taken yet."""
        return bool(self._kept)

    def press(self, key: str) -> None:
        """Take a key that the caller pressed."""
        if not self._can_take():
            self.ignored += 1
            return
        if self._is_unwanted(key):
            return
        self.presses += 1
        if self._waiting is not None:
            self._waiting.callback(key)
            return
        self._kept.append(key)
        if self._interrupt is not None:
            self._interrupt()

    def ignore_next(self, key: str, seconds: float) -> None:
        """Ignore a key that may still come, if it is the next, within some seconds."""
        if self._kept:
            if self._kept[0] == key:
                self._kept.popleft()
        else:
            self._unwanted = key, self._clock.seconds() + seconds

    def clear(self) -> None:
        """Forget the keys that nobody has taken yet."""
        self._kept.clear()

    def wake(self) -> None:
        """Have whoever waits for a key go on now, with `NOBODY` instead of one."""
        if self._waiting is not None:
            self._waiting.callback(NOBODY)

    def interrupt_with(self, interrupt: Callable[[], None] | None) -> None:
        """Have each key from now on call ``interrupt``, too; ``None`` ends that."""
        self._interrupt = interrupt

    def next_key(self, timeout: float) -> Deferred[str | None]:
        """Give the next key, or ``None`` after ``timeout`` seconds without one.

        Gives `NOBODY` where somebody calls `wake` meanwhile.
        """
        if self._kept:
            return succeed(self._kept.popleft())
        waiting: Deferred[str | None] = Deferred()
        silence = self._clock.callLater(timeout, waiting.callback, None)

        def over(result: str | None) -> str | None:
            self._waiting = None
            if silence.active():
                silence.cancel()
            return result

        self._waiting = waiting
        return waiting.addBoth(over)

    def _is_unwanted(self, pressed: str) -> bool:
        unwanted, self._unwanted = self._unwanted, None
        if unwanted is None:
            return False
        key, until = unwanted
        return pressed == key and self._clock.seconds() <= until

    def _can_take(self) -> bool:
        now = self._clock.seconds()
        passed = max(0.0, now - self._credited_at)  # a clock may be set back
        self._credited_at = now
        self._credit = min(MAX_KEPT, self._credit + passed * MAX_PER_SECOND)
        if self._credit < 1 or len(self._kept) >= MAX_KEPT:
            return False
        self._credit -= 1
        return True
