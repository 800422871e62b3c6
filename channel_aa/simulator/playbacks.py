"""Playbacks: media that is played on a channel."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from channel_aa.simulator.command_queue import Activity
from channel_aa.simulator.responses import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IDelayedCall

    from channel_aa.simulator.channels import Channel

STOP_SECONDS = 0.02
"""How long a sound goes on after the request to stop it: one frame of audio."""


class Playback(Activity):
    """Media that is played on a channel, one URI after the other.

    States are Asterisk's: queued, playing, continuing, done, failed. It adds itself to
    the registry, and removes itself at its end; `Channel.start` plays it.

    Args:
        playback_id: empty: any.
        language: empty: the channel's.
    """

    def __init__(
        self,
        channel: Channel,
        registry: list[Playback],
        media: Sequence[str],
        *,
        playback_id: str = "",
        language: str = "",
    ) -> None:
        self.id = playback_id or str(uuid4())
        self.channel = channel
        self.state = "queued"
        self._timers = channel.environment.timers
        self._registry = registry
        self._media = media
        self._index = 0
        self._language = language or channel.language
        self._is_stopping = False
        self._can_stop = True
        self._timer: IDelayedCall | None = None
        registry.append(self)

    def snapshot(self) -> dict[str, Any]:
        """Describe the playback as Asterisk does."""
        snapshot = {"id": self.id, "media_uri": self.media}
        if self._index + 1 < len(self._media):
            snapshot["next_media_uri"] = self._media[self._index + 1]
        snapshot["target_uri"] = f"channel:{self.channel.id}"
        snapshot["language"] = self._language
        snapshot["state"] = self.state
        return snapshot

    @property
    def media(self) -> str:
        """The URI that is played, or next to be played."""
        return self._media[self._index]

    def begin(self) -> None:
        """See `Activity`; one that was stopped while it was queued ends at once."""
        if self._is_stopping:
            self._finish("done")
        else:
            self._begin_sound()

    def stop(self) -> None:
        """Stop within `STOP_SECONDS`; one that has not started is skipped.

        Raises:
            RefusedError: it plays digits, characters or a number.
        """
        if not self._can_stop:
            raise RefusedError(500, "Could not stop playback")
        if self._is_stopping:
            return
        self._is_stopping = True
        if self.state == "queued":
            self.state = "done"
        else:
            self._end_sound_after(STOP_SECONDS)

    def discard(self) -> None:
        """See `Activity`."""
        self._registry.remove(self)

    def hang_up(self) -> None:
        """Fail: the caller has hung up."""
        self._sound_heard("failed")

    def _begin_sound(self) -> None:
        self._publish("playing", "PlaybackStarted")
        sound = self.channel.environment.sounds.find(self.media)
        if sound is None:
            self._registry.remove(self)
            self.channel.activity_over()
            return
        if self.channel.is_hung_up:
            self._sound_over("failed")
            return
        self._can_stop = sound.can_stop
        self.channel.listener.sound_started(self.media)
        if sound.seconds is None:
            self._sound_heard("failed")
        else:
            self._end_sound_after(sound.seconds)

    def _sound_heard(self, how: str) -> None:
        outcome = "stopped" if self._is_stopping and how == "done" else how
        self.channel.listener.sound_ended(self.media, outcome)
        self._sound_over(how)

    def _sound_over(self, how: str) -> None:
        self._timers.cancel(self._timer)
        is_last = self._index + 1 == len(self._media)
        if is_last or self._is_stopping or self.channel.is_hung_up:
            self._finish(how)
            return
        self._publish("continuing", "PlaybackContinuing")
        self._index += 1
        self._begin_sound()

    def _finish(self, how: str) -> None:
        self._registry.remove(self)
        self._publish(how, "PlaybackFinished")
        self.channel.activity_over()

    def _publish(self, state: str, event_type: str) -> None:
        self.state = state
        self.channel.send_event(event_type, playback=self.snapshot())

    def _end_sound_after(self, seconds: float) -> None:
        self._timers.cancel(self._timer)
        if seconds != inf:
            self._timer = self.channel.later(seconds, lambda: self._sound_heard("done"))
