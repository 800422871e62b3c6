"""An outbound channel, originated on behalf of a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from channel_aa.ari.events import ChannelData
from channel_aa.ari.playback import Playback
from channel_aa.ari.remote_object import RemoteObject
from channel_aa.ari.two_party_bridge import BRIDGE_PREFIX, TwoPartyBridge
from channel_aa.ari.wire.errors import AriError, ConflictError, ServerError
from channel_aa.ari.wire.requests import Request
from channel_aa.dialogue.dialogue import Dialogue
from channel_aa.interfaces import (
    ChannelGoneError,
    DialOutcome,
    HangupReason,
    IOutboundChannel,
    PlaybackEnd,
    TelephonyError,
)
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channel_aa.ari.registry import HandleContext
    from channel_aa.ari.remote_object import CallerHandle
    from channel_aa.interfaces import IKeyListener

OUTBOUND_PREFIX = "channel-aa-dialled-"
"""The prefix of the ids of this program's outbound channels."""

ANSWERED_ELSEWHERE = 26
"""The hangup cause (ITU-T Q.850) of a phone whose call another phone has picked up."""

LEFT_SECONDS = 1.0
"""How long after a channel has left its bridge, or was picked up, an event may take
that tells where it is."""

MARGIN_SECONDS = 5.0
"""How long after its ring time to check on a channel without an outcome."""

_STATUSES = {
    "BUSY": DialOutcome.BUSY,
    "CONGESTION": DialOutcome.CONGESTION,
    "CHANUNAVAIL": DialOutcome.UNAVAILABLE,
}
"""The outcome of a DIALSTATUS. That of NOANSWER depends on the hangup cause."""

_CAUSES = {
    **dict.fromkeys((1, 2, 3, 20, 22, 27, 28), DialOutcome.UNAVAILABLE),
    17: DialOutcome.BUSY,
    **dict.fromkeys((34, 38, 41, 42, 44, 47, 58), DialOutcome.CONGESTION),
}
"""The outcome of a hangup cause (ITU-T Q.850); of any other: not answered."""

_decode_channel = msgspec.json.Decoder(ChannelData).decode
_NO_CAUSES = frozenset({0, 16})
"""The hangup causes of a channel that was not dialled: 16 if it was created first."""


def is_outbound(channel_id: str) -> bool:
    """Tell whether this program, or an earlier run of it, originated a channel.

    The id of a Local channel's far half is that of the near one, followed by ``;2``.
    """
    return channel_id.startswith(OUTBOUND_PREFIX) and ";" not in channel_id


def outcome_of_status(status: str) -> DialOutcome | None:
    """Return the outcome of a DIALSTATUS, if that tells it without a hangup cause."""
    return _STATUSES.get(status)


def outcome_of_cause(cause: int, *, was_dialled: bool) -> DialOutcome:
    """Return the outcome of a hangup cause.

    Args:
        cause: the cause (ITU-T Q.850); 0: unknown.
        was_dialled: whether the channel had begun to dial.
    """
    if cause in _NO_CAUSES and not was_dialled:
        return DialOutcome.UNAVAILABLE
    return _CAUSES.get(cause, DialOutcome.NO_ANSWER)


def dial_remedy(endpoint: str) -> str:
    """Say what to do if Asterisk cannot allocate a channel for an endpoint."""
    technology, _, resource = endpoint.partition("/")
    if technology == "PJSIP":
        name = resource.partition("/")[0].rpartition("@")[2]
        return (
            f". Asterisk has no endpoint {name}, or no phone is registered at it. Check"
            f" with asterisk -rx 'pjsip show endpoint {name}'"
        )
    return (
        f". Check that Asterisk has {endpoint}, and a channel driver for {technology}"
        " (asterisk -rx 'core show channeltypes')"
    )


