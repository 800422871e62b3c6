"""The company of ``examples/company.conf`` on a real Asterisk, and its callers."""

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
from tests.support.attendant_harness import Witness, until
from tests.support.fault_daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation
    from tests.support.asterisk_harness import Caller
    from tests.support.raw_ari import Event, Events

COMPANY = Path(__file__).parents[2] / "examples/company.conf"
NUMBER = "+441632960000"

SUBSTITUTIONS: Mapping[str, str] = {
    # Silence, and phones that nobody answers, would take minutes in all.
    "timeout = 5\n": "timeout = 3\n",
    "ring = 15": "ring = 3",
    'dial = "Local/{digits}@phones"\n': 'dial = "Local/{digits}@phones"\nring = 3\n',
}
"""What the tests have otherwise than the file, and why; nothing else differs."""

SOUNDS: Mapping[str, float] = {
    # Long enough to press a key before its end.
    "acme/welcome": 1.2,
    **dict.fromkeys(("acme/main-menu", "acme/sales-menu", "acme/night-menu"), 0.2),
    **dict.fromkeys(("acme/closed", "acme/holiday", "acme/thanks", "goodbye"), 0.2),
    **dict.fromkeys(("please-try-again", "are-you-still-there"), 0.2),
    **dict.fromkeys(("option-is-invalid", "vm-extension", "digits/4"), 0.2),
}
"""The company's own recordings, and what the file plays of Asterisk's."""

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
"""How the company's phones behave in ``real_asterisk/extensions.conf``."""

CLOCK_APP = "channel-aa-clock"
"""The application of an attendant whose time a test tells, which has the number."""

_EXTENSIONS = (
    f"{NUMBER},1,Stasis,{CLOCK_APP}",
    "shop,1,Stasis,channel-aa\\,shop",
    # Whatever somebody dials that begins so, and whatever a trunk says of it.
    "_outside!,1,Stasis,channel-aa\\,${SAID}",
)
"""Where else than at 1000 the attendant is called."""


def shortened(text: str) -> str:
    """Make the `SUBSTITUTIONS` in the company's file."""
    for written, instead in SUBSTITUTIONS.items():
        assert written in text, written
        text = text.replace(written, instead)
    return text


