"""When events are handed to the writer, and that no call waits for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.records import recorder
from channel_aa.records.journal import CallsReconciled
from channel_aa.records.recorder import IDLE_SECONDS, WRITE_SECONDS, Recorder
from channel_aa.records.writer import RETRY_SECONDS, Written
from channel_aa.settings import RecordsSettings
from tests.support.records_harness import ended, started

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from channel_aa.records.journal import Observed

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
FINE = Written(waiting=0, spooled=0, lost=0, problem="")


class FakeWriter:
    """Notes what it is to write."""

    def __init__(self, _settings: RecordsSettings, *, source: str, run: str) -> None:
        self.source, self.run = source, run
        self.batches: list[list[Observed]] = []
        self.result = FINE
        self.is_closed = False

    def write(self, observed: Sequence[Observed]) -> Written:
        self.batches.append(list(observed))
        return self.result

    def close(self) -> None:
        self.is_closed = True


class FakeThread:
    """Runs functions at once, or when `finish` is called."""

    def __init__(self, _reactor: object) -> None:
        self.is_slow = False
        self.is_stopped = False
        self._pending: list[tuple[Callable[[], Written], Deferred[Written]]] = []

    def run(self, function: Callable[[], Written]) -> Deferred[Written]:
        done: Deferred[Written] = Deferred()
        self._pending.append((function, done))
        if not self.is_slow:
            self.finish()
        return done

    def finish(self) -> None:
        pending, self._pending = self._pending, []
        for function, done in pending:
            try:
                done.callback(function())
            except ZeroDivisionError as error:
                done.errback(error)

    def stop(self) -> None:
        self.is_stopped = True


class RecorderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.recorder = Recorder(
            RecordsSettings(),
            source="here",
            reactor=self.clock,
            now=lambda: NOW,
            writer=FakeWriter,  # type: ignore[arg-type]
            thread=FakeThread,  # type: ignore[arg-type]
        )
        self.recorder.start()
        self.writer: FakeWriter = self.recorder._writer  # type: ignore[assignment]
        self.thread: FakeThread = self.recorder._thread  # type: ignore[assignment]

    def stop(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.recorder.stop())

    def test_writer_runs_at_the_start(self) -> None:
        self.assertEqual(self.writer.batches, [[]])
        self.assertEqual(self.writer.source, "here")

    def test_events_are_collected_and_numbered(self) -> None:
        for event in (started(), ended()):
            self.recorder.observe(event)
        self.recorder.reconciled()
        self.assertEqual(self.recorder.queued, 3)
        self.clock.advance(WRITE_SECONDS)
        _, batch = self.writer.batches
        self.assertEqual(
            [(each.number, each.event) for each in batch],
            [(1, started()), (2, ended()), (3, CallsReconciled())],
        )
        self.assertEqual({each.run for each in batch}, {self.writer.run})
        self.assertEqual({each.at for each in batch}, {NOW.timestamp()})
        self.assertEqual(self.recorder.queued, 0)

    def test_events_during_a_write_wait_for_the_next(self) -> None:
        self.thread.is_slow = True
        self.recorder.observe(started())
        self.clock.advance(WRITE_SECONDS)
        self.recorder.observe(ended())
        self.clock.advance(WRITE_SECONDS * 10)
        self.assertEqual(self.recorder.queued, 1)
        self.thread.finish()
        self.clock.advance(WRITE_SECONDS)
        self.thread.finish()
        self.assertEqual([len(each) for each in self.writer.batches], [0, 1, 1])

    def test_failed_database_is_tried_again_without_events(self) -> None:
        self.writer.result = Written(waiting=2, spooled=1, lost=3, problem="full")
        self.recorder.observe(started())
        self.clock.advance(WRITE_SECONDS)
        self.assertEqual((self.recorder.queued, self.recorder.lost), (2, 3))
        self.writer.result = FINE
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual(self.recorder.written, FINE)
        self.assertEqual(len(self.writer.batches), 3)

    def test_writer_runs_without_events_to_delete_old_records(self) -> None:
        self.clock.advance(IDLE_SECONDS)
        self.assertEqual(self.writer.batches, [[], []])

    def test_too_many_events_are_dropped_and_counted(self) -> None:
        self.patch(recorder, "MAX_QUEUED", 2)
        with capturedLogs() as logged:
            for _ in range(4):
                self.recorder.observe(started())
        self.assertEqual((self.recorder.queued, self.recorder.lost), (2, 2))
        (line,) = [formatEvent(each) or "" for each in logged]
        self.assertIn("are dropped", line)

    def test_error_of_the_writer_is_logged_and_later_events_are_written(self) -> None:
        def fail(_observed: object) -> Written:
            raise ZeroDivisionError

        write = self.writer.write
        self.writer.write = fail  # type: ignore[method-assign,assignment]
        self.recorder.observe(started())
        self.clock.advance(WRITE_SECONDS)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.writer.write = write  # type: ignore[method-assign]
        self.recorder.observe(ended())
        self.clock.advance(WRITE_SECONDS)
        self.assertEqual([each.event for each in self.writer.batches[-1]], [ended()])

    def test_stop_writes_what_is_left(self) -> None:
        self.thread.is_slow = True
        self.recorder.observe(started())
        self.clock.advance(WRITE_SECONDS)
        self.recorder.observe(ended())
        stopped = self.stop()
        for _ in range(3):
            self.assertNoResult(stopped)
            self.thread.finish()
        self.successResultOf(stopped)
        self.assertEqual([len(each) for each in self.writer.batches], [0, 1, 1])
        self.assertTrue(self.writer.is_closed and self.thread.is_stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_without_a_start_does_nothing(self) -> None:
        self.successResultOf(self.stop())
        self.successResultOf(self.stop())
        self.assertEqual(len(self.writer.batches), 2)
