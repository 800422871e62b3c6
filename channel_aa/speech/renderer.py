"""Renders texts in a process of its own, one after another."""

from __future__ import annotations

import os
import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol

from channel_aa.speech.rendering import SECONDS, Job
from channel_aa.speech.worker import RenderRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

_COMMAND = (sys.executable, "-m", "channel_aa.speech.worker")
_GRACE_SECONDS = 10
_KEPT_OUTPUT = 500


class Renderer:
    """A queue of texts to render, and the process that does.

    The process ends when the queue is empty: it takes some 200 MB with piper.

    Args:
        done: called for each text with its job, and the error's message; empty: it is
            rendered.
        reactor: the reactor that runs the process.
    """

    def __init__(
        self,
        done: Callable[[Job, str], None],
        *,
        reactor: Any,  # noqa: ANN401 - IReactorProcess and IReactorTime
    ) -> None:
        self._done = done
        self._reactor = reactor
        self._queue: deque[tuple[Job, Path]] = deque()
        self._worker: _Worker | None = None
        self._current: Job | None = None
        self._timeout: IDelayedCall | None = None

    def render(self, job: Job, path: Path) -> None:
        """Render a text after those in the queue."""
        self._queue.append((job, path))
        self._next()

    def prefer(self, job: Job) -> None:
        """Render a queued text before the others."""
        for each in self._queue:
            if each[0] == job:
                self._queue.remove(each)
                self._queue.appendleft(each)
                return

    async def stop(self) -> None:
        """Drop the queue, and end the process."""
        self._queue.clear()
        self._current = None
        self._stop_timer()
        if self._worker is not None:
            self._worker.kill()
            await self._worker.ended

    def _next(self) -> None:
        if self._current is not None:
            return
        if not self._queue:
            if self._worker is not None:
                self._worker.finish()
            return
        if self._worker is None:
            self._worker = _Worker(self._responded, self._ended)
            self._reactor.spawnProcess(
                self._worker, _COMMAND[0], _COMMAND, env=dict(os.environ)
            )
        elif self._worker.is_finishing:
            return  # the next one starts when it has ended
        self._current, path = self._queue.popleft()
        self._worker.send(RenderRequest(self._current, str(path)))
        self._timeout = self._reactor.callLater(
            SECONDS + _GRACE_SECONDS, self._time_out
        )

    def _responded(self, error: str) -> None:
        self._finish_current(error)
        self._next()

    def _time_out(self) -> None:
        if self._worker is not None:
            self._worker.kill()
        self._finish_current(f"it took longer than {SECONDS} s")

    def _ended(self, output: str) -> None:
        self._worker = None
        self._finish_current(f"the engine has died: {output}".rstrip(": "))
        if self._queue:
            self._next()

    def _finish_current(self, error: str) -> None:
        self._stop_timer()
        job, self._current = self._current, None
        if job is not None:
            self._done(job, error)

    def _stop_timer(self) -> None:
        if self._timeout is not None and self._timeout.active():
            self._timeout.cancel()
        self._timeout = None


class _Worker(ProcessProtocol):
    """The process of `channel_aa.speech.worker`."""

    def __init__(
        self, responded: Callable[[str], None], ended: Callable[[str], None]
    ) -> None:
        self.ended: Deferred[None] = Deferred()
        self.is_finishing = False
        self._responded = responded
        self._on_end = ended
        self._buffer = b""
        self._output = ""

    def send(self, request: RenderRequest) -> None:
        """Send a request; a response follows, or the end."""
        self._process.write(msgspec.json.encode(request) + b"\n")

    def finish(self) -> None:
        """Let it end."""
        if not self.is_finishing:
            self.is_finishing = True
            self._process.closeStdin()

    def kill(self) -> None:
        """End it at once."""
        self.is_finishing = True
        with suppress(ProcessExitedAlready):
            self._process.signalProcess("KILL")

    def outReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Receive responses."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._responded(msgspec.json.decode(line, type=str))

    def errReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Keep the end of what it prints, in case that it dies."""
        self._output = (self._output + data.decode(errors="replace"))[-_KEPT_OUTPUT:]

    def processEnded(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        """Report the end."""
        lines = self._output.strip().splitlines() or [reason.getErrorMessage()]
        self._on_end(lines[-1])
        self.ended.callback(None)

    @property
    def _process(self) -> Any:  # noqa: ANN401 - IProcessTransport
        return self.transport
