"""The dialplan: where a channel is in it, and its time there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from channel_aa.simulator.timers import Timer, Timers


@dataclass(frozen=True)
class DialplanLocation:
    """A priority of an extension of a context."""

    context: str
    extension: str
    priority: int

    def __str__(self) -> str:
        return f"{self.context},{self.extension},{self.priority}"

    @property
    def after(self) -> DialplanLocation:
        """The next priority."""
        return replace(self, priority=self.priority + 1)

    def moved(
        self, *, context: str = "", extension: str = "", priority: int | None = None
    ) -> DialplanLocation:
        """Return where ``continue`` leads; without arguments, the next priority."""
        if not context and not extension:
            return replace(self, priority=priority or self.priority + 1)
        return DialplanLocation(
            context or self.context,
            extension or ("s" if context else self.extension),
            priority or 1,
        )

    def snapshot(self) -> dict[str, Any]:
        """Describe it as Asterisk does."""
        return {
            "context": self.context,
            "exten": self.extension,
            "priority": self.priority,
        }


class Dialplan:
    """The rest of the dialplan, where a channel goes on outside of applications.

    Args:
        timers: the timers of the simulator.
        seconds: how long the channel stays there.
        when_over: called at the end of that time.
    """

    def __init__(
        self, timers: Timers, *, seconds: float, when_over: Callable[[], None]
    ) -> None:
        self._timers = timers
        self._seconds = seconds
        self._when_over = when_over
        self._timer: Timer | None = None

    def run(self) -> None:
        """Enter it; over at once if it takes no seconds."""
        if self._seconds:
            self._timer = self._timers.later(self._seconds, self._when_over)
        else:
            self._when_over()

    def leave(self) -> None:
        """Leave it early."""
        if self._timer is not None:
            self._timer.cancel()
