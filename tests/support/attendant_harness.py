"""An attendant on a real or simulated Asterisk, and the sounds that callers hear."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from twisted.logger import ILogObserver, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from channel_aa.ari import Transport
from channel_aa.attendant.call_log import log_call
from channel_aa.menus.menu import default_menu
from channel_aa.menus.sounds import prompt_of
from channel_aa.service import AttendantService
from channel_aa.service.lag import ReactorDelay
from channel_aa.settings import AsteriskSettings, AttendantSettings, Settings
from tests.support.ari_fakes import LogRecorder
from tests.support.waiting import leftover_timers, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.internet.posixbase import PosixReactorBase
    from twisted.logger import LogEvent

    from channel_aa.ari import AriClient
    from real_asterisk.raw_ari import Event, Events
    from tests.support.asterisk_harness import AsteriskHarness, Caller

_ENTERED = re.compile(r" entered ([0-9*#A-D])$")

TIMEOUT = 0.3
"""The menu's ``timeout`` in seconds; short, to test quickly."""

PROMPT = ("press-1", "or", "press-2")
"""The sounds of the default menu's prompt."""


def settings_for(
    url: str,
    *,
    timeout: float = TIMEOUT,
    transport: Transport = Transport.AUTO,
    prompt: tuple[str, ...] = (),
) -> Settings:
    """Configure an attendant with the default menu.

    Args:
        url: the base URL of Asterisk's HTTP server.
        timeout: the menu's ``timeout``, in seconds.
        transport: how requests travel.
        prompt: the sounds to play instead of the default menu's prompt.
    """
    menu = default_menu()
    return Settings(
        asterisk=AsteriskSettings(url=url, transport=transport.value),
        attendant=AttendantSettings(drain_timeout=0),  # stop at once
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


def seed_session_log(channel_name: str) -> list[str]:
    """Return the log lines of the seed's session."""
    return [
        f"Channel {channel_name} has entered the application",
        f"Channel {channel_name} entered 1",
        f"Channel {channel_name} entered 2",
        f"Channel {channel_name} entered 8",
        f"Channel {channel_name} entered an invalid option!",
        f"Channel {channel_name} stopped paying attention...",
        f"{channel_name} has left the application",
    ]


@asynccontextmanager
async def running_service(
    reactor: PosixReactorBase, settings: Settings
) -> AsyncIterator[tuple[AttendantService, LogRecorder]]:
    """Run an attendant for a block of code, with a recorder of the log."""
    log = LogRecorder()
    service = AttendantService(settings, reactor=reactor)
    service.startService()
    try:
        yield service, log
    finally:
        await service.stopService()
        log.stop()


@dataclass(frozen=True)
class HeardSound:
    """A sound that a caller heard.

    Attributes:
        name: the sound.
        started: the timestamp of ``PlaybackStarted``.
        ended: the timestamp of ``PlaybackFinished``; empty while the sound plays.
    """

    name: str
    started: str
    ended: str


class ChannelMonitor:
    """Reads the sounds that a caller hears from the events of all channels.

    Args:
        events: a websocket that gets the events of all channels.
        channel_id: the caller's channel.
    """

    def __init__(self, events: Events, channel_id: str) -> None:
        self.channel_id = channel_id
        self._events = events
        self._target = f"channel:{channel_id}"
        self._checked = 0

    @property
    def sounds(self) -> list[HeardSound]:
        """The sounds so far, in order."""
        ends = {
            event.json["playback"]["id"]: event
            for event in self._playback_events("PlaybackFinished")
        }
        heard = []
        for event in self._playback_events("PlaybackStarted"):
            end = ends.get(event.json["playback"]["id"])
            heard.append(
                HeardSound(
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
        """Wait for the next sounds, and check their names."""
        end = self._checked + len(names)
        await self._events.wait_for(lambda _: len(self.heard) >= end)
        assert self.heard[self._checked : end] == list(names)
        self._checked = end

    def assert_no_overlap(self) -> None:
        """Check that each sound had ended before the next one started."""
        for earlier, later in pairwise(self.sounds):
            assert earlier.ended, f"{earlier.name} did not end before {later.name}"
            assert earlier.ended <= later.started, f"{later.name} over {earlier.name}"

    def _playback_events(self, kind: str) -> list[Event]:
        return [
            event
            for event in self._events.all
            if event.type == kind
            and event.json["playback"]["target_uri"] == self._target
        ]


@implementer(ILogObserver)
class AttendantHarness:
    """An attendant in this process, on an Asterisk; observes the log.

    Attributes:
        backend: the Asterisk.
        service: the attendant's service.
        events: a websocket that gets the events of all channels.
        call_log: the lines that the attendant has logged, without those of `ends`.
        ends: the lines that say how calls have ended.
        connection_log: the lines that the client has logged.
        warnings: the warnings and errors, except those about reactor delays.
    """

    def __init__(
        self, backend: AsteriskHarness, service: AttendantService, events: Events
    ) -> None:
        self.backend = backend
        self.service = service
        self.events = events
        self.call_log: list[str] = []
        self.ends: list[str] = []
        self.connection_log: list[str] = []
        self.warnings: list[str] = []
        globalLogPublisher.addObserver(self)

    @classmethod
    async def open(
        cls,
        backend: AsteriskHarness,
        *,
        transport: Transport,
        prompt: tuple[str, ...] = (),
        settings: Settings | None = None,
    ) -> AttendantHarness:
        """Start an attendant, and wait until its requests use the transport.

        Args:
            backend: the Asterisk.
            transport: how requests travel.
            prompt: the sounds to play instead of the default menu's prompt.
            settings: the settings; None: the default menu.
        """
        events = await backend.listen_to_everything()
        settings = settings or settings_for(
            backend.url, transport=transport, prompt=prompt
        )
        service = AttendantService(settings, reactor=backend.reactor)
        harness = cls(backend, service, events)
        service.startService()
        await until(backend.reactor, lambda: service.is_connected, "a connection")
        if transport is not Transport.AUTO:
            requests = harness.client.requests
            await until(
                backend.reactor, lambda: requests.in_use is transport, "the transport"
            )
        return harness

    @classmethod
    async def with_default_menu(
        cls, backend: AsteriskHarness, transport: Transport, **changes: object
    ) -> AttendantHarness:
        """Start an attendant with the default menu, some of its fields changed."""
        settings = settings_for(backend.url, transport=transport)
        menu = settings.menus["main"].replace(**changes)
        settings = settings.replace(menus={"main": menu})
        return await cls.open(backend, transport=transport, settings=settings)

    @property
    def client(self) -> AriClient:
        """The attendant's own client."""
        return self.service.client

    @property
    def keys_entered(self) -> str:
        """The keys that the attendant has logged, in order."""
        matches = [_ENTERED.search(line) for line in self.call_log]
        return "".join(match[1] for match in matches if match)

    async def call(self, extension: str = "1000") -> tuple[Caller, ChannelMonitor]:
        """Place a call, and wait until Asterisk has its channel."""
        caller = await self.backend.place_call(extension)
        entered = await self.events.wait_for(
            lambda event: event.json.get("channel", {}).get("name") == caller.name
        )
        return caller, ChannelMonitor(self.events, entered.json["channel"]["id"])

    async def until_idle(self) -> None:
        """Wait until the attendant has no call left."""
        await until(
            self.backend.reactor,
            lambda: not any(self.service.live.values()),
            "the end of all calls",
        )

    async def go_through_seed_session(self) -> None:
        """Press the keys of the seed's session, and check the sounds and the log."""
        caller, monitor = await self.call()
        await monitor.hears("press-1", "or")
        await caller.press("1")
        await monitor.hears("you-entered", "digits/1", *PROMPT)
        await caller.press("2")
        await monitor.hears("you-entered", "digits/2", "press-1")
        await caller.press("8")
        await monitor.hears("option-is-invalid", *PROMPT)
        await monitor.hears("are-you-still-there", "press-1")
        await caller.hang_up()
        await self.until_idle()
        monitor.assert_no_overlap()
        assert self.call_log == seed_session_log(caller.name)
        assert self.warnings == []

    async def close(self) -> None:
        """Stop the attendant."""
        globalLogPublisher.removeObserver(self)
        await self.service.stopService()
        assert not any(self.service.live.values()), self.service.live
        assert not (timers := leftover_timers(self.backend.reactor)), timers

    def __call__(self, event: LogEvent) -> None:
        namespace = event.get("log_namespace", "")
        line = str(formatEvent(event))
        if namespace == log_call.__module__:
            self.ends.append(line)
        elif namespace.startswith("channel_aa.attendant."):
            self.call_log.append(line)
        elif namespace.startswith("channel_aa.ari."):
            self.connection_log.append(line)
        elif namespace.startswith(ReactorDelay.__module__):
            return
        if namespace.startswith("channel_aa.") and event["log_level"] > LogLevel.info:
            self.warnings.append(line)
