"""Where the contract's tests are played: on an Asterisk, a real or a simulated one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from twisted.internet.task import deferLater

from channel_aa.simulator import Simulator
from real_asterisk.sounds import LONG, QUIET, SOUNDS
from tests.support.raw_ari import SECONDS, Ari, Events

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.simulator import PhoneBehaviour, SimulatedCaller
    from real_asterisk.harness import Asterisk

APP = "channel-aa"
_SAID = "press-1"
"""What a caller says."""

PHONES: Mapping[str, PhoneBehaviour | str] = {
    "Local/answers@phones": "answers",
    "Local/answers-later@phones": "answers 1",
    "Local/hangs-up@phones": "answers 0 hangs-up 1",
    "Local/rings@phones": "rings",
    "Local/silent@phones": "silent",
    "Local/busy@phones": "busy",
    "Local/congested@phones": "congested",
    "Local/declines@phones": "declines 0.2",
    "PJSIP/410": "unreachable",
}
"""The telephones of ``tests/end_to_end``, as they behave."""

ARGUMENTS: Mapping[str, tuple[str, ...]] = {"1000": (), "1001": ("one", "two")}
"""What the dialplan passes to the application at each extension."""


class Caller(Protocol):
    """Somebody on the telephone."""

    @property
    def name(self) -> str:
        """The name of the channel that the application gets to know."""

    async def press(self, key: str) -> None:
        """Press a key, once the call is answered."""

    async def speak(self) -> None:
        """Say something, once the call is answered; return when it is said."""

    async def keep_talking(self) -> None:
        """Begin to say something that takes some seconds."""

    async def keep_quiet(self) -> None:
        """Let nothing but silence be heard for some seconds."""

    async def hang_up(self) -> None:
        """Hang up, answered or not."""


@dataclass(frozen=True)
class Call:
    """A call in the application."""

    id: str
    caller: Caller
    start: Mapping[str, Any]
    """The event that it came with."""


async def stasis_status(events: Events, channel_name: str) -> str:
    """Wait until Stasis has said how it went: only then a call has left it."""
    event = await events.wait_for(
        lambda it: (
            it.type == "ChannelVarset"
            and it.json["channel"]["name"] == channel_name
            and it.json["variable"] == "STASISSTATUS"
            and it.json["value"] != ""
        )
    )
    status: str = event.json["value"]
    return status


class AsteriskHarness(ABC):
    """An Asterisk with the tests' dialplan and sounds.

    Args:
        reactor: the reactor that everything runs on.
        url: where Asterisk's web server is.
    """

    username = "asterisk"
    password = "asterisk"
    sounds = SOUNDS
    """How many seconds each sound lasts, by its name; there are no others."""

    def __init__(self, reactor: PosixReactorBase, url: str) -> None:
        self.reactor = reactor
        self.url = url
        self.ari = self.user(self.username, self.password)

    @abstractmethod
    async def place_call(self, extension: str) -> Caller:
        """Let somebody call an extension."""

    async def close(self) -> None:
        """Hang everybody up, and close all websockets."""
        await self.ari.close()

    async def listen(self, app: str = APP, **query: object) -> Events:
        """Open the websocket of an application."""
        return await self.ari.listen(app, **query)

    async def listen_to_everything(self) -> Events:
        """Hear also what happens outside of the application."""
        return await self.listen("monitor", subscribeAll="true")

    async def has_no_application(self) -> bool:
        """Say whether Asterisk knows nothing of the application."""
        return (await self.ari.get(f"/applications/{APP}")).status == 404

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Ask until something is so that no event tells of."""
        deadline = self.reactor.seconds() + SECONDS
        while not await condition():
            assert self.reactor.seconds() < deadline, condition
            await deferLater(self.reactor, 0.01)

    def user(self, username: str, password: str) -> Ari:
        """Use the REST interface with some credentials."""
        return Ari(self.reactor, self.url, username=username, password=password)

    async def ring(self, phone: str, channel_id: str, **query: object) -> None:
        """Ring one of the `PHONES` for the application.

        Args:
            phone: its name: ``answers``.
            channel_id: the id that its channel is to have.
            query: what else is asked for.
        """
        asked = {"endpoint": f"Local/{phone}@phones", "app": APP, **query}
        if "originator" not in asked:
            asked["formats"] = "ulaw"
        rung = await self.ari.post(f"/channels/{channel_id}", **asked)
        assert rung.status == 200, rung.json

    async def call(
        self, events: Events, *, extension: str = "1000", answer: bool = True
    ) -> Call:
        """Let somebody call the application, and wait until the call is there.

        Args:
            events: the websocket that hears of it.
            extension: what is dialled.
            answer: whether to answer the call.
        """
        caller = await self.place_call(extension)
        start = await events.wait_for(
            lambda it: (
                it.type == "StasisStart" and it.json["channel"]["name"] == caller.name
            )
        )
        call = Call(start.json["channel"]["id"], caller, start.json)
        if answer:
            answered = await self.ari.post(f"/channels/{call.id}/answer")
            assert answered.status == 204
        return call


