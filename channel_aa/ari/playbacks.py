"""One sound on its way to a caller, from the request to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred, succeed
from zope.interface import implementer

from channel_aa.ari.alarms import Alarms
from channel_aa.ari.errors import AriError, NotFoundError
from channel_aa.ari.requests import Request
from channel_aa.interfaces import IPlayback, PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime
    from twisted.python.failure import Failure

    from channel_aa.ari.channels import Channel

CHECK_SECONDS = 10.0
"""How long to trust a playback to report its end before asking after it."""

STOPPED_CHECK_SECONDS = 2.0
"""The same, once it has been stopped and should end at once."""

MAX_FAILED_CHECKS = 3
"""After how many questions without an answer a playback counts as over."""


class PlaybackAlarms:
    """Tells playbacks when they have said nothing for too long.

    Args:
        clock: what time is kept with.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.playing = Alarms(CHECK_SECONDS, _check, clock=clock)
        self.stopped = Alarms(STOPPED_CHECK_SECONDS, _check, clock=clock)

    def take_back(self, playback: Playback) -> None:
        """Leave a playback alone that is over."""
        self.playing.take_back(playback)
        self.stopped.take_back(playback)


@implementer(IPlayback)
class Playback:
    """A playback on a channel.

    Its id is chosen and registered here before the request leaves, because
    ``PlaybackStarted`` and even ``PlaybackFinished`` can arrive before the
    request's answer. Some playbacks never report an end (an unknown URI scheme;
    events lost with a connection), so a timer asks after one that takes long.
    """

    _log = Logger()

    def __init__(self, channel: Channel, media: str, playback_id: str) -> None:
        self.id = playback_id
        self.media = media
        self.problem = ""
        self.finished: Deferred[PlaybackEnd] = Deferred(self._given_up)
        self._channel = channel
        self._is_over = False
        self._is_accepted = False
        self._stop_wanted = False
        self._is_given_up = False
        self._stop_sent = False
        self._is_asked_for = False
        self._is_checking = False
        self._failed_checks = 0
        self._request: Deferred[bytes] | None = None
        self._alarms = channel.alarms
        self._alarms.playing.set(self)

    def begin(self) -> None:
        """Send the request to play it."""
        request = Request(
            method="POST",
            path=("channels", self._channel.id, "play", self.id),
            query={"media": self.media},
        )
        self._is_asked_for = True
        self._request = self._channel.requests.send(request)
        self._request.addCallbacks(self._answered, self._refused)

    def stop(self) -> None:
        """Stop the sound; see `IPlayback.stop`."""
        self._stop_wanted = True
        # Before Asterisk knows the playback there is nothing to stop: the two
        # requests might overtake each other.
        if self._is_accepted:
            self._send_stop()
        elif self._has_not_left:
            self.ended(PlaybackEnd.DONE)

    def started(self) -> None:
        """Take note that the sound is heard."""
        self._accepted()

    def ended(self, end: PlaybackEnd, problem: str = "") -> None:
        """Take note that the sound is over; whoever waits for it goes on.

        Args:
            end: how it ended.
            problem: why it failed, if it did.
        """
        if self._is_over:
            return
        self._is_over = True
        self.problem = problem
        if self._request is not None and self._has_not_left:
            self._request.cancel()
        self._alarms.take_back(self)
        self._channel.forget_playback(self)
        if not (self.finished.called or self._is_given_up):
            self.finished.callback(end)

    def check(self) -> Deferred[None]:
        """Ask Asterisk whether it still exists; fires when that is known."""
        if self._is_checking or self._is_over:
            return succeed(None)
        if self._is_asked_for:
            # The answer tells; a question might overtake the request.
            self._alarms.playing.set(self)
            return succeed(None)
        self._is_checking = True
        return (
            self._send("GET")
            .addBoth(self._checked)
            .addCallbacks(self._exists, self._check_failed)
        )

    def _send(self, method: str) -> Deferred[bytes]:
        request = Request(method=method, path=("playbacks", self.id))
        return self._channel.requests.send(request)

    @property
    def _has_not_left(self) -> bool:
        """Whether the request to play it still waits for a connection."""
        request = self._request
        return request is not None and self._channel.requests.is_waiting(request)

    def _answered(self, _answer: bytes) -> None:
        self._is_asked_for = False
        self._accepted()

    def _checked(self, result: bytes | Failure) -> bytes | Failure:
        self._is_checking = False
        return result

    def _given_up(self, _waiting: Deferred[PlaybackEnd]) -> None:
        # An end that came now would look like one to whoever is cancelled.
        self._is_given_up = True
        self.stop()

    def _accepted(self) -> None:
        if self._is_accepted or self._is_over:
            return
        self._is_accepted = True
        if self._stop_wanted:
            self._send_stop()

    def _refused(self, failure: Failure) -> None:
        self._is_asked_for = False
        if self._is_over or self._is_accepted:
            return
        error = failure.value
        if isinstance(error, CancelledError):
            self.ended(PlaybackEnd.FAILED, "it was not asked for any more")
        elif not isinstance(error, AriError):
            self._log.failure("Playing {media} failed", failure, media=self.media)
            self.ended(PlaybackEnd.FAILED, str(error))
        elif error.may_be_done:
            self.check()
        elif self._channel.is_gone(error):
            self._channel.left()
        else:
            self.ended(PlaybackEnd.FAILED, str(error))

    def _send_stop(self) -> None:
        # A hangup ends every playback of the channel: nothing to ask for.
        if self._stop_sent or self._is_over or self._channel.is_hung_up:
            return
        self._stop_sent = True
        self._alarms.playing.take_back(self)
        self._alarms.stopped.set(self)
        self._send("DELETE").addErrback(self._not_stopped)

    def _not_stopped(self, failure: Failure) -> None:
        if self._is_over:
            return
        if failure.check(NotFoundError):
            self.ended(PlaybackEnd.DONE)
        elif isinstance(failure.value, AriError):
            # One that was not answered is sent again where the sound is found to play.
            self._stop_sent = failure.value.status is not None
            self._log.warn(
                "{media} on {channel} plays on, it could not be stopped: {error}",
                media=self.media,
                channel=self._channel.name,
                error=failure.value,
            )
        else:
            self._log.failure("Stopping {media} failed", failure, media=self.media)

    def _exists(self, _answer: bytes) -> None:
        if not self._is_over:
            self._failed_checks = 0
            self._alarms.playing.set(self)
            self._accepted()
            if self._stop_wanted:
                self._send_stop()

    def _check_failed(self, failure: Failure) -> None:
        if self._is_over:
            return
        if not failure.check(NotFoundError):
            # A question that was given up with its connection proves nothing.
            self._failed_checks += not failure.check(CancelledError)
            if self._failed_checks < MAX_FAILED_CHECKS:
                self._alarms.playing.set(self)
                return
        self.ended(PlaybackEnd.FAILED, "Asterisk knows nothing of it any more")


def _check(playback: Playback) -> None:
    playback.check()
