"""The daemon with ``examples/company.conf`` on a real Asterisk, and its calls."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import treq

from channel_aa.ari.outbound import is_outbound
from channel_aa.config import load
from channel_aa.service import AttendantService
from channel_aa.service.status import Status
from real_asterisk.harness import Asterisk, free_port
from tests.support.asterisk_harness import APP, RealAsteriskHarness
from tests.support.attendant_harness import ChannelMonitor
from tests.support.process import DaemonProcess
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation
    from real_asterisk.raw_ari import Event, Events
    from tests.support.asterisk_harness import Caller

COMPANY = Path(__file__).parents[2] / "examples/company.conf"
NUMBER = "+441632960000"

SUBSTITUTIONS: Mapping[str, str] = {
    # With the file's timeouts the tests would take minutes.
    "timeout = 5\n": "timeout = 3\n",
    "ring = 15": "ring = 3",
    'dial = "Local/{digits}@phones"\n': 'dial = "Local/{digits}@phones"\nring = 3\n',
}
"""The lines of the file that the tests replace."""

SOUNDS: Mapping[str, float] = {
    # Long enough to press a key before its end.
    "acme/welcome": 1.2,
    **dict.fromkeys(("acme/main-menu", "acme/sales-menu", "acme/night-menu"), 0.2),
    **dict.fromkeys(("acme/closed", "acme/holiday", "acme/thanks", "goodbye"), 0.2),
    **dict.fromkeys(("please-try-again", "are-you-still-there"), 0.2),
    **dict.fromkeys(("option-is-invalid", "vm-extension", "digits/4"), 0.2),
}
"""The seconds of the company's own sounds, and of Asterisk's that the file plays."""

PHONES: Mapping[str, str] = {
    "410": "answers",
    "411": "busy",
    "412": "rings",
    "413": "congested",
    "414": "hangs-up",
    "415": "answers-later",
    "416": "declines",
    "operator": "answers",
}
"""How the company's phones behave; see ``real_asterisk/extensions.conf``."""

CLOCK_APP = "channel-aa-clock"
"""The application of an attendant with a fixed time; it gets the calls of `NUMBER`."""

_EXTENSIONS = (
    f"{NUMBER},1,Stasis,{CLOCK_APP}",
    "shop,1,Stasis,channel-aa\\,shop",
    # Any number with this prefix; the variable is set with the channel.
    "_outside!,1,Stasis,channel-aa\\,${SAID}",
)
"""The extensions of the attendant besides 1000."""


def shortened(text: str) -> str:
    """Apply `SUBSTITUTIONS` to the company's file."""
    for written, instead in SUBSTITUTIONS.items():
        assert written in text, written
        text = text.replace(written, instead)
    return text


