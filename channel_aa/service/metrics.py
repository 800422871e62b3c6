"""Metrics of an attendant for Prometheus.

Counters follow the events of calls, and what the ARI client reports; gauges are read
when they are scraped. Label values are bounded: menus and keys are those of the
configuration, never what else a caller has pressed, and no caller's number or name is
one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from twisted.internet.defer import CancelledError
from twisted.logger import ILogObserver, LogLevel, globalLogPublisher
from zope.interface import implementer

from channel_aa.ari.measurements import IMeasurements, kind_of
from channel_aa.attendant.call_events import (
    ActionStarted,
    CallEnded,
    CallerRecorded,
    CallEvent,
    CallStarted,
    ConversationEnded,
    ConversationStarted,
    EndReason,
    KeysEntered,
    MenuEntered,
    NoInput,
    PhoneDialled,
    RecordingFailed,
    SoundFailed,
)
from channel_aa.dialogue.digits import Match
from channel_aa.http_server import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping

    from prometheus_client.metrics_core import Metric
    from twisted.logger import LogEvent
    from twisted.python.failure import Failure
    from twisted.web.server import Request

    from channel_aa.ari.wire.requests import Request as AriRequest
    from channel_aa.service.status import Status

EXTENSION = "extension"
"""The label of a choice that is the number of an extension."""

FIRST_SOUND_BUCKETS = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0)
STOP_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 2.0)
"""The bounds of histograms, in seconds."""

_NAMESPACE = "channel_aa"


@implementer(IMeasurements, ILogObserver)
class Metrics:
    """The metrics of one attendant.

    Args:
        status: returns the status, for what is read when it is scraped.

    Attributes:
        page: serves them.
    """

    def __init__(self, status: Callable[[], Status]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_StatusCollector(status))
        self._conversations: dict[str, float] = {}
        self._where: dict[str, str] = {}
        self._children: dict[tuple[Counter, tuple[str, ...]], Counter] = {}
        counter = self._counter
        self._started = counter("calls_started", "Calls that have entered")
        self._adopted = counter(
            "calls_adopted", "Calls that an earlier run had begun, or a lost connection"
        )
        self._ended = counter("calls", "Calls that have ended, by how", "ended")
        self._entries = counter("menu_entries", "Entries into a menu", "menu")
        self._choices = counter(
            "menu_choices", "Valid entries in a menu, by key", "menu", "key"
        )
        self._nomatches = counter("menu_no_match", "Invalid entries in a menu", "menu")
        self._noinputs = counter("menu_no_input", "Silences in a menu", "menu")
        self._hangups = counter(
            "menu_hangups", "Callers who hung up in a menu, without a choice", "menu"
        )
        self._dials = counter(
            "dials", "Phones that were dialled, by DIALSTATUS", "outcome"
        )
        self._spoken = counter(
            "conversation_seconds", "Seconds of conversations with phones"
        )
        self._recorded = counter("recordings", "Recordings of callers that are stored")
        self._record_failures = counter(
            "recording_failures", "Recordings of callers that failed; see the log"
        )
        self._sound_failures = counter(
            "sound_failures", "Sounds that Asterisk could not play; see the log"
        )
        self._requests = counter(
            "ari_requests", "Requests to Asterisk, by result", "kind", "result"
        )
        self._connections = counter(
            "ari_connections", "Connections to Asterisk; more than one: reconnects"
        )
        self._messages = counter(
            "log_messages", "Lines of the log that are warnings or worse", "level"
        )
        self._first_sound = Histogram(
            "first_sound_seconds",
            "From the entry of a call until Asterisk has begun its first sound",
            namespace=_NAMESPACE,
            registry=self._registry,
            buckets=FIRST_SOUND_BUCKETS,
        )
        self._stop = Histogram(
            "key_to_stop_seconds",
            "From a key until Asterisk has ended the sound that it interrupts",
            namespace=_NAMESPACE,
            registry=self._registry,
            buckets=STOP_BUCKETS,
        )
        self.page = MetricsPage(self)
        for reason in EndReason:
            self._of(self._ended, reason.value)
        for level in ("warn", "error", "critical"):
            self._of(self._messages, level)

    def start(self) -> None:
        """Count the lines of the log."""
        globalLogPublisher.addObserver(self)

    def stop(self) -> None:
        """Stop counting the lines of the log."""
        globalLogPublisher.removeObserver(self)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def retain(self, menus: Container[str]) -> None:
        """Forget the menus that a reload has removed: labels must not accumulate."""
        for child in [*self._children]:
            metric, labels = child
            if "menu" in metric._labelnames and labels[0] not in menus:  # noqa: SLF001 - there is no other way
                metric.remove(*labels)
                del self._children[child]

    def observe(self, event: CallEvent) -> None:
        """Count an event of a call."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def __call__(self, event: LogEvent) -> None:
        """Count a line of the log."""
        level = event.get("log_level")
        if level is not None and level >= LogLevel.warn:
            self._of(self._messages, level.name).inc()

    # See `IMeasurements`.

    def request_sent(self, request: AriRequest, failure: Failure | None) -> None:
        """Count a response."""
        result = "ok"
        if failure is not None and failure.check(CancelledError):
            result = "cancelled"
        elif failure is not None:
            result = str(getattr(failure.value, "status", None) or "none")
        self._of(self._requests, kind_of(request), result).inc()

    def first_sound_began(self, seconds: float) -> None:
        """Observe the time to the first sound."""
        self._first_sound.observe(seconds)

    def sound_stopped(self, seconds: float) -> None:
        """Observe the time from key to stop."""
        self._stop.observe(seconds)

    def connected(self) -> None:
        """Count a connection."""
        self._connections.inc()

    # Events of calls.

    def _call_started(self, event: CallStarted) -> None:
        self._started.inc()
        if event.is_adopted:
            self._adopted.inc()

    def _menu_entered(self, event: MenuEntered) -> None:
        self._where[event.channel_id] = event.menu
        self._of(self._entries, event.menu).inc()

    def _keys_entered(self, event: KeysEntered) -> None:
        if event.match is Match.NO_MATCH:
            self._of(self._nomatches, event.menu).inc()
            return
        key = event.keys if event.match is Match.OPTION else EXTENSION
        self._of(self._choices, event.menu, key).inc()

    def _no_input(self, event: NoInput) -> None:
        self._of(self._noinputs, event.menu).inc()

    def _action_started(self, event: ActionStarted) -> None:
        # Also that of a limit: the caller has left the menu without a choice.
        self._where.pop(event.channel_id, None)

    def _phone_dialled(self, event: PhoneDialled) -> None:
        self._of(self._dials, event.outcome).inc()

    def _conversation_started(self, event: ConversationStarted) -> None:
        self._conversations[event.channel_id] = event.seconds

    def _conversation_ended(self, event: ConversationEnded) -> None:
        began = self._conversations.pop(event.channel_id, event.seconds)
        self._spoken.inc(max(0.0, event.seconds - began))

    def _recorded_caller(self, _event: CallerRecorded) -> None:
        self._recorded.inc()

    def _recording_failed(self, _event: RecordingFailed) -> None:
        self._record_failures.inc()

    def _sound_failed(self, _event: SoundFailed) -> None:
        self._sound_failures.inc()

    def _call_ended(self, event: CallEnded) -> None:
        self._of(self._ended, event.reason.value).inc()
        menu = self._where.pop(event.channel_id, "")
        is_given_up = event.reason is EndReason.CALLER and not event.partner
        if is_given_up and menu:
            self._of(self._hangups, menu).inc()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(
            name, text, labels, namespace=_NAMESPACE, registry=self._registry
        )

    def _of(self, counter: Counter, *labels: str) -> Counter:
        """Return the counter of these labels: to look it up here takes less time."""
        child = self._children.get((counter, labels))
        if child is None:
            child = self._children[counter, labels] = counter.labels(*labels)
        return child


