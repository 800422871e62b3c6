"""A call: its caller, who presses keys, and its sounds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from benchmarks.load import messages

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from benchmarks.load.asterisk import Asterisk
    from benchmarks.load.record import Record

FEEDBACK = frozenset({"sound:you-entered", "sound:option-is-invalid"})
"""The sounds of which one is the feedback to a key."""

CONTINUED = frozenset({"sound:press-1", "sound:or", "sound:you-entered"})
"""The sounds that are not the last of their prompt."""

SPOKEN = ("digits:", "number:", "characters:")
"""The prefixes of media that Asterisk cannot stop while it plays."""

DIGITS = "1212127*"
"""The keys, with equal probability; a quarter is no option of the menu."""

QUIET_SECONDS = 1.0
"""The seconds between a caller's last key and the hangup, at least."""

FEEDBACK_SECONDS = 5.0
"""A key without feedback within this time is lost."""


@dataclass(frozen=True)
class CallerBehaviour:
    """How callers behave.

    Attributes:
        call_seconds: the length of a call.
        key_seconds: the shortest and the longest time between two keys.
        sound_seconds: the length of each sound.
        seed: the seed of the callers' random choices.
    """

    call_seconds: float = 20.0
    key_seconds: tuple[float, float] = (0.2, 0.8)
    sound_seconds: float = 0.12
    seed: int = 1


class Playback:
    """A sound on a call."""

    __slots__ = ("call", "id", "is_stopped", "keys", "media")

    def __init__(self, call: Call, playback_id: str, media: str) -> None:
        self.id = playback_id
        self.call = call
        self.media = media
        self.is_stopped = False
        self.keys: list[tuple[float, Record]] = []
        """The keys pressed while it played, for which no stop has come."""

    def snapshot(self, state: str) -> bytes:
        """Encode it."""
        return messages.playback(self.id, self.media, self.call.id, state)


