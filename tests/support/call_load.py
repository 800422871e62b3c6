"""Many callers at once, and what each of them hears."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twisted.internet.task import deferLater

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from twisted.internet.posixbase import PosixReactorBase

    from tests.support.raw_ari import Events

_SECONDS = 90.0
"""How long anything may take that the callers wait for, before the test fails."""

_PLACE = "channels?endpoint=Local/{}@default&app=phones&formats=ulaw"


@dataclass
class Heard:
    """A sound that a caller hears; the times are when this process was told."""

    id: str
    name: str
    began: float
    ended: float | None = None


@dataclass(eq=False)
class Call:
    """A caller.

    Attributes:
        far: the id of the far half of the Local channel, which presses the keys.
        name: the name of the near half, which the daemon serves.
        id: the near half's id, once it is known.
        keys: those that it has pressed, as far as Asterisk has told.
        sounds: what was played to it.
        variables: its channel variables that were set to something.
        is_answered: whether the near half was answered.
        is_gone: whether the near half was hung up.
    """

    far: str
    name: str
    id: str = ""
    keys: str = ""
    sounds: list[Heard] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    is_answered: bool = False
    is_gone: bool = False

    @property
    def has_left(self) -> bool:
        """Whether it is in the dialplan again."""
        return "STASISSTATUS" in self.variables

    @property
    def is_served(self) -> bool:
        """Whether it is one for the daemon, entered or about to."""
        return not self.is_gone and not self.has_left

    @property
    def is_silent(self) -> bool:
        """Whether it heard something, and nothing now."""
        return bool(self.sounds) and self.sounds[-1].ended is not None

    def hears_after(self, moment: float, *names: str) -> float | None:
        """Say when the first sound after a moment began, of those named if any are."""
        for heard in self.sounds:
            if heard.began >= moment and (not names or heard.name in names):
                return heard.began
        return None


class CallLoad:
    """The callers of one Asterisk, and an onlooker who is told of all they hear.

    Args:
        reactor: the reactor that all runs on.
        phones: the websocket of the application that the far halves are in.
        onlooker: the websocket of one that hears of everything.
    """

    def __init__(
        self, reactor: PosixReactorBase, *, phones: Events, onlooker: Events
    ) -> None:
        self.reactor = reactor
        self.calls: list[Call] = []
        self._phones = phones
        self._onlooker = onlooker
        self._read = 0
        self._by_name: dict[str, Call] = {}
        self._by_id: dict[str, Call] = {}
        self._sounds: dict[str, Heard] = {}

    async def place(self, number: int, *, extension: str = "1000") -> list[Call]:
        """Let so many call at once, and wait until Asterisk has their calls."""
        before = len(self._onlooker.all)
        asked = [
            self._phones.request("POST", _PLACE.format(extension))
            for _ in range(number)
        ]
        calls = []
        for request_id in asked:
            answer = (await self._phones.response(request_id)).json
            assert answer["status_code"] == 200, answer
            far = json.loads(answer["message_body"])
            calls.append(Call(far["id"], far["name"].removesuffix("1") + "2"))
        self._by_name |= {call.name: call for call in calls}
        self.calls += calls
        # The first events of these may have been read already.
        self._read = min(self._read, before)
        return calls

    def press(self, key: str, calls: Iterable[Call]) -> float:
        """Have each press a key, and tell when."""
        for call in calls:
            self._phones.request("POST", f"channels/{call.far}/dtmf?dtmf={key}")
        return self.reactor.seconds()

    def hang_up(self, calls: Iterable[Call]) -> None:
        """Have each hang up."""
        for call in calls:
            self._phones.request("DELETE", f"channels/{call.far}")

    async def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until something is so of the calls."""

        deadline = self.reactor.seconds() + _SECONDS
        self.read()
        while not is_so():
            waiting = self.reactor.seconds() < deadline
            assert waiting, f"waited in vain: {what}\n{self.describe()}"
            await deferLater(self.reactor, 0.01)
            self.read()

    async def all_hear(
        self, calls: Sequence[Call], moment: float, *names: str
    ) -> list[float]:
        """Wait until each one left heard a sound that began after a moment.

        Args:
            calls: who; those who leave or hang up meanwhile need hear nothing.
            moment: the reactor's time.
            names: which sounds count; all where none is named.

        Returns:
            After how many seconds each heard it.
        """
        await self.until(
            lambda: all(
                call.hears_after(moment, *names) is not None
                for call in calls
                if call.is_served
            ),
            f"each to hear {names or 'something'}",
        )
        began = [call.hears_after(moment, *names) for call in calls if call.is_served]
        return [each - moment for each in began if each is not None]

    async def have_left(self, calls: Sequence[Call]) -> None:
        """Wait until each goes on in the dialplan, sent there by the daemon."""
        await self.until(lambda: all(call.has_left for call in calls), "them to leave")
        assert {call.variables["STASISSTATUS"] for call in calls} == {"SUCCESS"}

    def describe(self) -> str:
        """Tell what became of each call, in a line."""
        return "\n".join(
            f"{call.name} id={call.id} left={call.variables} gone={call.is_gone}"
            f" {[(it.name, round(it.began, 2)) for it in call.sounds[-4:]]}"
            for call in self.calls
            if not call.is_gone
        )

    def read(self) -> None:
        """Take in what has happened since."""
        events = self._onlooker.all
        for event in events[self._read :]:
            self._take(event.json, event.received)
        self._read = len(events)

    def _take(self, event: Mapping[str, Any], received: float) -> None:
        kind: str = event["type"]
        if kind.startswith("Playback"):
            self._take_playback(kind, event["playback"], received)
            return
        channel = event.get("channel", {})
        call = self._by_name.get(channel.get("name", ""))
        if call is None:
            return
        if not call.id:
            call.id = channel["id"]
            self._by_id[call.id] = call
        if channel["state"] == "Up":
            call.is_answered = True
        if kind == "ChannelDestroyed":
            call.is_gone = True
        elif kind == "ChannelDtmfReceived":
            call.keys += event["digit"]
        elif kind == "ChannelVarset" and event["value"]:
            call.variables[event["variable"]] = event["value"]

    def _take_playback(
        self, kind: str, playback: Mapping[str, Any], received: float
    ) -> None:
        call = self._by_id.get(playback["target_uri"].removeprefix("channel:"))
        heard = self._sounds.get(playback["id"])
        if kind == "PlaybackStarted" and heard is None and call is not None:
            name = playback["media_uri"].removeprefix("sound:")
            heard = Heard(playback["id"], name, received)
            self._sounds[heard.id] = heard
            call.sounds.append(heard)
        elif kind == "PlaybackFinished" and heard is not None:
            heard.ended = heard.ended or received
