"""A clock whose owner can be killed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.base import DelayedCall


@implementer(IReactorTime)
class KillableClock:
    """Time for one process: nothing of it happens any more once it is `off`.

    Args:
        clock: the time that all processes share.
    """

    def __init__(self, clock: Clock) -> None:
        self.is_on = True
        self._clock = clock
        self._calls: list[DelayedCall] = []

    def seconds(self) -> float:
        """Give the time."""
        return self._clock.seconds()

    def callLater(  # noqa: N802 - Twisted's name
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 - Twisted's name
        *args: object,
        **kwargs: object,
    ) -> DelayedCall:
        """Call later, unless it is off by then."""
        # What is collected of a killed process may still ask for time.
        clock = self._clock if self.is_on else Clock()
        call = cast("DelayedCall", clock.callLater(delay, callable, *args, **kwargs))
        self._calls = [each for each in self._calls if each.active()]
        self._calls.append(call)
        return call

    def getDelayedCalls(self) -> Sequence[DelayedCall]:  # noqa: N802 - Twisted's name
        """List what is to be called."""
        return [each for each in self._calls if each.active()]

    def off(self) -> None:
        """Let nothing happen any more, as after ``kill -9``."""
        for call in self.getDelayedCalls():
            call.cancel()
        self.is_on = False
