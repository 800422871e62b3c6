"""A caller's channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from channel_aa.ari.caller_id import all_variables, caller_variables, own_variables
from channel_aa.ari.cleanup import hangup_query
from channel_aa.ari.events import MAX_TEXT, MAX_VARIABLE
from channel_aa.ari.outbound import OutboundChannel
from channel_aa.ari.playback import Playback
from channel_aa.ari.recording import Recording
from channel_aa.ari.two_party_bridge import BridgeMember
from channel_aa.ari.wire.errors import NotFoundError, decode_response, is_channel_gone
from channel_aa.ari.wire.requests import Request
from channel_aa.dialogue.dialogue import Dialogue
from channel_aa.interfaces import (
    ChannelGoneError,
    HangupReason,
    IChannel,
    PlaybackEnd,
)
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from channel_aa.ari.api.events import Event
    from channel_aa.ari.events import ChannelData
    from channel_aa.ari.registry import HandleContext
    from channel_aa.ari.subscriptions import Subscription
    from channel_aa.interfaces import IChannelListener

E = TypeVar("E", bound="Event")

UNFOUND_TRIES = 20
UNFOUND_SECONDS = 0.1
"""How often, and after which pause, a request that does not find a channel is repeated
once the channel has taken another's place, or while it is in a conversation.