@implementer(IOutboundChannel)
class OutboundChannel(RemoteObject[DialOutcome, ChannelData]):
    """A channel that Asterisk is asked to originate into our application.

    Its id is chosen here, so that it can be hung up without the request's response.
    Within the states of `RemoteObject`:

    ==========  ==================  ==================================================
    created                         Only with early media: it has entered our
                                    application, and is dialled then
                                    (``_is_dial_sent``).
    dialing                         If a query does not find it and no event was seen,
                                    the request is sent again, once (``_is_retried``).
    ringing     ``_is_dialed``      By ``Dial``.
    answered    ``is_answered``     By ``StasisStart`` or a query; with early media by
                                    ``Dial`` or a query. Fires `outcome`.
    bridged     ``_bridge``         By `connect`, or by early media; hung up when the
                                    bridge ends.
    connected   ``_is_connected``   By `connect`.
    left        ``_has_left``       It has left the bridge by itself: it was hung up, or
                                    another program moves it. Over when it has left the
                                    application; hung up if a query finds it there.
    hanging up  ``_is_hanging_up``  From any state; over when Asterisk has removed it.
    ==========  ==================  ==================================================

    A channel with early media is in our application before it is answered, so that it
    can be bridged with the caller as soon as the phone's network sends audio.

    Args:
        context: what the client's handles share.
        caller: the channel on whose behalf it is originated.
        endpoint: what is dialled.
        ring_seconds: how long it rings.
        variables: the variables of its channel; may be empty.
        early_media: whether the caller hears the phone's early media.

    Attributes:
        listener: who is told of its keys and its hangup, once it is answered.
        playbacks: those on it that are not over.
    """

    resource = "channels"
    _log = Logger()
    _is_dialed = False
    is_answered = False
    _is_hanging_up = False
    _hangup_reason = HangupReason.NORMAL
    _is_retried = False
    _is_dial_sent = False
    _is_connected = False
    _has_left = False
    _bridge: TwoPartyBridge | None = None
    _due: float | None = None

    def __init__(
        self,
        context: HandleContext,
        caller: CallerHandle,
        endpoint: str,
        *,
        ring_seconds: int,
        variables: Mapping[str, str],
        early_media: bool,
    ) -> None:
        super().__init__(context)
        self._caller = caller
        self.id = context.ids.new(OUTBOUND_PREFIX)
        self.endpoint = self.name = endpoint
        self.listener: IKeyListener | None = None
        self.playbacks: set[Playback] = set()
        self.outcome: Deferred[DialOutcome] = Deferred(self._cancel)
        self._ring_seconds = ring_seconds
        self._variables = variables
        self._has_early_media = early_media
        self._dialogue: Dialogue | None = None

    def __repr__(self) -> str:
        return f"<OutboundChannel {self.endpoint} id={self.id!r}>"

    @property
    def dialogue(self) -> Dialogue:
        """Prompts and keys of the person who has answered, from its first use on."""
        if self._dialogue is None:
            self._dialogue = Dialogue(
                self, clock=self._context.clock, language=self._caller.language
            )
        return self._dialogue

    @property
    def is_bridged(self) -> bool:
        """Whether it was answered, and is in a bridge or is being added to one."""
        return self._bridge is not None and self.is_answered and not self._is_hanging_up

    @property
    def is_ringing(self) -> bool:
        """Whether it may still be answered."""
        return not (self.is_answered or self.is_hung_up)

    @property
    def is_hung_up(self) -> bool:
        """Whether it is hung up, or is being hung up."""
        return self._is_hanging_up or self._is_over

    def begin(self) -> None:
        """Originate it, unless the caller has hung up already."""
        if self._caller.is_hung_up:
            self.hang_up()
            return
        self._caller.outbound.add(self)
        self._context.registry.add(self)
        self._originate()

    def _originate(self) -> None:
        query = {
            "endpoint": self.endpoint,
            "app": self._context.app,
            "appArgs": self.id,
            "channelId": self.id,
            "originator": self._caller.id,
        }
        path: tuple[str, ...] = ("channels", "create")
        if not self._has_early_media:
            path = ("channels",)
            query["timeout"] = str(self._ring_seconds)
        body = {"variables": dict(self._variables)} if self._variables else None
        self._create(Request(method="POST", path=path, query=query, body=body))

    def _send_dial(self) -> None:
        """Dial it, once: Asterisk hangs up a channel that is dialled again."""
        if self._is_dial_sent or self.is_hung_up:
            return
        self._is_dial_sent = True
        request = Request(
            method="POST",
            path=("channels", self.id, "dial"),
            query={"timeout": str(self._ring_seconds)},
        )
        self._context.sender.send(request).addErrback(self._dial_failed)

    def _dial_failed(self, failure: Failure) -> None:
        error = failure.value
        is_refused = isinstance(error, AriError) and not error.outcome_unknown
        # Whether it rings without a response, the check after its ring time tells.
        if is_refused and not self.is_hung_up:
            self._log_failure(error)
            self.hang_up()

    def hang_up(self, reason: HangupReason = HangupReason.NORMAL) -> None:
        """Hang it up; see `IOutboundChannel.hang_up`."""
        if not self._is_hanging_up:
            self._hangup_reason = reason
        self.stop()
        self._fire(self.outcome, DialOutcome.NO_ANSWER)

    def play(self, media: str) -> Playback:
        """Start a sound; see `ISoundTarget.play`."""
        playback = Playback(self._context, self, media)
        playback.begin()
        return playback

    def connect(self) -> Deferred[None]:
        """Bridge it with the caller; see `IOutboundChannel.connect`."""
        if self._caller.is_hung_up:
            return fail(ChannelGoneError("the caller has hung up"))
        if self.is_hung_up:
            return succeed(None)
        if not self.is_answered or self._is_connected:
            return fail(
                TelephonyError("the phone has not answered, or is already connected")
            )
        self._is_connected = True
        return self._begin_bridge().over

    def _begin_bridge(self) -> TwoPartyBridge:
        """Add it and the caller to a bridge, unless they are in one."""
        if self._bridge is None:
            self._bridge = TwoPartyBridge(
                self._context,
                bridge_id=self._context.ids.new(BRIDGE_PREFIX),
                members=(self._caller.id, self.id),
                on_end=self._bridge_ended,
            )
            self._bridge.over.addBoth(self._bridge_over)
            self._bridge.begin()
        return self._bridge

    def picked_up(self, channel_id: str) -> None:
        """Go on with the channel of a phone that has answered in its place."""
        self.replaced_by(channel_id)
        self.answered()

    def replaced_by(self, channel_id: str) -> None:
        """Go on with the channel that takes its place, after a transfer or a pickup."""
        if self._is_hanging_up:
            self._context.cleanup.remove("channels", channel_id, self._hangup_reason)
            return
        self._context.registry.discard(self)
        self.id = channel_id
        self._context.registry.add(self)

    def dial_status_changed(self, status: str) -> None:
        """Act on Asterisk's DIALSTATUS of it."""
        self._is_dialed = True
        if not self._has_early_media:
            outcome = outcome_of_status(status)
            if outcome is not None:
                self._fire(self.outcome, outcome)
        # Any other outcome has its cause, and the caller is still in the bridge.
        elif status == "ANSWER":
            self.answered()
        elif status == "PROGRESS" and not (self.is_hung_up or self._caller.is_hung_up):
            self._begin_bridge()

    def entered(self) -> None:
        """Act on that it has entered our application."""
        if self._has_early_media:
            self.accepted()
            self._send_dial()
        else:
            self.answered()

    def left(self) -> None:
        """Act on that it has left our application, or the bridge with early media.

        If a channel with early media was not answered, its end, with the cause, comes
        next.
        """
        if self._has_early_media and not (self.is_answered or self.is_hung_up):
            self._cancel_timer()
            self._start_timer(LEFT_SECONDS)
        else:
            self.end()

    def dtmf_received(self, digit: str) -> None:
        """Pass a digit on to the listener and the dialogue."""
        for listener in (self.listener, self._dialogue):
            if listener is not None:
                listener.dtmf_received(digit)

    def hung_up(self) -> None:
        """Tell the listener and the dialogue that the phone has hung up."""
        for listener in (self.listener, self._dialogue):
            if listener is not None:
                listener.hung_up()

    def answered(self) -> None:
        """Fire `outcome`: it was answered, and is in our application."""
        self.is_answered = True
        self._cancel_timer()
        self._fire(self.outcome, DialOutcome.ANSWERED)

    def end(self, cause: int = 0) -> None:
        """Fire `outcome`, and end the bridge: the channel does not exist any more.

        Args:
            cause: the hangup cause (ITU-T Q.850); 0: unknown.
        """
        if self._is_over:
            return
        is_settled = self.is_answered or self._is_hanging_up
        if cause == ANSWERED_ELSEWHERE and not is_settled:
            # The channel of the phone that has picked it up is about to enter.
            self._is_accepted = True
            self._cancel_timer()
            self._start_timer(LEFT_SECONDS)
            return
        self._is_over = True
        outcome = outcome_of_cause(
            cause, was_dialled=self._is_dialed or self._is_hanging_up
        )
        if self._bridge is None or self.is_answered:
            self._fire(self.outcome, outcome)
        else:
            # Asterisk drops sounds while the caller leaves the bridge.
            self._bridge.over.addCallback(lambda _: self._fire(self.outcome, outcome))
        self._discard()
        self._end_playbacks()
        if self._bridge is not None:
            self._bridge.end()

    def abandon(self) -> None:
        """Forget it without a request: it is not ours any more."""
        self._is_over = True
        self._discard()
        if self._bridge is not None:
            self._bridge.abandon()

    def fire_abandoned(self) -> None:
        """Fire the Deferreds of an abandoned channel."""
        self._fire(self.outcome, DialOutcome.NO_ANSWER)
        self._end_playbacks()
        if self._bridge is not None:
            self._bridge.fire_abandoned()

    def check(self) -> Deferred[None]:
        """Query its state, unless it is being hung up; see `RemoteObject.check`."""
        return succeed(None) if self._is_hanging_up else super().check()

    def _send_query(self) -> Deferred[ChannelData]:
        request = Request(method="GET", path=("channels", self.id))
        return self._context.sender.send(request).addCallback(_decode_channel)

    def _found(self, found: ChannelData) -> None:
        self._is_accepted = True
        if self._is_hanging_up:
            self._remove()
        elif self._has_left:
            self._has_left = False
            if found.is_in_stasis and found.application[0] == self._context.app:
                self.stop()
            else:
                self.end()
        elif found.is_in_stasis and (found.state == "Up" or not self._has_early_media):
            self.answered()
        elif self._due is not None and self._due <= self._context.clock.seconds():
            self.hang_up(HangupReason.NO_ANSWER)
        else:
            if found.is_in_stasis:
                self._send_dial()
            self._await_outcome()

    def _not_found(self) -> None:
        was_seen = self._is_accepted or self._is_dialed or self.is_answered
        if not (was_seen or self._is_hanging_up or self._is_retried):
            self._is_retried = True
            # If the request was not lost, Asterisk refuses a second channel of its id.
            self._originate()
            return
        # Its events were lost.
        self._is_dialed = self._is_dialed or self._is_accepted
        self.end()

    def _query_failed(self, _failure: Failure, *, is_last: bool) -> None:
        if self._is_hanging_up:
            self._remove()
        elif self._has_left and is_last:
            self.end()
        elif self._has_left:
            self._start_timer(LEFT_SECONDS)
        elif is_last:
            self.hang_up()
        else:
            self._await_outcome()

    def stop(self) -> None:
        """Request its removal, or withdraw its request, and end its bridge."""
        if self._is_over or self._is_hanging_up or self._has_left:
            return
        self._is_hanging_up = True
        if self._request is None:
            self.end()
        elif not self._withdraw() and (
            self._is_accepted or not (self._is_creating or self._query)
        ):
            self._remove()
        if self._bridge is not None:
            self._bridge.end()

    def _remove(self) -> None:
        self._context.cleanup.remove(
            "channels", self.id, self._hangup_reason
        ).addCallback(lambda _: self.end())

    def _created(self) -> None:
        if self._is_hanging_up:
            self._remove()
        else:
            self._await_outcome()

    def _creation_failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, AriError) and (
            error.outcome_unknown or isinstance(error, ConflictError)
        ):
            if self._is_hanging_up:
                self._remove()
            else:
                self.check()
            return
        if not isinstance(error, CancelledError):
            self._log_failure(error)
        self.end()

    def _log_failure(self, error: BaseException | None) -> None:
        remedy = dial_remedy(self.endpoint) if isinstance(error, ServerError) else ""
        self._log.warn(
            "Could not dial {endpoint}: {error}{remedy}",
            endpoint=self.endpoint,
            error=error,
            remedy=remedy,
        )

    def _await_outcome(self) -> None:
        """Check on it after its ring time, unless it is answered."""
        if self.is_answered:
            return
        now = self._context.clock.seconds()
        if self._due is None:
            self._due = now + self._ring_seconds + MARGIN_SECONDS
        delay = self._due - now
        self._start_timer(delay if delay > 0 else MARGIN_SECONDS)

    def _bridge_ended(self, left: str) -> None:
        if left != self.id or self._is_over:
            self.stop()
        elif self.is_answered:
            self._has_left = True
            self._start_timer(LEFT_SECONDS)
        else:
            self.left()

    def _bridge_over(self, result: Failure | None) -> Failure | None:
        self._caller.left_bridge()
        if not self._is_connected:
            if isinstance(result, Failure):
                self._log.warn(
                    "Early media of {endpoint} cannot be heard: {error}",
                    endpoint=self.endpoint,
                    error=result.value,
                )
            return None
        is_cancelled = isinstance(result, Failure) and result.check(CancelledError)
        if self._caller.is_hung_up and not is_cancelled:
            raise ChannelGoneError("the caller has hung up")
        return result

    def _end_playbacks(self) -> None:
        self.hung_up()
        for playback in list(self.playbacks):
            playback.end(PlaybackEnd.FAILED, "the phone has hung up")

    def _discard(self) -> None:
        self._cancel_timer()
        self._context.registry.discard(self)
        self._caller.outbound.discard(self)
