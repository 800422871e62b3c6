"""Endless sounds on a channel: ringing, music on hold, the other party's voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channel_aa.simulator.interfaces import IChannelListener


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
