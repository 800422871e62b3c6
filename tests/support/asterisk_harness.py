"""A real or a simulated Asterisk for a test, and its callers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from channel_aa.simulator import Simulator
from real_asterisk.callers import CALLERS_APP, LocalCaller
from real_asterisk.raw_ari import Ari
from real_asterisk.sounds import LONG, PRESS_1, SOUNDS
from tests.support.waiting import nothing_left, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.simulator import PhoneBehaviour, SimulatedCaller
    from real_asterisk.harness import Asterisk
    from real_asterisk.raw_ari import Events

APP = "channel-aa"

PHONES: Mapping[str, PhoneBehaviour | str] = {
    "Local/answers@phones": "answers",
    "Local/answers-later@phones": "answers 1",
    "Local/hangs-up@phones": "answers 0 hangs-up 1",
    "Local/presses-keys@phones": "answers press 12#",
    "Local/rings@phones": "rings",
    "Local/silent@phones": "silent",
    "Local/busy@phones": "busy",
    "Local/congested@phones": "congested",
    "Local/declines@phones": "declines 0.2",
    "Local/announces@phones": "announces 1",
    "PJSIP/410": "unreachable",
}
"""The telephones of ``real_asterisk/extensions.conf``, as the simulator has them."""

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "1000": (),
    "1001": ("one", "two"),
    "7410": ("410",),
}
"""The arguments that the dialplan passes to the application, by extension."""


class Caller(Protocol):
    """A caller: the telephone's side of a call."""

    @property
    def name(self) -> str:
        """The name of the channel that enters the application."""

    async def press(self, key: str) -> None:
        """Press a key, once the call is answered."""

    async def speak(self) -> None:
        """Say a word, once the call is answered; return when it is said."""

    async def keep_talking(self) -> None:
        """Begin to talk for some seconds."""

    async def keep_quiet(self) -> None:
        """Begin some seconds of silence."""

    async def hang_up(self) -> None:
        """Hang up, answered or not."""


@dataclass(frozen=True)
class StasisCall:
    """A call in the application."""

    id: str
    caller: Caller
    start: Mapping[str, Any]
    """Its ``StasisStart`` event."""


