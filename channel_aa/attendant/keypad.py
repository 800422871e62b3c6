"""The keys that a caller presses: type-ahead buffer, barge-in and rate limit."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime

MAX_KEPT = 64
"""Size of the type-ahead buffer; further keys are ignored."""

MAX_PER_SECOND = 20
"""How many keys a second are accepted in the long run, after a burst of `MAX_KEPT`.

A telephone sends at most 12 (ITU-T Q.24: 40 ms of tone, 40 ms of pause). Faster keys
come from no caller, and each key costs a request or two and a line of the log.
"""

KEYS_LOST = ""
"""What `Keypad.next_key` returns instead of a key after `Keypad.report_loss`."""


class Keypad:
    """A caller's keypad: a key is data first, and an interruption second.

    A key is buffered until `next_key` takes it (type-ahead). A token bucket limits the
    rate: each key takes a token, and `MAX_PER_SECOND` are added.

    Args:
        clock: the clock for the timeout of `next_key`.

    Attributes:
        presses: how many keys were accepted.
        ignored: how many keys exceeded the buffer or the rate.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.presses = 0
        self.ignored = 0
        self._clock = clock
        self._buffer: deque[str] = deque()
        self._interrupt: Callable[[], None] | None = None
        self._waiting: Deferred[str | None] | None = None
        self._ignored_key: tuple[str, float] | None = None
        self._tokens = float(MAX_KEPT)
        self._refilled_at = clock.seconds()

    @property
    def has_keys(self) -> bool:
        """Whether the type-ahead buffer has keys."""
        return bool(self._buffer)

    def press(self, key: str) -> None:
        """Accept a key that the caller pressed, and interrupt the current sound."""
        if not self._take_token():
            self.ignored += 1
            return
        if self._is_ignored(key):
            return
        self.presses += 1
        if self._waiting is not None:
            self._waiting.callback(key)
            return
        self._buffer.append(key)
        if self._interrupt is not None:
            self._interrupt()

    def ignore_next(self, key: str, seconds: float) -> None:
        """Ignore a key if it is the next one, and is pressed within some seconds."""
        if self._buffer:
            if self._buffer[0] == key:
                self._buffer.popleft()
        else:
            self._ignored_key = key, self._clock.seconds() + seconds

    def clear(self) -> None:
        """Discard the keys in the buffer."""
        self._buffer.clear()

    def report_loss(self) -> None:
        """Make a pending `next_key` return `KEYS_LOST`: keys may have been lost."""
        if self._waiting is not None:
            self._waiting.callback(KEYS_LOST)

    def interrupt_with(self, interrupt: Callable[[], None] | None) -> None:
        """Set what each key that is buffered calls; ``None``: nothing."""
        self._interrupt = interrupt

    def next_key(self, timeout: float) -> Deferred[str | None]:
        """Take the next key.

        Args:
            timeout: seconds to wait for it.

        Returns:
            Fires with the key, ``None`` after the timeout, or `KEYS_LOST`.
        """
        if self._buffer:
            return succeed(self._buffer.popleft())
        waiting: Deferred[str | None] = Deferred()
        silence = self._clock.callLater(timeout, waiting.callback, None)

        def finish(result: str | None) -> str | None:
            self._waiting = None
            if silence.active():
                silence.cancel()
            return result

        self._waiting = waiting
        return waiting.addBoth(finish)

    def _is_ignored(self, pressed: str) -> bool:
        ignored, self._ignored_key = self._ignored_key, None
        if ignored is None:
            return False
        key, until = ignored
        return pressed == key and self._clock.seconds() <= until

    def _take_token(self) -> bool:
        now = self._clock.seconds()
        elapsed = max(0.0, now - self._refilled_at)  # a clock may be set back
        self._refilled_at = now
        self._tokens = min(MAX_KEPT, self._tokens + elapsed * MAX_PER_SECOND)
        if self._tokens < 1 or len(self._buffer) >= MAX_KEPT:
            return False
        self._tokens -= 1
        return True
