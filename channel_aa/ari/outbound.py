"""A phone that is rung on behalf of a caller, until it is hung up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from channel_aa.ari.bridge import TwoPartyBridge
from channel_aa.ari.events import ChannelData
from channel_aa.ari.remote_object import RemoteObject
from channel_aa.ari.wire.errors import AriError, ConflictError
from channel_aa.ari.wire.requests import Request
from channel_aa.interfaces import (
    ChannelGoneError,
    DialOutcome,
    IOutboundChannel,
    TelephonyError,
)
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from channel_aa.ari.channel import Channel
    from channel_aa.ari.client import AriClient

PHONE_PREFIX = "channel-aa-dialled-"
"""What the id of each phone's channel begins with."""

MARGIN_SECONDS = 5.0
"""How long after its ring time a phone is asked after that says nothing."""

_STATUSES = {
    "BUSY": DialOutcome.BUSY,
    "CONGESTION": DialOutcome.CONGESTION,
    "CHANUNAVAIL": DialOutcome.UNAVAILABLE,
}
"""What Asterisk says in so many words. For its NOANSWER the cause says more."""

_CAUSES = {
    **dict.fromkeys((1, 2, 3, 20, 22, 27, 28), DialOutcome.UNAVAILABLE),
    17: DialOutcome.BUSY,
    **dict.fromkeys((34, 38, 41, 42, 44, 47, 58), DialOutcome.CONGESTION),
}
"""The outcome that a hangup cause (ITU-T Q.850) stands for; others: not answered."""

_decode_channel = msgspec.json.Decoder(ChannelData).decode
_NO_CAUSE = 0
_NOT_IN_A_NAME = frozenset('"<>\\')
_NOT_IN_A_NUMBER = re.compile(r"[^A-Za-z0-9+*#._-]+")
_LONGEST_NAME = 80
_LONGEST_NUMBER = 40


def is_phone(channel_id: str) -> bool:
    """Tell whether a channel is a phone that this program, or an earlier run, dialled.

    The far half of a Local channel has its id from the near one, and ``;2`` behind.
    """
    return channel_id.startswith(PHONE_PREFIX) and ";" not in channel_id


def caller_id(*, label: str, name: str, number: str) -> str:
    """Give what a phone is to show: the label and the caller, fit to be quoted.

    All of it may come from outside: what could end the quotation is left out, and
    what has no shape, such as marks that turn the direction of writing.
    """
    words = (" ".join(_harmless(each).split()) for each in (label, name))
    shown = ": ".join(filter(None, words))[:_LONGEST_NAME]
    digits = _NOT_IN_A_NUMBER.sub("", number)[:_LONGEST_NUMBER]
    return f'"{shown}" <{digits}>' if shown or digits else ""


def _harmless(name: str) -> str:
    return "".join(
        each if each.isprintable() and each not in _NOT_IN_A_NAME else " "
        for each in name
    )


