"""A call that a program makes, without a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from channel_aa.ari.caller_id import own_variables, split_caller_id
from channel_aa.ari.channel import Channel
from channel_aa.ari.events import ChannelData
from channel_aa.ari.outbound import (
    MARGIN_SECONDS,
    dial_remedy,
    outcome_of_cause,
    outcome_of_status,
)
from channel_aa.ari.remote_object import RemoteObject
from channel_aa.ari.wire.errors import (
    AriError,
    ConflictError,
    ServerError,
    decode_response,
)
from channel_aa.ari.wire.requests import Request
from channel_aa.interfaces import DialOutcome, HangupReason, TelephonyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from channel_aa.ari.api.events import Event
    from channel_aa.ari.registry import HandleContext
    from channel_aa.ari.subscriptions import Subscription

E = TypeVar("E", bound="Event")

CALL_PREFIX = "channel-aa-call-"
"""The prefix of the ids of the channels of calls that programs make."""


class NotAnsweredError(TelephonyError):
    """A call was not answered.

    Attributes:
        outcome: why.
        cause: the hangup cause (ITU-T Q.850): 17 is busy; 0: not known.
    """

    def __init__(
        self, endpoint: str, outcome: DialOutcome, cause: int = 0, *, detail: str = ""
    ) -> None:
        known = f", cause {cause}" if cause else ""
        problem = detail or f"{outcome.value}{known}"
        super().__init__(f"{endpoint} did not answer: {problem}")
        self.outcome = outcome
        self.cause = cause


class PreparedCall(RemoteObject[Channel, ChannelData]):
    """A call that is to be made; its channel's id is chosen already.

    So handlers of its events can be registered before it exists. Then either
    `originate` it, or `create` its channel, which can be added to a bridge, and `dial`.
    Within the states of `RemoteObject`:

    ==========  =================  ==================================================
    prepared                       No request was sent.
    creating                       By `originate`, `create` or `make`.
    entered     ``channel``        The channel is in the application.
    dialling    ``_is_dialling``   By `originate` or `dial`.
    answered                       Over: the channel is the program's. One that `make`
                                   has made is answered when it has entered.
    over        ``_is_over``       The channel is gone, or was never made.
    ==========  =================  ==================================================

    Args:
        context: what the client's handles share.
        endpoint: what is called: ``PJSIP/410``.
        ring_seconds: how long it rings at most.
        caller_id: what the phone shows: ``Acme <+441632960000>``; empty: Asterisk's
            default.
        variables: channel variables.
        arguments: those of its ``StasisStart``.

    Attributes:
        id: the id of its channel.
        endpoint: what is called.
        channel: its channel, once it has entered the application.
    """

    channel: Channel | None = None
    _is_dialling = False
    _dials_no_phone = False
    _is_hanging_up = False
    _is_retried = False
    _was_dialled = False
    _outcome: DialOutcome | None = None
    _problem: BaseException | None = None
    _due: float | None = None

    def __init__(
        self,
        context: HandleContext,
        endpoint: str,
        *,
        ring_seconds: int = 0,
        caller_id: str = "",
        variables: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        super().__init__(context)
        self.id = context.ids.new(CALL_PREFIX)
        self.endpoint = endpoint
        self._ring_seconds = ring_seconds
        self._variables = dict(variables or {})
        if caller_id:
            name, number = split_caller_id(caller_id)
            self._variables |= own_variables(name=name, number=number)
        self._arguments = ",".join(arguments)
        self._waiting: Deferred[Channel] | None = None

    def __repr__(self) -> str:
        return f"<PreparedCall {self.endpoint} id={self.id!r}>"

    def on(self, kind: type[E], handler: Callable[[E], object]) -> Subscription[E]:
        """Call a handler with the events of its channel; see `Events.on`."""
        return self._context.events.on(kind, handler, source=f"channel:{self.id}")

    def originate(self) -> Deferred[Channel]:
        """Call, and wait for the answer.

        Cancelling it hangs up.

        Returns:
            Fires with the channel, which is the program's to hang up. Errors:
            `NotAnsweredError`, with outcome and cause.
        """
        self._is_dialling = True
        return self._begin(
            ("channels",),
            {**self._query_of_endpoint, "timeout": str(self._ring_seconds)},
        )

    def create(self) -> Deferred[Channel]:
        """Make the channel, which enters the application without calling.

        Cancelling it hangs up.

        Returns:
            Fires with the channel. Errors: `NotAnsweredError`: there is no such
            endpoint.
        """
        return self._begin(("channels", "create"), self._query_of_endpoint)

    def make(
        self, path: tuple[str, ...], query: Mapping[str, str]
    ) -> Deferred[Channel]:
        """Make a channel that dials no phone, by a request of its own.

        Cancelling it hangs up.

        Args:
            path: the path of the request, a ``POST``.
            query: its arguments.

        Returns:
            Fires with the channel. Errors: those of `channel_aa.ari.wire.errors`;
            `NotAnsweredError` if it has ended at once.
        """
        self._dials_no_phone = True
        return self._begin(path, query)

    def dial(self) -> Deferred[Channel]:
        """Call from the channel that `create` has made, and wait for the answer.

        In a bridge, early media is heard meanwhile. Cancelling it hangs up.

        Returns:
            Fires with the channel. Errors: `NotAnsweredError`.
        """
        if self.channel is None or self._is_dialling:
            raise RuntimeError("a call is dialled once, after its channel was created")
        self._is_dialling = True
        waiting = self._wait()
        if self._is_over:
            self._fail(0)
            return waiting
        self._due = None
        request = Request(
            method="POST",
            path=("channels", self.id, "dial"),
            query={"timeout": str(self._ring_seconds)},
        )
        self._context.sender.send(request).addErrback(self._dial_failed)
        self._await_answer()
        return waiting

    def hang_up(self, reason: HangupReason = HangupReason.NORMAL) -> None:
        """Give the call up; do nothing once it is answered or over."""
        if self._is_over or self._is_hanging_up:
            return
        self._is_hanging_up = True
        if self._request is None or self._withdraw():
            self.end()
        elif self._is_accepted or not self._is_creating:
            self._remove(reason)

    def stop(self) -> None:
        """Give the call up; see `hang_up`."""
        self.hang_up()

    def entered(self, data: ChannelData) -> None:
        """Act on that its channel has entered the application."""
        if self.channel is None:
            self.channel = Channel(self._context, data, is_new=True)
            self._context.registry.add(self.channel)
            # From now on, keys are kept for it.
            _ = self.channel.dialogue
        self.accepted()
        if self._is_hanging_up:
            self._remove(HangupReason.NORMAL)
        elif self._dials_no_phone:
            self._answered()
        elif not self._is_dialling:
            self._cancel_timer()
            self._fire_channel()
        elif data.state == "Up":
            self._answered()

    def dial_status_changed(self, status: str) -> None:
        """Act on Asterisk's DIALSTATUS of it."""
        self._was_dialled = True
        self._outcome = outcome_of_status(status) or self._outcome
        if status == "ANSWER" and self.channel is not None:
            self._answered()

    def end(self, cause: int = 0) -> None:
        """Act on that its channel does not exist any more.

        Args:
            cause: the hangup cause (ITU-T Q.850); 0: unknown.
        """
        if self._is_over:
            return
        self._finish()
        if self.channel is not None:
            self.channel.end()
        self._fail(cause)

    def abandon(self) -> None:
        """Forget it without a request: it is not ours any more."""
        self.end()

    @property
    def _query_of_endpoint(self) -> dict[str, str]:
        return {
            "endpoint": self.endpoint,
            "app": self._context.app,
            "appArgs": self._arguments,
            "channelId": self.id,
        }

    def _begin(
        self, path: tuple[str, ...], query: Mapping[str, str]
    ) -> Deferred[Channel]:
        if self._request is not None:
            raise RuntimeError("a call is originated or created once")
        body = {"variables": self._variables} if self._variables else None
        self._creation = Request(method="POST", path=path, query=query, body=body)
        self._context.registry.add(self)
        waiting = self._wait()
        self._create(self._creation)
        return waiting

    def _wait(self) -> Deferred[Channel]:
        self._is_cancelled = False
        waiting: Deferred[Channel] = Deferred(self._cancel)
        self._waiting = waiting
        return waiting

    def _fire_channel(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and self.channel is not None:
            self._fire(waiting, self.channel)

    def _fail(self, cause: int) -> None:
        waiting, self._waiting = self._waiting, None
        outcome = self._outcome or outcome_of_cause(
            cause, was_dialled=self._was_dialled or self._is_hanging_up
        )
        error = self._problem or NotAnsweredError(self.endpoint, outcome, cause)
        if waiting is not None and not (waiting.called or self._is_cancelled):
            waiting.errback(Failure(error))

    def _answered(self) -> None:
        self._finish()
        self._fire_channel()

    def _finish(self) -> None:
        self._is_over = True
        self._cancel_timer()
        self._context.registry.discard(self)

    def _dial_failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, AriError) and error.outcome_unknown:
            return  # the check after its ring time tells
        self._problem = self._as_problem(error)
        self.hang_up()

    def _send_query(self) -> Deferred[ChannelData]:
        request = Request(method="GET", path=("channels", self.id))
        return self._context.sender.send(request).addCallback(
            lambda body: decode_response(request, body, ChannelData)
        )

    def _found(self, found: ChannelData) -> None:
        self._is_accepted = True
        app, _ = found.application
        is_here = found.is_in_stasis and app == self._context.app
        if self._is_hanging_up:
            self._remove(HangupReason.NORMAL)
        elif is_here:
            self.entered(found)
        if not self._is_over and (self.channel is None or self._is_dialling):
            self._await_answer()

    def _not_found(self) -> None:
        if not (self._is_accepted or self._is_hanging_up or self._is_retried):
            self._is_retried = True
            # If the request was not lost, Asterisk refuses a second channel of its id.
            self._create(self._creation)
            return
        self.end()

    def _query_failed(self, _failure: Failure, *, is_last: bool) -> None:
        if is_last:
            self.hang_up()
        else:
            self._await_answer()

    def _created(self) -> None:
        if self._is_hanging_up:
            self._remove(HangupReason.NORMAL)
        else:
            self._await_answer()

    def _creation_failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, AriError) and (
            error.outcome_unknown or isinstance(error, ConflictError)
        ):
            self.check()
            return
        self._problem = error if self._dials_no_phone else self._as_problem(error)
        self.end()

    def _as_problem(self, error: BaseException | None) -> BaseException | None:
        if not isinstance(error, AriError):
            return error
        remedy = dial_remedy(self.endpoint) if isinstance(error, ServerError) else ""
        return NotAnsweredError(
            self.endpoint, DialOutcome.UNAVAILABLE, detail=f"{error}{remedy}"
        )

    def _await_answer(self) -> None:
        """Check on it after its ring time."""
        now = self._context.clock.seconds()
        if self._due is None or self._due <= now:
            seconds = self._ring_seconds if self._is_dialling else 0
            is_late = self._due is not None and self._is_dialling
            self._due = now + seconds + MARGIN_SECONDS
            if is_late:
                self.hang_up(HangupReason.NO_ANSWER)
                return
        self._start_timer(self._due - now)

    def _remove(self, reason: HangupReason) -> None:
        removed: Deferred[Any] = self._context.cleanup.remove(
            "channels", self.id, reason
        )
        removed.addCallback(lambda _: self.end())
