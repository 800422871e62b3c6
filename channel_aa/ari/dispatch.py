"""The dispatch of events to the handles that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from channel_aa.ari import events, transfers
from channel_aa.ari.channel import Channel
from channel_aa.ari.outbound import OutboundChannel, is_outbound
from channel_aa.ari.playback import Playback
from channel_aa.ari.prepared_call import PreparedCall
from channel_aa.ari.recording import FOLDER_REMEDY, Recording
from channel_aa.ari.two_party_bridge import BridgeMember, TwoPartyBridge
from channel_aa.ari.wire.requests import is_segment
from channel_aa.interfaces import PlaybackEnd, RecordingEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from channel_aa.ari.admission import Admission
    from channel_aa.ari.events import ChannelData
    from channel_aa.ari.reconcile import Reconciler
    from channel_aa.ari.registry import HandleContext


class Dispatcher:
    """Decodes messages of the events websocket, and calls the handler of each.

    Attributes:
        handlers: called with each message of a class; others are ignored.
        subscribed: the types of messages for which `find_others` has calls.
        find_others: returns further calls for a message, from the name of its type and
            its bytes. They are made after the handler, also if that removes them.
    """

    on_malformed: Callable[[], None] | None = None
    """Called after a message that cannot be decoded."""

    _log = Logger()

    def __init__(self) -> None:
        self.handlers: dict[type[object], Callable[[Any], None]] = {}
        self.subscribed: Collection[str] = ()
        self.find_others: Callable[[str, bytes], Sequence[Callable[[], None]]] = (
            _find_none
        )
        self._malformed_kinds: set[str] = set()

    def message_received(self, payload: bytes) -> None:
        """Decode a message, and call its handler."""
        try:
            event = events.decode(payload)
        except events.MalformedEventError as error:
            if self.on_malformed is not None:
                self.on_malformed()
            if error.kind not in self._malformed_kinds:
                self._malformed_kinds.add(error.kind)
                self._log.error(
                    "Dropped a malformed event; others of its type will be dropped"
                    " without a log line: {error}",
                    error=error,
                )
            return
        others: Sequence[Callable[[], None]] = ()
        if self.subscribed:
            name = type(event).__name__
            if isinstance(event, events.UnknownEvent):
                name = event.type
            others = self.find_others(name, payload)
        handler = self.handlers.get(type(event))
        if handler is not None:
            try:
                handler(event)
            except Exception:  # noqa: BLE001 - one event must not affect others
                self._log.failure("Handling {event} failed", event=type(event).__name__)
        for call in others:
            call()


def _find_none(_name: str, _payload: bytes) -> Sequence[Callable[[], None]]:
    return ()


class CallEvents:
    """The handlers of events: each calls the handle that the event is about.

    Args:
        context: what the client's handles share.
        reconciler: is told of channels that have left.
        enter: called with each channel that enters, and its arguments.
        replaced: called when another program has registered the application.
        admission: tells whether a channel may enter.
    """

    def __init__(
        self,
        context: HandleContext,
        reconciler: Reconciler,
        *,
        enter: Callable[..., None],
        replaced: Callable[[events.ApplicationReplaced], None],
        admission: Admission,
    ) -> None:
        self._registry = registry = context.registry
        self._channels = registry.table(Channel)
        self._playbacks = registry.table(Playback)
        self._recordings = registry.table(Recording)
        self._outbound = registry.table(OutboundChannel)
        self._prepared = registry.table(PreparedCall)
        self._bridges = registry.table(TwoPartyBridge)
        self._bridge_members = registry.table(BridgeMember)
        self._cleanup = context.cleanup
        self._reconciler = reconciler
        self._enter = enter
        self._admission = admission
        self.handlers: dict[type[object], Callable[[Any], None]] = {
            events.StasisStart: self._stasis_start,
            events.StasisEnd: self._channel_left,
            events.ChannelDestroyed: self._channel_left,
            events.ChannelHangupRequest: self._hangup_request,
            events.ChannelDtmfReceived: self._dtmf_received,
            events.ChannelLeftBridge: self._left_bridge,
            events.Dial: self._dial,
            events.PlaybackStarted: self._playback_started,
            events.PlaybackFinished: self._playback_finished,
            events.RecordingFinished: self._recording_finished,
            events.RecordingFailed: self._recording_failed,
            events.ApplicationReplaced: replaced,
        }

    def _stasis_start(self, event: events.StasisStart) -> None:
        channel_id = event.channel.id
        if channel_id in self._channels or not is_segment(channel_id):
            return
        if event.replace_channel is not None:
            self._replaced(event.replace_channel, event.channel)
        elif (outbound := self._outbound.get(channel_id)) is not None:
            outbound.entered()
        elif (call := self._prepared.get(channel_id)) is not None:
            call.entered(event.channel)
        elif phone := transfers.picked_up(self._registry, event.args):
            phone.picked_up(channel_id)
        elif not self._admission.is_open():
            self._reconciler.audit_soon()
        elif not (is_outbound(channel_id) or any(map(is_outbound, event.args))):
            self._enter(event.channel, event.args)
        elif channel_id not in self._bridge_members:
            # Asterisk carried out a request that had been given up; or the phone has
            # forwarded the call, and this is the channel of the other phone.
            self._cleanup.remove("channels", channel_id)

    def _replaced(self, old: ChannelData, new: ChannelData) -> None:
        """Act on a channel that has entered in place of another."""
        is_known = transfers.replace(self._registry, old.id, new)
        if is_known or is_outbound(old.id):
            return
        if not self._admission.is_open():
            self._reconciler.audit_soon()
        else:
            # A party has transferred its caller to where it is in the attendant.
            _, arguments = old.application
            entered = msgspec.structs.replace(new, dialplan=old.dialplan)
            self._enter(entered, arguments, is_replacement=True)

    def _channel_left(self, event: events.StasisEnd | events.ChannelDestroyed) -> None:
        channel_id = event.channel.id
        if (channel := self._channels.get(channel_id)) is not None:
            if isinstance(event, events.ChannelDestroyed):
                channel.hangup_cause = event.cause
            channel.end()
        if (outbound := self._outbound.get(channel_id)) is not None:
            if isinstance(event, events.ChannelDestroyed):
                outbound.end(event.cause)
            else:
                outbound.left()
        if (member := self._bridge_members.get(channel_id)) is not None:
            member.bridge.end(channel_id)
        if (call := self._prepared.get(channel_id)) is not None and isinstance(
            event, events.ChannelDestroyed
        ):
            call.end(event.cause)
        self._reconciler.cancel_adoption(channel_id)

    def _hangup_request(self, event: events.ChannelHangupRequest) -> None:
        channel_id = event.channel.id
        if (channel := self._channels.get(channel_id)) is not None:
            # If a request has hung up, the cause is a flag of Asterisk's own.
            channel.hung_up(0 if event.soft else event.cause)
        elif (outbound := self._outbound.get(channel_id)) is not None:
            outbound.hung_up()

    def _dtmf_received(self, event: events.ChannelDtmfReceived) -> None:
        if (channel := self._channel(event.channel.id)) is not None:
            channel.dtmf_received(event.digit)

    def _channel(self, channel_id: str) -> Channel | OutboundChannel | None:
        return self._channels.get(channel_id) or self._outbound.get(channel_id)

    def _left_bridge(self, event: events.ChannelLeftBridge) -> None:
        if (
            bridge := self._bridges.get(event.bridge.id)
        ) is not None and event.channel.id in bridge.members:
            bridge.end(event.channel.id)

    def _dial(self, event: events.Dial) -> None:
        peer = event.peer.id
        if (call := self._outbound.get(peer) or self._prepared.get(peer)) is not None:
            call.dial_status_changed(event.dialstatus)

    def _playback_started(self, event: events.PlaybackStarted) -> None:
        if (playback := self._playbacks.get(event.playback.id)) is not None:
            playback.accepted()

    def _playback_finished(self, event: events.PlaybackFinished) -> None:
        playback = self._playbacks.get(event.playback.id)
        if playback is None:
            return
        if event.playback.state == "done":
            playback.end(PlaybackEnd.DONE)
        else:
            playback.end(
                PlaybackEnd.FAILED,
                "Asterisk could not play it. Check that the sound is installed in the"
                " channel's language, and that a WAV file is 16 bits, mono, 8000 Hz.",
            )

    def _recording_finished(self, event: events.RecordingFinished) -> None:
        if (recording := self._recordings.get(event.recording.name)) is not None:
            talking = event.recording.talking_duration
            recording.end(RecordingEnd.DONE, talking_seconds=talking)

    def _recording_failed(self, event: events.RecordingFailed) -> None:
        if (recording := self._recordings.get(event.recording.name)) is not None:
            problem = event.recording.cause[: events.MAX_TEXT] or (
                f"Asterisk could not record it. {FOLDER_REMEDY}"
            )
            recording.end(RecordingEnd.FAILED, problem)
