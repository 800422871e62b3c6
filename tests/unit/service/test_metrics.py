from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import CancelledError
from twisted.logger import LogLevel
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.measurements import kind_of
from channel_aa.ari.wire.errors import ConnectionLostError, NotFoundError
from channel_aa.ari.wire.requests import Request
from channel_aa.attendant.call_events import (
    ActionStarted,
    CallEnded,
    CallerRecorded,
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
from channel_aa.logs import Logger
from channel_aa.service.metrics import Metrics
from tests.support.statuses import a_status

if TYPE_CHECKING:
    from channel_aa.attendant.call_events import CallEvent

ROOT = Path(__file__).parents[3]
NAME = re.compile(r"\bchannel_aa_[a-z_]+")
FAMILY = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)


def _named(name: str, labels: dict[str, str]) -> str:
    """Return ``menu_choices_total key=1 menu=main``."""
    shown = (f"{label}={value}" for label, value in sorted(labels.items()))
    return " ".join([name.removeprefix("channel_aa_"), *shown])


class MetricsTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.metrics = Metrics(a_status)
        self.metrics.start()
        self.addCleanup(self.metrics.stop)

    def samples(self) -> dict[str, float]:
        """Return the samples by name and labels, without buckets."""
        text = self.metrics.exposition().decode()
        return {
            _named(sample.name, sample.labels): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if not sample.name.endswith(("_created", "_bucket"))
        }

    def changes(self) -> dict[str, float]:
        """Return the samples that differ from those of new metrics."""
        fresh = MetricsTestCase()
        fresh.metrics = Metrics(a_status)
        before = fresh.samples()
        return {
            name: value
            for name, value in self.samples().items()
            if value != before.get(name, 0)
        }

    def happens(self, kind: type[CallEvent], *, at: float = 0.0, **data: Any) -> None:  # noqa: ANN401 - fields
        self.metrics.observe(kind(channel_id="1.1", seconds=at, **data))


def start(*, is_adopted: bool = False) -> dict[str, Any]:
    return {
        "channel": "PJSIP/a",
        "dialled": "1000",
        "arguments": (),
        "language": "en",
        "route": None,
        "is_adopted": is_adopted,
    }


def end(reason: EndReason, partner: str = "") -> dict[str, Any]:
    return {
        "channel": "PJSIP/a",
        "reason": reason,
        "destination": "",
        "partner": partner,
        "menus": ("main",),
    }


class CallTests(MetricsTestCase):
    def test_events_of_a_call(self) -> None:
        self.happens(CallStarted, **start())
        self.happens(MenuEntered, menu="main")
        self.happens(NoInput, menu="main")
        self.happens(KeysEntered, menu="main", keys="9", match=Match.NO_MATCH)
        self.happens(KeysEntered, menu="main", keys="2", match=Match.OPTION)
        self.happens(PhoneDialled, endpoint="PJSIP/410", outcome="ANSWER")
        self.happens(ConversationStarted, at=10.0, endpoint="PJSIP/410")
        self.happens(ConversationEnded, at=42.5)
        self.happens(CallerRecorded, name="a")
        self.happens(RecordingFailed)
        self.happens(SoundFailed, media="sound:x")
        self.happens(CallEnded, **end(EndReason.ATTENDANT))
        self.assertEqual(
            self.changes(),
            {
                "calls_started_total": 1,
                "menu_entries_total menu=main": 1,
                "menu_no_input_total menu=main": 1,
                "menu_no_match_total menu=main": 1,
                "menu_choices_total key=2 menu=main": 1,
                "dials_total outcome=ANSWER": 1,
                "conversation_seconds_total": 32.5,
                "recordings_total": 1,
                "recording_failures_total": 1,
                "sound_failures_total": 1,
                "calls_total ended=attendant": 1,
            },
        )

    def test_hangup_without_a_choice_is_one_of_the_menu(self) -> None:
        for keys, partner, hangups in (
            (None, "", 1),
            ("2", "", 1),
            (None, "PJSIP/410", 1),
        ):
            self.happens(MenuEntered, menu="main")
            if keys:
                self.happens(KeysEntered, menu="main", keys=keys, match=Match.OPTION)
                self.happens(ActionStarted, verb="dial", label="")
            self.happens(CallEnded, **end(EndReason.CALLER, partner))
            self.assertEqual(self.samples()["menu_hangups_total menu=main"], hangups)

    def test_hangup_in_the_action_of_a_limit_is_none_of_the_menu(self) -> None:
        self.happens(MenuEntered, menu="main")
        self.happens(NoInput, menu="main")
        self.happens(ActionStarted, verb="dial", label="")
        self.happens(CallEnded, **end(EndReason.CALLER))
        self.assertNotIn("menu_hangups_total menu=main", self.samples())

    def test_adopted_call(self) -> None:
        self.happens(CallStarted, **start(is_adopted=True))
        self.assertEqual(self.samples()["calls_adopted_total"], 1)

    def test_keys_of_callers_make_no_series(self) -> None:
        self.happens(MenuEntered, menu="main")
        self.happens(KeysEntered, menu="main", keys="1", match=Match.NO_MATCH)
        self.happens(KeysEntered, menu="main", keys="1", match=Match.EXTENSION)
        before = len(self.samples())
        for number in range(10_000):
            keys = str(number)
            self.happens(KeysEntered, menu="main", keys=keys, match=Match.NO_MATCH)
            self.happens(KeysEntered, menu="main", keys=keys, match=Match.EXTENSION)
        self.assertEqual(len(self.samples()), before)
        self.assertEqual(
            self.samples()["menu_choices_total key=extension menu=main"], 10_001
        )

    def test_menus_that_a_reload_removes_lose_their_series(self) -> None:
        for menu in ("main", "old"):
            self.happens(MenuEntered, menu=menu)
            self.happens(KeysEntered, menu=menu, keys="1", match=Match.OPTION)
        self.metrics.retain({"main"})
        names = [name for name in self.samples() if "menu" in name]
        self.assertEqual(
            names,
            ["menu_entries_total menu=main", "menu_choices_total key=1 menu=main"],
        )
        self.happens(MenuEntered, menu="old")
        self.assertEqual(self.samples()["menu_entries_total menu=old"], 1)

    def test_nothing_is_kept_of_calls_that_are_over(self) -> None:
        for _ in range(100):
            self.happens(MenuEntered, menu="main")
            self.happens(ConversationStarted, endpoint="PJSIP/410")
            self.happens(ConversationEnded)
            self.happens(CallEnded, **end(EndReason.CALLER))
        self.assertEqual((self.metrics._where, self.metrics._conversations), ({}, {}))


