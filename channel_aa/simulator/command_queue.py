"""The commands that an application gives a channel, carried out one by one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Activity(ABC):
    """What occupies a channel until it ends: a playback, a recording."""

    @abstractmethod
    def begin(self) -> None:
        """Begin: the channel has nothing else to do."""

    @abstractmethod
    def discard(self) -> None:
        """Learn that the channel takes no more commands; `begin` is never called."""

    @abstractmethod
    def hang_up(self) -> None:
        """End, because the caller has hung up."""

    def key_pressed(self, digit: str) -> None:  # noqa: B027 - optional
        """Learn that the caller pressed a key; by default, continue."""

    def voice_changed(self) -> None:  # noqa: B027 - optional
        """Learn that the caller began to speak, or will speak longer."""


class CommandQueue:
    """The queue of Stasis commands of a channel, and the thread that works on it.

    An activity, such as a playback, holds up the commands behind it. `act` stands for
    Asterisk's thread of the channel: one action runs to its end before the next one
    begins, even if it was requested from within the first.

    `when_idle` is called whenever nothing more can be done now.
    """

    def __init__(self, *, when_idle: Callable[[], None]) -> None:
        self.activity: Activity | None = None
        self._when_idle = when_idle
        self._commands: deque[Callable[[], None]] = deque()
        self._actions: deque[Callable[[], None]] = deque()
        self._is_acting = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way and no command waits."""
        return self.activity is None and not self._commands

    def act(self, action: Callable[[], None]) -> None:
        """Run this behind the actions under way; then continue with the commands."""
        self._actions.append(action)
        if self._is_acting:
            return
        self._is_acting = True
        try:
            while self._actions:
                self._actions.popleft()()
                self._work()
        finally:
            self._is_acting = False

    def put(self, command: Callable[[], None]) -> None:
        """Append a command."""
        self._commands.append(command)
        self.act(lambda: None)

    def clear(self) -> None:
        """Drop all commands and the activity."""
        self._commands.clear()
        self.activity = None

    def _work(self) -> None:
        while self._commands and self.activity is None:
            self._commands.popleft()()
        self._when_idle()
