"""What the parts of the simulator promise each other."""

# ruff: noqa: N805 - the methods of a zope Interface are written without self

from __future__ import annotations

from typing import Protocol

from zope.interface import Interface


class IChannelListener(Interface):
    """The far end of a channel: a caller, or a phone that was dialled."""

    def sound_started(media: str) -> None:
        """Hear a sound begin."""

    def sound_ended(media: str, how: str) -> None:
        """Hear it end: ``done``, ``stopped`` or ``failed``."""

    def channel_gone(outcome: str) -> None:
        """Learn that the channel is gone; nothing else is called after that."""


class Activity(Protocol):
    """What occupies a channel until it ends: a playback, a recording."""

    def begin(self) -> None:
        """Begin: the channel has nothing else to do."""

    def discard(self) -> None:
        """Learn that the channel takes no more commands; `begin` is never called."""

    def hang_up(self) -> None:
        """End, because the caller has hung up."""

    def key_pressed(self, digit: str) -> None:
        """Learn that the caller pressed a key."""

    def voice_changed(self) -> None:
        """Learn that the caller began to speak, or will speak longer."""
