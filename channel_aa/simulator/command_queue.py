"""The thread of a channel: what it is asked for, one after the other."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from channel_aa.simulator.timers import Timers

    class Activity(Protocol):
        """What a channel is busy with: a playback, a recording."""

        def hang_up(self) -> None:
            """End: nobody is there any more."""

        def key_pressed(self, digit: str) -> None:
            """Learn of a key that the caller pressed."""

        def voice_changed(self) -> None:
            """Learn that the caller began to speak, or will speak longer."""


class CommandFailedError(Exception):
    """The channel could not carry out a command."""


class CommandQueue:
    """Works off what an application asks of a channel.

    An activity, such as a playback, holds up what is behind it. `act` stands for
    Asterisk's thread: one action runs to its end before the next begins, whoever
    asks for it and from wherever.

    Args:
        timers: what keeps time.
        delay: tells how many seconds pass until it starts on a command where it
            had nothing to do; None: it starts at once.
        when_idle: called whenever there is nothing more to do now.

    Attributes:
        activity: what it is busy with; None: nothing.
    """

    def __init__(
        self,
        timers: Timers,
        *,
        delay: Callable[[], float | None],
        when_idle: Callable[[], None],
    ) -> None:
        self.activity: Activity | None = None
        self._timers = timers
        self._delay = delay
        self._when_idle = when_idle
        self._commands: deque[Callable[[], None]] = deque()
        self._actions: deque[Callable[[], None]] = deque()
        self._is_acting = False

    @property
    def is_silent(self) -> bool:
        """Whether nothing plays and nothing waits to be done."""
        return self.activity is None and not self._commands

    def act(self, action: Callable[[], None]) -> None:
        """Do this, after what is being done already; then go on with commands."""
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
        """Line a command up."""
        wakes = self.is_silent
        self._commands.append(command)
        delay = self._delay()
        if delay is None:
            self.act(_nothing)
        elif wakes:
            self._timers.later(delay, lambda: self.act(_nothing))

    def wait_for(self, command: Callable[[], None]) -> Deferred[None]:
        """Line a command up; fires when it was carried out.

        Errors: `CommandFailedError`, where the command raises it.
        """
        done: Deferred[None] = Deferred()

        def carry_out() -> None:
            try:
                command()
            except CommandFailedError:
                done.errback()
            else:
                done.callback(None)

        self.put(carry_out)
        return done

    def clear(self) -> None:
        """Forget everything."""
        self._commands.clear()
        self.activity = None

    def _work(self) -> None:
        while self._commands and self.activity is None:
            self._commands.popleft()()
        self._when_idle()


def _nothing() -> None:
    """Do nothing: what the channel does next is enough."""
