"""The Asterisk that the callers call: its requests, its calls, no sockets."""

from __future__ import annotations

import time
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec

from benchmarks.load.calls import SPOKEN, Call, Habits, Playback
from benchmarks.load.messages import Stamp, event
from benchmarks.load.record import Record

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Mapping

_INFO = (
    b'{"build":{"os":"Linux","kernel":"","machine":"","options":"","date":"",'
    b'"user":""},"system":{"version":"22.10.1","entity_id":"02:00:00:00:00:01"},'
    b'"config":{"name":"","default_language":"en","setid":{"user":"","group":""}},'
    b'"status":{"startup_time":"2026-01-01T00:00:00.000+0000",'
    b'"last_reload_time":"2026-01-01T00:00:00.000+0000"}}'
)
_NOT_FOUND = b'{"message":"%b not found"}'


class _Filter(msgspec.Struct):
    allowed: list[dict[str, str]] = []


class Answer(NamedTuple):
    """A status, and a body in JSON, which may be empty."""

    status: int
    body: bytes = b""


_DONE = Answer(204)
_NO_CHANNEL = Answer(404, _NOT_FOUND % b"Channel")
_NO_PLAYBACK = Answer(404, _NOT_FOUND % b"Playback")
_NO_RESOURCE = Answer(404, _NOT_FOUND % b"Resource")
_NOT_STOPPED = Answer(500, b'{"message":"Could not stop playback"}')


