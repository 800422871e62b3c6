"""A caller's channel, as a handle with the operations of the attendant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import fail, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from channel_aa.ari.outbound import OutboundChannel
from channel_aa.ari.playback import Playback
from channel_aa.ari.recording import Recording
from channel_aa.ari.wire.errors import AriError, ConflictError, NotFoundError
from channel_aa.ari.wire.requests import Request
from channel_aa.interfaces import ChannelGoneError, IChannel, PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.defer import Deferred

    from channel_aa.ari.client import AriClient
    from channel_aa.ari.events import ChannelData
    from channel_aa.ari.playback import PlaybackTimeouts
    from channel_aa.ari.wire.retry import RetryingSender
    from channel_aa.interfaces import IChannelListener

_NOT_IN_STASIS = 409


@implementer(IChannel)
class Channel:
    """A channel in our Stasis application.

    Args:
        client: whom the channel belongs to.
        data: what Asterisk says of it.
        is_new: whether it has just entered: nobody has played anything to it yet.
    """

    _log = Logger()

    def __init__(
        self, client: AriClient, data: ChannelData, *, is_new: bool = False
    ) -> None:
        self.id = data.id
        self.name = data.name
        self.data = data
        self.listener: IChannelListener | None = None
        self.is_hung_up = False
        self.playbacks: set[Playback] = set()
        self.recordings: set[Recording] = set()
        self.phones: set[OutboundChannel] = set()
        self._client = client
        self._is_silent = is_new

    def __repr__(self) -> str:
        return f"<Channel {self.name} id={self.id!r}>"

    @property
    def caller_name(self) -> str:
        """Who calls; see `IChannel.caller_name`."""
        return self.data.caller.name

    @property
    def caller_number(self) -> str:
        """The number that calls; see `IChannel.caller_number`."""
        return self.data.caller.number

    @property
    def dialled(self) -> str:
        """The number that was dialled; see `IChannel.dialled`."""
        return self.data.dialplan.exten

    @property
    def language(self) -> str:
        """The language of its sounds; see `IChannel.language`."""
        return self.data.language

    @property
    def requests(self) -> RetryingSender:
        """What carries this channel's requests."""
        return self._client.sender

    @property
    def alarms(self) -> PlaybackTimeouts:
        """What tells this channel's playbacks that they have been quiet for long."""
        return self._client.alarms

    def answer(self) -> Deferred[None]:
        """Answer the call; see `IChannel.answer`."""
        return self._command("POST", "answer")

    def play(self, media: str) -> Playback:
        """Start a sound; see `IChannel.play`."""
        self._is_silent = False
        playback = Playback(self, media, self._client.new_playback_id())
        self.playbacks.add(playback)
        self._client.playbacks[playback.id] = playback
        playback.begin()
        return playback

    def hang_up(self) -> Deferred[None]:
        """Hang up; see `IChannel.hang_up`."""
        return self._command("DELETE")

    def continue_in_dialplan(
        self, *, context: str = "", extension: str = "", priority: int = 0
    ) -> Deferred[None]:
        """Leave for the dialplan; see `IChannel.continue_in_dialplan`."""
        place = {
            "context": context,
            "extension": extension,
            "priority": str(priority) if priority else "",
        }
        named = {key: text for key, text in place.items() if text}
        return self._command("POST", "continue", query=named)

    def set_variable(self, name: str, value: str) -> Deferred[None]:
        """Set a variable; see `IChannel.set_variable`."""
        query = {"variable": name, "value": value}
        # Those who are turned away come in crowds, and hear nothing.
        return self._command(
            "POST", "variable", query=query, may_wait=not self._is_silent
        )

    def get_variable(self, name: str) -> Deferred[str]:
        """Read a variable; see `IChannel.get_variable`."""
        request = Request(
            method="GET",
            path=("channels", self.id, "variable"),
            query={"variable": name},
        )
        return (
            self.requests.send(request, again=True)
            .addCallback(_value_of_variable, request)
            .addErrback(self._variable_failed)
        )

    def start_ringing(self) -> Deferred[None]:
        """Let the caller hear the ring tone; see `IChannel.start_ringing`."""
        return self._command("POST", "ring")

    def stop_ringing(self) -> Deferred[None]:
        """End the ring tone; see `IChannel.stop_ringing`."""
        return self._command("DELETE", "ring")

    def start_music(self, music_class: str) -> Deferred[None]:
        """Let the caller hear music on hold; see `IChannel.start_music`."""
        return self._command("POST", "moh", query={"mohClass": music_class})

    def stop_music(self) -> Deferred[None]:
        """End the music on hold; see `IChannel.stop_music`."""
        return self._command("DELETE", "moh")

    def record(
        self,
        name: str,
        *,
        max_seconds: int,
        max_silence_seconds: int,
        terminator: str,
        beep: bool,
    ) -> Recording:
        """Record what the caller says; see `IChannel.record`."""
        self._is_silent = False
        options = {
            "maxDurationSeconds": str(max_seconds),
            "maxSilenceSeconds": str(max_silence_seconds),
            "terminateOn": terminator,
            "beep": "true" if beep else "false",
        }
        recording = Recording(
            self._client, self, name, options=options, max_seconds=max_seconds
        )
        recording.begin()
        return recording

    def dial(
        self, endpoint: str, *, ring_seconds: int, label: str = ""
    ) -> OutboundChannel:
        """Ring a phone on the caller's behalf; see `IChannel.dial`."""
        self._is_silent = False
        phone = OutboundChannel(
            self._client, self, endpoint, ring_seconds=ring_seconds, label=label
        )
        if not self.is_hung_up:
            self.phones.add(phone)
            self._client.phones[phone.id] = phone
            phone.ring()
        else:
            phone.hang_up()
        return phone

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
        try:
            # First: whoever waits for a phone must not take its end for an answer.
            if self.listener is not None:
                self.listener.hung_up()
        finally:
            self._hang_up_phones()

    def reconnected(self) -> None:
        """Pass on that the connection is back."""
        if self.listener is None:
            return
        try:
            self.listener.reconnected()
        except Exception:  # noqa: BLE001 - the others have to learn of it all the same
            self._log.failure("Going on with {channel} failed", channel=self)

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
        for recording in list(self.recordings):
            recording.channel_left()
        self._hang_up_phones()

    @staticmethod
    def is_gone(error: BaseException | None) -> bool:
        """Tell whether an error of a request means that the channel is not ours."""
        if isinstance(error, ConflictError):
            return error.status == _NOT_IN_STASIS
        return isinstance(error, NotFoundError)

    def _hang_up_phones(self) -> None:
        for phone in list(self.phones):
            phone.hang_up()

    def _command(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        may_wait: bool = True,
    ) -> Deferred[None]:
        request = Request(
            method=method,
            path=("channels", self.id, *path),
            query=query or {},
            may_wait=may_wait,
        )
        # Each of them, done twice, is as if done once.
        return self.requests.send(request, again=True).addCallbacks(
            _nothing, self._command_failed
        )

    def _command_failed(self, failure: Failure) -> Failure:
        if not self.is_gone(failure.value):
            return failure
        self.left()
        return Failure(ChannelGoneError(str(failure.value)))

    def _variable_failed(self, failure: Failure) -> Deferred[str]:
        error = failure.value
        # The 404 of a variable that is not set is told from a channel's by its text.
        if isinstance(error, NotFoundError) and "variable" in error.message:
            return succeed("")
        return fail(self._command_failed(failure))


def _nothing(_body: bytes) -> None:
    """Turn the body of a command's answer, which is empty, into no result."""


class _Variable(msgspec.Struct):
    value: str = ""


def _value_of_variable(body: bytes, request: Request) -> str:
    try:
        return msgspec.json.decode(body, type=_Variable).value
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AriError(
            request.method,
            request.quoted_path,
            message=f"the answer is no variable: {error}",
        ) from error
