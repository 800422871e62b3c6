"""Recordings of channels, live and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channel_aa.simulator.command_queue import Activity
from channel_aa.simulator.sounds import StoredRecording

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from channel_aa.simulator.channels import Channel

TERMINATORS = frozenset({"none", "any", "*", "#"})

_BEEP = "sound:beep"
_DEAF_SECONDS = 4.0
"""How long Asterisk records a channel that was hung up before the recording began."""


class Recording(Activity):
    """A live recording: one that has not ended.

    States are Asterisk's: queued, recording, done, failed. It adds itself to the
    registry, and removes itself at its end, when it is stored with the sounds;
    `Channel.start` begins it.

    Args:
        kind: the format of its file.
        max_seconds: how long it may last; 0: without a limit.
        max_silence: how many seconds of silence end it; 0: it ends at none.
        terminator: the key that ends it, ``any`` or ``none``.
        beep: whether a beep is played first.
    """

    def __init__(
        self,
        channel: Channel,
        registry: dict[str, Recording],
        *,
        name: str,
        kind: str,
        max_seconds: int,
        max_silence: int,
        terminator: str,
        beep: bool,
    ) -> None:
        self.name = name
        self.state = "queued"
        self.channel = channel
        self._timers = channel.environment.timers
        self._sounds = channel.environment.sounds
        self._registry = registry
        self._kind = kind
        self._max_seconds = max_seconds
        self._max_silence = max_silence
        self._terminator = terminator
        self._beep = beep
        self._is_wanted = True
        self._began: float | None = None
        self._timer: IDelayedCall | None = None
        self._cause = ""
        registry[name] = self

    def snapshot(self) -> dict[str, Any]:
        """Describe the recording as Asterisk does."""
        snapshot: dict[str, Any] = {
            "name": self.name,
            "format": self._kind,
            "state": self.state,
            "target_uri": f"channel:{self.channel.id}",
        }
        if self.state == "done":
            snapshot["duration"] = int(self._seconds)
            if self._max_silence:
                silence = min(self._silence, self._seconds)
                snapshot["talking_duration"] = int(self._seconds - silence)
                snapshot["silence_duration"] = int(silence)
        if self._cause:
            snapshot["cause"] = self._cause
        return snapshot

    def begin(self) -> None:
        """Start: the channel has nothing else to do. Answers it."""
        channel = self.channel
        if not self._is_wanted:
            self._end("done")
            return
        if not channel.is_hung_up:
            channel.change_state("Up")
        if channel.state != "Up":
            self._cause = "Failed to answer channel"
            self._end("failed")
            return
        self.state = "recording"
        channel.send_event("RecordingStarted", recording=self.snapshot())
        beep = self._sounds.find(_BEEP) if self._beep else None
        if channel.is_hung_up:
            self._timer = channel.later(_DEAF_SECONDS, self.stop)
        elif beep is not None and beep.seconds is not None:
            channel.listener.sound_started(_BEEP)
            self._timer = channel.later(beep.seconds, self._beeped)
        else:
            self._listen()

    def discard(self) -> None:
        """Remove it, without an event."""
        if self._registry.get(self.name) is self:
            del self._registry[self.name]

    def so_far(self) -> StoredRecording:
        """Describe what has been recorded by now."""
        return StoredRecording(
            name=self.name.lstrip("/"), format=self._kind, seconds=self._seconds
        )

    def stop(self) -> None:
        """End; the recording is stored."""
        if self.state == "recording":
            self._end("done")
        else:
            self._is_wanted = False

    def cancel(self) -> None:
        """End; nothing is stored."""
        self.discard()
        self._is_wanted = False
        if self.state == "recording":
            self._end("done")

    def hang_up(self) -> None:
        """End with the call; the recording is stored."""
        self.stop()

    def key_pressed(self, digit: str) -> None:
        """End at the terminating key, unless the beep is still heard."""
        if self._began is not None and self._terminator in {"any", digit}:
            self.stop()

    def voice_changed(self) -> None:
        """Set the timer for the limit that is reached first."""
        if self._began is None:
            return
        self._timers.cancel(self._timer)
        ends = [self._max_seconds - self._seconds] if self._max_seconds else []
        if self._max_silence:
            ends.append(self._max_silence - self._silence)
        if ends:
            self._timer = self.channel.later(max(min(ends), 0.0), self.stop)

    @property
    def _seconds(self) -> float:
        return 0.0 if self._began is None else self._timers.now - self._began

    @property
    def _silence(self) -> float:
        """Seconds of silence by now."""
        return self._timers.now - max(self._began or 0.0, self.channel.speaks_until)

    def _beeped(self) -> None:
        self.channel.listener.sound_ended(_BEEP, "done")
        self._listen()

    def _listen(self) -> None:
        self._began = self._timers.now
        self.voice_changed()

    def _end(self, state: str) -> None:
        if self._timer is not None and self._beep and self._began is None:
            self.channel.listener.sound_ended(_BEEP, "stopped")
        self._timers.cancel(self._timer)
        self.state = state
        self.discard()
        if state == "done" and self._is_wanted:
            stored = self.so_far()
            self._sounds.recordings[stored.name] = stored
        event_type = "RecordingFailed" if state == "failed" else "RecordingFinished"
        self.channel.send_event(event_type, recording=self.snapshot())
        self.channel.activity_over()
