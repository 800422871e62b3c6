"""What the far end of a channel hears: playbacks, and endless indications."""

# ruff: noqa: N805 - the methods of a zope Interface are written without self

from __future__ import annotations

from zope.interface import Interface


class IChannelListener(Interface):
    """The far end of a channel: a caller, or a phone that was dialled."""

    def sound_started(media: str) -> None:
        """Hear a sound begin."""

    def sound_ended(media: str, how: str) -> None:
        """Hear it end: ``done``, ``stopped`` or ``failed``."""

    def channel_gone(outcome: str) -> None:
        """Learn that the channel is gone; nothing else is called after that."""


class Indications:
    """At most one of ``ringing``, ``music:CLASS``, ``voice:PJSIP/410`` at a time."""

    def __init__(self, listener: IChannelListener) -> None:
        self._listener = listener
        self._current = ""

    def start(self, indication: str) -> None:
        """Start one, in the place of the current one."""
        if self._current != indication:
            self.stop()
            self._current = indication
            self._listener.sound_started(indication)

    def stop(self, indication: str = "") -> None:
        """Stop the current one, if its name begins so; by default whatever it is."""
        ending = self._current
        if ending and ending.startswith(indication):
            self._current = ""
            self._listener.sound_ended(ending, "stopped")
