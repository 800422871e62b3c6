"""Playbacks: media that is played on a channel."""

from __future__ import annotations

from itertools import chain
from math import inf
from typing import TYPE_CHECKING, Any

from channel_aa.simulator.command_queue import Activity
from channel_aa.simulator.responses import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twisted.internet.interfaces import IDelayedCall

    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.environment import Environment

STOP_SECONDS = 0.02
"""How long a sound goes on after the request to stop it: one frame of audio."""


class Playback(Activity):
    """Media that is played on a channel, one URI after the other.

    States are Asterisk's: queued, playing, continuing, done, failed. It removes itself
    from the registry at its end.
    """

    def __init__(
        self,
        environment: Environment,
        registry: Playbacks,
        channel: Channel,
        *,
        playback_id: str,
        media: Sequence[str],
        language: str,
    ) -> None:
        self.id = playback_id
        self.channel = channel
        self.state = "queued"
        self._environment = environment
        self._registry = registry
        self._media = media
        self._index = 0
        self._language = language
        self._is_stopping = False
        self._can_stop = True
        self._timer: IDelayedCall | None = None

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
        sound = self._environment.sounds.find(self.media)
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
        self._environment.timers.cancel(self._timer)
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
        event = {"playback": self.snapshot()}
        bus = self._environment.bus
        bus.publish(event_type, event, to=self.channel.subscribers)

    def _end_sound_after(self, seconds: float) -> None:
        self._environment.timers.cancel(self._timer)
        if seconds != inf:
            self._timer = self._environment.timers.later(
                seconds, lambda: self.channel.act(lambda: self._sound_heard("done"))
            )


class Playbacks:
    """The playbacks that play or wait; Asterisk accepts an id that is in use."""

    def __init__(self) -> None:
        self._by_id: dict[str, list[Playback]] = {}

    def __iter__(self) -> Iterator[Playback]:
        """List all of them."""
        return chain.from_iterable(self._by_id.values())

    def add(self, playback: Playback) -> None:
        """Add a playback."""
        self._by_id.setdefault(playback.id, []).append(playback)

    def find(self, playback_id: str) -> Playback | None:
        """Find the first playback of this id."""
        playbacks = self._by_id.get(playback_id)
        return playbacks[0] if playbacks else None

    def remove(self, playback: Playback) -> None:
        """Remove a playback."""
        playbacks = self._by_id[playback.id]
        playbacks.remove(playback)
        if not playbacks:
            del self._by_id[playback.id]

    def clear(self) -> None:
        """Remove all of them."""
        self._by_id.clear()