class Asterisk:
    """Calls at a constant number, and what a program may ask for them.

    Args:
        app: the name of the Stasis application.
        habits: how callers behave.
        loop: whose time is kept.

    Attributes:
        record: the window that is being counted.
        send: takes each event; None where nobody listens.
        playbacks: the playbacks that are not over, by their id.
        late: the calls of those that are over, with keys that no stop came for.
        is_quiet: whether callers press no more keys.
    """

    def __init__(self, app: str, habits: Habits, *, loop: AbstractEventLoop) -> None:
        self.app = app.encode()
        self.habits = habits
        self.loop = loop
        self.record = Record()
        self.send: Callable[[bytes], None] | None = None
        self.calls: dict[str, Call] = {}
        self.playbacks: dict[str, Playback] = {}
        self.late: dict[str, Call] = {}
        self.is_quiet = False
        self._allowed: frozenset[bytes] | None = None
        self.started = int(time.time())
        self.created = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())
        self.calls_made = 0
        # All sounds last as long: they end in the order of their beginnings.
        self._sounds: deque[tuple[float, Playback]] = deque()
        self._stamp = Stamp()
        self._keeps_up = True

    @property
    def has_unheeded_keys(self) -> bool:
        """Whether feedback to any key is outstanding."""
        return any(call.has_unheeded_keys for call in self.calls.values())

    def hears(self, kind: bytes) -> bool:
        """Whether the application wants messages of a type."""
        return self._allowed is None or kind in self._allowed

    def tell(self, kind: bytes, fields: bytes) -> None:
        """Send an event to the application."""
        if self.send is not None and self.hears(kind):
            self.record.events += 1
            self.send(event(kind, self._stamp.now(), fields, self.app))

    def sound_begins(self, playback: Playback) -> None:
        """End a sound after its time, unless it is over by then."""
        self._sounds.append((self.loop.time() + self.habits.sound_seconds, playback))
        if len(self._sounds) == 1:
            self.loop.call_at(self._sounds[0][0], self._sounds_end)

    def _sounds_end(self) -> None:
        now = self.loop.time()
        while self._sounds and self._sounds[0][0] <= now:
            _, playback = self._sounds.popleft()
            playback.call.sound_over(playback)
        if self._sounds:
            self.loop.call_at(self._sounds[0][0], self._sounds_end)

    def place_call(self, seconds: float | None = None) -> None:
        """Let somebody call, for so long; by default as long as calls last."""
        self.calls_made += 1
        call = Call(self, self.calls_made, seconds or self.habits.call_seconds)
        self.calls[call.id] = call
        call.enter()

    def call_over(self, call: Call) -> None:
        """Have another one in the place of a call."""
        del self.calls[call.id]
        if self._keeps_up and not self.is_quiet:
            self.place_call()

    def be_quiet(self) -> None:
        """Let no caller press a key any more, and nobody call."""
        self.is_quiet = True
        for call in self.calls.values():
            call.be_quiet()

    def hang_up_all(self) -> None:
        """End all calls, with none in their places."""
        self._keeps_up = False
        for call in list(self.calls.values()):
            call.hang_up()

    def request(self, method: str, uri: str, body: bytes = b"") -> Answer:
        """Carry a request out; ``uri`` is what follows ``/ari/``."""
        self.record.requests += 1
        path, _, query = uri.partition("?")
        match method, path.split("/"):
            case "POST", ["channels", channel_id, "play", playback_id]:
                answer = self._play(channel_id, unquote(playback_id), _query(query))
            case "POST", ["channels", channel_id, "play"]:
                given = dict(parse_qsl(query))
                answer = self._play(channel_id, given.get("playbackId", ""), given)
            case "DELETE", ["playbacks", playback_id]:
                answer = self._stop(unquote(playback_id))
            case _, ["channels", channel_id, *command]:
                answer = self._command(method, self.calls.get(channel_id), command)
            case "PUT", ["applications", _, "eventFilter"]:
                answer = self._filter(body)
            case "GET", resource:
                answer = self._look_at(resource)
            case _:
                answer = _NO_RESOURCE
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's errors
            self.record.refuse(answer.status)
        return answer

    def _look_at(self, path: list[str]) -> Answer:
        match path:
            case ["asterisk", "info" | "ping"]:
                return Answer(200, _INFO)
            case ["applications", _]:
                ids = ",".join(f'"{channel_id}"' for channel_id in self.calls)
                return Answer(200, f'{{"channel_ids":[{ids}]}}'.encode())
            case ["playbacks", playback_id]:
                playback = self.playbacks.get(playback_id)
                if playback is None:
                    return _NO_PLAYBACK
                return Answer(200, playback.snapshot("playing"))
            case _:
                return _NO_RESOURCE

    def _filter(self, body: bytes) -> Answer:
        allowed = msgspec.json.decode(body, type=_Filter).allowed
        self._allowed = frozenset(each["type"].encode() for each in allowed) or None
        return Answer(200, b'{"channel_ids":[]}')

    def _play(
        self, channel_id: str, playback_id: str, query: Mapping[str, str]
    ) -> Answer:
        call = self.calls.get(channel_id)
        if call is None:
            return _NO_CHANNEL
        playback_id = playback_id or f"playback-{self.record.requests}-{id(query)}"
        playback = Playback(call, playback_id, query.get("media", ""))
        self.playbacks[playback.id] = playback
        call.play(playback)
        state = "playing" if call.playing is playback else "queued"
        return Answer(201, playback.snapshot(state))

    def _stop(self, playback_id: str) -> Answer:
        playback = self.playbacks.get(playback_id)
        if playback is None:
            call = self.late.pop(playback_id, None)
            if call is not None:
                call.stop_late(playback_id)
            return _NO_PLAYBACK
        call = playback.call
        if call.playing is playback and playback.media.startswith(SPOKEN):
            return _NOT_STOPPED
        call.stop(playback)
        return _DONE

    def _command(self, method: str, call: Call | None, command: list[str]) -> Answer:
        if call is None:
            return _NO_CHANNEL
        match method, command:
            case "POST", ["answer"]:
                call.answer()
            case ("POST", ["continue"]) | ("DELETE", []):
                self.record.calls_sent_away += 1
                call.leave()
            case _:
                return _NO_RESOURCE
        return _DONE


@lru_cache
def _query(text: str) -> Mapping[str, str]:
    """Read a query that is the same again and again."""
    return dict(parse_qsl(text))
