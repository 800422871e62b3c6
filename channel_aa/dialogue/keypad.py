"""The keys that a caller presses: type-ahead buffer, barge-in and rate limit."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

from channel_aa.dialogue.digits import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

MAX_KEPT = 64
"""Size of the type-ahead buffer; further keys are ignored."""

MAX_PER_SECOND = 20
"""How many keys a second are accepted in the long run, after a burst of `MAX_KEPT`.

A telephone sends at most 12 (ITU-T Q.24: 40 ms of tone, 40 ms of pause). Faster keys
come from no caller, and each key costs a request or two and a line of the log.
"""

KEYS_LOST = ""
"""What `Keypad.next_key` returns instead of a key after `Keypad.report_loss`."""


class KeypadInUseError(RuntimeError):
    """Two parts of a program wait for the next key of one keypad."""


class Keypad:
    """The keypad of a phone: a key is data first, and an interruption second.

    A key is buffered until `next_key` takes it (type-ahead). A token bucket limits the
    rate: each key takes a token, and `MAX_PER_SECOND` are added.

    A terminator right behind a complete entry (`end_entry`) belongs to that entry. It
    interrupts nothing, and is set aside until the next menu begins (`begin_menu`),
    which may have a use for it.

    Args:
        clock: the clock for the timeout of `next_key`.

    Attributes:
        presses: how many keys were accepted.
        ignored: how many keys exceeded the buffer or the rate.
        is_noisy: whether there are so many entries that they are not logged each, nor
            the sounds that fail because of them; see `EntryLog`.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.presses = 0
        self.ignored = 0
        self.is_noisy = False
        self._clock = clock
        self._buffer: deque[tuple[str, float]] = deque()
        self._taken_at = 0.0
        self._interrupt: Callable[[], None] | None = None
        self._waiting: Deferred[str | None] | None = None
        self._silence: IDelayedCall | None = None
        self._is_suspended = False
        self._terminator = ""
        self._terminator_until = 0.0
        self._set_aside: tuple[str, float] | None = None
        self._has_menu = False
        self._tokens = float(MAX_KEPT)
        self._refilled_at = clock.seconds()

    @property
    def has_keys(self) -> bool:
        """Whether the type-ahead buffer has keys."""
        return bool(self._buffer)

    def press(self, digit: str) -> None:
        """Accept a key that was pressed, and interrupt the current sound.

        What is no key of a telephone is ignored.
        """
        key = digit.upper()
        if len(key) != 1 or key not in KEYS:
            return
        if not self._take_token():
            self.ignored += 1
            return
        self.presses += 1
        now = self._clock.seconds()
        if self._is_terminator(key, now):
            self._set_aside = None if self._has_menu else (key, now)
            return
        if self._waiting is not None:
            self._taken_at = now
            self._waiting.callback(key)
            return
        self._buffer.append((key, now))
        if self._interrupt is not None:
            self._interrupt()

    def end_entry(self, terminator: str, seconds: float) -> None:
        """End an entry, whose last key was the last one taken.

        Args:
            terminator: the key that belongs to the entry if it is the next one.
            seconds: and is pressed within so many of the entry's last key.
        """
        self._has_menu = False
        self._terminator = terminator
        self._terminator_until = self._taken_at + seconds
        if self._buffer and self._is_terminator(*self._buffer[0]):
            self._set_aside = self._buffer.popleft()

    def begin_menu(self, *, uses_terminator: bool) -> None:
        """Begin a menu.

        Args:
            uses_terminator: whether the terminator is a key like any other there:
                one that was set aside is its first key then, and none is set aside.
        """
        self._has_menu = True
        if uses_terminator:
            self._terminator = ""
            if self._set_aside is not None:
                self._buffer.appendleft(self._set_aside)
        self._set_aside = None

    def clear(self) -> None:
        """Discard the keys in the buffer, and a terminator that is set aside."""
        self._buffer.clear()
        self._set_aside = None

    def suspend(self) -> None:
        """Let no `next_key` time out until `report_loss`: no key can arrive now."""
        self._is_suspended = True
        self._stop_silence()

    def report_loss(self) -> None:
        """Make a pending `next_key` return `KEYS_LOST`: keys may have been lost."""
        self._is_suspended = False
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

        Raises:
            KeypadInUseError: another one waits for it; only one of them could get it.
        """
        if self._waiting is not None:
            raise KeypadInUseError("another part of the program waits for the next key")
        if self._buffer:
            key, self._taken_at = self._buffer.popleft()
            return succeed(key)
        waiting: Deferred[str | None] = Deferred()
        self._waiting = waiting
        if not self._is_suspended:
            self._silence = self._clock.callLater(timeout, waiting.callback, None)
        return waiting.addBoth(self._finish)

    def _finish(self, result: str | None) -> str | None:
        self._waiting = None
        self._stop_silence()
        return result

    def _stop_silence(self) -> None:
        silence, self._silence = self._silence, None
        if silence is not None and silence.active():
            silence.cancel()

    def _is_terminator(self, key: str, pressed_at: float) -> bool:
        """Tell whether a key belongs to the entry before; the next one does not."""
        terminator, self._terminator = self._terminator, ""
        return key == terminator and pressed_at <= self._terminator_until

    def _take_token(self) -> bool:
        now = self._clock.seconds()
        elapsed = max(0.0, now - self._refilled_at)  # a clock may be set back
        self._refilled_at = now
        self._tokens = min(MAX_KEPT, self._tokens + elapsed * MAX_PER_SECOND)
        if self._tokens < 1 or len(self._buffer) >= MAX_KEPT:
            return False
        self._tokens -= 1
        return True