class MetricsPage(Page):
    """Answers with the metrics.

    Args:
        metrics: the metrics.
    """

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self._metrics = metrics

    def content(self, request: Request) -> bytes:
        """Return the metrics."""
        request.setHeader("Content-Type", CONTENT_TYPE_LATEST)
        request.setHeader("Cache-Control", "no-store")
        return self._metrics.exposition()


class _StatusCollector(Collector):
    """Reads gauges from the status."""

    def __init__(self, read: Callable[[], Status]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Read them now."""
        status = self._read()
        yield InfoMetricFamily(
            f"{_NAMESPACE}_build",
            "The versions of channel-aa and, once it is connected, of Asterisk",
            {"version": status.version, "asterisk": status.asterisk.version},
        )
        calls, requests = status.calls, status.requests
        for name, text, value in (
            ("up", "1 while new calls are answered, 0 otherwise", status.serving),
            (
                "ari_connected",
                "1 while the connection to Asterisk is open",
                status.asterisk.connected,
            ),
            ("calls_in_progress", "Calls now", calls.now),
            (
                "calls_in_conversation",
                "Those in a conversation",
                calls.conversations,
            ),
            ("calls_limit", "max_calls of the configuration; 0: 5000", calls.limit),
            ("ari_requests_pending", "Requests without a response", requests.pending),
            ("ari_requests_queued", "Those that were not sent yet", requests.queued),
            (
                "reactor_delay_seconds",
                "How late timers are at most in the last minute; callers notice 0.5",
                status.reactor_delay.worst,
            ),
            (
                "start_time_seconds",
                "When the attendant was started, in seconds since 1970",
                status.started.timestamp(),
            ),
            (
                "configuration_rejected",
                "1 if the last reload was rejected because of errors in the file",
                status.configuration.refused is not None,
            ),
        ):
            yield GaugeMetricFamily(f"{_NAMESPACE}_{name}", text, float(value))
        records = status.records
        if records is not None:
            for name, text, count in (
                ("records_queued", "Events of calls in memory", records.queued),
                (
                    "records_spooled",
                    "Events of calls in a file, until the database can be written",
                    records.spooled,
                ),
            ):
                yield GaugeMetricFamily(f"{_NAMESPACE}_{name}", text, float(count))
            yield CounterMetricFamily(
                f"{_NAMESPACE}_records_lost",
                "Events of calls that were dropped",
                float(records.lost),
            )


_HANDLERS: Mapping[type[CallEvent], Callable[[Metrics, Any], None]] = {
    ActionStarted: Metrics._action_started,  # noqa: SLF001 - of this module
    CallStarted: Metrics._call_started,  # noqa: SLF001
    MenuEntered: Metrics._menu_entered,  # noqa: SLF001
    KeysEntered: Metrics._keys_entered,  # noqa: SLF001
    NoInput: Metrics._no_input,  # noqa: SLF001
    PhoneDialled: Metrics._phone_dialled,  # noqa: SLF001
    ConversationStarted: Metrics._conversation_started,  # noqa: SLF001
    ConversationEnded: Metrics._conversation_ended,  # noqa: SLF001
    CallerRecorded: Metrics._recorded_caller,  # noqa: SLF001
    RecordingFailed: Metrics._recording_failed,  # noqa: SLF001
    SoundFailed: Metrics._sound_failed,  # noqa: SLF001
    CallEnded: Metrics._call_ended,  # noqa: SLF001
}
