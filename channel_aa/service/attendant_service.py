"""The attendant as a service: for twistd, and for any Twisted program."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from channel_aa import __version__
from channel_aa.ari import TLS, Address, AriClient, Transport
from channel_aa.attendant.attendant import Attendant
from channel_aa.files import exposure
from channel_aa.logs import Logger
from channel_aa.service.lag import ReactorDelay
from channel_aa.service.registration import check_registered
from channel_aa.service.status import (
    AsteriskStatus,
    CallsStatus,
    ConfigurationStatus,
    DelayStatus,
    RequestsStatus,
    Status,
)
from channel_aa.service.status_server import StatusServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from channel_aa.attendant.custom_actions import CustomAction
    from channel_aa.config import AsteriskSettings, Settings

APPLIED_AT_ONCE = frozenset({"exit_when_replaced"})
"""What a reload changes in ``[asterisk]``; the rest is about the connection."""

_NONE: Mapping[str, CustomAction] = MappingProxyType({})


def utc_now() -> datetime:
    """Tell the date and time."""
    return datetime.now(UTC)


class AttendantService(Service):
    """Attends to the calls of one Stasis application on one Asterisk.

    Several may run in one process, against the same Asterisk (under different
    application names) or different ones. The service connects when it starts, and
    again whenever the connection is lost. When it stops, new calls go on in the
    dialplan, those in a menu have ``drain_timeout`` seconds to come to their end and
    then go on there, too, conversations are left standing, and its connections are
    closed.

    Args:
        settings: which Asterisk, and which menus.
        reactor: the reactor to connect and to keep time with.
        actions: what a menu's ``run`` finds by these names: async callables that take
            a `Caller` and give what comes next.
        file: the configuration file that the settings come from, for the status.
        now: tells the date and time, with its time zone: opening hours go by it.
        on_replaced: called when another program has taken the application, and
            ``exit_when_replaced`` says that this one is to end.

    Raises:
        ConfigError: a menu has a ``run`` that is not in `actions`.

    Attributes:
        settings: what holds.
    """

    _log = Logger()

    def __init__(
        self,
        settings: Settings,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTime, IReactorTCP and more at once
        actions: Mapping[str, CustomAction] = _NONE,
        file: str = "",
        now: Callable[[], datetime] = utc_now,
        on_replaced: Callable[[], None] | None = None,
    ) -> None:
        check_registered(settings.flow, actions, file=file)
        self.settings = settings
        self._reactor = reactor
        self._actions = actions
        self._file = file
        self._now = now
        self._on_replaced = on_replaced
        self._loaded = self._started = now()
        self._refused: datetime | None = None
        self._attendant = Attendant(
            settings.flow,
            clock=reactor,
            now=now,
            actions=actions,
            max_calls=settings.attendant.max_calls,
            on_replaced=self._replaced,
        )
        self._client = AriClient(
            address_of(settings.asterisk),
            self._attendant,
            reactor=reactor,
            transport=Transport(settings.asterisk.transport),
        )
        self._delay = ReactorDelay(reactor)
        self._status_server = StatusServer(self.status, reactor=reactor)

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

    def status(self) -> Status:
        """Tell how the service is; no secret is in it."""
        client, attendant = self._client, self._attendant
        replaced = client.is_replaced
        connected = client.is_connected and not replaced
        return Status(
            serving=connected and not attendant.is_closing,
            draining=attendant.is_closing,
            version=__version__,
            started=self._started,
            asterisk=AsteriskStatus(
                url=client.address.base_url,
                application=client.address.app,
                connected=connected,
                since=self._connected_since() if connected else None,
                version=client.asterisk_version,
                replaced=replaced,
            ),
            calls=CallsStatus(
                now=len(attendant.calls),
                conversations=attendant.conversations,
                attended=attendant.attended,
                refused=attendant.refused,
                limit=attendant.max_calls,
            ),
            requests=RequestsStatus(
                pending=client.requests.pending + client.sender.waiting,
                queued=client.requests.queued + client.sender.waiting,
            ),
            reactor_delay=DelayStatus(
                last=round(self._delay.last, 3), worst=round(self._delay.worst, 3)
            ),
            configuration=ConfigurationStatus(
                file=self._file, loaded=self._loaded, refused=self._refused
            ),
        )

    def reload(self, settings: Settings) -> tuple[str, ...]:
        """Let other settings hold; calls in progress keep the menus they began with.

        What is about the connection (``asterisk.url`` and the like) holds from the next
        start on: to connect anew would be to lose sight of the calls meanwhile.

        Returns:
            The settings that differ and need a restart, which the log names, too.

        Raises:
            ConfigError: a menu has a ``run`` that is not registered; nothing has
                changed.
        """
        flow = settings.flow
        check_registered(flow, self._actions, file=self._file)
        later = tuple(_needing_restart(self.settings.asterisk, settings.asterisk))
        at_once = {key: getattr(settings.asterisk, key) for key in APPLIED_AT_ONCE}
        asterisk = self.settings.asterisk.model_copy(update=at_once)
        self.settings = settings.model_copy(update={"asterisk": asterisk})
        self._attendant.flow = flow
        self._attendant.max_calls = settings.attendant.max_calls
        self._loaded, self._refused = self._now(), None
        if self.running:
            self._serve_status()
        self._log.info("The configuration was loaded; new calls follow it")
        if later:
            self._log.warn(
                "Until a restart, the connection to Asterisk keeps what it had for:"
                " {settings}",
                settings=", ".join(later),
            )
        return later

    def refused(self) -> None:
        """Take note, for the status, that a reload found mistakes."""
        self._refused = self._now()

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Start to connect."""
        super().startService()
        self._started = self._now()
        for secret_file in self.settings.asterisk.secret_files:
            if danger := exposure(secret_file):
                self._log.warn("{danger}", danger=danger)
        self._attendant.open()
        self._delay.start()
        self._serve_status()
        self._client.startService()

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """Let the calls come to their end or go on, then close every connection."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        seconds = self.settings.attendant.drain_timeout
        closing = Deferred.fromCoroutine(self._attendant.close(drain_timeout=seconds))
        self._log.info(
            "Stopping: new calls go on in the dialplan from now on; calls that may take"
            " {seconds} s to come to their end: {count}",
            seconds=seconds,
            count=len(self._attendant.calls),
        )
        # Without a connection nothing can be told to Asterisk; until then it may come
        # back.
        giving_up = self._reactor.callLater(seconds, self._client.stop_waiting)
        try:
            await closing
        finally:
            if giving_up.active():
                giving_up.cancel()
        await self._client.stopService()
        await self._status_server.close()
        self._delay.stop()

    def _serve_status(self) -> None:
        serving = self._status_server.listen(self.settings.status.listen)
        Deferred.fromCoroutine(serving).addErrback(
            lambda failure: self._log.failure("The status endpoint failed", failure)
        )

    def _connected_since(self) -> datetime | None:
        since = self._client.connected_since
        if since is None:
            return None
        return self._now() - timedelta(seconds=self._reactor.seconds() - since)

    def _replaced(self) -> None:
        if self.settings.asterisk.exit_when_replaced and self._on_replaced is not None:
            self._on_replaced()


def address_of(asterisk: AsteriskSettings) -> Address:
    """Tell the client where Asterisk is, and whom to be for it."""
    return Address(
        url=asterisk.url,
        username=asterisk.username,
        password=asterisk.password.get_secret_value(),
        app=asterisk.app,
        tls=TLS(
            ca_file=asterisk.ca_file,
            certificate_file=asterisk.certificate_file,
            key_file=asterisk.key_file,
            verify=asterisk.verify,
        ),
    )


def _needing_restart(old: AsteriskSettings, new: AsteriskSettings) -> Iterator[str]:
    for key, value in new:
        if key not in APPLIED_AT_ONCE and value != getattr(old, key):
            yield f"asterisk.{key}"
