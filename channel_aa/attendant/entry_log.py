"""Logs what a caller enters, and sums it up if it is too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from channel_aa.dialogue.keypad import Keypad
    from channel_aa.interfaces import IChannel

PERIOD_SECONDS = 10.0

MAX_PER_PERIOD = 30
"""How many entries within `PERIOD_SECONDS` are logged each. A caller who listens to
the menus makes fewer."""


class EntryLog:
    """Logs the entries of one call, in a line or two each.

    More than `MAX_PER_PERIOD` in a period are summed up, in one line for each period,
    until a period has fewer. The call is noisy meanwhile (`Keypad.is_noisy`). The sum
    is logged with the first entry after the period, or at the end of the call.

    Args:
        channel: the caller's channel.
        keypad: the caller's keypad.
        clock: the clock for the periods.
    """

    _log = Logger()

    def __init__(
        self, channel: IChannel, keypad: Keypad, *, clock: IReactorTime
    ) -> None:
        self._channel = channel
        self._keypad = keypad
        self._clock = clock
        self._period_began = clock.seconds()
        self._entries = 0
        self._summed = self._keys = self._invalid = 0
        self._first = self._last = 0.0

    def add(self, digits: str, *, shown: str, is_invalid: bool) -> None:
        """Log an entry, or add it to the sum.

        Args:
            digits: the keys.
            shown: what to show instead of them.
            is_invalid: whether the menu has no use for them.
        """
        now = self._clock.seconds()
        elapsed = now - self._period_began
        if elapsed >= PERIOD_SECONDS:
            self.flush()
            was_noisy = self._entries > MAX_PER_PERIOD
            self._keypad.is_noisy = was_noisy and elapsed < 2 * PERIOD_SECONDS
            self._period_began, self._entries = now, 0
        self._entries += 1
        if self._entries > MAX_PER_PERIOD:
            self._keypad.is_noisy = True
        if self._keypad.is_noisy:
            self._first = self._first if self._summed else now
            self._last = now
            self._summed += 1
            self._keys += len(digits)
            self._invalid += is_invalid
            return
        name = self._channel.name
        self._log.info("Channel {channel} entered {digits}", channel=name, digits=shown)
        if is_invalid:
            self._log.info("Channel {channel} entered an invalid option!", channel=name)

    def flush(self) -> None:
        """Log the sum, if there is one."""
        if not self._summed:
            return
        self._log.info(
            "Channel {channel} entered {keys} keys in {seconds:.0f} s, too many to log"
            " each; invalid options among them: {invalid}",
            channel=self._channel.name,
            keys=self._keys,
            seconds=max(1.0, self._last - self._first),
            invalid=self._invalid,
        )
        self._summed = self._keys = self._invalid = 0
