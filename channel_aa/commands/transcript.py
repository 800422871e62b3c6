"""The transcript of one call, written from ARI events.

A real Asterisk sends the same events as the simulator: a program that gets all of them
(``subscribeAll``) can write such a transcript of a real call, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from channel_aa.attendant.recording import REVIEW_SUFFIX
from channel_aa.menus.secret_keys import MASKED_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

ARGUMENT = "CHANNEL_AA_ARGUMENT"
"""The channel variable with the argument of voicemail, queue and directory."""

DIALLED = "channel-aa-dialled-"
"""The prefix of the channel ids of phones that the attendant dials."""

_REVIEWED = re.compile(rf"({REVIEW_SUFFIX[:-1]})-[0-9a-f]+\Z")

_OUTCOMES = {
    "ANSWER": "answers",
    "BUSY": "is busy",
    "NOANSWER": "does not answer",
    "CONGESTION": "is congested",
    "CHANUNAVAIL": "is unavailable",
    "ELSEWHERE": "is picked up",
}
_CAUSES = {
    17: "BUSY",
    18: "NOANSWER",
    19: "NOANSWER",
    21: "NOANSWER",
    26: "ELSEWHERE",
    34: "CONGESTION",
}

_NO_TEXTS: Mapping[str, str] = MappingProxyType({})


class Kind(Enum):
    """The kind of an entry."""

    SOUND = "a sound begins"
    KEY = "the caller presses a key"
    ACTION = "something else happens"
    TROUBLE = "something goes wrong"
    END = "the call ends"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An event of the call; `at` is in seconds since it began."""

    at: float
    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.at:8.1f}  {self.text}"


@dataclass(kw_only=True)
class HeardSound:
    """A sound that the caller hears; times are in seconds since the call began.

    Attributes:
        name: its name, or its media URI.
        began: when it began.
        ended: when it ended; None: it has not.
    """

    name: str
    began: float
    ended: float | None = None


