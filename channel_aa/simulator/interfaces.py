"""Who is told what happens on a simulated call."""

# ruff: noqa: N805 - the methods of a zope Interface are written without self

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from channel_aa.simulator.callers import SimulatedCaller


class IChannelListener(Interface):
    """Whoever is at the other end of a channel: the caller."""

    def sound_started(media: str) -> None:
        """Hear a sound begin."""

    def sound_ended(media: str, how: str) -> None:
        """Hear it end: ``done``, ``stopped`` or ``failed``."""

    def channel_gone(outcome: str) -> None:
        """Learn that the call is over: the last call."""


class ICallObserver(Interface):
    """Whoever looks over a caller's shoulder."""

    def sound_started(caller: SimulatedCaller, media: str) -> None:
        """See a sound begin."""

    def sound_ended(caller: SimulatedCaller, media: str, how: str) -> None:
        """See it end: ``done``, ``stopped`` or ``failed``."""

    def key_pressed(caller: SimulatedCaller, key: str) -> None:
        """See the caller press a key."""

    def call_ended(caller: SimulatedCaller, outcome: str) -> None:
        """See the call end."""
