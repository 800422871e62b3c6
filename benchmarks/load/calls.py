"""A call: its caller, who presses keys, and the sounds that are heard on it."""

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
"""What a key leads to: one of these, once."""

CONTINUED = frozenset({"sound:press-1", "sound:or", "sound:you-entered"})
"""The sounds that another one of the same prompt follows."""

SPOKEN = ("digits:", "number:", "characters:")
"""What Asterisk cannot stop, once it is heard."""

DIGITS = "1212127*"
"""What is pressed, one as often as another: a quarter is no option of the menu."""

QUIET_SECONDS = 1.0
"""How long before they hang up callers press their last key."""

FEEDBACK_SECONDS = 5.0
"""A key whose feedback does not come within this time is lost."""


@dataclass(frozen=True)
class Habits:
    """How callers behave.

    Attributes:
        call_seconds: how long a call lasts.
        key_seconds: the shortest and the longest time between two keys.
        sound_seconds: how long every sound lasts.
        seed: where the callers' random choices start from.
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
        """Keys pressed while it was heard, that nothing was stopped for yet."""

    def snapshot(self, state: str) -> bytes:
        """Describe it."""
        return messages.playback(self.id, self.media, self.call.id, state)


class Call:
    """A channel in the application, and its caller.

    Args:
        asterisk: where the call is.
        number: which call it is, from 1 on; the caller's choices depend on it alone.
        seconds: how long the caller stays.
    """

    def __init__(self, asterisk: Asterisk, number: int, seconds: float) -> None:
        self.id = f"{asterisk.started}.{number}"
        self.name = f"PJSIP/caller-{number:08x}"
        self.playing: Playback | None = None
        self.queue: deque[Playback] = deque()
        self.is_answered = False
        self.is_over = False
        self._asterisk = asterisk
        self._random = Random(asterisk.habits.seed * 1_000_003 + number)
        self._unheeded: deque[tuple[float, Record]] = deque()
        self._late: dict[str, Playback] = {}
        self._silent_since: tuple[float, Record] | None = None
        self._ends_at = asterisk.loop.time() + seconds
        self._key_timer: TimerHandle | None = None
        self._end_timer = asterisk.loop.call_later(seconds, self.hang_up)

    @property
    def has_unheeded_keys(self) -> bool:
        """Whether feedback to a key is outstanding."""
        return bool(self._unheeded)

    def snapshot(self) -> bytes:
        """Describe the channel."""
        return messages.channel(
            self.id,
            self.name,
            "Up" if self.is_answered else "Ring",
            self._asterisk.app.decode(),
            self._asterisk.created,
        )

    def enter(self) -> None:
        """Come to the dialplan's ``Stasis(app)``."""
        self._asterisk.record.calls_entered += 1
        self._tell(b"StasisStart", b'"args":[],"channel":' + self.snapshot())

    def answer(self) -> None:
        """Be answered; from now on the caller presses keys."""
        if not self.is_answered:
            self.is_answered = True
            self._tell(b"ChannelStateChange", b'"channel":' + self.snapshot())
            self._await_key()

    def play(self, playback: Playback) -> None:
        """Play a sound, behind those that are there already."""
        self._heed(playback.media)
        if self._silent_since is not None:
            ended, record = self._silent_since
            record.silences.append(self._asterisk.loop.time() - ended)
            self._silent_since = None
        if self.playing is None:
            self._begin(playback)
        else:
            self.queue.append(playback)

    def stop(self, playback: Playback) -> None:
        """Stop a sound a moment later, or pass it over when its turn comes."""
        self._stop_asked(playback)
        playback.is_stopped = True
        if playback is self.playing:
            self._asterisk.loop.call_soon(self.sound_over, playback)

    def stop_late(self, playback_id: str) -> None:
        """Take note of the wish to stop a sound that is over."""
        self._stop_asked(self._late.pop(playback_id))

    def sound_over(self, playback: Playback) -> None:
        """Go on after a sound, where it is not over yet."""
        if playback is self.playing:
            self._end_sound("done")

    def be_quiet(self) -> None:
        """Press no more keys."""
        if self._key_timer is not None:
            self._key_timer.cancel()
            self._key_timer = None

    def hang_up(self) -> None:
        """End the call, as its caller."""
        if self.is_over:
            return
        record = self._asterisk.record
        record.calls_ended += 1
        record.calls_unanswered += not self.is_answered
        self._tell(b"ChannelHangupRequest", b'"cause":16,"channel":' + self.snapshot())
        self.leave()

    def leave(self) -> None:
        """Leave the application, for whatever reason."""
        self.is_over = True
        self.be_quiet()
        self._end_timer.cancel()
        if self.playing is not None:
            self._end_sound("failed")
        for playback in self._late.values():
            self._asterisk.late.pop(playback.id, None)
            for _, record in playback.keys:
                record.keys_interrupting_nothing += 1
        for _, record in self._unheeded:
            record.keys_lost += 1
        self._unheeded.clear()
        self._tell(b"StasisEnd", b'"channel":' + self.snapshot())
        self._asterisk.call_over(self)

    def _await_key(self) -> None:
        asterisk = self._asterisk
        delay = self._random.uniform(*asterisk.habits.key_seconds)
        if asterisk.is_quiet or (
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
        self._tell(b"ChannelDtmfReceived", fields % (digit, self.snapshot()))
        record.keys += 1
        self._unheeded.append(key)
        self._silent_since = None
        if self.playing is not None and not self.playing.is_stopped:
            record.keys_in_sound += 1
            self.playing.keys.append(key)
        self._await_key()

    def _heed(self, media: str) -> None:
        if media not in FEEDBACK:
            return
        now = self._asterisk.loop.time()
        while self._unheeded:
            pressed, record = self._unheeded.popleft()
            if now - pressed <= FEEDBACK_SECONDS:
                return
            record.keys_lost += 1

    def _begin(self, playback: Playback) -> None:
        self.playing = playback
        if self._asterisk.hears(b"PlaybackStarted"):
            started = b'"playback":' + playback.snapshot("playing")
            self._tell(b"PlaybackStarted", started)
        self._asterisk.sound_begins(playback)

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
        elif ran_out and not self._unheeded and playback.media in CONTINUED:
            self._continued(0.0 if self.queue else None)
        while self.queue and self.playing is None:
            following = self.queue.popleft()
            if following.is_stopped:
                self._finish(following, "done")
            elif self.is_over:
                started = b'"playback":' + following.snapshot("playing")
                self._tell(b"PlaybackStarted", started)
                self._finish(following, "failed")
            else:
                self._begin(following)

    def _continued(self, silence: float | None) -> None:
        """Take note that a prompt's sound is over, and the next one should follow."""
        record = self._asterisk.record
        if silence is None:
            self._silent_since = (self._asterisk.loop.time(), record)
        else:
            record.silences.append(silence)

    def _finish(self, playback: Playback, state: str) -> None:
        self._asterisk.playbacks.pop(playback.id, None)
        self._tell(b"PlaybackFinished", b'"playback":' + playback.snapshot(state))

    def _stop_asked(self, playback: Playback) -> None:
        now = self._asterisk.loop.time()
        for pressed, record in playback.keys:
            record.stop_delays.append(now - pressed)
        playback.keys.clear()

    def _tell(self, kind: bytes, fields: bytes) -> None:
        self._asterisk.tell(kind, fields)
