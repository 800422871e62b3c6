"""Many calls at once on a real Asterisk, and the sounds that each hears."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from real_asterisk.callers import CALLERS_APP
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from real_asterisk.raw_ari import Events
    from tests.support.asterisk_harness import RealAsteriskHarness

_PLACE = f"channels?endpoint=Local/{{}}@default&app={CALLERS_APP}&formats=ulaw"


@dataclass
class LoadSound:
    """A sound that a caller hears.

    Attributes:
        id: the playback's id.
        name: the sound.
        began: when ``PlaybackStarted`` arrived, in the reactor's time.
        ended: when ``PlaybackFinished`` arrived; None: not yet.
    """

    id: str
    name: str
    began: float
    ended: float | None = None


@dataclass(eq=False)
class LoadCall:
    """A call through a Local channel, as Asterisk's events describe it.

    Attributes:
        far_id: the id of the channel's far half, which presses the keys.
        name: the name of the near half, which the attendant serves.
        id: the near half's id; empty until it is known.
        keys: the keys that Asterisk has received.
        sounds: the sounds so far.
        variables: the channel variables that were set to a value.
        is_answered: whether the near half was answered.
        is_gone: whether the near half was hung up.
    """

    far_id: str
    name: str
    id: str = ""
    keys: str = ""
    sounds: list[LoadSound] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    is_answered: bool = False
    is_gone: bool = False

    @property
    def has_left(self) -> bool:
        """Whether it has left Stasis for the dialplan."""
        return "STASISSTATUS" in self.variables

    @property
    def is_served(self) -> bool:
        """Whether it is in the application, or about to enter it."""
        return not self.is_gone and not self.has_left

    @property
    def is_silent(self) -> bool:
        """Whether it has heard a sound, and hears none now."""
        return bool(self.sounds) and self.sounds[-1].ended is not None

    def hears_after(self, moment: float, *names: str) -> float | None:
        """Return when the first sound after a moment began; None: there is none.

        Args:
            moment: the reactor's time.
            names: the sounds that count; none: all.
        """
        for sound in self.sounds:
            if sound.began >= moment and (not names or sound.name in names):
                return sound.began
        return None


class CallLoad:
    """Places calls, and follows them by Asterisk's events.

    Args:
        backend: the Asterisk.
        events: a websocket that gets the events of all channels.
    """

    def __init__(self, backend: RealAsteriskHarness, events: Events) -> None:
        self.reactor = backend.reactor
        self.calls: list[LoadCall] = []
        self._callers_events = backend.callers_events
        self._events = events
        self._next_event = 0
        self._by_name: dict[str, LoadCall] = {}
        self._by_id: dict[str, LoadCall] = {}
        self._sounds: dict[str, LoadSound] = {}

    async def place(self, number: int, *, extension: str = "1000") -> list[LoadCall]:
        """Place a number of calls, and wait until Asterisk has created them."""
        before = len(self._events.all)
        request_ids = [
            self._callers_events.request("POST", _PLACE.format(extension))
            for _ in range(number)
        ]
        calls = []
        for request_id in request_ids:
            answer = (await self._callers_events.response(request_id)).json
            assert answer["status_code"] == 200, answer
            far = json.loads(answer["message_body"])
            calls.append(LoadCall(far["id"], far["name"].removesuffix("1") + "2"))
        self._by_name |= {call.name: call for call in calls}
        self.calls += calls
        # The first events of these calls may have been read already.
        self._next_event = min(self._next_event, before)
        return calls

    def press(self, key: str, calls: Iterable[LoadCall]) -> float:
        """Have each call press a key; return the reactor's time."""
        for call in calls:
            self._callers_events.request(
                "POST", f"channels/{call.far_id}/dtmf?dtmf={key}"
            )
        return self.reactor.seconds()

    def hang_up(self, calls: Iterable[LoadCall]) -> None:
        """Have each call hang up."""
        for call in calls:
            self._callers_events.request("DELETE", f"channels/{call.far_id}")

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Read events until a condition is true of the calls."""

        def is_true() -> bool:
            assert not self._events.closed.called, "Asterisk has dropped the websocket"
            assert not self._callers_events.closed.called, (
                "Asterisk has dropped the callers"
            )
            self.read()
            return condition()

        try:
            await until(self.reactor, is_true, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.describe()}") from None

    async def all_hear(
        self,
        calls: Sequence[LoadCall],
        moment: float,
        *names: str,
        or_silence: bool = False,
    ) -> list[float]:
        """Wait until each served call has heard a sound that began after a moment.

        Args:
            calls: the calls; those that leave or hang up need not hear a sound.
            moment: the reactor's time.
            names: the sounds that count; none: all.
            or_silence: whether a call whose prompt is over need not hear one either.

        Returns:
            The seconds after the moment at which each served call heard it.
        """
        await self.until(
            lambda: all(
                call.hears_after(moment, *names) is not None
                or (or_silence and call.is_silent)
                for call in calls
                if call.is_served
            ),
            f"each call to hear {names or 'a sound'}",
        )
        began = [call.hears_after(moment, *names) for call in calls if call.is_served]
        return [0.0 if each is None else each - moment for each in began]

    async def have_left(self, calls: Sequence[LoadCall]) -> None:
        """Wait until each call has left for the dialplan, with status SUCCESS."""
        await self.until(
            lambda: all(call.has_left for call in calls), "the calls to leave"
        )
        assert {call.variables["STASISSTATUS"] for call in calls} == {"SUCCESS"}

    def describe(self) -> str:
        """Describe the calls that are left, one a line."""
        return "\n".join(
            f"{call.name} id={call.id} left={call.variables} gone={call.is_gone}"
            f" {[(it.name, round(it.began, 2)) for it in call.sounds[-4:]]}"
            for call in self.calls
            if not call.is_gone
        )

    def read(self) -> None:
        """Read the events that have arrived since the last time."""
        events = self._events.all
        for event in events[self._next_event :]:
            self._read_event(event.json, event.received)
        self._next_event = len(events)

    def _read_event(self, event: Mapping[str, Any], received: float) -> None:
        kind: str = event["type"]
        if kind.startswith("Playback"):
            self._read_playback(kind, event["playback"], received)
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

    def _read_playback(
        self, kind: str, playback: Mapping[str, Any], received: float
    ) -> None:
        call = self._by_id.get(playback["target_uri"].removeprefix("channel:"))
        sound = self._sounds.get(playback["id"])
        if kind == "PlaybackStarted" and sound is None and call is not None:
            name = playback["media_uri"].removeprefix("sound:")
            sound = LoadSound(playback["id"], name, received)
            self._sounds[sound.id] = sound
            call.sounds.append(sound)
        elif kind == "PlaybackFinished" and sound is not None:
            sound.ended = sound.ended or received