class Transcript:
    """The transcript of one call.

    Args:
        channel_name: the name of the caller's channel.
        variables: the channel variables that get an entry when they are set.
        is_secret: tells whether the keys that the caller presses now may be secret.
        texts: what is spoken in sounds, by their names.
        write: called with each entry; with None at some changes without one.

    Attributes:
        entries: all entries so far.
        heard: the sounds so far, with their times, by the ids of their playbacks.
        is_in_conversation: whether the caller is in a bridge with a phone that has
            answered.
    """

    def __init__(
        self,
        channel_name: str,
        *,
        variables: Collection[str] = (),
        is_secret: Callable[[], bool] = lambda: False,
        texts: Mapping[str, str] = _NO_TEXTS,
        write: Callable[[Entry | None], None],
    ) -> None:
        self.entries: list[Entry] = []
        self.heard: dict[str, HeardSound] = {}
        self.is_in_conversation = False
        self._channel_name = channel_name
        self._variables = frozenset({ARGUMENT, *variables})
        self._is_secret = is_secret
        self._texts = texts
        self._write = write
        self._target = ""
        self._language = ""
        self._playing: set[str] = set()
        self._ringing: dict[str, str] = {}
        self._is_hung_up = False
        self._early_media: tuple[str, str] = ("", "")  # the phone's id and name
        self._is_bridged = False
        self._handlers: Mapping[str, Callable[[Mapping[str, Any], float], None]] = {
            "PlaybackStarted": self._playback_started,
            "PlaybackFinished": self._playback_finished,
            "RecordingStarted": self._recording_started,
            "Dial": self._dial,
            "ChannelDestroyed": self._destroyed,
        }
        self._caller_handlers: Mapping[
            str, Callable[[Mapping[str, Any], float], None]
        ] = {
            "ChannelDtmfReceived": self._key,
            "ChannelEnteredBridge": self._conversation,
            "ChannelLeftBridge": self._conversation_over,
            "ChannelVarset": self._variable,
            "ChannelHangupRequest": self._hang_up,
        }

    @property
    def is_quiet(self) -> bool:
        """Whether the caller hears nothing, and no phone rings."""
        return not self._playing and not self._ringing

    def receive(self, event: Mapping[str, Any], at: float) -> None:
        """Receive an event of any channel, and its time."""
        kind = event["type"]
        channel = event.get("channel", {})
        if channel.get("name") == self._channel_name:
            self._target = f"channel:{channel['id']}"
            self._language = self._language or channel["language"]
            handler = self._caller_handlers.get(kind)
        else:
            handler = self._handlers.get(kind)
        if handler is not None:
            handler(event, at)

    def add(self, at: float, kind: Kind, text: str) -> None:
        """Add an entry."""
        entry = Entry(at=at, kind=kind, text=text)
        self.entries.append(entry)
        self._write(entry)

    def phone_unavailable(self, endpoint: str, at: float) -> None:
        """Add an entry for a phone that is unavailable, unless an event has made it."""
        text = f"{endpoint} {_OUTCOMES['CHANUNAVAIL']}"
        if self.entries and self.entries[-1].text == text:
            return
        self.add(at, Kind.ACTION, text)

    def _playback_started(self, event: Mapping[str, Any], at: float) -> None:
        playback = event["playback"]
        if playback["target_uri"] == self._target and not self._is_hung_up:
            # One at a time; Asterisk does not report the end of a missing recording.
            self._playing = {playback["id"]}
            if playback["language"] != self._language:
                self._language = playback["language"]
                self.add(at, Kind.ACTION, f"language {self._language}")
            name = _repeatable(playback["media_uri"].removeprefix("sound:"))
            self.heard[playback["id"]] = HeardSound(name=name, began=at)
            self.add(at, Kind.SOUND, self._texts.get(name, name))

    def _playback_finished(self, event: Mapping[str, Any], at: float) -> None:
        playback = event["playback"]
        if playback["id"] not in self._playing:
            return
        self._playing.discard(playback["id"])
        self.heard[playback["id"]].ended = at
        if playback["state"] == "failed" and not self._is_hung_up:
            name = playback["media_uri"].removeprefix("sound:")
            self.add(at, Kind.TROUBLE, f"{name} cannot be played")
        else:
            self._write(None)

    def _recording_started(self, event: Mapping[str, Any], at: float) -> None:
        recording = event["recording"]
        if recording["target_uri"] == self._target:
            self.add(at, Kind.ACTION, f"records {_repeatable(recording['name'])}")

    def _key(self, event: Mapping[str, Any], at: float) -> None:
        key = MASKED_KEYS if self._is_secret() else event["digit"]
        self.add(at, Kind.KEY, f"key {key}")

    def _dial(self, event: Mapping[str, Any], at: float) -> None:
        phone, status = event["peer"]["id"], event["dialstatus"]
        name = _endpoint(event["peer"]["name"])
        if not status and phone.startswith(DIALLED):
            self._ringing[phone] = name
            self.add(at, Kind.ACTION, f"dials {name}")
        elif status == "PROGRESS" and event["peer"]["dialplan"]["app_name"] == "Stasis":
            self._early_media = (phone, name)
        elif status in _OUTCOMES and self._ringing.pop(phone, ""):
            self.add(at, Kind.ACTION, f"{name} {_OUTCOMES[status]}")
            has_early_media = self._is_bridged and phone == self._early_media[0]
            if has_early_media and status == "ANSWER":
                self._begin_conversation(at)

    def _destroyed(self, event: Mapping[str, Any], at: float) -> None:
        name = self._ringing.pop(event["channel"]["id"], "")
        if name:
            status = _CAUSES.get(event["cause"], "CHANUNAVAIL")
            self.add(at, Kind.ACTION, f"{name} {_OUTCOMES[status]}")

    def _conversation(self, event: Mapping[str, Any], at: float) -> None:
        del event
        self._is_bridged = True
        phone, name = self._early_media
        if phone in self._ringing:
            self.add(at, Kind.ACTION, f"early media of {name} begins")
        else:
            self._begin_conversation(at)

    def _begin_conversation(self, at: float) -> None:
        self.is_in_conversation = True
        self.add(at, Kind.ACTION, "conversation begins")

    def _conversation_over(self, event: Mapping[str, Any], at: float) -> None:
        del event
        self._is_bridged = False
        if self.is_in_conversation:
            self.is_in_conversation = False
            self.add(at, Kind.ACTION, "conversation ends")

    def _variable(self, event: Mapping[str, Any], at: float) -> None:
        name, value = event["variable"], event["value"]
        if name in self._variables:
            self.add(at, Kind.ACTION, f"sets {name} = {value}")

    def _hang_up(self, event: Mapping[str, Any], at: float) -> None:
        del event, at
        self._is_hung_up = True


def _repeatable(name: str) -> str:
    """Leave out the random part of the name of a recording that is reviewed."""
    return _REVIEWED.sub(r"\1", name)


def _endpoint(channel_name: str) -> str:
    """Return the endpoint of a channel: ``PJSIP/410`` of ``PJSIP/410-0001``."""
    return channel_name.partition(";")[0].rpartition("-")[0]
