"""An attendant on an Asterisk, and what an onlooker sees of its calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from channel_aa.ari import Transport
from channel_aa.ari.reconcile import Reconciler
from channel_aa.config import AsteriskSettings, AttendantSettings, Settings
from channel_aa.menus.menu import default_menu
from channel_aa.menus.sounds import prompt_of
from channel_aa.service import AttendantService
from channel_aa.service.lag import ReactorDelay
from tests.support.raw_ari import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.base import DelayedCall
    from twisted.internet.posixbase import PosixReactorBase
    from twisted.logger import LogEvent

    from channel_aa.ari import AriClient
    from tests.support.asterisk_harness import AsteriskHarness, Caller
    from tests.support.raw_ari import Event, Events

_ENTERED = re.compile(r" entered ([0-9*#A-D])$")

_OURS = ("channel_aa.ari", "channel_aa.attendant", "twisted.internet.defer")

SILENCE = 0.3
"""Seconds of silence after which the attendant asks; short, to test quickly."""


def settings_for(
    url: str,
    *,
    timeout: float = SILENCE,
    transport: Transport = Transport.AUTO,
    prompt: tuple[str, ...] = (),
) -> Settings:
    """Configure an attendant for an Asterisk, with the default menu.

    Args:
        url: where Asterisk's web server is.
        timeout: seconds of silence until it asks.
        transport: which way requests are to take.
        prompt: what it plays instead of the default menu's prompt.
    """
    menu = default_menu()
    return Settings(
        asterisk=AsteriskSettings(url=url, transport=transport.value),
        attendant=AttendantSettings(drain_timeout=0),  # a test waits for no caller
        menus={
            "main": type(menu)(
                prompt=prompt_of(*prompt) or menu.prompt,
                timeout=timeout,
                noinput=menu.noinput,
                nomatch=menu.nomatch,
                options=menu.options,
            )
        },
    )


async def until(
    is_so: Callable[[], bool], reactor: PosixReactorBase, what: str
) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it was not within `SECONDS`.
    """
    deadline = reactor.seconds() + SECONDS
    while not is_so():
        assert reactor.seconds() < deadline, f"waited in vain: {what}"
        await deferLater(reactor, 0.005)


def timers_of_ours(reactor: PosixReactorBase) -> list[str]:
    """List the timers that calls, playbacks and requests have left."""
    calls = [cast("DelayedCall", timer) for timer in reactor.getDelayedCalls()]
    return [
        str(call)
        for call in calls
        if call.func.__module__.startswith(_OURS)
        and call.func.__qualname__ != Reconciler.audit.__qualname__
    ]


@dataclass(frozen=True)
class Sound:
    """A sound that a caller heard; the times are Asterisk's."""

    name: str
    started: str
    ended: str
    """Empty while it is heard."""


class Witness:
    """Reads Asterisk's events about one channel."""

    def __init__(self, events: Events, channel_id: str) -> None:
        self.channel_id = channel_id
        self._events = events
        self._target = f"channel:{channel_id}"
        self._checked = 0

    @property
    def sounds(self) -> list[Sound]:
        """What was heard so far, in order."""
        ends = {
            event.json["playback"]["id"]: event
            for event in self._about_sounds("PlaybackFinished")
        }
        heard = []
        for event in self._about_sounds("PlaybackStarted"):
            end = ends.get(event.json["playback"]["id"])
            heard.append(
                Sound(
                    name=event.json["playback"]["media_uri"].removeprefix("sound:"),
                    started=event.json["timestamp"],
                    ended=end.json["timestamp"] if end else "",
                )
            )
        return heard

    @property
    def heard(self) -> list[str]:
        """The names of the sounds so far."""
        return [sound.name for sound in self.sounds]

    async def hears(self, *names: str) -> None:
        """Wait until so many more sounds have started, and check which they are."""
        upto = self._checked + len(names)
        await self._events.wait_for(lambda _: len(self.heard) >= upto)
        assert self.heard[self._checked : upto] == list(names)
        self._checked = upto

    def _about_sounds(self, kind: str) -> list[Event]:
        return [
            event
            for event in self._events.all
            if event.type == kind
            and event.json["playback"]["target_uri"] == self._target
        ]


@implementer(ILogObserver)
class AttendantHarness:
    """An attendant that serves an Asterisk, until it is closed."""

    def __init__(
        self, stage: AsteriskHarness, service: AttendantService, events: Events
    ) -> None:
        self.stage = stage
        self.service = service
        self.events = events
        self.log: list[str] = []
        """What was logged of the calls."""
        self.announcements: list[str] = []
        """What was logged of the connection."""
        self.complaints: list[str] = []
        """What was logged as a warning or an error, but that the machine is busy."""
        globalLogPublisher.addObserver(self)

    @classmethod
    async def open(
        cls,
        stage: AsteriskHarness,
        *,
        transport: Transport,
        prompt: tuple[str, ...] = (),
        settings: Settings | None = None,
    ) -> AttendantHarness:
        """Start an attendant and an onlooker.

        Args:
            stage: the Asterisk.
            transport: which way requests are to take. They do when this is done,
                but for ``AUTO``.
            prompt: what it plays instead of the default menu's prompt.
            settings: what else than the default menu it offers.
        """
        events = await stage.ari.listen("onlooker", subscribeAll="true")
        settings = settings or settings_for(
            stage.url, transport=transport, prompt=prompt
        )
        service = AttendantService(settings, reactor=stage.reactor)
        scene = cls(stage, service, events)
        service.startService()
        await until(lambda: service.is_connected, stage.reactor, "a connection")
        if transport is not Transport.AUTO:
            requests = scene.client.requests
            await until(lambda: requests.in_use is transport, stage.reactor, "the way")
        return scene

    @property
    def client(self) -> AriClient:
        """The attendant's own client."""
        return self.service._client

    @property
    def keys_entered(self) -> str:
        """The keys that the attendant has logged, in order."""
        matches = [_ENTERED.search(line) for line in self.log]
        return "".join(match[1] for match in matches if match)

    async def call(self, extension: str = "1000") -> tuple[Caller, Witness]:
        """Let somebody call, and wait until the call is in the application."""
        caller = await self.stage.place_call(extension)
        entered = await self.events.wait_for(
            lambda event: event.json.get("channel", {}).get("name") == caller.name
        )
        return caller, Witness(self.events, entered.json["channel"]["id"])

    async def is_idle(self) -> None:
        """Wait until no call is left, anywhere."""
        await until(
            lambda: not any(self.service.live.values()),
            self.stage.reactor,
            "the end of all calls",
        )

    async def close(self) -> None:
        """Stop the attendant."""
        globalLogPublisher.removeObserver(self)
        await self.service.stopService()
        assert not any(self.service.live.values()), self.service.live
        assert not (timers := timers_of_ours(self.stage.reactor)), timers

    def __call__(self, event: LogEvent) -> None:
        namespace = event.get("log_namespace", "")
        line = str(formatEvent(event))
        if namespace.startswith("channel_aa.attendant."):
            self.log.append(line)
        elif namespace.startswith("channel_aa.ari."):
            self.announcements.append(line)
        elif namespace.startswith(ReactorDelay.__module__):
            return
        if namespace.startswith("channel_aa.") and event["log_level"] > LogLevel.info:
            self.complaints.append(line)