async def stasis_status(events: Events, channel_name: str) -> str:
    """Wait for the ``STASISSTATUS`` of a call: only then it has left Stasis."""
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
        reactor: the reactor that the test runs on.
        url: the base URL of Asterisk's HTTP server.
    """

    username = "asterisk"
    password = "asterisk"
    sounds = SOUNDS
    """The seconds that each sound lasts, by its name; Asterisk has no others."""

    def __init__(self, reactor: PosixReactorBase, url: str) -> None:
        self.reactor = reactor
        self.url = url
        self.ari = self.user(self.username, self.password)

    @abstractmethod
    async def place_call(self, extension: str) -> Caller:
        """Call an extension."""

    async def close(self) -> None:
        """Hang up all channels, and close all websockets."""
        await self.ari.close()

    async def listen(self, app: str = APP, **query: object) -> Events:
        """Open the events websocket of an application."""
        return await self.ari.listen(app, **query)

    async def listen_to_everything(self) -> Events:
        """Open a websocket that gets the events of all channels."""
        return await self.listen("monitor", subscribeAll="true")

    async def has_no_application(self) -> bool:
        """Say whether Asterisk does not know the application."""
        return (await self.ari.get(f"/applications/{APP}")).status == 404

    def user(self, username: str, password: str) -> Ari:
        """Make a client of the REST interface with other credentials."""
        return Ari(self.reactor, self.url, username=username, password=password)

    async def ring(self, phone: str, channel_id: str, **query: object) -> None:
        """Dial one of the `PHONES` for the application.

        Args:
            phone: its name: ``answers``.
            channel_id: the id for its channel.
            query: further parameters of ``POST /channels``.
        """
        query = {"endpoint": f"Local/{phone}@phones", "app": APP, **query}
        if "originator" not in query:
            query["formats"] = "ulaw"
        dialled = await self.ari.post(f"/channels/{channel_id}", **query)
        assert dialled.status == 200, dialled.json

    async def call(
        self, events: Events, *, extension: str = "1000", answer: bool = True
    ) -> StasisCall:
        """Place a call, and wait until it is in the application.

        Args:
            events: the application's websocket.
            extension: the extension to dial.
            answer: whether to answer the call.
        """
        caller = await self.place_call(extension)
        start = await events.wait_for(
            lambda it: (
                it.type == "StasisStart" and it.json["channel"]["name"] == caller.name
            )
        )
        call = StasisCall(start.json["channel"]["id"], caller, start.json)
        if answer:
            answered = await self.ari.post(f"/channels/{call.id}/answer")
            assert answered.status == 204
        return call


@dataclass(frozen=True)
class _SimulatorCaller:
    caller: SimulatedCaller

    @property
    def name(self) -> str:
        return self.caller.name

    async def press(self, key: str) -> None:
        self.caller.press(key)

    async def speak(self) -> None:
        await self.caller.run(f"speak {SOUNDS[PRESS_1]}")

    async def keep_talking(self) -> None:
        self.caller.speak(SOUNDS[LONG])

    async def keep_quiet(self) -> None:
        pass

    async def hang_up(self) -> None:
        self.caller.hang_up()


class SimulatorHarness(AsteriskHarness):
    """A simulated Asterisk."""

    def __init__(self, reactor: PosixReactorBase, simulator: Simulator) -> None:
        super().__init__(reactor, simulator.url)
        self.simulator = simulator

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
        """Call an extension."""
        caller = self.simulator.call(
            extension=extension,
            app=APP,
            args=ARGUMENTS[extension],
            dialplan_seconds=1.0,
        )
        return _SimulatorCaller(caller)

    async def close(self) -> None:
        """Stop the simulator."""
        await super().close()
        await self.simulator.stop()


@asynccontextmanager
async def running_simulator(
    reactor: PosixReactorBase,
    **options: Any,  # noqa: ANN401 - those of Simulator
) -> AsyncIterator[Simulator]:
    """Run a simulator for a block of code; then nothing may be left of it."""
    simulator = Simulator(reactor=reactor, **options)
    async with nothing_left(reactor):
        await simulator.start()
        try:
            yield simulator
        finally:
            await simulator.stop()
    assert simulator.open_connections == 0
    assert simulator.open_websockets == 0
    assert simulator.live_channels == 0
    assert simulator.live_playbacks == 0


def ari_of(simulator: Simulator, reactor: PosixReactorBase) -> Ari:
    """Make a client of a simulator's REST interface."""
    return Ari(reactor, simulator.url, username="asterisk", password="asterisk")


class RealAsteriskHarness(AsteriskHarness):
    """A real Asterisk."""

    callers_events: Events
    """The websocket of the callers' application."""

    @classmethod
    async def open(
        cls, reactor: PosixReactorBase, asterisk: Asterisk
    ) -> RealAsteriskHarness:
        """Open the websocket of the callers of a running Asterisk."""
        harness = cls(reactor, asterisk.url)
        harness.callers_events = await harness.listen(CALLERS_APP)
        return harness

    async def place_call(self, extension: str, **query: object) -> Caller:
        """Call an extension.

        Args:
            extension: the extension to dial.
            query: further parameters of the caller's channel, such as ``callerId``.
        """
        return await LocalCaller.place_call(
            self.ari, self.callers_events, extension, **query
        )

    async def close(self) -> None:
        """Hang up all channels, and remove bridges, recordings and websockets."""
        for channel in await self._channels():
            await self.ari.delete(f"/channels/{channel['id']}")
        await until(self.reactor, self._has_no_channels, "the end of all channels")
        for bridge in (await self.ari.get("/bridges")).json:
            await self.ari.delete(f"/bridges/{bridge['id']}")
        for recording in (await self.ari.get("/recordings/stored")).json:
            name = quote(recording["name"], safe="")
            await self.ari.delete(f"/recordings/stored/{name}")
        await super().close()
        await until(
            self.reactor, self._remove_application, "the end of the application"
        )

    async def _remove_application(self) -> bool:
        """Say whether Asterisk has forgotten the application; else make it forget.

        Where an application's last channel ends at the same time as its websocket,
        Asterisk keeps the application until its next websocket is closed.
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
