"""The attendant as a service: for twistd, and for any Twisted program."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from channel_aa.ari import TLS, Address, AriClient, Transport
from channel_aa.attendant.attendant import Attendant
from channel_aa.files import exposure
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from typing import Any

    from channel_aa.config import AsteriskSettings, Settings


class AttendantService(Service):
    """Attends to the calls of one Stasis application on one Asterisk.

    Several may run in one process, against the same Asterisk (under different
    application names) or different ones. The service connects when it starts, and
    again whenever the connection is lost. When it stops, the calls in progress go
    on in the dialplan, and its connections are closed.

    Args:
        settings: which Asterisk, and which menus.
        reactor: the reactor to connect and to keep time with.
    """

    _log = Logger()

    def __init__(self, settings: Settings, *, reactor: Any) -> None:  # noqa: ANN401
        self.settings = settings
        asterisk = settings.asterisk
        self._attendant = Attendant(
            settings.flow,
            clock=reactor,
            now=_now,
            max_calls=settings.attendant.max_calls,
        )
        self._client = AriClient(
            address_of(asterisk),
            self._attendant,
            reactor=reactor,
            transport=Transport(asterisk.transport),
        )

    @property
    def is_connected(self) -> bool:
        """Whether Asterisk can hand calls to this service now."""
        return self._client.is_connected

    @property
    def live(self) -> dict[str, int]:
        """How many calls, channels, playbacks and requests are in progress.

        ``queued`` requests are those of the ``requests`` that wait for their turn.
        """
        return {
            "calls": len(self._attendant.calls),
            "channels": len(self._client.channels),
            "playbacks": len(self._client.playbacks),
            "requests": self._client.requests.pending,
            "queued": self._client.requests.queued,
        }

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Start to connect."""
        super().startService()
        for file in self.settings.asterisk.secret_files:
            if danger := exposure(file):
                self._log.warn("{danger}", danger=danger)
        self._attendant.open()
        self._client.startService()

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """Let the calls go on in the dialplan, then close every connection."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._attendant.close()
        await self._client.stopService()


def address_of(asterisk: AsteriskSettings) -> Address:
    """Tell the client where Asterisk is, and whom to be for it."""
    return Address(
        url=asterisk.url,
        username=asterisk.username,
        password=asterisk.password.reveal(),
        app=asterisk.app,
        tls=TLS(
            ca_file=asterisk.ca_file,
            certificate_file=asterisk.certificate_file,
            key_file=asterisk.key_file,
            verify=asterisk.verify,
        ),
    )


def _now() -> datetime:
    return datetime.now(UTC)
