"""One playback on a channel: its turn, its sounds, its end."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.state import PbxState
    from channel_aa.simulator.timers import Timer

STOP_SECONDS = 0.02
"""How long a sound goes on after it was told to stop: one frame of audio."""


class ControlRefusedError(Exception):
    """A playback cannot do this now; the message is Asterisk's.

    Args:
        status: the status of Asterisk's answer.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Playback:
    """Sounds to be played on a channel, one after the other.

    States are Asterisk's: queued, playing, paused, continuing, done, failed.
    """

    def __init__(
        self,
        world: PbxState,
        channel: Channel,
        *,
        playback_id: str,
        media: Sequence[str],
        language: str = "en",
        skip_ms: int = 3000,
    ) -> None:
        self.id = playback_id
        self.channel = channel
        self.state = "queued"
        self._world = world
        self._media = media
        self._index = 0
        self._language = language
        self._skip_seconds = skip_ms / 1000
        self._is_stopping = False
        self._can_stop = True
        self._whole = 0.0
        self._remaining = 0.0
        self._timer: Timer | None = None

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
        """The sound it is at."""
        return self._media[self._index]

    def begin(self) -> None:
        """Start playing: the channel has nothing else to do."""
        if self._is_stopping:
            self._finish("done")
        else:
            self._begin_sound()

    def stop(self) -> None:
        """Fall silent shortly; a playback that has not started is passed over.

        Raises:
            ControlRefusedError: spoken digits cannot be stopped.
        """
        self._refuse_where_spoken("stop")
        if self._is_stopping:
            return
        self._is_stopping = True
        if self.state == "queued":
            self.state = "done"
        else:
            self._remaining = STOP_SECONDS
            self._start_timer()

    def hang_up(self) -> None:
        """Fail: nobody listens any more."""
        self._sound_heard("failed")

    def key_pressed(self, digit: str) -> None:
        """Play on: it takes an application to stop a sound."""

    def voice_changed(self) -> None:
        """Play on, whatever the caller says."""

    def pause(self) -> None:
        """Fall silent for a while."""
        self._refuse_unless("pause", "playing", "paused")
        if self.state == "playing" and not self._is_stopping:
            self._hold_timer()
            self.state = "paused"

    def unpause(self) -> None:
        """Go on after a pause."""
        self._refuse_unless("unpause", "playing", "paused")
        if self.state == "paused":
            self._say("playing", "PlaybackStarted")
            self._start_timer()

    def restart(self) -> None:
        """Play the sound from its beginning."""
        self._refuse_unless("restart", "playing", "queued")
        self._move(-inf)

    def forward(self) -> None:
        """Skip some of the sound."""
        self._refuse_unless("forward", "playing")
        self._move(self._skip_seconds)

    def reverse(self) -> None:
        """Play some of the sound again."""
        self._refuse_unless("reverse", "playing")
        self._move(-self._skip_seconds)

    def _refuse_unless(self, operation: str, *states: str) -> None:
        if self.state not in states:
            raise ControlRefusedError(
                f"Can only {operation} while media is playing", status=409
            )
        self._refuse_where_spoken(operation)

    def _refuse_where_spoken(self, operation: str) -> None:
        if not self._can_stop:
            raise ControlRefusedError(f"Could not {operation} playback", status=500)

    def _begin_sound(self) -> None:
        self._say("playing", "PlaybackStarted")
        sound = self._world.find_sound(self.media)
        if sound is None:
            self._drop_out()
            return
        if self.channel.is_hung_up:
            self._sound_over("failed")
            return
        self._can_stop = sound.can_stop
        self.channel.listener.sound_started(self.media)
        if sound.seconds is None:
            self._sound_heard("failed")
        else:
            endless = self._world.faults.keeps_playing(self.media)
            self._whole = self._remaining = inf if endless else sound.seconds
            self._start_timer()

    def _sound_ran_out(self) -> None:
        self._timer = None
        self._sound_heard("done")

    def _sound_heard(self, how: str) -> None:
        outcome = "stopped" if self._is_stopping and how == "done" else how
        self.channel.listener.sound_ended(self.media, outcome)
        self._sound_over(how)

    def _sound_over(self, how: str) -> None:
        self._cancel_timer()
        is_last = self._index + 1 == len(self._media)
        if is_last or self._is_stopping or self.channel.is_hung_up:
            self._finish(how)
            return
        self._say("continuing", "PlaybackContinuing")
        self._index += 1
        self._begin_sound()

    def _finish(self, how: str) -> None:
        self._world.forget_playback(self)
        self._say(how, "PlaybackFinished")
        self.channel.activity_over()

    def _drop_out(self) -> None:
        self._world.forget_playback(self)
        self.channel.activity_over()

    def _say(self, state: str, event_type: str) -> None:
        self.state = state
        event = {"playback": self.snapshot()}
        self._world.publish(event_type, event, to=self.channel.hearers)

    def _move(self, seconds: float) -> None:
        if self.state == "playing" and not self._is_stopping:
            self._hold_timer()
            self._remaining = min(max(self._remaining - seconds, 0.0), self._whole)
            self._start_timer()

    def _start_timer(self) -> None:
        self._cancel_timer()
        if self._remaining != inf:
            self._timer = self._world.timers.later(
                self._remaining, lambda: self.channel.act(self._sound_ran_out)
            )

    def _hold_timer(self) -> None:
        if self._timer is not None:
            self._remaining = self._timer.seconds_left
        self._cancel_timer()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