class Call:
    """A channel in the application, and its caller.

    Args:
        asterisk: the Asterisk.
        number: the call's number, from 1; the caller's choices depend only on it.
        seconds: the time until the caller hangs up.
    """

    def __init__(self, asterisk: Asterisk, number: int, seconds: float) -> None:
        self.id = f"{asterisk.started}.{number}"
        self.name = f"PJSIP/caller-{number:08x}"
        self.playing: Playback | None = None
        self.queue: deque[Playback] = deque()
        self.is_answered = False
        self.is_over = False
        self._asterisk = asterisk
        self._random = Random(asterisk.behaviour.seed * 1_000_003 + number)
        self._keys_without_feedback: deque[tuple[float, Record]] = deque()
        self._late: dict[str, Playback] = {}
        self._silent_since: tuple[float, Record] | None = None
        self._ends_at = asterisk.loop.time() + seconds
        self._key_timer: TimerHandle | None = None
        self._end_timer = asterisk.loop.call_later(seconds, self.hang_up)

    @property
    def has_keys_without_feedback(self) -> bool:
        """Whether the feedback to a key is missing."""
        return bool(self._keys_without_feedback)

    def snapshot(self) -> bytes:
        """Encode the channel."""
        return messages.channel(
            self.id,
            self.name,
            "Up" if self.is_answered else "Ring",
            self._asterisk.app.decode(),
            self._asterisk.created,
        )

    def enter(self) -> None:
        """Enter the application."""
        self._asterisk.record.calls_entered += 1
        self._emit(b"StasisStart", b'"args":[],"channel":' + self.snapshot())

    def answer(self) -> None:
        """Answer the call; the caller starts to press keys."""
        if not self.is_answered:
            self.is_answered = True
            self._emit(b"ChannelStateChange", b'"channel":' + self.snapshot())
            self._await_key()

    def play(self, playback: Playback) -> None:
        """Play a sound after those in the queue."""
        self._match_feedback(playback.media)
        if self._silent_since is not None:
            ended, record = self._silent_since
            record.silences.append(self._asterisk.loop.time() - ended)
            self._silent_since = None
        if self.playing is None:
            self._begin(playback)
        else:
            self.queue.append(playback)

    def stop(self, playback: Playback) -> None:
        """Stop a sound in the loop's next iteration, or skip it in the queue."""
        self._record_stop(playback)
        playback.is_stopped = True
        if playback is self.playing:
            self._asterisk.loop.call_soon(self.end_sound, playback)

    def stop_late(self, playback_id: str) -> None:
        """Record the request to stop a sound that has ended."""
        self._record_stop(self._late.pop(playback_id))

    def end_sound(self, playback: Playback) -> None:
        """End a sound, if it still plays."""
        if playback is self.playing:
            self._end_sound("done")

    def stop_keys(self) -> None:
        """Press no more keys."""
        if self._key_timer is not None:
            self._key_timer.cancel()
            self._key_timer = None

    def hang_up(self) -> None:
        """Hang up, as the caller."""
        if self.is_over:
            return
        record = self._asterisk.record
        record.calls_ended += 1
        record.calls_unanswered += not self.is_answered
        self._emit(b"ChannelHangupRequest", b'"cause":16,"channel":' + self.snapshot())
        self.leave()

    def leave(self) -> None:
        """Leave the application."""
        self.is_over = True
        self.stop_keys()
        self._end_timer.cancel()
        if self.playing is not None:
            self._end_sound("failed")
        for playback in self._late.values():
            self._asterisk.late.pop(playback.id, None)
            for _, record in playback.keys:
                record.keys_interrupting_nothing += 1
        for _, record in self._keys_without_feedback:
            record.keys_lost += 1
        self._keys_without_feedback.clear()
        self._emit(b"StasisEnd", b'"channel":' + self.snapshot())
        self._asterisk.replace_call(self)

    def _await_key(self) -> None:
        asterisk = self._asterisk
        delay = self._random.uniform(*asterisk.behaviour.key_seconds)
        if asterisk.has_stopped_keys or (
            asterisk.loop.time() + delay + QUIET_SECONDS > self._ends_at
        ):
            self._key_timer = None
        else:
            self._key_timer = asterisk.loop.call_later(delay, self._press)

    def _press(self) -> None:
        record = self._asterisk.record
        digit = self._random.choice(DIGITS).encode()
        fields = b'"digit":"%b","duration_ms":100,"channel":%b'
        key = (self._asterisk.loop.time(), record)
        self._emit(b"ChannelDtmfReceived", fields % (digit, self.snapshot()))
        record.keys += 1
        self._keys_without_feedback.append(key)
        self._silent_since = None
        if self.playing is not None and not self.playing.is_stopped:
            record.keys_in_sound += 1
            self.playing.keys.append(key)
        self._await_key()

    def _match_feedback(self, media: str) -> None:
        if media not in FEEDBACK:
            return
        now = self._asterisk.loop.time()
        while self._keys_without_feedback:
            pressed, record = self._keys_without_feedback.popleft()
            if now - pressed <= FEEDBACK_SECONDS:
                return
            record.keys_lost += 1

    def _begin(self, playback: Playback) -> None:
        self.playing = playback
        if self._asterisk.is_subscribed(b"PlaybackStarted"):
            started = b'"playback":' + playback.snapshot("playing")
            self._emit(b"PlaybackStarted", started)
        self._asterisk.schedule_end(playback)

    def _end_sound(self, state: str) -> None:
        playback = self.playing
        if playback is None:
            return
        ran_out = not playback.is_stopped and state == "done"
        self.playing = None
        self._finish(playback, state)
        if playback.keys:
            self._late[playback.id] = playback
            self._asterisk.late[playback.id] = self
        elif (
            ran_out and not self._keys_without_feedback and playback.media in CONTINUED
        ):
            self._record_silence(0.0 if self.queue else None)
        while self.queue and self.playing is None:
            following = self.queue.popleft()
            if following.is_stopped:
                self._finish(following, "done")
            elif self.is_over:
                started = b'"playback":' + following.snapshot("playing")
                self._emit(b"PlaybackStarted", started)
                self._finish(following, "failed")
            else:
                self._begin(following)

    def _record_silence(self, silence: float | None) -> None:
        """Record the silence after a prompt's sound; None: it begins now."""
        record = self._asterisk.record
        if silence is None:
            self._silent_since = (self._asterisk.loop.time(), record)
        else:
            record.silences.append(silence)

    def _finish(self, playback: Playback, state: str) -> None:
        self._asterisk.playbacks.pop(playback.id, None)
        self._emit(b"PlaybackFinished", b'"playback":' + playback.snapshot(state))

    def _record_stop(self, playback: Playback) -> None:
        now = self._asterisk.loop.time()
        for pressed, record in playback.keys:
            record.stop_delays.append(now - pressed)
        playback.keys.clear()

    def _emit(self, kind: bytes, fields: bytes) -> None:
        self._asterisk.emit(kind, fields)
