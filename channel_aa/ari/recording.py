"""What a caller says, on its way to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred, succeed
from zope.interface import implementer

from channel_aa.ari.remote_object import RemoteObject
from channel_aa.ari.wire.errors import AriError, NotFoundError
from channel_aa.ari.wire.requests import Request
from channel_aa.interfaces import IRecording, RecordingEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

    from channel_aa.ari.channel import Channel
    from channel_aa.ari.client import AriClient

FORMAT = "wav"
"""What recordings are stored as; Asterisk plays any that it has a module for."""

CHECK_SECONDS = 60.0
"""How long to trust a recording without a limit to report its end."""

MARGIN_SECONDS = 5.0
"""How long after its limit one is asked after that says nothing."""

STOPPED_CHECK_SECONDS = 2.0
"""The same, once it has been stopped and should end at once."""


@implementer(IRecording)
class Recording(RemoteObject[RecordingEnd, bytes]):
    """A recording on a channel.

    Args:
        client: whose Asterisk it is on.
        channel: whom it records.
        name: its name in Asterisk's folder of recordings.
        options: how it is made and ended: the arguments of Asterisk's request.
        max_seconds: how long it may last; 0: without a limit.
    """

    _log = Logger()

    def __init__(
        self,
        client: AriClient,
        channel: Channel,
        name: str,
        *,
        options: dict[str, str],
        max_seconds: int,
    ) -> None:
        self.name = name
        self.problem = ""
        self.finished: Deferred[RecordingEnd] = Deferred(self._given_up)
        self._client = client
        self._channel = channel
        self._options = options
        self._seconds = max_seconds + MARGIN_SECONDS if max_seconds else CHECK_SECONDS
        self._stop_wanted = False
        self._timer: IDelayedCall | None = None
        self._waiting: list[Deferred[None]] = []

    def begin(self) -> None:
        """Send the request to record."""
        if not _is_a_name(self.name):
            self.ended(
                RecordingEnd.FAILED, f"not the name of a recording: {self.name!r}"
            )
            return
        if self._client.recordings.setdefault(self.name, self) is not self:
            self.ended(RecordingEnd.FAILED, "another one of that name is being made")
            return
        self._channel.recordings.add(self)
        request = Request(
            method="POST",
            path=("channels", self._channel.id, "record"),
            query={
                "name": self.name,
                "format": FORMAT,
                "ifExists": "overwrite",
                **self._options,
            },
        )
        self._ask_for(request, self._client.sender)

    def discard(self) -> Deferred[None]:
        """Stop and delete it; see `IRecording.discard`."""
        self._stop()
        over: Deferred[None] = Deferred()
        if self._is_over:
            over.callback(None)
        else:
            self._waiting.append(over)
        return over.addCallback(lambda _: self._delete())

    def _delete(self) -> Deferred[None]:
        def gone(failure: Failure) -> None:
            failure.trap(NotFoundError)

        # An earlier one of the name is not this one.
        if not self._is_accepted:
            return succeed(None)
        return (
            self._send("DELETE", "stored", again=True)
            .addErrback(gone)
            .addCallback(lambda _: None)
        )

    def ended(self, end: RecordingEnd, problem: str = "") -> None:
        """Take note that it is over; whoever waits for it goes on.

        Args:
            end: how it ended.
            problem: why it failed, if it did.
        """
        if self._is_over:
            return
        self._is_over = True
        self.problem = problem
        self._cancel_timer()
        self._channel.recordings.discard(self)
        if self._client.recordings.get(self.name) is self:
            del self._client.recordings[self.name]
        self._tell(self.finished, end)
        waiting, self._waiting = self._waiting, []
        for over in waiting:
            over.callback(None)

    def channel_left(self) -> None:
        """Take note that the channel has left: what was said is stored."""
        self._take_back()
        if self._is_accepted:
            self.ended(RecordingEnd.DONE)
        else:
            self.ended(RecordingEnd.FAILED, "the channel has left")

    def _ask(self) -> Deferred[bytes]:
        return self._send("GET", "live")

    def _send(
        self, method: str, kind: str, *action: str, again: bool = False
    ) -> Deferred[bytes]:
        path = ("recordings", kind, self.name, *action)
        return self._client.sender.send(Request(method=method, path=path), again=again)

    def _given_up(self, _waiting: Deferred[RecordingEnd]) -> None:
        self._is_given_up = True
        self._stop()

    def _stop(self) -> None:
        if self._is_over or self._stop_wanted:
            return
        self._stop_wanted = True
        if not self._take_back() and self._is_accepted:
            self._send_stop()

    def _take_back(self) -> bool:
        """Withdraw the request, where it has not left yet."""
        request = self._request
        if request is None or not self._client.sender.is_waiting(request):
            return False
        request.cancel()
        return True

    def _accepted(self) -> None:
        if self._is_over or self._is_accepted:
            return
        self._is_accepted = True
        if self._stop_wanted:
            self._send_stop()
        else:
            self._expect_an_end(self._seconds)

    def _refused(self, failure: Failure) -> None:
        if self._is_over or self._is_accepted:
            return
        error = failure.value
        if isinstance(error, AriError) and error.may_be_done:
            self.check()
            return
        if self._channel.is_gone(error) and not _is_about_the_name(error):
            self._channel.left()
        elif not isinstance(error, AriError | CancelledError):
            self._log.failure("Recording {name} failed", failure, name=self.name)
        self.ended(RecordingEnd.FAILED, str(error))

    def _send_stop(self) -> None:
        if self._is_over or self._channel.is_hung_up:
            return
        self._cancel_timer()
        self._expect_an_end(STOPPED_CHECK_SECONDS)
        self._send("POST", "live", "stop").addErrback(self._not_stopped)

    def _not_stopped(self, failure: Failure) -> None:
        if failure.check(NotFoundError):
            self.ended(RecordingEnd.DONE)
        elif failure.check(AriError):
            self._log.warn("A recording goes on: {error}", error=failure.value)
        elif not failure.check(CancelledError):
            self._log.failure("Stopping {name} failed", failure, name=self.name)

    def _exists(self, _answer: bytes) -> None:
        if not self._is_accepted:
            self._accepted()
        elif self._stop_wanted:
            self._send_stop()
        else:
            self._expect_an_end(self._seconds)

    def _does_not_exist(self) -> None:
        if not self._is_accepted:
            self._nothing_stored()
            return
        self._send("GET", "stored").addCallbacks(
            lambda _: self.ended(RecordingEnd.DONE), self._nothing_stored
        )

    def _cannot_tell(self, failure: Failure, *, is_last: bool) -> None:
        if is_last:
            self.ended(RecordingEnd.FAILED, str(failure.value))
        else:
            self._expect_an_end(STOPPED_CHECK_SECONDS)

    def _nothing_stored(self, _failure: Failure | None = None) -> None:
        self.ended(RecordingEnd.FAILED, "Asterisk knows nothing of it")

    def _expect_an_end(self, seconds: float) -> None:
        """Ask after it when it says nothing for so long."""
        if self._timer is None:
            self._timer = self._client.clock.callLater(seconds, self._timer_rang)

    def _timer_rang(self) -> None:
        self._timer = None
        self.check()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _is_about_the_name(error: BaseException | None) -> bool:
    """Tell whether a 409 refuses the recording's name, and not the channel."""
    return isinstance(error, AriError) and error.message.startswith("Recording")


def _is_a_name(name: str) -> bool:
    """Tell whether a recording may have a name: it stays in Asterisk's folder."""
    return not {"", ".", ".."} & set(name.split("/"))
