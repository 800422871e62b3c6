"""An attendant on a real Asterisk with SIP phones, behind a proxy."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from channel_aa.ari import Transport
from channel_aa.settings import Settings
from real_asterisk.phones.tones import ASTERISK
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import AttendantHarness
from tests.support.proxy import Proxy
from tests.support.waiting import until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.harness import Asterisk
    from real_asterisk.phones.call import Call
    from real_asterisk.phones.phone import SipPhone


class PhonesHarness:
    """An attendant for the calls of SIP phones; made by `open`, ended by `close`.

    Attributes:
        attendant: the attendant.
        proxy: the attendant reaches Asterisk through it.
    """

    def __init__(self, attendant: AttendantHarness, proxy: Proxy) -> None:
        self.attendant = attendant
        self.proxy = proxy
        self._backend = attendant.backend

    @classmethod
    async def open(
        cls, reactor: PosixReactorBase, asterisk: Asterisk, settings: str
    ) -> PhonesHarness:
        """Start an attendant, and wait until it is connected.

        Args:
            reactor: the reactor that the test runs on.
            asterisk: the Asterisk.
            settings: the configuration, in TOML, without ``[asterisk]``.
        """
        backend = await RealAsteriskHarness.open(reactor, asterisk)
        proxy = Proxy(reactor, asterisk.port)
        document = {**tomllib.loads(settings), "asterisk": {"url": proxy.url}}
        attendant = await AttendantHarness.open(
            backend, transport=Transport.AUTO, settings=Settings(**document)
        )
        return cls(attendant, proxy)

    async def close(self) -> None:
        """Stop the attendant."""
        await self.attendant.close()
        await self._backend.close()
        await self.proxy.close()

    @property
    def warnings(self) -> list[str]:
        """The warnings and errors of the log, except those about reactor delays."""
        return self.attendant.warnings

    async def choose(
        self,
        caller: SipPhone,
        key: str,
        **who: Any,  # noqa: ANN401 - those of SipPhone.dial
    ) -> Call:
        """Let a phone call the attendant, and press a key when it hears the menu.

        Args:
            caller: the phone.
            key: the key.
            who: what the phone tells of its caller: arguments of `SipPhone.dial`.
        """
        placed = caller.dial("1000", **who)
        await caller.until_hears(ASTERISK)
        await placed.press(key)
        return placed

    async def channel_name(self, phone: str) -> str:
        """Return the name of the only channel of a phone: ``PJSIP/bob-00000001``."""
        channels = (await self._backend.ari.get("/channels")).json
        [name] = [
            each["name"]
            for each in channels
            if each["name"].startswith(f"PJSIP/{phone}-")
        ]
        return str(name)

    async def until_entered(self, phone: str) -> None:
        """Wait until a channel of a phone is in an application."""

        async def has_entered() -> bool:
            return any(
                each["name"].startswith(f"PJSIP/{phone}-")
                and each["dialplan"]["app_name"] == "Stasis"
                for each in (await self._backend.ari.get("/channels")).json
            )

        await until(self._backend.reactor, has_entered, f"{phone} in the application")

    async def until_played(self, sound: str, *, times: int) -> None:
        """Wait until a sound has started so many times, for whichever channel.

        Music on hold sounds like a prompt to a phone. Only a prompt tells that the
        attendant has a transferred caller: Asterisk drops keys before.
        """
        events = self.attendant.events
        media = f"sound:{sound}"

        def started() -> int:
            return sum(
                event.type == "PlaybackStarted"
                and event.json["playback"]["media_uri"] == media
                for event in events.all
            )

        await events.wait_for(lambda _: started() >= times)

    async def until_recorded(self, name: str) -> None:
        """Wait until a recording of this name has begun."""
        await self.attendant.events.wait_for(
            lambda event: (
                event.type == "RecordingStarted"
                and event.json["recording"]["name"] == name
            )
        )

    async def until_nothing_left(self) -> None:
        """Wait until neither the attendant nor Asterisk has a call or a bridge."""

        async def is_empty() -> bool:
            left = [(await self._backend.ari.get(f"/{kind}")).json for kind in kinds]
            return not any(left)

        kinds = ("channels", "bridges")
        await self.attendant.until_idle()
        await until(self._backend.reactor, is_empty, "no channel and no bridge left")

    async def lose_connection(self) -> None:
        """Cut the connection, lose what was sent on it, and wait for the next one."""
        before = len(self.proxy.opened)
        self.proxy.cut()
        self.proxy.heal()
        await self.proxy.opens(before)
        await self.until_reconciled()

    async def restart(self) -> None:
        """Stop the attendant, and let its next run adopt the calls."""
        await self.attendant.service.stopService()
        self.attendant.service.startService()
        await self.until_reconciled()

    async def until_reconciled(self) -> None:
        """Wait until the attendant has compared its calls with Asterisk's."""
        service, client = self.attendant.service, self.attendant.client
        await until(
            self._backend.reactor,
            lambda: service.is_connected and not client.reconciler.is_running,
            "a reconciliation",
        )
