"""All the calls that are attended to now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import DeferredList
from zope.interface import implementer

from channel_aa.attendant.call import Call
from channel_aa.interfaces import IStasisApplication

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.attendant.menu import Menu
    from channel_aa.interfaces import IChannel


@implementer(IStasisApplication)
class Attendant:
    """Gives every channel that enters a `Call` of its own.

    Args:
        menu: the menu that callers hear first.
        clock: keeps the calls' time.

    Attributes:
        calls: the calls in progress.
    """

    def __init__(self, menu: Menu, *, clock: IReactorTime) -> None:
        self.calls: set[Call] = set()
        self._menu = menu
        self._clock = clock
        self._is_closing = False

    def channel_entered(self, channel: IChannel, arguments: Sequence[str]) -> Call:
        """Attend to a channel; see `IStasisApplication`."""
        del arguments  # the one menu is for everybody
        call = Call(channel, self._menu, clock=self._clock, on_over=self.calls.discard)
        self.calls.add(call)
        if self._is_closing:
            call.turn_away()
        else:
            call.start()
        return call

    async def close(self) -> None:
        """Let every call go on in the dialplan, and those that come meanwhile."""
        self._is_closing = True
        await DeferredList([call.release() for call in self.calls])

    def open(self) -> None:
        """Attend to new calls, as at the beginning."""
        self._is_closing = False
