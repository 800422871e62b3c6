"""Every event of Asterisk, to whom it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.ari import events
from channel_aa.ari.outbound import is_phone
from channel_aa.ari.wire.requests import is_segment
from channel_aa.interfaces import PlaybackEnd, RecordingEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from channel_aa.ari.client import AriClient


class Dispatcher:
    """Reads events, and looks up which handle each is about.

    Args:
        client: whose channels, playbacks, recordings and phones they are about.

    Attributes:
        kinds: the events that somebody here needs.
    """

    _log = Logger()

    def __init__(self, client: AriClient) -> None:
        self._client = client
        self._malformed_kinds: set[str] = set()
        self._handlers: Mapping[type[events.Event], Callable[[Any], None]] = {
            events.StasisStart: self._stasis_start,
            events.StasisEnd: self._stasis_end,
            events.ChannelDestroyed: self._channel_destroyed,
            events.ChannelHangupRequest: self._hangup_request,
            events.ChannelDtmfReceived: self._dtmf_received,
            events.ChannelLeftBridge: self._left_bridge,
            events.Dial: self._dial,
            events.PlaybackStarted: self._playback_started,
            events.PlaybackFinished: self._playback_finished,
            events.RecordingFinished: self._recording_finished,
            events.RecordingFailed: self._recording_failed,
            events.ApplicationReplaced: self._application_replaced,
            events.RESTResponse: client.requests.answered,
        }
        self.kinds = frozenset(self._handlers)

    def received(self, payload: bytes) -> None:
        """Take a message of the events websocket."""
        try:
            event = events.decode(payload)
        except events.MalformedEventError as error:
            self._client.recovery.doubt()
            if error.kind not in self._malformed_kinds:
                self._malformed_kinds.add(error.kind)
                self._log.error(
                    "Dropped a malformed event, and will drop others of its kind"
                    " silently: {error}",
                    error=error,
                )
            return
        handler = self._handlers.get(type(event))
        if handler is None:
            return
        try:
            handler(event)
        except Exception:  # noqa: BLE001 - one event's fault must not end the others
            self._log.failure("Handling {event} failed", event=type(event).__name__)

    def _stasis_start(self, event: events.StasisStart) -> None:
        client, channel_id = self._client, event.channel.id
        if channel_id in client.channels or not is_segment(channel_id):
            return
        phone = client.phones.get(channel_id)
        if phone is not None:
            phone.entered()
        elif not (is_phone(channel_id) or any(map(is_phone, event.args))):
            client.enter(event.channel, event.args)
        elif channel_id not in client.members:
            # Its request was given up, and has been carried out all the same; or the
            # phone has passed the call on to another, whose channel this is.
            client.cleanup.remove("channels", channel_id)

    def _stasis_end(self, event: events.StasisEnd) -> None:
        self._ended(event.channel.id, 0)

    def _channel_destroyed(self, event: events.ChannelDestroyed) -> None:
        self._ended(event.channel.id, event.cause)

    def _ended(self, channel_id: str, cause: int) -> None:
        client = self._client
        channel = client.channels.get(channel_id)
        if channel is not None:
            channel.left()
        phone = client.phones.get(channel_id)
        if phone is not None:
            phone.ended(cause)
        conversation = client.members.get(channel_id)
        if conversation is not None:
            conversation.end()
        client.recovery.forget(channel_id)

    def _hangup_request(self, event: events.ChannelHangupRequest) -> None:
        channel = self._client.channels.get(event.channel.id)
        if channel is not None:
            channel.hung_up()

    def _dtmf_received(self, event: events.ChannelDtmfReceived) -> None:
        channel = self._client.channels.get(event.channel.id)
        if channel is not None:
            channel.dtmf_received(event.digit)

    def _left_bridge(self, event: events.ChannelLeftBridge) -> None:
        conversation = self._client.conversations.get(event.bridge.id)
        if conversation is not None and event.channel.id in conversation.members:
            conversation.end()

    def _dial(self, event: events.Dial) -> None:
        phone = self._client.phones.get(event.peer.id)
        if phone is not None:
            phone.dialling(event.dialstatus)

    def _playback_started(self, event: events.PlaybackStarted) -> None:
        playback = self._client.playbacks.get(event.playback.id)
        if playback is not None:
            playback.started()

    def _playback_finished(self, event: events.PlaybackFinished) -> None:
        playback = self._client.playbacks.get(event.playback.id)
        if playback is None:
            return
        if event.playback.state == "done":
            playback.ended(PlaybackEnd.DONE)
        else:
            playback.ended(
                PlaybackEnd.FAILED,
                "Asterisk could not play it. Is that sound installed, for the"
                " channel's language?",
            )

    def _recording_finished(self, event: events.RecordingFinished) -> None:
        recording = self._client.recordings.get(event.recording.name)
        if recording is not None:
            recording.ended(RecordingEnd.DONE)

    def _recording_failed(self, event: events.RecordingFailed) -> None:
        recording = self._client.recordings.get(event.recording.name)
        if recording is not None:
            problem = event.recording.cause or "Asterisk could not record it"
            recording.ended(RecordingEnd.FAILED, problem)

    def _application_replaced(self, _event: events.ApplicationReplaced) -> None:
        self._client.replaced()
