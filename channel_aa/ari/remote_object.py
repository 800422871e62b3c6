"""An ARI object whose state comes from responses, events and polling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure

from channel_aa.ari.wire.errors import NotFoundError

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from channel_aa.ari.registry import HandleContext
    from channel_aa.ari.wire.requests import Request

MAX_FAILED_CHECKS = 3
"""After how many queries in a row without an answer an object counts as ended."""

Outcome = TypeVar("Outcome")
Found = TypeVar("Found")


class ChannelHandle(Protocol):
    """What a playback needs of the channel, or the bridge, that it plays on.

    ``resource`` is ``channels`` or ``bridges``.
    """

    resource: str
    id: str
    name: str
    playbacks: set[Any]

    @property
    def is_hung_up(self) -> bool:
        """Whether the channel is hung up, or is being hung up."""

    def end(self) -> None:
        """End the channel here: it is not in the application any more."""


class RecordedHandle(ChannelHandle, Protocol):
    """What a recording needs of the channel, or the bridge, that it records."""

    recordings: set[Any]


class CallerHandle(RecordedHandle, Protocol):
    """What a remote object needs of its caller's channel."""

    language: str
    outbound: set[Any]

    def left_bridge(self) -> None:
        """Have Asterisk's playing of the next sound checked; see `Playback`."""


class RemoteObject(ABC, Generic[Outcome, Found]):
    """A playback, a recording or an outbound channel.

    Its id is chosen here. Responses and events about it arrive in any order, or are
    lost with a connection. Then `check` queries Asterisk, with one query at a time.

    ========  ================  ======================================================
    creating  ``_is_creating``  The request has no response yet, so no query is sent:
                                it might overtake the request. An event may make it
                                existing, or over, already.
    unknown                     The request has failed, its outcome unknown: a query
                                is sent.
    existing  ``_is_accepted``  By a response, an event or a query.
    over      ``_is_over``      By an event, a query, or `MAX_FAILED_CHECKS` failures.
    ========  ================  ======================================================

    In any of them it may be ``_is_cancelled``: then its outcome is not fired any more.
    """

    # Class attributes: most objects end without any of them being set.
    _is_creating = False
    _is_accepted = False
    _is_over = False
    _is_cancelled = False
    _failed_checks = 0
    _request: Deferred[bytes] | None = None
    _query: Deferred[Found] | None = None
    _checks: tuple[Deferred[None], ...] = ()
    _timer: IDelayedCall | None = None

    def __init__(self, context: HandleContext) -> None:
        self._context = context

    def check(self) -> Deferred[None]:
        """Query whether Asterisk has it.

        Fires when that is known, or cannot be known, and has been acted on.
        """
        if self._is_over:
            return succeed(None)
        checked: Deferred[None] = Deferred(self._cancel_check)
        self._checks += (checked,)
        # A query might overtake the request; its response will tell.
        if not self._is_creating and self._query is None:
            self._query = query = self._send_query()
            query.addBoth(self._query_answered)
        return checked

    def _create(self, request: Request) -> None:
        """Send the request that creates it."""
        self._is_creating = True
        self._request = self._context.sender.send(request)
        self._request.addBoth(self._request_answered)

    @property
    def _is_unsent(self) -> bool:
        """Whether the request is held until the websocket is open."""
        request = self._request
        return request is not None and self._context.sender.is_held(request)

    def _withdraw(self) -> bool:
        """Cancel the request if it was not sent yet; tell whether it was cancelled."""
        if not self._is_unsent or self._request is None:
            return False
        self._request.cancel()
        return True

    def _cancel(self, _outcome: Deferred[Outcome]) -> None:
        """Stop it: the Deferred of its outcome is being cancelled."""
        self._is_cancelled = True
        self.stop()

    def _start_timer(self, seconds: float) -> None:
        """Check on it after so many seconds, unless a timer runs."""
        if self._timer is None:
            self._timer = self._context.clock.callLater(seconds, self._timer_expired)

    def _timer_expired(self) -> None:
        self._timer = None
        self.check()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def accepted(self) -> None:
        """Act on a response or an event which says that Asterisk has it."""
        if not (self._is_over or self._is_accepted):
            self._is_accepted = True
            self._created()

    def _fire(self, deferred: Deferred[Outcome], outcome: Outcome) -> None:
        """Fire a Deferred, unless it has fired or was cancelled."""
        # While it is being cancelled, a result would look like that of the canceller.
        if not (deferred.called or self._is_cancelled):
            deferred.callback(outcome)

    def _request_answered(self, result: bytes | Failure) -> None:
        self._is_creating = False
        try:
            if not isinstance(result, Failure):
                self.accepted()
            elif not (self._is_over or self._is_accepted):
                self._creation_failed(result)
        finally:
            self._fire_checks()

    def _query_answered(self, result: Found | Failure) -> None:
        self._query = None
        try:
            if not self._is_over:
                self._act_on(result)
        finally:
            self._fire_checks()

    def _act_on(self, result: Found | Failure) -> None:
        if not isinstance(result, Failure):
            self._failed_checks = 0
            self._found(result)
        elif result.check(NotFoundError):
            self._not_found()
        else:
            # A query that was cancelled with its connection proves nothing.
            self._failed_checks += not result.check(CancelledError)
            is_last = self._failed_checks >= MAX_FAILED_CHECKS
            self._query_failed(result, is_last=is_last)

    def _fire_checks(self) -> None:
        """Fire the checks, unless another query or request has no answer yet."""
        if self._is_creating or self._query is not None:
            return
        while self._checks:
            # One check's callback may cancel another.
            checked, *others = self._checks
            self._checks = tuple(others)
            checked.callback(None)

    def _cancel_check(self, checked: Deferred[None]) -> None:
        self._checks = tuple(each for each in self._checks if each is not checked)
        checked.callback(None)
        if self._query is not None and not self._checks:
            self._query.cancel()

    @abstractmethod
    def stop(self) -> None:
        """Stop it, or withdraw its request; do nothing once it is over."""

    @abstractmethod
    def _created(self) -> None:
        """Act on that Asterisk has it, for the first time."""

    @abstractmethod
    def _creation_failed(self, failure: Failure) -> None:
        """Act on the failure of the request, if nothing shows that Asterisk has it."""

    @abstractmethod
    def _send_query(self) -> Deferred[Found]:
        """Query whether Asterisk has it."""

    @abstractmethod
    def _found(self, found: Found) -> None:
        """Act on Asterisk's description of it."""

    @abstractmethod
    def _not_found(self) -> None:
        """Act on that Asterisk does not have it, or not any more."""

    @abstractmethod
    def _query_failed(self, failure: Failure, *, is_last: bool) -> None:
        """Query again later, or end it if that was the last query."""
