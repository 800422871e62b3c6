"""An ARI object whose state comes from responses, events and polling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure

from channel_aa.ari.wire.errors import NotFoundError

if TYPE_CHECKING:
    from channel_aa.ari.registry import HandleContext
    from channel_aa.ari.wire.requests import Request

MAX_FAILED_CHECKS = 3
"""After how many queries in a row without an answer an object counts as ended."""

Outcome = TypeVar("Outcome")
Found = TypeVar("Found")


class ChannelHandle(Protocol):
    """What a remote object needs of its caller's channel."""

    id: str
    name: str
    is_hung_up: bool
    playbacks: set[Any]
    recordings: set[Any]
    outbound: set[Any]

    def end(self) -> None:
        """End the call: the channel is not in the application any more."""


class RemoteObject(ABC, Generic[Outcome, Found]):
    """A playback, a recording or an outbound channel, on behalf of a caller.

    Its id is chosen here. Responses and events about it arrive in any order, or are
    lost with a connection. Then `check` queries Asterisk, with one query at a time.

    ============  =====================================  ==============================
    state         attributes                             leaves it by
    ============  =====================================  ==============================
    new           no ``_request``                        `_create`
    creating      ``_is_creating``                       the response, or an event
    unknown       ``_request`` failed, its outcome       a query's answer, or an event
                  unknown: a query is sent
    existing      ``_is_accepted``                       an event, a query's answer, or
                                                         `MAX_FAILED_CHECKS` failures
    over          ``_is_over``, the last state
    ============  =====================================  ==============================

    An event may make an object existing, or over, before the response arrives; no query
    is sent until then, since it might overtake the request. ``_is_cancelled`` is
    independent of these states: the object is stopped, and its outcome fires no more.
    """

    # Class attributes: most objects end without any of them being set.
    _is_creating = False
    """Whether the request that creates it has no response yet."""
    _is_accepted = False
    """Whether Asterisk has, or had, it."""
    _is_over = False
    _is_cancelled = False
    """Whether the Deferred of its outcome was cancelled."""
    _failed_checks = 0
    _request: Deferred[bytes] | None = None
    _query: Deferred[Found] | None = None
    _checks: tuple[Deferred[None], ...] = ()

    def __init__(self, context: HandleContext, channel: ChannelHandle) -> None:
        self._context = context
        self._channel = channel

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

    def _withdraw(self) -> bool:
        """Cancel the request if it was not sent yet; tell whether it was cancelled."""
        request = self._request
        if request is None or not self._context.sender.is_held(request):
            return False
        request.cancel()
        return True

    def _fire(self, deferred: Deferred[Outcome], outcome: Outcome) -> None:
        """Fire a Deferred, unless it has fired or was cancelled."""
        # While it is being cancelled, a result would look like that of the canceller.
        if not (deferred.called or self._is_cancelled):
            deferred.callback(outcome)

    def _request_answered(self, result: bytes | Failure) -> None:
        self._is_creating = False
        try:
            if isinstance(result, Failure):
                self._creation_failed(result)
            else:
                self._accepted()
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
    def _accepted(self) -> None:
        """Act on Asterisk's acceptance of the request."""

    @abstractmethod
    def _creation_failed(self, failure: Failure) -> None:
        """Act on the failure of the request."""

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
