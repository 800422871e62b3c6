"""One sound on its way to a caller, from the request to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from zope.interface import implementer

from channel_aa.ari.remote_object import RemoteObject
from channel_aa.ari.wire.errors import AriError, NotFoundError
from channel_aa.ari.wire.requests import Request
from channel_aa.ari.wire.timeouts import Timeouts
from channel_aa.interfaces import IPlayback, PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime
    from twisted.python.failure import Failure

    from channel_aa.ari.channel import Channel

CHECK_SECONDS = 10.0
"""How long to trust a playback to report its end before asking after it."""

STOPPED_CHECK_SECONDS = 2.0
"""The same, once it has been stopped and should end at once."""


class PlaybackTimeouts:
    """Tells playbacks when they have said nothing for too long.

    Args:
        clock: what time is kept with.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.playing = Timeouts(CHECK_SECONDS, _check, clock=clock)
        self.stopped = Timeouts(STOPPED_CHECK_SECONDS, _check, clock=clock)

    def take_back(self, playback: Playback) -> None:
        """Leave a playback alone that is over."""
        self.playing.take_back(playback)
        self.stopped.take_back(playback)


@implementer(IPlayback)
class Playback(RemoteObject[PlaybackEnd, bytes]):
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
        self._stop_wanted = False
        self._stop_sent = False
        self._alarms = channel.alarms
        self._alarms.playing.set(self)

    def begin(self) -> None:
        """Send the request to play it."""
        request = Request(
            method="POST",
            path=("channels", self._channel.id, "play", self.id),
            query={"media": self.media},
        )
        self._ask_for(request, self._channel.requests)

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
        self._tell(self.finished, end)

    def check(self) -> Deferred[None]:
        """Find out whether Asterisk has it; see `RemoteObject.check`."""
        if self._is_asked_for:
            self._alarms.playing.set(self)
        return super().check()

    def _ask(self) -> Deferred[bytes]:
        return self._send("GET")

    def _send(self, method: str) -> Deferred[bytes]:
        request = Request(method=method, path=("playbacks", self.id))
        return self._channel.requests.send(request)

    @property
    def _has_not_left(self) -> bool:
        """Whether the request to play it still waits for a connection."""
        request = self._request
        return request is not None and self._channel.requests.is_waiting(request)

    def _given_up(self, _waiting: Deferred[PlaybackEnd]) -> None:
        self._is_given_up = True
        self.stop()

    def _accepted(self) -> None:
        if self._is_accepted or self._is_over:
            return
        self._is_accepted = True
        if self._stop_wanted:
            self._send_stop()

    def _refused(self, failure: Failure) -> None:
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
        self._alarms.playing.set(self)
        self._accepted()
        if self._stop_wanted:
            self._send_stop()

    def _does_not_exist(self) -> None:
        self.ended(PlaybackEnd.FAILED, "Asterisk knows nothing of it any more")

    def _cannot_tell(self, _failure: Failure, *, is_last: bool) -> None:
        if is_last:
            self._does_not_exist()
        else:
            self._alarms.playing.set(self)


def _check(playback: Playback) -> None:
    playback.check()
