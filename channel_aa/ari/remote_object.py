"""What Asterisk was asked for, and may have to be asked after."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure

from channel_aa.ari.wire.errors import NotFoundError

if TYPE_CHECKING:
    from channel_aa.ari.wire.requests import Request
    from channel_aa.ari.wire.retry import RetryingSender

MAX_FAILED_CHECKS = 3
"""After how many questions without an answer something counts as over."""

Outcome = TypeVar("Outcome")
Found = TypeVar("Found")


class RemoteObject(ABC, Generic[Outcome, Found]):
    """A sound, a recording or a phone: something that is where Asterisk says so.

    Its id is chosen here. Answers and events about it come in any order, or are lost
    with a connection; then Asterisk is asked, one question at a time, and the subclass
    says what follows.
    """

    # What a new one has: most come to their end without having needed any of it.
    _is_asked_for = False
    """Whether the request for it is on its way."""
    _is_accepted = False
    """Whether Asterisk has, or had, it."""
    _is_over = False
    _is_given_up = False
    """Whether nobody wants to know how it ends any more."""
    _failed_checks = 0
    _request: Deferred[bytes] | None = None
    _question: Deferred[Found] | None = None
    _waiting_to_know: tuple[Deferred[None], ...] = ()

    def check(self) -> Deferred[None]:
        """Find out whether Asterisk has it.

        Fires when that is known, or cannot be known, and what follows has been done.
        """
        if self._is_over:
            return succeed(None)
        known: Deferred[None] = Deferred(self._need_not_know)
        self._waiting_to_know += (known,)
        # Where the request for it is on its way, the answer tells: a question might
        # overtake it.
        if not self._is_asked_for and self._question is None:
            self._question = question = self._ask()
            question.addBoth(self._question_answered)
        return known

    def _ask_for(self, request: Request, sender: RetryingSender) -> None:
        """Send the request for it."""
        self._is_asked_for = True
        self._request = sender.send(request)
        self._request.addBoth(self._request_answered)

    def _tell(self, waiting: Deferred[Outcome], outcome: Outcome) -> None:
        """Let whoever waits for something go on, if anybody still does."""
        # To whoever has cancelled it, what came now would look like an answer to that.
        if not (waiting.called or self._is_given_up):
            waiting.callback(outcome)

    def _request_answered(self, result: bytes | Failure) -> None:
        self._is_asked_for = False
        try:
            if isinstance(result, Failure):
                self._refused(result)
            else:
                self._accepted()
        finally:
            self._let_know()

    def _question_answered(self, result: Found | Failure) -> None:
        self._question = None
        try:
            if not self._is_over:
                self._go_by(result)
        finally:
            self._let_know()

    def _go_by(self, result: Found | Failure) -> None:
        if not isinstance(result, Failure):
            self._failed_checks = 0
            self._exists(result)
        elif result.check(NotFoundError):
            self._does_not_exist()
        else:
            # A question that was given up with its connection proves nothing.
            self._failed_checks += not result.check(CancelledError)
            is_last = self._failed_checks >= MAX_FAILED_CHECKS
            self._cannot_tell(result, is_last=is_last)

    def _let_know(self) -> None:
        """Tell whoever waits to know, unless another question or request is open."""
        if self._is_asked_for or self._question is not None:
            return
        while self._waiting_to_know:
            # One who learns it may have another one give up.
            known, *others = self._waiting_to_know
            self._waiting_to_know = tuple(others)
            known.callback(None)

    def _need_not_know(self, known: Deferred[None]) -> None:
        waiting = tuple(each for each in self._waiting_to_know if each is not known)
        self._waiting_to_know = waiting
        known.callback(None)
        if self._question is not None and not waiting:
            self._question.cancel()

    @abstractmethod
    def _accepted(self) -> None:
        """Take note that Asterisk has it."""

    @abstractmethod
    def _refused(self, failure: Failure) -> None:
        """Go by why the request for it failed."""

    @abstractmethod
    def _ask(self) -> Deferred[Found]:
        """Send the question whether Asterisk has it."""

    @abstractmethod
    def _exists(self, found: Found) -> None:
        """Go by what Asterisk says of it."""

    @abstractmethod
    def _does_not_exist(self) -> None:
        """Go by that Asterisk knows nothing of it, or nothing any more."""

    @abstractmethod
    def _cannot_tell(self, failure: Failure, *, is_last: bool) -> None:
        """Ask again later, or give it up where that was the last question."""
