"""A caller's channel, as a handle with the operations of the attendant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.python.failure import Failure
from zope.interface import implementer

from channel_aa.ari.errors import ConflictError, NotFoundError
from channel_aa.ari.playbacks import Playback
from channel_aa.ari.requests import Request
from channel_aa.interfaces import ChannelGoneError, IChannel, PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from channel_aa.ari.client import AriClient
    from channel_aa.ari.events import ChannelData
    from channel_aa.ari.playbacks import PlaybackAlarms
    from channel_aa.ari.requests import IRequestSender
    from channel_aa.interfaces import IChannelListener

_NOT_IN_STASIS = 409


@implementer(IChannel)
class Channel:
    """A channel in our Stasis application.

    Args:
        client: whom the channel belongs to.
        data: what Asterisk says of it.
    """

    _log = Logger()

    def __init__(self, client: AriClient, data: ChannelData) -> None:
        self.id = data.id
        self.name = data.name
        self.data = data
        self.listener: IChannelListener | None = None
        self.is_hung_up = False
        self.playbacks: set[Playback] = set()
        self._client = client

    def __repr__(self) -> str:
        return f"<Channel {self.name} id={self.id!r}>"

    @property
    def requests(self) -> IRequestSender:
        """What carries this channel's requests."""
        return self._client.requests

    @property
    def alarms(self) -> PlaybackAlarms:
        """What tells this channel's playbacks that they have been quiet for long."""
        return self._client.alarms

    def answer(self) -> Deferred[None]:
        """Answer the call; see `IChannel.answer`."""
        return self._command("POST", "answer")

    def play(self, media: str) -> Playback:
        """Start a sound; see `IChannel.play`."""
        playback = Playback(self, media, self._client.new_playback_id())
        self.playbacks.add(playback)
        self._client.playbacks[playback.id] = playback
        playback.begin()
        return playback

    def hang_up(self) -> Deferred[None]:
        """Hang up; see `IChannel.hang_up`."""
        return self._command("DELETE")

    def continue_in_dialplan(self) -> Deferred[None]:
        """Leave for the dialplan; see `IChannel.continue_in_dialplan`."""
        return self._command("POST", "continue")

    def forget_playback(self, playback: Playback) -> None:
        """Drop a playback that is over."""
        self.playbacks.discard(playback)
        self._client.playbacks.pop(playback.id, None)

    def dtmf_received(self, digit: str) -> None:
        """Pass on a key that the caller pressed."""
        if self.listener is not None:
            self.listener.dtmf_received(digit)

    def hung_up(self) -> None:
        """Take note of the hangup, once, and pass it on."""
        if self.is_hung_up:
            return
        self.is_hung_up = True
        if self.listener is not None:
            self.listener.hung_up()

    def left(self) -> None:
        """Take note that the channel left the application: its end, here."""
        self.is_hung_up = True
        # The dialplan may have sent it in again: that is another stay.
        if self._client.channels.get(self.id) is self:
            del self._client.channels[self.id]
        listener, self.listener = self.listener, None
        if listener is not None:
            try:
                listener.left()
            except Exception:  # noqa: BLE001 - the rest has to end all the same
                self._log.failure("Ending the call of {channel} failed", channel=self)
        for playback in list(self.playbacks):
            playback.ended(PlaybackEnd.FAILED, "the channel has left")

    @staticmethod
    def is_gone(error: BaseException | None) -> bool:
        """Tell whether an error of a request means that the channel is not ours."""
        if isinstance(error, ConflictError):
            return error.status == _NOT_IN_STASIS
        return isinstance(error, NotFoundError)

    def _command(self, method: str, *path: str) -> Deferred[None]:
        request = Request(method=method, path=("channels", self.id, *path))
        return self.requests.send(request).addCallbacks(_nothing, self._command_failed)

    def _command_failed(self, failure: Failure) -> Failure:
        if not self.is_gone(failure.value):
            return failure
        self.left()
        return Failure(ChannelGoneError(str(failure.value)))


def _nothing(_body: bytes) -> None:
    """Turn the body of a command's answer, which is empty, into no result."""
