"""What a caller says, on its way to a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.state import PbxState
    from channel_aa.simulator.timers import Timer

TERMINATORS = frozenset({"none", "any", "*", "#"})

_BEEP = "sound:beep"
_DEAF_SECONDS = 4.0
"""How long Asterisk goes on where a hangup was taken notice of before it began."""


@dataclass(frozen=True, kw_only=True)
class StoredRecording:
    """A recording that is there to be played: ``recording:NAME``."""

    name: str
    format: str
    seconds: float

    def snapshot(self) -> dict[str, str]:
        """Describe it as Asterisk does."""
        return {"name": self.name, "format": self.format}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a recording ends by itself; seconds, 0: without a limit."""

    seconds: int = 0
    silence: int = 0
    terminator: str = "none"


class Recording:
    """A recording that has not ended.

    States are Asterisk's: queued, recording, done, failed.
    """

    def __init__(
        self,
        world: PbxState,
        channel: Channel,
        *,
        name: str,
        kind: str,
        limits: Limits,
        beep: bool,
    ) -> None:
        self.name = name
        self.state = "queued"
        self._world = world
        self.channel = channel
        self._kind = kind
        self._limits = limits
        self._beep = beep
        self._is_wanted = True
        self._began: float | None = None
        self._timer: Timer | None = None
        self._cause = ""

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
            if self._limits.silence:
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
        if not channel.is_answered_for_recording():
            self._cause = "Failed to answer channel"
            self._end("failed")
            return
        self.state = "recording"
        self._say("RecordingStarted")
        beep = self._world.sounds.find(_BEEP) if self._beep else None
        if channel.is_hung_up:
            self._timer = self._later(_DEAF_SECONDS, self.stop)
        elif beep is not None and beep.seconds is not None:
            channel.listener.sound_started(_BEEP)
            self._timer = self._later(beep.seconds, self._beeped)
        else:
            self._listen()

    def so_far(self) -> StoredRecording:
        """Describe what there is of it by now."""
        return StoredRecording(
            name=self.name.lstrip("/"), format=self._kind, seconds=self._seconds
        )

    def stop(self) -> None:
        """End; what was said is kept."""
        if self.state == "recording":
            self._end("done")
        else:
            self._is_wanted = False

    def cancel(self) -> None:
        """End; nothing is kept."""
        self._world.recordings.forget_live(self)
        self._is_wanted = False
        if self.state == "recording":
            self._end("done")

    def hang_up(self) -> None:
        """End, as the call does: what was said is kept."""
        self.stop()

    def key_pressed(self, digit: str) -> None:
        """End where this is the key for it; one during the beep is not."""
        terminator = self._limits.terminator
        if self._began is not None and terminator in {"any", digit}:
            self.stop()

    def voice_changed(self) -> None:
        """Learn that the caller began to speak, or will speak longer."""
        if self._began is not None:
            self._wait()

    @property
    def _seconds(self) -> float:
        return 0.0 if self._began is None else self._world.timers.now - self._began

    @property
    def _silence(self) -> float:
        """Seconds since anything was said."""
        return self._world.timers.now - max(
            self._began or 0.0, self.channel.speaks_until
        )

    def _beeped(self) -> None:
        self.channel.listener.sound_ended(_BEEP, "done")
        self._listen()

    def _listen(self) -> None:
        self._began = self._world.timers.now
        self._wait()

    def _wait(self) -> None:
        """Set the timer for whichever limit is first."""
        self._cancel_timer()
        limits, now = self._limits, self._world.timers.now
        ends = [self._seconds * -1 + limits.seconds] if limits.seconds else []
        if limits.silence:
            said = max(self.channel.speaks_until, self._began or 0.0)
            ends.append(said + limits.silence - now)
        if ends:
            self._timer = self._later(max(min(ends), 0.0), self.stop)

    def _end(self, state: str) -> None:
        if self._timer is not None and self._beep and self._began is None:
            self.channel.listener.sound_ended(_BEEP, "stopped")
        self._cancel_timer()
        self.state = state
        recordings = self._world.recordings
        recordings.forget_live(self)
        if state == "done" and self._is_wanted:
            recordings.store(self.so_far())
        failed = state == "failed"
        self._say("RecordingFailed" if failed else "RecordingFinished")
        self.channel.activity_over()

    def _say(self, event_type: str) -> None:
        event = {"recording": self.snapshot()}
        self._world.publish(event_type, event, to=self.channel.hearers)

    def _later(self, seconds: float, call: Any) -> Timer:  # noqa: ANN401 - a method
        return self._world.timers.later(seconds, lambda: self.channel.act(call))

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Recordings:
    """The recordings of the simulated Asterisk, under way and stored."""

    def __init__(self) -> None:
        self.live: dict[str, Recording] = {}
        self.stored: dict[str, StoredRecording] = {}

    def forget_live(self, recording: Recording) -> None:
        """Know a recording no longer as one that is under way."""
        if self.live.get(recording.name) is recording:
            del self.live[recording.name]

    def on_disk(self) -> dict[str, StoredRecording]:
        """List those that are stored, and those under way: they have a file, too."""
        live = (
            each.so_far() for each in self.live.values() if each.state == "recording"
        )
        return {**self.stored, **{each.name: each for each in live}}

    def store(self, recording: StoredRecording) -> None:
        """Keep a recording, in the place of an earlier one of its name."""
        self.stored[recording.name] = recording
