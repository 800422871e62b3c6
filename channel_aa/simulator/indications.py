"""What is heard on a channel and has no end of its own: ringing, music, a voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channel_aa.simulator.interfaces import IChannelListener


class Indications:
    """One such sound at a time: ``ringing``, ``music:CLASS`` or ``voice:PJSIP/410``."""

    def __init__(self, listener: IChannelListener) -> None:
        self._listener = listener
        self._heard = ""

    def start(self, heard: str) -> None:
        """Let it be heard, instead of what was."""
        if self._heard != heard:
            self.stop()
            self._heard = heard
            self._listener.sound_started(heard)

    def stop(self, heard: str = "") -> None:
        """End what begins so; without that, whatever is heard."""
        ending = self._heard
        if ending and ending.startswith(heard):
            self._heard = ""
            self._listener.sound_ended(ending, "stopped")
