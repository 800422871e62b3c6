"""The simulated Asterisk: its calls and the requests for them, without sockets."""

from __future__ import annotations

import time
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec

from benchmarks.load.calls import SPOKEN, Call, CallerBehaviour, Playback
from benchmarks.load.messages import Timestamps, event
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
    """An HTTP status, and a JSON body, which may be empty."""

    status: int
    body: bytes = b""


_DONE = Answer(204)
_NO_CHANNEL = Answer(404, _NOT_FOUND % b"Channel")
_NO_PLAYBACK = Answer(404, _NOT_FOUND % b"Playback")
_NO_RESOURCE = Answer(404, _NOT_FOUND % b"Resource")
_NOT_STOPPED = Answer(500, b'{"message":"Could not stop playback"}')


class Asterisk:
    """A constant number of calls, and the requests that a program makes for them.

    Args:
        app: the name of the Stasis application.
        behaviour: how callers behave.
        loop: the event loop, for its time.

    Attributes:
        record: the record of the current window.
        send: sends an event to the program; None: it is not connected.
        playbacks: the playbacks that are not finished, by their id.
        late: the calls of finished playbacks with keys for which no stop has come.
        has_stopped_keys: whether callers press no more keys.
    """

    def __init__(
        self, app: str, behaviour: CallerBehaviour, *, loop: AbstractEventLoop
    ) -> None:
        self.app = app.encode()
        self.behaviour = behaviour
        self.loop = loop
        self.record = Record()
        self.send: Callable[[bytes], None] | None = None
        self.calls: dict[str, Call] = {}
        self.playbacks: dict[str, Playback] = {}
        self.late: dict[str, Call] = {}
        self.has_stopped_keys = False
        self._allowed: frozenset[bytes] | None = None
        self.started = int(time.time())
        self.created = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())
        self.calls_made = 0
        # All sounds have the same length, so they end in the order of their starts.
        self._sounds: deque[tuple[float, Playback]] = deque()
        self._timestamps = Timestamps()
        self._keeps_up = True

    @property
    def has_keys_without_feedback(self) -> bool:
        """Whether the feedback to any key is missing."""
        return any(call.has_keys_without_feedback for call in self.calls.values())

    def is_subscribed(self, kind: bytes) -> bool:
        """Whether the event filter allows a type."""
        return self._allowed is None or kind in self._allowed

    def emit(self, kind: bytes, fields: bytes) -> None:
        """Send an event to the application."""
        if self.send is not None and self.is_subscribed(kind):
            self.record.events += 1
            self.send(event(kind, self._timestamps.now(), fields, self.app))

    def schedule_end(self, playback: Playback) -> None:
        """Schedule the end of a sound that has started."""
        self._sounds.append((self.loop.time() + self.behaviour.sound_seconds, playback))
        if len(self._sounds) == 1:
            self.loop.call_at(self._sounds[0][0], self._end_sounds)

    def _end_sounds(self) -> None:
        now = self.loop.time()
        while self._sounds and self._sounds[0][0] <= now:
            _, playback = self._sounds.popleft()
            playback.call.end_sound(playback)
        if self._sounds:
            self.loop.call_at(self._sounds[0][0], self._end_sounds)

    def place_call(self, seconds: float | None = None) -> None:
        """Place a call of some seconds; None: the length of all calls."""
        self.calls_made += 1
        call = Call(self, self.calls_made, seconds or self.behaviour.call_seconds)
        self.calls[call.id] = call
        call.enter()

    def replace_call(self, call: Call) -> None:
        """Replace a call that has ended with another one."""
        del self.calls[call.id]
        if self._keeps_up and not self.has_stopped_keys:
            self.place_call()

    def stop_keys(self) -> None:
        """Place no more calls, and press no more keys."""
        self.has_stopped_keys = True
        for call in self.calls.values():
            call.stop_keys()

    def hang_up_all(self) -> None:
        """Hang up all calls, and place no others."""
        self._keeps_up = False
        for call in list(self.calls.values()):
            call.hang_up()

    def request(self, method: str, uri: str, body: bytes = b"") -> Answer:
        """Execute a request; ``uri`` is the part after ``/ari/``."""
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
                answer = self._read_resource(resource)
            case _:
                answer = _NO_RESOURCE
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's errors
            self.record.refuse(answer.status)
        return answer

    def _read_resource(self, path: list[str]) -> Answer:
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
    """Parse a query; queries repeat often."""
    return dict(parse_qsl(text))