class CompanyHarness:
    """An Asterisk with the company's sounds and phones, and who watches it.

    Attributes:
        stage: where callers call.
        events: hears of everything.
        file: the company's file.
        daemon: the attendant.
    """

    stage: RealAsteriskHarness
    events: Events
    daemon: Daemon

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
        """Start Asterisk and ``twistd -n channel-aa``, for a block of code."""
        with TemporaryDirectory(prefix="channel-aa-company-") as folder:
            async with Asterisk.running(
                reactor, sounds=SOUNDS, installation=installation
            ) as asterisk:
                for extension in _EXTENSIONS:
                    await asterisk.cli(
                        f"dialplan add extension {extension} into default"
                    )
                premises = cls(reactor, asterisk, Path(folder))
                premises.stage = await RealAsteriskHarness.open(reactor, asterisk)
                premises.events = await premises.stage.listen(
                    "onlooker", subscribeAll="true"
                )
                async with premises._attended():
                    yield premises
                await premises.stage.close()

    @asynccontextmanager
    async def attended_at(self, moment: datetime) -> AsyncIterator[None]:
        """Attend to the calls of `NUMBER` for a block of code, as if it were then.

        The attendant is one in this process.
        """
        settings = load(self.file, overrides={"app": CLOCK_APP})
        service = AttendantService(settings, reactor=self.reactor, now=lambda: moment)
        service.startService()
        try:
            await until(lambda: service.is_connected, self.reactor, "a connection")
            yield
            assert not any(service.live.values()), service.live
        finally:
            await service.stopService()

    def write_file(self, change: Callable[[str], str] = shortened) -> None:
        """Write the company's file, with the tests' Asterisk, changed in some way."""
        listen = f"tcp:{self._status_port}:interface=127.0.0.1"
        self.file.write_text(
            f"{change(COMPANY.read_text('utf-8'))}\n"
            f'[asterisk]\nurl = "{self.asterisk.url}"\n'
            f'[status]\nlisten = "{listen}"\n',
            "utf-8",
        )

    async def reload(self, says: str = "The configuration was loaded") -> None:
        """Have the daemon read its file again, and wait until it says something."""
        before = len(self.daemon.lines)
        self.daemon.signal("HUP")
        await until(
            lambda: any(says in line for line in self.daemon.lines[before:]),
            self.reactor,
            says,
        )

    async def set_phone(self, name: str, behaviour: str = "") -> None:
        """Have a phone behave otherwise; without a word, as in the beginning."""
        behaves = behaviour or PHONES[name]
        place = "Answer" if behaves == name else f"Goto,{behaves}\\,1"
        await self.asterisk.cli(
            f"dialplan add extension {name},1,{place} into phones replace"
        )

    async def call(
        self, extension: str = "1000", **asked: object
    ) -> tuple[Caller, Witness]:
        """Let somebody call, and give what is heard of it."""
        caller = await self.stage.place_call(extension, **asked)
        entered = await self.event("ChannelCreated", channel=caller.name)
        return caller, Witness(self.events, entered.json["channel"]["id"])

    async def event(self, kind: str, *, channel: str = "", **fields: object) -> Event:
        """Wait for an event, of a channel of this name where one is named."""

        def is_it(event: Event) -> bool:
            told = event.json
            return (
                event.type == kind
                and (not channel or told["channel"]["name"] == channel)
                and all(told.get(name) == value for name, value in fields.items())
            )

        return await self.events.wait_for(is_it)

    async def recording(self, kind: str, target: str) -> Mapping[str, Any]:
        """Wait for an event of a caller's recording, and give what it says of it."""
        event = await self.events.wait_for(
            lambda it: it.type == kind and it.json["recording"]["target_uri"] == target
        )
        told: Mapping[str, Any] = event.json["recording"]
        return told

    async def phones(self) -> list[Mapping[str, Any]]:
        """List the channels of the phones that the attendant has dialled."""
        channels = (await self.stage.ari.get("/channels")).json
        return [each for each in channels if is_outbound(each["id"])]

    async def status(self) -> Status:
        """Ask the daemon how it is."""
        url = f"http://127.0.0.1:{self._status_port}/"
        reactor: Any = self.reactor  # treq has a type of its own for it
        response = await treq.get(url, reactor=reactor, persistent=False)
        return msgspec.json.decode(await treq.content(response), type=Status)

    async def take_recordings(self) -> list[str]:
        """Delete what was recorded, and give the names."""
        ari = self.stage.ari
        names = [each["name"] for each in (await ari.get("/recordings/stored")).json]
        for name in names:
            await ari.delete(f"/recordings/stored/{quote(name, safe='')}")
        return names

    async def hang_up_everybody(self) -> None:
        """Hang up every channel that is left."""
        for channel in (await self.stage.ari.get("/channels")).json:
            await self.stage.ari.delete(f"/channels/{channel['id']}")

    async def have_nothing_left(self) -> None:
        """Wait until nothing is left of any call: nobody calls, and all has ended."""
        await self.stage.until(self._are_bare)
        for what in ("Playback", "Recording"):
            await until(
                lambda what=what: not self._under_way(what),  # type: ignore[misc] # mypy cannot infer it
                self.reactor,
                f"the end of each {what.lower()}",
            )
        await self.stage.until(self._shows_no_channels)

    def _under_way(self, what: str) -> set[str]:
        """Tell which playbacks or recordings have begun, and not ended."""
        key = what.lower()
        begun, over = (
            {
                event.json[key].get("id") or event.json[key]["name"]
                for event in self.events.all
                if event.type in {f"{what}{end}" for end in ends}
            }
            for ends in (("Started",), ("Finished", "Failed"))
        )
        return begun - over

    async def _shows_no_channels(self) -> bool:
        shown = await self.asterisk.cli("core show channels")
        return "\n0 active channels" in shown

    async def _are_bare(self) -> bool:
        for place in ("channels", "bridges", "recordings/stored"):
            if (await self.stage.ari.get(f"/{place}")).json:
                return False
        served = (await self.stage.ari.get(f"/applications/{APP}")).json
        if served["channel_ids"] or served["bridge_ids"]:
            return False
        status = await self.status()
        return not status.calls.now and not status.requests.pending

    @asynccontextmanager
    async def _attended(self) -> AsyncIterator[None]:
        """Run the daemon for a block of code."""
        self.daemon = Daemon.start(self.reactor, self.file)
        try:
            await self.daemon.prints("Connected to")
            yield
        finally:
            await self.daemon.stop()
            # Shown where a test fails.
            sys.stdout.write("\n".join(["The daemon:", *self.daemon.lines, ""]))
        assert self.daemon.complaints == []