class ClientTests(MetricsTestCase):
    def test_requests_by_result(self) -> None:
        request = Request(method="POST", path=("channels", "1.1", "play", "x-1"))
        self.metrics.request_sent(request, None)
        lost = ConnectionLostError("POST", "x", message="lost", outcome_unknown=True)
        gone = NotFoundError("POST", "x", status=404, message="gone")
        for error in (gone, lost, CancelledError()):
            self.metrics.request_sent(request, Failure(error))
        samples = self.samples()
        for result in ("ok", "404", "none", "cancelled"):
            name = f"ari_requests_total kind=POST channels/play result={result}"
            self.assertEqual(samples[name], 1)

    def test_kinds_of_requests_have_no_ids(self) -> None:
        for path, kind in {
            ("channels", "1.1"): "GET channels",
            ("channels", "1.1", "play", "abc-1"): "GET channels/play",
            ("recordings", "stored", "messages/410", "copy"): (
                "GET recordings/stored/copy"
            ),
            ("asterisk", "modules", "res_x.so"): "GET asterisk",
            ("deviceStates", "PJSIP/410"): "GET deviceStates",
        }.items():
            self.assertEqual(kind_of(Request(method="GET", path=path)), kind)

    def test_times(self) -> None:
        self.metrics.first_sound_began(0.03)
        self.metrics.sound_stopped(0.3)
        self.metrics.connected()
        changes = self.changes()
        self.assertEqual(changes["first_sound_seconds_sum"], 0.03)
        self.assertEqual(changes["key_to_stop_seconds_count"], 1)
        self.assertEqual(changes["ari_connections_total"], 1)

    def test_lines_of_the_log(self) -> None:
        log = Logger()
        log.info("fine")
        log.emit(LogLevel.warn, "strange")
        log.error("wrong")
        self.assertEqual(
            self.changes(),
            {"log_messages_total level=warn": 1, "log_messages_total level=error": 1},
        )


class StatusTests(MetricsTestCase):
    def test_gauges_are_those_of_the_status(self) -> None:
        samples = self.samples()
        self.assertEqual(samples["up"], 1)
        self.assertEqual(samples["calls_in_progress"], 3)
        self.assertEqual(samples["reactor_delay_seconds"], 0.25)
        self.assertEqual(samples["build_info asterisk=22.10.1 version=1.2.3"], 1)
        self.assertNotIn("records_queued", samples)

    def test_attendant_that_does_not_serve(self) -> None:
        self.metrics = Metrics(lambda: a_status(serving=False))
        self.assertEqual(self.samples()["up"], 0)
        self.assertEqual(self.samples()["ari_connected"], 0)


class DocumentTests(MetricsTestCase):
    """The page, the alerts and the dashboard know these metrics, and no others."""

    RECORDS = frozenset(
        f"channel_aa_records_{name}" for name in ("queued", "spooled", "lost_total")
    )

    def names(self) -> set[str]:
        text = self.metrics.exposition().decode()
        found = {name for name, _ in FAMILY.findall(text)} | self.RECORDS
        return {name for name in found if not name.endswith("_created")}

    def test_table_has_each_metric(self) -> None:
        page = (ROOT / "docs/metrics.md").read_text("utf-8")
        table = re.findall(r"^\| `(channel_aa_\w+)` \|", page, re.MULTILINE)
        self.assertEqual(sorted(table), sorted(self.names()))

    def test_queries_name_metrics_that_exist(self) -> None:
        known = self.names()
        known |= {f"{name}_bucket" for name in known if name.endswith("_seconds")}
        dashboard = json.loads((ROOT / "contrib/grafana/channel-aa.json").read_text())
        queries = [
            target["expr"]
            for panel in dashboard["panels"]
            for target in panel["targets"]
        ]
        self.assertGreater(len(queries), 15)
        queries.append((ROOT / "docs/metrics.md").read_text("utf-8"))
        queries += [each.read_text() for each in (ROOT / "contrib").rglob("*.yml")]
        for query in queries:
            self.assertLessEqual(set(NAME.findall(query)), known)