@implementer(IOutboundChannel)
class OutboundChannel(RemoteObject[DialOutcome, ChannelData]):
    """A channel that Asterisk was asked to originate into our application.

    Its id is chosen here, so that it can be hung up whatever becomes of the request's
    answer.

    Args:
        client: whose Asterisk it is on.
        caller: on whose behalf it is rung.
        endpoint: what is dialled.
        ring_seconds: how long it rings.
        label: what the phone shows before the caller's name.

    Attributes:
        was_answered: whether it was, and came into our application.
    """

    _log = Logger()

    def __init__(
        self,
        client: AriClient,
        caller: Channel,
        endpoint: str,
        *,
        ring_seconds: int,
        label: str,
    ) -> None:
        self.id = client.new_phone_id()
        self.endpoint = endpoint
        self.outcome: Deferred[DialOutcome] = Deferred(self._given_up)
        self._client = client
        self._caller = caller
        self._ring_seconds = ring_seconds
        self._label = label
        self._has_begun = False
        self.was_answered = False
        self._is_unwanted = False
        self._has_rung_again = False
        self._conversation: TwoPartyBridge | None = None
        self._due: float | None = None
        self._deadline: IDelayedCall | None = None

    def __repr__(self) -> str:
        return f"<OutboundChannel {self.endpoint} id={self.id!r}>"

    @property
    def is_in_conversation(self) -> bool:
        """Whether it speaks with the caller, or is about to."""
        return self._conversation is not None and not self._is_unwanted

    def ring(self) -> None:
        """Send the request to ring it."""
        query = {
            "endpoint": self.endpoint,
            "app": self._client.address.app,
            "appArgs": self.id,
            "channelId": self.id,
            "originator": self._caller.id,
            "timeout": str(self._ring_seconds),
        }
        shown = caller_id(
            label=self._label,
            name=self._caller.caller_name,
            number=self._caller.caller_number,
        )
        if shown:
            query["callerId"] = shown
        request = Request(method="POST", path=("channels",), query=query)
        self._ask_for(request, self._client.sender)

    def hang_up(self) -> None:
        """Hang it up; see `IOutboundChannel.hang_up`."""
        self._stop()
        self._settle(DialOutcome.NO_ANSWER)

    def connect(self) -> Deferred[None]:
        """Let both speak with each other; see `IOutboundChannel.connect`."""
        if self._caller.is_hung_up:
            return fail(ChannelGoneError("the caller has hung up"))
        if self._is_over or self._is_unwanted:
            return succeed(None)
        if not self.was_answered or self._conversation is not None:
            return fail(TelephonyError("the phone is not answered, or connected"))
        self._conversation = TwoPartyBridge(
            self._client,
            bridge_id=self._client.new_bridge_id(),
            members=(self._caller.id, self.id),
            on_end=self._stop,
        )
        over = self._conversation.over
        over.addCallbacks(self._conversation_over, self._no_conversation)
        self._conversation.begin()
        return over

    def dialling(self, status: str) -> None:
        """Take note of how far the dialling has got, as Asterisk calls it."""
        self._has_begun = True
        outcome = _STATUSES.get(status)
        if outcome is not None:
            self._settle(outcome)

    def entered(self) -> None:
        """Take note that it was answered, and is in our application."""
        self.was_answered = True
        self._cancel_deadline()
        self._settle(DialOutcome.ANSWERED)

    def ended(self, cause: int = 0) -> None:
        """Take note that the phone is gone, with its cause (ITU-T Q.850)."""
        if self._is_over:
            return
        self._is_over = True
        if cause == _NO_CAUSE and not (self._has_begun or self._is_unwanted):
            self._settle(DialOutcome.UNAVAILABLE)
        else:
            self._settle(_CAUSES.get(cause, DialOutcome.NO_ANSWER))
        self._forget()
        if self._conversation is not None:
            self._conversation.end()

    def let_go(self) -> None:
        """Leave it as it is: it is not ours any more."""
        self._is_over = True
        self._forget()
        if self._conversation is not None:
            self._conversation.let_go()

    def end_waiting(self) -> None:
        """End the wait of whoever still waits for one that was let go."""
        self._settle(DialOutcome.NO_ANSWER)
        if self._conversation is not None:
            self._conversation.end_waiting()

    def check(self) -> Deferred[None]:
        """Find out what it does, unless it is being hung up.

        See `RemoteObject.check`.
        """
        return succeed(None) if self._is_unwanted else super().check()

    def _ask(self) -> Deferred[ChannelData]:
        request = Request(method="GET", path=("channels", self.id))
        return self._client.sender.send(request).addCallback(_decode_channel)

    def _exists(self, data: ChannelData) -> None:
        self._is_accepted = True
        if self._is_unwanted:
            self._remove()
        elif data.is_in_stasis:
            self.entered()
        elif self._due is not None and self._due <= self._client.clock.seconds():
            self.hang_up()
        else:
            self._expect_an_end()

    def _does_not_exist(self) -> None:
        if self._can_ring_again():
            self._has_rung_again = True
            self.ring()
            return
        # What became of it was told while nobody could hear it.
        self._has_begun = self._has_begun or self._is_accepted
        self.ended()

    def _cannot_tell(self, _failure: Failure, *, is_last: bool) -> None:
        if self._is_unwanted:
            self._remove()
        elif is_last:
            self.hang_up()
        else:
            self._expect_an_end()

    def _can_ring_again(self) -> bool:
        """Tell whether the request may have been lost, with nothing seen of it.

        If it was not, Asterisk refuses a second channel of the same id.
        """
        was_seen = self._is_accepted or self._has_begun or self.was_answered
        return not (was_seen or self._is_unwanted or self._has_rung_again)

    def _given_up(self, _waiting: Deferred[DialOutcome]) -> None:
        self._is_given_up = True
        self._stop()

    def _stop(self) -> None:
        if self._is_over or self._is_unwanted:
            return
        self._is_unwanted = True
        if self._request is None:
            self.ended()
        elif self._client.sender.is_waiting(self._request):
            self._request.cancel()
        elif self._is_accepted or not (self._is_asked_for or self._question):
            self._remove()
        if self._conversation is not None:
            self._conversation.end()

    def _remove(self) -> None:
        self._client.cleanup.remove("channels", self.id).addCallback(
            lambda _: self.ended()
        )

    def _accepted(self) -> None:
        if self._is_over:
            return
        self._is_accepted = True
        if self._is_unwanted:
            self._remove()
        elif not self.was_answered:
            self._expect_an_end()

    def _refused(self, failure: Failure) -> None:
        error = failure.value
        if self._is_over or self._is_accepted:
            return
        if isinstance(error, AriError) and (
            error.may_be_done or isinstance(error, ConflictError)
        ):
            if self._is_unwanted:
                self._remove()
            else:
                self.check()
            return
        if not isinstance(error, CancelledError):
            self._log.warn(
                "{endpoint} cannot be dialled: {error}",
                endpoint=self.endpoint,
                error=error,
            )
        self.ended()

    def _settle(self, outcome: DialOutcome) -> None:
        self._tell(self.outcome, outcome)

    def _expect_an_end(self) -> None:
        """Ask after it when it should have been answered, or given up."""
        if self._deadline is not None or self.was_answered:
            return
        now = self._client.clock.seconds()
        if self._due is None:
            self._due = now + self._ring_seconds + MARGIN_SECONDS
        delay = self._due - now
        self._deadline = self._client.clock.callLater(
            delay if delay > 0 else MARGIN_SECONDS, self._deadline_passed
        )

    def _deadline_passed(self) -> None:
        self._deadline = None
        self.check()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _conversation_over(self, result: None) -> None:
        if self._caller.is_hung_up:
            raise ChannelGoneError("the caller has hung up")
        return result

    def _no_conversation(self, failure: Failure) -> Failure:
        if self._caller.is_hung_up and not failure.check(CancelledError):
            return Failure(ChannelGoneError("the caller has hung up"))
        return failure

    def _forget(self) -> None:
        self._cancel_deadline()
        self._client.phones.pop(self.id, None)
        self._caller.phones.discard(self)
