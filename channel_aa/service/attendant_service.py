"""The automated attendant as a Twisted service, which embedding programs use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from channel_aa import __version__
from channel_aa.ari import TLS, Address, AriClient, Transport
from channel_aa.ari.sounds import default_language, sound_languages
from channel_aa.attendant.attendant import Attendant
from channel_aa.attendant.custom_actions import check_registered
from channel_aa.http_server import HttpServer
from channel_aa.logs import Logger
from channel_aa.service.http_sites import HttpSites, PageAt
from channel_aa.service.lag import ReactorDelay
from channel_aa.service.status import (
    AsteriskStatus,
    CallsStatus,
    ConfigurationStatus,
    DelayStatus,
    RecordsStatus,
    RequestsStatus,
    Status,
)
from channel_aa.service.status_server import StatusPage
from channel_aa.speech.engines import engine_name
from channel_aa.speech.sound_page import SoundPage
from channel_aa.speech.speech import Speech

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from channel_aa.attendant.call_events import CallEvent
    from channel_aa.attendant.custom_actions import CustomAction
    from channel_aa.interfaces import ISpeech
    from channel_aa.records.recorder import Recorder
    from channel_aa.service.metrics import Metrics
    from channel_aa.settings import AsteriskSettings, Settings

APPLIED_AT_ONCE = frozenset({"exit_when_replaced"})
"""The settings of ``[asterisk]`` that a reload applies; others need a restart."""

MENUS_SHOWN = 8
"""How many menus a log line names."""

_NO_ACTIONS: Mapping[str, CustomAction] = MappingProxyType({})


def utc_now() -> datetime:
    """Return the date and time."""
    return datetime.now(UTC)


class AttendantService(Service):
    """Answers the calls of one Stasis application on one Asterisk.

    One process may run several: for one Asterisk (under different application names)
    or for different ones. The service connects when it starts, and reconnects whenever
    the connection is lost. When it stops, it drains: new calls continue in the
    dialplan; calls in a menu do so after ``drain_timeout`` seconds; conversations are
    kept connected. Then it closes its connections.

    Args:
        settings: the configuration.
        reactor: the reactor.
        actions: custom actions by the name that ``run`` gives: async callables that
            take a `Caller` and return the next action.
        file: the configuration file that the settings come from, for the status.
        now: returns the date and time, with a time zone; schedules use it.
        on_replaced: called when another program has taken the application's name, if
            ``exit_when_replaced`` is set.
        speech: speaks texts, in place of the engines of ``[speech]``.
        make_client: makes the client, with the arguments of `AriClient`; for tests.

    Raises:
        ConfigError: a ``run`` names an action that is not in `actions`.

    Attributes:
        settings: the settings in force.
        client: the client, for requests and events of the program's own.
    """

    _log = Logger()

    def __init__(
        self,
        settings: Settings,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTime, IReactorTCP and more at once
        actions: Mapping[str, CustomAction] = _NO_ACTIONS,
        file: str = "",
        now: Callable[[], datetime] = utc_now,
        on_replaced: Callable[[], None] | None = None,
        speech: ISpeech | None = None,
        make_client: Callable[..., AriClient] = AriClient,
    ) -> None:
        check_registered(settings.flow, actions, file=file)
        self.settings = settings
        self._reactor = reactor
        self._actions = actions
        self._file = file
        self._now = now
        self._on_replaced = on_replaced
        self._loaded = self._started = now()
        self._rejected: datetime | None = None
        self._speech = Speech(
            settings,
            reactor=reactor,
            url=self._sounds_url,
            serve=self._serve_sounds,
            languages_of=lambda name: sound_languages(self.client, name),
            default_language=lambda: default_language(self.client),
        )
        self._sound_server = HttpServer(
            SoundPage(lambda: self._speech.folder),
            purpose="requests for spoken texts ([speech] listen)",
            reactor=reactor,
        )
        self._attendant = Attendant(
            settings.flow,
            clock=reactor,
            now=now,
            actions=actions,
            max_calls=settings.attendant.max_calls,
            on_replaced=self._replaced,
            speech=speech or self._speech,
        )
        self._metrics = self._make_metrics()
        self.client = make_client(
            address_of(settings.asterisk),
            self._attendant,
            reactor=reactor,
            transport=Transport(settings.asterisk.transport),
            on_ready=self._ready,
            measurements=self._metrics,
        )
        self._recorder = self._make_recorder()
        self._delay = ReactorDelay(reactor)
        self._status_page = StatusPage(self.status)
        self._sites = HttpSites(reactor=reactor)

    @property
    def is_connected(self) -> bool:
        """Whether the events websocket to Asterisk is open."""
        return self.client.is_connected

    @property
    def live(self) -> dict[str, int]:
        """Counts of the calls, channels, playbacks and requests in progress.

        ``queued`` counts the ``requests`` that were not sent yet.
        """
        return {
            "calls": len(self._attendant.calls),
            "channels": len(self.client.channels),
            "playbacks": len(self.client.playbacks),
            "requests": self.client.requests.pending,
            "queued": self.client.requests.queued,
        }

    def observe(self, observer: Callable[[CallEvent], None]) -> Callable[[], None]:
        """Call an observer with each event of each call, from now on.

        See `channel_aa.attendant.call_events`. No call waits for an observer; an error
        of one is logged, and harms nothing else.

        Returns:
            A function that removes the observer.
        """
        observers = self._attendant.observers
        observers.append(observer)
        return lambda: observers.remove(observer)

    def status(self) -> Status:
        """Return the status, which contains no secret."""
        client, attendant = self.client, self._attendant
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
                problem=client.problem,
            ),
            calls=CallsStatus(
                now=len(attendant.calls),
                conversations=attendant.conversations,
                attended=attendant.attended,
                refused=attendant.overload_rejections,
                limit=attendant.max_calls,
            ),
            requests=RequestsStatus(
                pending=client.requests.pending + client.sender.held,
                queued=client.requests.queued + client.sender.held,
            ),
            reactor_delay=DelayStatus(
                last=round(self._delay.last, 3), worst=round(self._delay.worst, 3)
            ),
            configuration=ConfigurationStatus(
                file=self._file, loaded=self._loaded, refused=self._rejected
            ),
            records=self._records_status(),
        )

    def reload(self, settings: Settings) -> tuple[str, ...]:
        """Apply other settings; calls in progress keep their call flow.

        Settings of the connection (``asterisk.url`` and the like) apply after a
        restart: without the connection, the calls could not go on.

        Returns:
            The names of the settings that differ and need a restart; the log has them,
            too.

        Raises:
            ConfigError: a ``run`` names an action that is not registered. Nothing is
                changed then.
        """
        flow = settings.flow
        check_registered(flow, self._actions, file=self._file)
        needing_restart = (*_needing_restart(self.settings, settings),)
        at_once = {key: getattr(settings.asterisk, key) for key in APPLIED_AT_ONCE}
        asterisk = self.settings.asterisk.model_copy(update=at_once)
        unchanged: dict[str, object] = {
            "asterisk": asterisk,
            "records": self.settings.records,
        }
        if _is_switched(self.settings.metrics, settings.metrics):
            unchanged["metrics"] = self.settings.metrics
        self.settings = settings.model_copy(update=unchanged)
        self._attendant.flow = flow
        self._attendant.max_calls = settings.attendant.max_calls
        self._loaded, self._rejected = self._now(), None
        if self.running:
            self._serve_pages()
            if self._metrics is not None:
                self._metrics.retain(flow.menus)
            self._speech.configure(settings)
            self._serve_sounds()
            if self.is_connected:
                self._look_up_sounds()
        self._log.info(
            "Reloaded the configuration; new calls use it: {contents}",
            contents=_contents_of(settings),
        )
        self._warn_of_files(settings)
        if needing_restart:
            self._log.warn(
                "Changes of these settings take effect after a restart: {settings}",
                settings=", ".join(needing_restart),
            )
        return needing_restart

    def reload_rejected(self) -> None:
        """Record, for the status, that the configuration could not be reloaded."""
        self._rejected = self._now()

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Connect, and open the status endpoint."""
        super().startService()
        self._started = self._now()
        self._log.info(
            "Configuration: {file}: {contents}; transport {transport}",
            file=self._file or "none, the defaults apply",
            contents=_contents_of(self.settings),
            transport=self.settings.asterisk.transport,
        )
        self._warn_of_files(self.settings)
        self._attendant.open()
        self._delay.start()
        if self._recorder is not None:
            self._recorder.start()
        if self._metrics is not None:
            self._metrics.start()
        self._serve_pages()
        self._speech.configure(self.settings)
        self.client.startService()

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """Drain, then close all connections."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        seconds = self.settings.attendant.drain_timeout
        closing = Deferred.fromCoroutine(self._attendant.close(drain_timeout=seconds))
        self._log.info(
            "Stopping: new calls continue in the dialplan; the others ({count}) have"
            " {seconds} s to finish",
            seconds=seconds,
            count=len(self._attendant.calls),
        )
        # Requests that wait for a connection fail then, if there is none.
        giving_up = self._reactor.callLater(seconds, self.client.stop_waiting)
        try:
            await closing
        finally:
            if giving_up.active():
                giving_up.cancel()
        await self.client.stopService()
        if self._recorder is not None:
            await self._recorder.stop()
        await self._speech.stop()
        await self._sound_server.close()
        await self._sites.close()
        if self._metrics is not None:
            self._metrics.stop()
        self._delay.stop()

    def _warn_of_files(self, settings: Settings) -> None:
        for warning in settings.file_warnings(self._file):
            self._log.warn("{danger}", danger=warning.message)

    def _make_recorder(self) -> Recorder | None:
        records, asterisk = self.settings.records, self.settings.asterisk
        if records is None:
            return None
        # SQLAlchemy need not be installed, and takes half a second to import.
        from channel_aa.records.recorder import Recorder  # noqa: PLC0415

        recorder = Recorder(
            records,
            source=f"{asterisk.app} at {asterisk.url}",
            reactor=self._reactor,
            now=self._now,
        )
        self._attendant.observers.append(recorder.observe)
        return recorder

    def _make_metrics(self) -> Metrics | None:
        if self.settings.metrics is None:
            return None
        # prometheus_client need not be installed.
        from channel_aa.service.metrics import Metrics  # noqa: PLC0415

        metrics = Metrics(self.status)
        self._attendant.observers.append(metrics.observe)
        return metrics

    def _records_status(self) -> RecordsStatus | None:
        recorder = self._recorder
        if recorder is None:
            return None
        return RecordsStatus(
            queued=recorder.queued,
            spooled=recorder.written.spooled,
            lost=recorder.lost,
            problem=recorder.written.problem,
        )

    def _ready(self) -> None:
        self._look_up_sounds()
        if self._recorder is not None:
            self.client.reconciler.finished().addCallback(
                self._report_reconciled, self._recorder
            )

    def _report_reconciled(self, _result: None, recorder: Recorder) -> None:
        """Tell the recorder that the calls of an earlier run have been adopted."""
        # Without a connection the reconciliation was cancelled.
        if self.is_connected and self.running:
            recorder.reconciled()

    def _serve_pages(self) -> None:
        status, metrics = self.settings.status, self.settings.metrics
        purpose = "status requests ([status] listen)"
        pages = [PageAt(self._status_page, "", purpose, status.listen, status.hosts)]
        if self._metrics is not None and metrics is not None:
            page, purpose = self._metrics.page, "metrics ([metrics] listen)"
            pages.append(
                PageAt(page, "metrics", purpose, metrics.listen, metrics.hosts)
            )
        Deferred.fromCoroutine(self._sites.serve(pages)).addErrback(
            lambda failure: self._log.failure("Serving HTTP failed", failure)
        )

    def _serve_sounds(self) -> None:
        speech = self.settings.speech
        listen = speech.listen if self._speech.is_needed else ""
        host = urlsplit(speech.url).hostname
        serving = self._sound_server.listen(listen, hosts=[host] if host else ())
        Deferred.fromCoroutine(serving).addErrback(
            lambda failure: self._log.failure("Serving texts failed", failure)
        )

    def _sounds_url(self) -> str:
        """Return the URL that Asterisk fetches spoken texts from; empty: none."""
        port = self._sound_server.port
        url = self.settings.speech.url.rstrip("/")
        return url or (f"http://127.0.0.1:{port}" if port else "")

    def _look_up_sounds(self) -> None:
        Deferred.fromCoroutine(self._speech.look_up_sounds()).addErrback(
            lambda failure: self._log.failure("Looking up sounds failed", failure)
        )

    def _connected_since(self) -> datetime | None:
        since = self.client.connected_since
        if since is None:
            return None
        return self._now() - timedelta(seconds=self._reactor.seconds() - since)

    def _replaced(self) -> None:
        if self.settings.asterisk.exit_when_replaced and self._on_replaced is not None:
            self._on_replaced()


def address_of(asterisk: AsteriskSettings) -> Address:
    """Convert settings to the client's address and credentials."""
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


def _contents_of(settings: Settings) -> str:
    """Summarize menus, routes and speech, in one line."""
    flow = settings.flow
    menus = [name for name in flow.menus if name != flow.entry]
    shown = ", ".join([f"{flow.entry} (entry)", *menus[: MENUS_SHOWN - 1]])
    more = (
        f" and {len(menus) - MENUS_SHOWN + 1} more" if menus[MENUS_SHOWN - 1 :] else ""
    )
    speech = engine_name(settings.speech)
    return f"menus {shown}{more}; routes: {len(flow.routes)}; speech {speech}"


def _needing_restart(old: Settings, new: Settings) -> Iterator[str]:
    for key, value in new.asterisk:
        if key not in APPLIED_AT_ONCE and value != getattr(old.asterisk, key):
            yield f"asterisk.{key}"
    if new.records != old.records:
        yield "records"
    if _is_switched(old.metrics, new.metrics):
        yield "metrics"


def _is_switched(old: object, new: object) -> bool:
    """Tell whether something is configured that was not, or the other way round."""
    return (old is None) != (new is None)