class CompanyHarness:
    """An Asterisk with the company's sounds and phones, and the daemon.

    Attributes:
        backend: the Asterisk.
        events: a websocket that gets the events of all channels.
        file: the daemon's configuration file.
        daemon: the daemon.
    """

    backend: RealAsteriskHarness
    events: Events
    daemon: DaemonProcess

    def __init__(
        self, reactor: PosixReactorBase, asterisk: Asterisk, folder: Path
    ) -> None:
        self.reactor = reactor
        self.asterisk = asterisk
        self.file = folder / "company.conf"
        self._status_port = free_port()
        self.write_file()

    @classmethod
    @asynccontextmanager
    async def running(
        cls, reactor: PosixReactorBase, installation: Installation
    ) -> AsyncIterator[CompanyHarness]:
        """Run Asterisk and ``twistd -n channel-aa`` for a block of code."""
        with TemporaryDirectory(prefix="channel-aa-company-") as folder:
            async with Asterisk.running(
                reactor, sounds=SOUNDS, installation=installation
            ) as asterisk:
                for extension in _EXTENSIONS:
                    await asterisk.cli(
                        f"dialplan add extension {extension} into default"
                    )
                harness = cls(reactor, asterisk, Path(folder))
                harness.backend = await RealAsteriskHarness.open(reactor, asterisk)
                harness.events = await harness.backend.listen_to_everything()
                async with harness._running_daemon():
                    yield harness
                await harness.backend.close()

    @asynccontextmanager
    async def attended_at(self, moment: datetime) -> AsyncIterator[None]:
        """Serve the calls of `NUMBER` for a block of code, at a fixed time.

        The attendant runs in this process.
        """
        settings = load(self.file, overrides={"app": CLOCK_APP})
        service = AttendantService(settings, reactor=self.reactor, now=lambda: moment)
        service.startService()
        try:
            await until(self.reactor, lambda: service.is_connected, "a connection")
            yield
            assert not any(service.live.values()), service.live
        finally:
            await service.stopService()

    def write_file(self, change: Callable[[str], str] = shortened) -> None:
        """Write the company's file for the tests' Asterisk, after a change."""
        listen = f"tcp:{self._status_port}:interface=127.0.0.1"
        self.file.write_text(
            f"{change(COMPANY.read_text('utf-8'))}\n"
            f'[asterisk]\nurl = "{self.asterisk.url}"\n'
            f'[status]\nlisten = "{listen}"\n',
            "utf-8",
        )

    async def reload(self, text: str = "Reloaded the configuration") -> None:
        """Make the daemon reload its file, and wait until it logs a text."""
        before = len(self.daemon.lines)
        self.daemon.send_signal("HUP")
        await until(
            self.reactor,
            lambda: any(text in line for line in self.daemon.lines[before:]),
            text,
        )

    async def set_phone(self, name: str, behaviour: str = "") -> None:
        """Change a phone's behaviour; without a behaviour, to that in `PHONES`."""
        behaviour = behaviour or PHONES[name]
        application = "Answer" if behaviour == name else f"Goto,{behaviour}\\,1"
        await self.asterisk.cli(
            f"dialplan add extension {name},1,{application} into phones replace"
        )

    async def call(
        self, extension: str = "1000", **query: object
    ) -> tuple[Caller, ChannelMonitor]:
        """Place a call; ``query`` is for `RealAsteriskHarness.place_call`."""
        caller = await self.backend.place_call(extension, **query)
        entered = await self.event("ChannelCreated", channel=caller.name)
        return caller, ChannelMonitor(self.events, entered.json["channel"]["id"])

    async def event(self, kind: str, *, channel: str = "", **fields: object) -> Event:
        """Wait for an event.

        Args:
            kind: its type.
            channel: the name of its channel; empty: any.
            fields: fields of its JSON, and their values.
        """

        def matches(event: Event) -> bool:
            json = event.json
            return (
                event.type == kind
                and (not channel or json["channel"]["name"] == channel)
                and all(json.get(name) == value for name, value in fields.items())
            )

        return await self.events.wait_for(matches)

    async def recording(self, kind: str, target: str) -> Mapping[str, Any]:
        """Wait for an event about a recording, and return the recording's JSON."""
        event = await self.events.wait_for(
            lambda it: it.type == kind and it.json["recording"]["target_uri"] == target
        )
        recording: Mapping[str, Any] = event.json["recording"]
        return recording

    async def phones(self) -> list[Mapping[str, Any]]:
        """List the channels of the phones that the daemon has dialled."""
        channels = (await self.backend.ari.get("/channels")).json
        return [each for each in channels if is_outbound(each["id"])]

    async def status(self) -> Status:
        """Get the daemon's status."""
        url = f"http://127.0.0.1:{self._status_port}/"
        reactor: Any = self.reactor  # treq has a type of its own for it
        response = await treq.get(url, reactor=reactor, persistent=False)
        return msgspec.json.decode(await treq.content(response), type=Status)

    async def delete_recordings(self) -> list[str]:
        """Delete the stored recordings, and return their names."""
        ari = self.backend.ari
        names = [each["name"] for each in (await ari.get("/recordings/stored")).json]
        for name in names:
            await ari.delete(f"/recordings/stored/{quote(name, safe='')}")
        return names

    async def hang_up_all(self) -> None:
        """Hang up all channels."""
        for channel in (await self.backend.ari.get("/channels")).json:
            await self.backend.ari.delete(f"/channels/{channel['id']}")

    async def until_nothing_left(self) -> None:
        """Wait until nothing is left of any call, in Asterisk and in the daemon."""
        await until(self.reactor, self._is_idle, "the end of all calls")
        for resource in ("Playback", "Recording"):
            await until(
                self.reactor,
                lambda resource=resource: not self._unfinished(resource),  # type: ignore[misc] # mypy cannot infer it
                f"the end of each {resource.lower()}",
            )
        await until(self.reactor, self._shows_no_channels, "no active channels")

    def _unfinished(self, resource: str) -> set[str]:
        """Return the playbacks or recordings that have started, and not finished."""
        key = resource.lower()
        started, finished = (
            {
                event.json[key].get("id") or event.json[key]["name"]
                for event in self.events.all
                if event.type in {f"{resource}{suffix}" for suffix in suffixes}
            }
            for suffixes in (("Started",), ("Finished", "Failed"))
        )
        return started - finished

    async def _shows_no_channels(self) -> bool:
        shown = await self.asterisk.cli("core show channels")
        return "\n0 active channels" in shown

    async def _is_idle(self) -> bool:
        for path in ("/channels", "/bridges", "/recordings/stored"):
            if (await self.backend.ari.get(path)).json:
                return False
        served = (await self.backend.ari.get(f"/applications/{APP}")).json
        if served["channel_ids"] or served["bridge_ids"]:
            return False
        status = await self.status()
        return not status.calls.now and not status.requests.pending

    @asynccontextmanager
    async def _running_daemon(self) -> AsyncIterator[None]:
        """Run the daemon for a block of code."""
        self.daemon = DaemonProcess.start(self.reactor, "-c", str(self.file))
        try:
            await self.daemon.prints("Connected to")
            yield
        finally:
            await self.daemon.stop()
            # pytest shows it if a test fails.
            sys.stdout.write("\n".join(["The daemon:", *self.daemon.lines, ""]))
        assert self.daemon.fault_lines == []
