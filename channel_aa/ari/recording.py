"""A recording of a caller."""

from __future__ import annotations

from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from zope.interface import implementer

from channel_aa.ari.remote_object import RemoteObject
from channel_aa.ari.wire.errors import (
    AriError,
    ConflictError,
    NotFoundError,
    ServerError,
    is_channel_gone,
)
from channel_aa.ari.wire.requests import Request
from channel_aa.interfaces import IRecording, RecordingEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from channel_aa.ari.registry import HandleContext
    from channel_aa.ari.remote_object import RecordedHandle

FORMAT = "wav"
"""The format of recordings; Asterisk plays any that it has a module for."""

FOLDER_REMEDY = (
    "Check that Asterisk's folder of recordings, usually /var/spool/asterisk/recording,"
    " exists and is writable for Asterisk: install -d -o asterisk -g asterisk"
    " /var/spool/asterisk/recording"
)
"""What to do if Asterisk cannot record; Debian's package does not have the folder."""

CHECK_SECONDS = 60.0
"""How long to wait for the end of a recording without a limit before checking on it."""

MARGIN_SECONDS = 5.0
"""How long after its limit to check on a recording that has not reported its end."""

STOPPED_CHECK_SECONDS = 2.0
"""How long after its stop to check on a recording, which should end at once."""

_SUFFIX_BYTES = 4
"""The length of the random suffix, half that of its text."""


