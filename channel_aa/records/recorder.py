"""Observes the events of calls, and has a thread store them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from channel_aa.logs import Logger
from channel_aa.records.journal import CallsReconciled, Observed
from channel_aa.records.writer import RETRY_SECONDS, Writer, Written

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

    from channel_aa.attendant.call_events import CallEvent
    from channel_aa.settings import RecordsSettings

WRITE_SECONDS = 1.0
"""How long events are collected before they are written."""

IDLE_SECONDS = 3600.0
"""How often the writer runs without events, to delete old records."""

MAX_QUEUED = 200_000
"""The number of events that are kept while a write takes long; later ones are lost."""

_log = Logger()


class Thread:
    """Runs functions one after another, in a thread of its own.

    Args:
        reactor: the reactor.
    """

    def __init__(self, reactor: Any) -> None:  # noqa: ANN401 - IReactorThreads and others
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=0, maxthreads=1, name="records")
        self._pool.start()

    def run(self, function: Callable[[], Written]) -> Deferred[Written]:
        """Run a function; fires with its result, in the reactor's thread."""
        return deferToThreadPool(self._reactor, self._pool, function)

    def stop(self) -> None:
        """End the thread, which runs nothing any more."""
        self._pool.stop()


class Recorder:
    """Stores a record of each call. No call waits for it.

    Args:
        settings: the settings.
        source: the attendant: the application, and the URL of Asterisk.
        reactor: the reactor.
        now: returns the date and time, with a time zone.
        writer: stores the events; replaced in tests.
        thread: makes what runs the writer; replaced in tests.

    Attributes:
        written: the state after the last write.
    """

    def __init__(
        self,
        settings: RecordsSettings,
        *,
        source: str,
        reactor: Any,  # noqa: ANN401 - IReactorTime and IReactorThreads
        now: Callable[[], datetime],
        writer: Callable[..., Writer] = Writer,
        thread: Callable[[Any], Thread] = Thread,
    ) -> None:
        self.written = Written(waiting=0, spooled=0, lost=0, problem="")
        self._run = secrets.token_hex(4)
        self._writer = writer(settings, source=source, run=self._run)
        self._reactor = reactor
        self._now = now
        self._make_thread = thread
        self._thread: Thread | None = None
        self._queue: list[Observed] = []
        self._number = 0
        self._lost = 0
        self._timer: IDelayedCall | None = None
        self._writing: Deferred[None] | None = None

    @property
    def queued(self) -> int:
        """The number of events that are in memory only."""
        return len(self._queue) + self.written.waiting

    @property
    def lost(self) -> int:
        """The number of events that were dropped since the start."""
        return self._lost + self.written.lost

    def start(self) -> None:
        """Open the database, and take in what was not stored before."""
        if self._thread is None:
            self._thread = self._make_thread(self._reactor)
        self._write()

    def observe(self, event: CallEvent | CallsReconciled) -> None:
        """Take an event, to be written within a second."""
        if len(self._queue) >= MAX_QUEUED:
            if not self._lost:
                _log.error(
                    "Events of calls are dropped: the database of records takes too"
                    " long"
                )
            self._lost += 1
            return
        self._number += 1
        at = self._now().timestamp()
        # The union has every event that there is.
        self._queue.append(Observed(at, self._run, self._number, event))  # type: ignore[arg-type]
        if len(self._queue) == 1 and self._writing is None:
            self._wait(WRITE_SECONDS)

    def reconciled(self) -> None:
        """Record that the calls of earlier runs that go on have been adopted."""
        self.observe(CallsReconciled())

    async def stop(self) -> None:
        """Write what is left, and end the thread."""
        if self._thread is None:
            return
        if self._writing is not None:
            await self._writing
        self._write()
        if self._writing is not None:
            await self._writing
        thread, self._thread = self._thread, None
        self._cancel_timer()
        await thread.run(self._close)
        thread.stop()

    def _close(self) -> Written:
        self._writer.close()
        return self.written

    def _write(self) -> None:
        self._cancel_timer()
        if self._thread is None:
            return
        queue, self._queue = self._queue, []
        written = self._thread.run(lambda: self._writer.write(queue))
        self._writing = Deferred()
        written.addCallbacks(self._wrote, self._failed).addCallback(self._next)

    def _wrote(self, written: Written) -> None:
        self.written = written

    def _failed(self, failure: Failure) -> None:
        _log.failure("Storing records of calls failed", failure)

    def _next(self, _result: None) -> None:
        writing, self._writing = self._writing, None
        if self._queue:
            self._wait(WRITE_SECONDS)
        elif self.written.problem or self.written.waiting:
            self._wait(RETRY_SECONDS)
        else:
            self._wait(IDLE_SECONDS)
        if writing is not None:
            writing.callback(None)

    def _wait(self, seconds: float) -> None:
        self._cancel_timer()
        self._timer = self._reactor.callLater(seconds, self._write)

    def _cancel_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
