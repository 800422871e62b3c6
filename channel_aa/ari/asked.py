"""What Asterisk was asked for, and may have to be asked after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from twisted.internet.defer import CancelledError

from channel_aa.ari.errors import NotFoundError

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

MAX_FAILED_CHECKS = 3
"""After how many questions without an answer something counts as over."""

Outcome = TypeVar("Outcome")
Found = TypeVar("Found")


class Asked(Generic[Outcome, Found]):
    """A sound, a recording or a phone: something that is where Asterisk says so.

    Its id is chosen here. Answers and events about it come in any order, or are lost
    with a connection; then Asterisk is asked, one question at a time, and the subclass
    says what follows from the answer: `_exists`, `_is_unknown`, or `_cannot_tell`.
    """

    # What a new one has: most come to their end without having needed any of it.
    _is_asked_for = False
    """Whether the request for it is on its way."""
    _is_accepted = False
    """Whether Asterisk has, or had, it."""
    _is_over = False
    _is_given_up = False
    """Whether nobody wants to know how it ends any more."""
    _is_checking = False
    _failed_checks = 0
    _request: Deferred[bytes] | None = None

    def _answered(self, result: bytes | Failure) -> bytes | Failure:
        """Take note that the request for it is answered, whatever the answer is."""
        self._is_asked_for = False
        return result

    def _tell(self, waiting: Deferred[Outcome], outcome: Outcome) -> None:
        """Let whoever waits for something go on, if anybody still does."""
        # To whoever has cancelled it, what came now would look like an answer to that.
        if not (waiting.called or self._is_given_up):
            waiting.callback(outcome)

    def _ask_after(self, question: Deferred[Found]) -> Deferred[None]:
        """Send a question; fires when what follows from its answer has been done."""
        self._is_checking = True
        return question.addBoth(self._checked).addCallbacks(self._found, self._missed)

    def _checked(self, result: Found | Failure) -> Found | Failure:
        self._is_checking = False
        return result

    def _found(self, found: Found) -> None:
        if not self._is_over:
            self._failed_checks = 0
            self._exists(found)

    def _missed(self, failure: Failure) -> None:
        if self._is_over:
            return
        if failure.check(NotFoundError):
            self._is_unknown()
            return
        # A question that was given up with its connection proves nothing.
        self._failed_checks += not failure.check(CancelledError)
        self._cannot_tell(failure, is_last=self._failed_checks >= MAX_FAILED_CHECKS)

    def _exists(self, found: Found) -> None:
        """Go by what Asterisk has said of it."""
        raise NotImplementedError

    def _is_unknown(self) -> None:
        """Go by that Asterisk knows nothing of it, or nothing any more."""
        raise NotImplementedError

    def _cannot_tell(self, failure: Failure, *, is_last: bool) -> None:
        """Ask again later, or give it up where that was the last question."""
        raise NotImplementedError