@implementer(IRecording)
class Recording(RemoteObject[RecordingEnd, bytes]):
    """A recording on a channel; its states are those of `RemoteObject`.

    A stop withdraws a request that was not sent, or is sent when the recording exists.

    Args:
        context: what the client's handles share.
        channel: the channel to record.
        name: its name in Asterisk's folder of recordings, which is its id.
        overwrite: whether it replaces a recording of that name; else it gets another
            name, with a suffix, if Asterisk has or makes one.
        options: the arguments of the request that limit the recording.
        max_seconds: its longest duration; 0: without a limit.
    """

    _log = Logger()

    def __init__(
        self,
        context: HandleContext,
        channel: RecordedHandle,
        name: str,
        *,
        overwrite: bool,
        options: dict[str, str],
        max_seconds: int,
    ) -> None:
        super().__init__(context)
        self._channel = channel
        self.id = self.name = name
        self.problem = ""
        self.talking_seconds: int | None = None
        self.finished: Deferred[RecordingEnd] = Deferred(self._cancel)
        self._overwrite = overwrite
        self._is_renamed = False
        self._options = options
        self._seconds = max_seconds + MARGIN_SECONDS if max_seconds else CHECK_SECONDS
        self._stop_requested = False
        self._end_waiters: list[Deferred[None]] = []

    @classmethod
    def start(
        cls,
        context: HandleContext,
        channel: RecordedHandle,
        name: str,
        *,
        max_seconds: int,
        max_silence_seconds: int,
        terminator: str,
        beep: bool,
        overwrite: bool,
    ) -> Recording:
        """Start a recording; see `IChannel.record`."""
        options = {
            "maxDurationSeconds": str(max_seconds),
            "maxSilenceSeconds": str(max_silence_seconds),
            "terminateOn": terminator,
            "beep": "true" if beep else "false",
        }
        recording = cls(
            context,
            channel,
            name,
            overwrite=overwrite,
            options=options,
            max_seconds=max_seconds,
        )
        recording.begin()
        return recording

    def begin(self) -> None:
        """Send the request to record."""
        if not _is_valid_name(self.name):
            self.end(RecordingEnd.FAILED, f"invalid name of a recording: {self.name!r}")
            return
        if self.name in self._context.registry.table(Recording):
            if self._overwrite:
                self.end(RecordingEnd.FAILED, "a recording of this name is in progress")
                return
            self._rename()
        self._channel.recordings.add(self)
        self._send_creation()

    def _rename(self) -> None:
        self._is_renamed = True
        self.id = self.name = f"{self.name}-{token_hex(_SUFFIX_BYTES)}"

    def _send_creation(self) -> None:
        self._context.registry.add(self)
        self._create(
            Request(
                method="POST",
                path=(self._channel.resource, self._channel.id, "record"),
                query={
                    "name": self.name,
                    "format": FORMAT,
                    "ifExists": "overwrite" if self._overwrite else "fail",
                    **self._options,
                },
            )
        )

    def pause(self) -> Deferred[None]:
        """Pause it. Errors: those of `channel_aa.ari.wire.errors`."""
        return self._control("POST", "pause")

    def resume(self) -> Deferred[None]:
        """Go on after `pause`. Errors: those of `channel_aa.ari.wire.errors`."""
        return self._control("DELETE", "pause")

    def mute(self) -> Deferred[None]:
        """Record silence. Errors: those of `channel_aa.ari.wire.errors`."""
        return self._control("POST", "mute")

    def unmute(self) -> Deferred[None]:
        """Go on after `mute`. Errors: those of `channel_aa.ari.wire.errors`."""
        return self._control("DELETE", "mute")

    def _control(self, method: str, action: str) -> Deferred[None]:
        return self._send(method, "live", action).addCallback(lambda _: None)

    def discard(self) -> Deferred[None]:
        """Stop and delete it; see `IRecording.discard`."""
        return Deferred.fromCoroutine(self._discard())

    async def _discard(self) -> None:
        self.stop()
        if not self._is_over:
            over: Deferred[None] = Deferred()
            self._end_waiters.append(over)
            await over
        # What is stored may be an earlier recording of the name.
        if self._is_accepted:
            with suppress(NotFoundError):
                await self._delete(self.name)

    def replace(self, name: str) -> Deferred[None]:
        """Give it another name; see `IRecording.replace`."""
        return Deferred.fromCoroutine(self._replace(name))

    async def _replace(self, name: str) -> None:
        copied = Request(
            method="POST",
            path=("recordings", "stored", self.name, "copy"),
            query={"destinationRecordingName": name},
        )
        try:
            await self._context.sender.send(copied)
        except ConflictError:  # ARI can neither overwrite nor rename
            with suppress(NotFoundError):
                await self._delete(name)
            await self._context.sender.send(copied)
        copy_of, self.id, self.name = self.name, name, name
        try:
            await self._delete(copy_of)
        except AriError as error:
            self._log.warn("A copy of {name} is left: {error}", name=name, error=error)

    def _delete(self, name: str) -> Deferred[bytes]:
        request = Request(method="DELETE", path=("recordings", "stored", name))
        return self._context.sender.send(request, idempotent=True)

    def end(
        self,
        end: RecordingEnd,
        problem: str = "",
        *,
        talking_seconds: int | None = None,
    ) -> None:
        """Fire `finished`: the recording is over.

        Args:
            end: how it ended.
            problem: why it failed, if it did.
            talking_seconds: see `IRecording`.
        """
        if self._is_over:
            return
        self._is_over = True
        self.problem = problem
        self.talking_seconds = talking_seconds
        self._cancel_timer()
        self._channel.recordings.discard(self)
        self._context.registry.discard(self)
        self._fire(self.finished, end)
        waiters, self._end_waiters = self._end_waiters, []
        for over in waiters:
            over.callback(None)

    def channel_ended(self) -> None:
        """End it: the channel has left, and Asterisk has stored the recording."""
        self._withdraw()
        if self._is_accepted:
            self.end(RecordingEnd.DONE)
        else:
            self.end(RecordingEnd.FAILED, "the channel left the application")

    def _send_query(self) -> Deferred[bytes]:
        return self._send("GET", "live")

    def _send(self, method: str, kind: str, *action: str) -> Deferred[bytes]:
        path = ("recordings", kind, self.name, *action)
        return self._context.sender.send(Request(method=method, path=path))

    def stop(self) -> None:
        """Stop it, or withdraw its request."""
        if self._is_over or self._stop_requested:
            return
        self._stop_requested = True
        if not self._withdraw() and self._is_accepted:
            self._send_stop()

    def _created(self) -> None:
        if self._stop_requested:
            self._send_stop()
        else:
            self._start_timer(self._seconds)

    def _creation_failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, AriError) and error.outcome_unknown:
            self.check()
            return
        may_rename = not (self._overwrite or self._is_renamed or self._stop_requested)
        if may_rename and _is_about_the_name(error):
            self._context.registry.discard(self)
            self._rename()
            self._send_creation()
            return
        if is_channel_gone(error) and not _is_about_the_name(error):
            self._channel.end()
        elif not isinstance(error, AriError | CancelledError):
            self._log.failure("Recording {name} failed", failure, name=self.name)
        remedy = f". {FOLDER_REMEDY}" if isinstance(error, ServerError) else ""
        self.end(RecordingEnd.FAILED, f"{error}{remedy}")

    def _send_stop(self) -> None:
        if self._is_over or self._channel.is_hung_up:
            return
        self._cancel_timer()
        self._start_timer(STOPPED_CHECK_SECONDS)
        self._send("POST", "live", "stop").addErrback(self._stop_failed)

    def _stop_failed(self, failure: Failure) -> None:
        if failure.check(NotFoundError):
            self.end(RecordingEnd.DONE)
        elif failure.check(AriError):
            self._log.warn("A recording goes on: {error}", error=failure.value)
        elif not failure.check(CancelledError):
            self._log.failure("Stopping {name} failed", failure, name=self.name)

    def _found(self, _answer: bytes) -> None:
        if not self._is_accepted:
            self.accepted()
        elif self._stop_requested:
            self._send_stop()
        else:
            self._start_timer(self._seconds)

    def _not_found(self) -> None:
        if not self._is_accepted:
            self._not_stored()
            return
        self._send("GET", "stored").addCallbacks(
            lambda _: self.end(RecordingEnd.DONE), self._not_stored
        )

    def _query_failed(self, failure: Failure, *, is_last: bool) -> None:
        if is_last:
            self.end(RecordingEnd.FAILED, str(failure.value))
        else:
            self._start_timer(STOPPED_CHECK_SECONDS)

    def _not_stored(self, _failure: Failure | None = None) -> None:
        self.end(RecordingEnd.FAILED, "Asterisk does not have the recording")


def _is_about_the_name(error: BaseException | None) -> bool:
    """Tell whether a 409 refuses the recording's name, and not the channel."""
    return isinstance(error, AriError) and error.message.startswith("Recording")


def _is_valid_name(name: str) -> bool:
    """Tell whether the file of a recording's name stays in Asterisk's folder."""
    return not {"", ".", ".."} & set(name.split("/"))
