"""A playback on a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from zope.interface import implementer

from channel_aa.ari.remote_object import RemoteObject
from channel_aa.ari.wire.errors import AriError, NotFoundError, is_channel_gone
from channel_aa.ari.wire.requests import Request
from channel_aa.interfaces import IPlayback, PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from channel_aa.ari.registry import HandleContext
    from channel_aa.ari.remote_object import ChannelHandle

CHECK_SECONDS = 10.0
"""How long to wait for the end of a playback before checking on it."""

STOPPED_CHECK_SECONDS = 2.0
"""The same, once the playback has been stopped and should end at once."""

DROP_CHECK_SECONDS = (0.1, 0.2)
"""When to check on a playback that Asterisk may have dropped, or of a recording: after
its response, and, if Asterisk does not have it, once more. Then its end must have been
reported."""

DROP_REPEATS = 3
"""How often a playback that Asterisk has dropped is requested again."""


@implementer(IPlayback)
class Playback(RemoteObject[PlaybackEnd, bytes]):
    """A playback on a channel.

    It is registered before the request is sent, because ``PlaybackStarted`` and even
    ``PlaybackFinished`` can arrive before the response. Some playbacks never report
    their end (an unknown URI scheme; events lost with a connection), so a timeout
    checks on a long one.

    A stop is sent once the playback exists (see the states of `RemoteObject`), since it
    might overtake the request. ``_stop_requested`` remembers it until then. It is sent
    again only if it got no response, and a query finds the playback.

    While a channel leaves a bridge, Asterisk drops what it is to play, without an
    event, even some time after it has reported that the channel has left. So the first
    playback after a bridge is checked on soon, and requested again if need be. One of a
    recording is checked on soon, too: if there is no recording of that name, Asterisk
    reports a beginning and no end.

    Args:
        context: what the client's handles share.
        channel: the channel to play on.
        media: what is played, as a media URI.
        may_be_dropped: whether the channel has just been in a bridge.
    """

    _log = Logger()

    first_since: float | None = None
    """When the channel has entered whose first sound it is, if that is measured."""

    # A class attribute: few are the first ones after a bridge.
    _repeats_left = 0
    _is_missing = False
    _stopped_at: float | None = None

    def __init__(
        self,
        context: HandleContext,
        channel: ChannelHandle,
        media: str,
        *,
        may_be_dropped: bool = False,
    ) -> None:
        super().__init__(context)
        self._channel = channel
        self.id = context.ids.new()
        self.media = media
        self.problem = ""
        self.finished: Deferred[PlaybackEnd] = Deferred(self._cancel)
        self._stop_requested = False
        self._stop_sent = False
        if may_be_dropped:
            self._repeats_left = DROP_REPEATS

    @property
    def _is_recording(self) -> bool:
        return self.media.startswith("recording:")

    def begin(self) -> None:
        """Send the request to play it."""
        self._channel.playbacks.add(self)
        self._context.registry.add(self)
        self._context.playing.start(self)
        self._request_it()

    def _request_it(self) -> None:
        self._create(
            Request(
                method="POST",
                path=(self._channel.resource, self._channel.id, "play", self.id),
                query={"media": self.media},
            )
        )

    def stop(self) -> None:
        """Stop the sound; see `IPlayback.stop`."""
        if self._context.measurements is not None and not self._stop_requested:
            self._stopped_at = self._context.clock.seconds()
        self._stop_requested = True
        if self._is_accepted:
            self._send_stop()
        elif self._is_unsent:
            self.end(PlaybackEnd.DONE)

    def pause(self) -> Deferred[None]:
        """Pause the sound; like the following, do nothing once it is over.

        Errors: those of `channel_aa.ari.wire.errors`.
        """
        return self._control("pause")

    def resume(self) -> Deferred[None]:
        """Go on after `pause`. Errors: those of `channel_aa.ari.wire.errors`."""
        return self._control("unpause")

    def restart(self) -> Deferred[None]:
        """Begin again. Errors: those of `channel_aa.ari.wire.errors`."""
        return self._control("restart")

    def skip_back(self) -> Deferred[None]:
        """Go back by 3 seconds. Errors: those of `channel_aa.ari.wire.errors`."""
        return self._control("reverse")

    def skip_forward(self) -> Deferred[None]:
        """Go on by 3 seconds. Errors: those of `channel_aa.ari.wire.errors`."""
        return self._control("forward")

    def _control(self, operation: str) -> Deferred[None]:
        request = Request(
            method="POST",
            path=("playbacks", self.id, "control"),
            query={"operation": operation},
        )
        # A person's key may be late.
        return self._context.sender.send(request).addCallbacks(
            lambda _: None, lambda failure: failure.trap(NotFoundError) and None
        )

    def end(self, end: PlaybackEnd, problem: str = "") -> None:
        """Fire `finished`: the playback is over.

        Args:
            end: how it ended.
            problem: why it failed, if it did.
        """
        if self._is_over:
            return
        self._is_over = True
        measurements = self._context.measurements
        if (
            measurements is not None
            and self._stopped_at is not None
            and end is PlaybackEnd.DONE
        ):
            now = self._context.clock.seconds()
            measurements.sound_stopped(now - self._stopped_at)
        self.problem = problem
        if not self._is_accepted:
            self._withdraw()
        self._cancel_timer()
        self._context.playing.cancel(self)
        if self._stop_requested:
            self._context.stopped.cancel(self)
        self._channel.playbacks.discard(self)
        self._context.registry.discard(self)
        self._fire(self.finished, end)

    def check(self) -> Deferred[None]:
        """Query whether Asterisk has it; see `RemoteObject.check`."""
        if self._is_creating:
            self._context.playing.start(self)
        return super().check()

    def _send_query(self) -> Deferred[bytes]:
        return self._send("GET")

    def _send(self, method: str) -> Deferred[bytes]:
        request = Request(method=method, path=("playbacks", self.id))
        return self._context.sender.send(request)

    def _created(self) -> None:
        measurements = self._context.measurements
        if measurements is not None and self.first_since is not None:
            now = self._context.clock.seconds()
            measurements.first_sound_began(now - self.first_since)
            self.first_since = None
        if self._stop_requested:
            self._send_stop()
        elif self._repeats_left or self._is_recording:
            self._start_timer(DROP_CHECK_SECONDS[0])

    def _creation_failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, CancelledError):
            self.end(PlaybackEnd.FAILED, "the playback was cancelled")
        elif not isinstance(error, AriError):
            self._log.failure("Playing {media} failed", failure, media=self.media)
            self.end(PlaybackEnd.FAILED, str(error))
        elif error.outcome_unknown:
            self.check()
        elif is_channel_gone(error):
            self._channel.end()
        else:
            self.end(PlaybackEnd.FAILED, str(error))

    def _send_stop(self) -> None:
        # A hangup ends every playback of the channel.
        if self._stop_sent or self._is_over or self._channel.is_hung_up:
            return
        self._stop_sent = True
        self._context.playing.cancel(self)
        self._context.stopped.start(self)
        self._send("DELETE").addErrback(self._stop_failed)

    def _stop_failed(self, failure: Failure) -> None:
        if self._is_over:
            return
        if failure.check(NotFoundError):
            self.end(PlaybackEnd.DONE)
        elif isinstance(failure.value, AriError):
            # Without an answer, send it again if the playback is found to exist.
            self._stop_sent = failure.value.status is not None
            self._log.warn(
                "Could not stop {media} on {channel}: {error}",
                media=self.media,
                channel=self._channel.name,
                error=failure.value,
            )
        else:
            self._log.failure("Stopping {media} failed", failure, media=self.media)

    def _found(self, _answer: bytes) -> None:
        self._repeats_left = 0
        self._context.playing.start(self)
        self.accepted()
        if self._stop_requested:
            self._send_stop()

    def _not_found(self) -> None:
        soon = self._repeats_left or self._is_recording
        if soon and not (self._is_missing or self._stop_requested):
            self._is_missing = True
            self._start_timer(DROP_CHECK_SECONDS[1])
        elif self._repeats_left and not self._stop_requested:
            self._is_missing = self._is_accepted = False
            self._repeats_left -= 1
            self._request_it()
        else:
            problem = "Asterisk no longer has the playback"
            if self._is_recording:
                problem += ": there is no such recording, or it is empty"
            self.end(PlaybackEnd.FAILED, problem)

    def _query_failed(self, _failure: Failure, *, is_last: bool) -> None:
        if is_last:
            self._not_found()
        else:
            self._context.playing.start(self)