Asterisk reports a channel that takes another's place a moment before it can be found by
its id. And a caller in a conversation may have transferred it: the event of that is on
its way, or was lost with a connection, and the reconciliation finds the other channel.
"""


@implementer(IChannel)
class Channel:
    """A channel in our Stasis application.

    Args:
        context: what the client's handles share.
        data: Asterisk's description of it.
        is_new: whether it has just entered, so that no sound is playing on it.
        is_replacement: whether it has entered in the place of another channel.

    Attributes:
        listener: who is told of its events; ``None`` once it has left.
        is_hung_up: whether it was hung up, or has left.
        hangup_cause: why the other side has hung up (ITU-T Q.850): 16 is an ordinary
            hangup; 0: it has not, or that is not known.
        is_leaving: whether Asterisk has agreed to continue it in the dialplan.
        is_adopted: whether it was in the application before; see `IStasisApplication`.
        playbacks, recordings: those on it that are not over.
        outbound: the channels originated on its behalf that are not over.
    """

    resource = "channels"
    _log = Logger()

    def __init__(
        self,
        context: HandleContext,
        data: ChannelData,
        *,
        is_new: bool = False,
        is_replacement: bool = False,
    ) -> None:
        self.id = data.id
        self.name = data.name[:MAX_TEXT]
        self.caller_name = data.caller.name[:MAX_TEXT]
        self.caller_number = data.caller.number[:MAX_TEXT]
        self.dialled = data.dialplan.exten[:MAX_TEXT]
        self.language = data.language[:MAX_TEXT]
        self.listener: IChannelListener | None = None
        self.is_hung_up = False
        self.hangup_cause = 0
        self.is_leaving = False
        self.is_adopted = not is_new
        self.playbacks: set[Playback] = set()
        self.recordings: set[Recording] = set()
        self.outbound: set[OutboundChannel] = set()
        self._subscriptions: list[Subscription[Any]] = []
        self._dialogue: Dialogue | None = None
        self._entered_at: float | None = None
        if is_new and context.measurements is not None:
            self._entered_at = context.clock.seconds()
        self._end_waiters: set[Deferred[None]] = set()
        self._has_ended = False
        self._context = context
        self._is_silent = is_new
        self._has_left_bridge = False
        self._is_replacement = is_replacement

    def __repr__(self) -> str:
        return f"<Channel {self.name} id={self.id!r}>"

    @property
    def dialogue(self) -> Dialogue:
        """Prompts and keys: it has the keys that are pressed after its first use."""
        if self._dialogue is None:
            self._dialogue = Dialogue(
                self, clock=self._context.clock, language=self.language
            )
        return self._dialogue

    def answer(self) -> Deferred[None]:
        """Answer the call; see `IChannel.answer`."""
        return self._command("POST", "answer")

    def play(self, media: str) -> Playback:
        """Start a sound; see `IChannel.play`."""
        self._is_silent = False
        playback = Playback(
            self._context, self, media, may_be_dropped=self._has_left_bridge
        )
        self._has_left_bridge = False
        playback.first_since, self._entered_at = self._entered_at, None
        playback.begin()
        return playback

    def hang_up(self, reason: HangupReason = HangupReason.NORMAL) -> Deferred[None]:
        """Hang up; see `IChannel.hang_up`."""
        hung_up = self._command("DELETE", query=hangup_query(reason))
        return hung_up.addErrback(
            lambda failure: failure.trap(ChannelGoneError) and None
        )

    def continue_in_dialplan(
        self, *, context: str = "", extension: str = "", priority: int = 0
    ) -> Deferred[None]:
        """Leave for the dialplan; see `IChannel.continue_in_dialplan`."""
        location = {
            "context": context,
            "extension": extension,
            "priority": str(priority) if priority else "",
        }
        given = {key: text for key, text in location.items() if text}
        return self._command("POST", "continue", query=given).addCallback(self._leave)

    def _leave(self, _result: None) -> None:
        self.is_leaving = True

    def set_variable(self, name: str, value: str) -> Deferred[None]:
        """Set a variable; see `IChannel.set_variable`."""
        query = {"variable": name, "value": value}
        # Calls that are rejected arrive in bursts, and before any sound has played.
        return self._command(
            "POST", "variable", query=query, waits_for_sound=not self._is_silent
        )

    def get_variable(self, name: str) -> Deferred[str]:
        """Read a variable; see `IChannel.get_variable`."""
        request = Request(
            method="GET",
            path=("channels", self.id, "variable"),
            query={"variable": name},
        )
        return (
            self._send(request)
            .addCallback(
                lambda body: decode_response(
                    request, body, _Variable, "variable"
                ).value[:MAX_VARIABLE]
            )
            .addErrback(self._variable_failed)
        )

    def start_ringing(self) -> Deferred[None]:
        """Play the ring tone to the caller; see `IChannel.start_ringing`."""
        return self._command("POST", "ring")

    def stop_ringing(self) -> Deferred[None]:
        """Stop the ring tone; see `IChannel.stop_ringing`."""
        return self._command("DELETE", "ring")

    def start_music(self, music_class: str) -> Deferred[None]:
        """Play music on hold to the caller; see `IChannel.start_music`."""
        return self._command("POST", "moh", query={"mohClass": music_class})

    def stop_music(self) -> Deferred[None]:
        """Stop the music on hold; see `IChannel.stop_music`."""
        return self._command("DELETE", "moh")

    def record(
        self,
        name: str,
        *,
        max_seconds: int,
        max_silence_seconds: int,
        terminator: str,
        beep: bool,
        overwrite: bool = False,
    ) -> Recording:
        """Record the caller; see `IChannel.record`."""
        self._is_silent = False
        return Recording.start(
            self._context,
            self,
            name,
            max_seconds=max_seconds,
            max_silence_seconds=max_silence_seconds,
            terminator=terminator,
            beep=beep,
            overwrite=overwrite,
        )

    def dial(
        self,
        endpoint: str,
        *,
        ring_seconds: int,
        label: str = "",
        caller_id: tuple[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        early_media: bool = False,
        is_withheld: bool = False,
    ) -> OutboundChannel:
        """Originate a channel on the caller's behalf; see `IChannel.dial`."""
        self._is_silent = False
        name, number = self.caller_name, self.caller_number
        if caller_id is not None:
            shown = own_variables(name=caller_id[0], number=caller_id[1])
        elif early_media:
            shown = all_variables(
                label=label, name=name, number=number, is_withheld=is_withheld
            )
        else:
            shown = caller_variables(label=label, name=name, number=number)
        outbound = OutboundChannel(
            self._context,
            self,
            endpoint,
            ring_seconds=ring_seconds,
            variables={**(variables or {}), **shown},
            early_media=early_media,
        )
        outbound.begin()
        return outbound

    def ended(self) -> Deferred[None]:
        """Fire when it is not in the application any more; at once if it is not.

        It was hung up then, or has gone on in the dialplan. What was missed while the
        connection was lost counts, too.
        """
        if self._has_ended:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._end_waiters.discard)
        self._end_waiters.add(waiting)
        return waiting

    def on(self, kind: type[E], handler: Callable[[E], object]) -> Subscription[E]:
        """Call a handler with the channel's events, while it is in the application.

        The last one may be its ``StasisEnd``. After a transfer, the events are those of
        the channel that has taken its place.

        Args:
            kind: a class of `channel_aa.ari.api.events`; `Event` for all of them.
            handler: as for `Events.on`.
        """
        events = self._context.events
        subscription = events.on(kind, handler, source=f"channel:{self.id}")
        kept = [each for each in self._subscriptions if not each.is_cancelled]
        self._subscriptions = [*kept, subscription]
        return subscription

    def replaced_by(self, data: ChannelData) -> None:
        """Go on with the channel that takes its place after a transfer.

        Its name and number may be empty: those of the other party are mostly not known
        at a transfer. Those of the earlier party must not stay: they may be withheld,
        which nothing tells once its channel is gone.
        """
        self._context.registry.discard(self)
        self.id, self.name = data.id, data.name[:MAX_TEXT]
        self.caller_name = data.caller.name[:MAX_TEXT]
        self.caller_number = data.caller.number[:MAX_TEXT]
        self._is_replacement = True
        self._context.registry.add(self)
        for subscription in self._subscriptions:
            self._context.events.move(subscription, f"channel:{self.id}")

    def dtmf_received(self, digit: str) -> None:
        """Pass a digit on to the listener and the dialogue."""
        if self.listener is not None:
            self.listener.dtmf_received(digit)
        if self._dialogue is not None:
            self._dialogue.dtmf_received(digit)

    def left_bridge(self) -> None:
        """Have Asterisk's playing of the next sound checked; see `Playback`."""
        self._has_left_bridge = True

    def hung_up(self, cause: int = 0) -> None:
        """Pass the hangup on to the listener, once, and hang up what was dialed.

        Args:
            cause: see `hangup_cause`.
        """
        if self.is_hung_up:
            return
        self.hangup_cause = cause
        self._mark_hung_up()
        try:
            # First, so that the listener does not take the end of an outbound
            # channel for its outcome.
            if self.listener is not None:
                self.listener.hung_up()
        finally:
            self._hang_up_outbound()
            if self._dialogue is not None:
                self._dialogue.hung_up()

    def disconnected(self) -> None:
        """Let the dialogue wait for keys until there is a connection."""
        if self._dialogue is not None and not self.is_hung_up:
            self._dialogue.keypad.suspend()

    def reconnected(self) -> None:
        """Tell the listener that the connection is open again."""
        if self._dialogue is not None:
            self._dialogue.keypad.report_loss()
        if self.listener is None:
            return
        try:
            self.listener.reconnected()
        except Exception:  # noqa: BLE001 - a fault in one call must not affect others
            self._log.failure(
                "Resuming {channel} after a reconnection failed", channel=self
            )

    def end(self) -> None:
        """End the call: the channel is not in the application any more."""
        self._mark_hung_up()
        self._context.registry.discard(self)
        for subscription in self._subscriptions:
            self._context.events.discard(subscription)
        self._subscriptions.clear()
        listener, self.listener = self.listener, None
        if listener is not None:
            try:
                listener.left()
            except Exception:  # noqa: BLE001 - its playbacks have to end all the same
                self._log.failure("Ending the call of {channel} failed", channel=self)
        for playback in list(self.playbacks):
            playback.end(PlaybackEnd.FAILED, "the channel left the application")
        for recording in list(self.recordings):
            recording.channel_ended()
        self._hang_up_outbound()
        if self._dialogue is not None:
            self._dialogue.hung_up()
        self._has_ended = True
        while self._end_waiters:
            self._end_waiters.pop().callback(None)

    def _mark_hung_up(self) -> None:
        self.is_hung_up = True
        if self._dialogue is not None:
            self._dialogue.is_hung_up = True

    def _hang_up_outbound(self) -> None:
        for outbound in list(self.outbound):
            outbound.hang_up()

    def _command(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        waits_for_sound: bool = True,
    ) -> Deferred[None]:
        request = Request(
            method=method,
            path=("channels", self.id, *path),
            query=query or {},
            waits_for_sound=waits_for_sound,
        )
        return self._send(request).addCallbacks(_ignore, self._command_failed)

    def _send(self, request: Request, tries: int = UNFOUND_TRIES) -> Deferred[bytes]:
        response = self._context.sender.send(request, idempotent=True)
        response.addErrback(self._send_again, request, tries)
        return response

    def _send_again(
        self, failure: Failure, request: Request, tries: int
    ) -> Failure | Deferred[bytes]:
        """Send a request again if it did not find the channel."""
        error = failure.value
        is_unfound = isinstance(error, NotFoundError) and not _is_variable_unset(error)
        may_be_found = self._is_replacement or self._is_in_conversation
        if self.is_hung_up or not (is_unfound and may_be_found and tries):
            return failure

        def send(_: object) -> Deferred[bytes]:
            path = (request.path[0], self.id, *request.path[2:])
            return self._send(msgspec.structs.replace(request, path=path), tries - 1)

        return deferLater(self._context.clock, UNFOUND_SECONDS).addCallback(send)

    @property
    def _is_in_conversation(self) -> bool:
        return self.id in self._context.registry.table(BridgeMember)

    def _command_failed(self, failure: Failure) -> Failure:
        if self._is_in_conversation or not is_channel_gone(failure.value):
            return failure
        self.end()
        return Failure(ChannelGoneError(str(failure.value)))

    def _variable_failed(self, failure: Failure) -> Deferred[str]:
        if _is_variable_unset(failure.value):
            return succeed("")
        return fail(self._command_failed(failure))


def _is_variable_unset(error: BaseException | None) -> bool:
    # Only the text tells the 404 of an unset variable from that of the channel.
    return isinstance(error, NotFoundError) and "variable" in error.message


def _ignore(_body: bytes) -> None:
    """Drop the body of a command's response, which is empty."""


class _Variable(msgspec.Struct):
    value: str = ""