@dataclass(frozen=True)
class _SimulatorsCaller:
    caller: SimulatedCaller

    @property
    def name(self) -> str:
        return self.caller.name

    async def press(self, key: str) -> None:
        self.caller.press(key)

    async def speak(self) -> None:
        await self.caller.run(f"speak {SOUNDS[_SAID]}")

    async def keep_talking(self) -> None:
        self.caller.speak(SOUNDS[LONG])

    async def keep_quiet(self) -> None:
        pass

    async def hang_up(self) -> None:
        self.caller.hang_up()


class SimulatorHarness(AsteriskHarness):
    """The simulator."""

    def __init__(self, reactor: PosixReactorBase, simulator: Simulator) -> None:
        super().__init__(reactor, simulator.url)
        self._simulator = simulator

    @classmethod
    async def open(cls, reactor: PosixReactorBase) -> SimulatorHarness:
        """Start a simulator."""
        simulator = Simulator(
            reactor=reactor,
            sounds=cls.sounds,
            default_sound_seconds=None,
            phones=PHONES,
        )
        await simulator.start()
        return cls(reactor, simulator)

    async def place_call(self, extension: str) -> Caller:
        """Let somebody call an extension."""
        caller = self._simulator.call(
            extension=extension,
            app=APP,
            args=ARGUMENTS[extension],
            dialplan_seconds=1.0,
        )
        return _SimulatorsCaller(caller)

    async def close(self) -> None:
        """Stop the simulator."""
        await super().close()
        await self._simulator.stop()


@dataclass(frozen=True)
class _LocalCaller:
    """The far half of a Local channel, in an application of its own.

    Its near half goes through the dialplan, as a telephone's channel would.
    """

    ari: Ari
    events: Events
    id: str
    name: str

    async def press(self, key: str) -> None:
        # The far half enters its application when the call is answered.
        await self.events.wait_for_type("StasisStart", self.id)
        pressed = await self.ari.post(f"/channels/{self.id}/dtmf", dtmf=key)
        assert pressed.status == 204

    async def speak(self) -> None:
        said = await self._say(_SAID)
        await self.events.wait_for_type("PlaybackFinished", said)

    async def keep_talking(self) -> None:
        await self._say(LONG)

    async def keep_quiet(self) -> None:
        await self._say(QUIET)

    async def _say(self, sound: str) -> str:
        """Let a sound be heard on the near half, and return the playback's id."""
        await self.events.wait_for_type("StasisStart", self.id)
        said = await self.ari.post(f"/channels/{self.id}/play", media=f"sound:{sound}")
        playback_id: str = said.json["id"]
        return playback_id

    async def hang_up(self) -> None:
        assert (await self.ari.delete(f"/channels/{self.id}")).status == 204


class RealAsteriskHarness(AsteriskHarness):
    """A real Asterisk."""

    _phones: Events

    @classmethod
    async def open(
        cls, reactor: PosixReactorBase, asterisk: Asterisk
    ) -> RealAsteriskHarness:
        """Make an Asterisk ready for callers."""
        stage = cls(reactor, asterisk.url)
        stage._phones = await stage.ari.listen("phones")
        return stage

    async def place_call(self, extension: str, **asked: object) -> Caller:
        """Let somebody call an extension.

        Args:
            extension: what is dialled.
            asked: what else the caller's channel is asked for: a ``callerId``.
        """
        placed = await self.ari.post(
            "/channels",
            endpoint=f"Local/{extension}@default",
            app="phones",
            # RemoteObject for no format, Asterisk takes one that nothing here speaks.
            formats="ulaw",
            **asked,
        )
        assert placed.status == 200, placed.json
        far_half: str = placed.json["name"]
        near_half = far_half.removesuffix("1") + "2"
        return _LocalCaller(self.ari, self._phones, placed.json["id"], near_half)

    async def close(self) -> None:
        """Leave Asterisk as it was."""
        for channel in await self._channels():
            await self.ari.delete(f"/channels/{channel['id']}")
        await self.until(self._has_no_channels)
        for bridge in (await self.ari.get("/bridges")).json:
            await self.ari.delete(f"/bridges/{bridge['id']}")
        for recording in (await self.ari.get("/recordings/stored")).json:
            name = quote(recording["name"], safe="")
            await self.ari.delete(f"/recordings/stored/{name}")
        await super().close()
        await self.until(self._has_forgotten_the_application)

    async def _has_forgotten_the_application(self) -> bool:
        """Have it forgotten.

        Where the last that an application heard of ended at the same time as its
        websocket, Asterisk keeps it until the next websocket of it is closed.
        """
        if await self.has_no_application():
            return True
        await (await self.listen()).leave()
        return False

    async def _channels(self) -> list[Mapping[str, str]]:
        channels: list[Mapping[str, str]] = (await self.ari.get("/channels")).json
        return channels

    async def _has_no_channels(self) -> bool:
        return not await self._channels()
