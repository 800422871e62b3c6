"""The removal of channels and bridges from Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import LogLevel

from channel_aa.ari.wire.errors import RequestTimeoutError
from channel_aa.interfaces import HangupReason
from tests.support.ari_fakes import AriTestCase

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class CleanupTests(AriTestCase):
    def remove(self) -> Deferred[None]:
        return self.client._context.cleanup.remove("channels", "x")

    def test_object_is_removed_with_one_request(self) -> None:
        first, second = self.remove(), self.remove()
        removal = self.sender.only_unanswered()
        self.assertEqual(removal.line, "DELETE channels/x")
        removal.accept()
        self.successResultOf(first)
        self.successResultOf(second)

    def test_first_reason_counts(self) -> None:
        cleanup = self.client._context.cleanup
        done = cleanup.remove("channels", "x", HangupReason.ANSWERED_ELSEWHERE)
        later = [self.remove(), cleanup.finish()]
        removal = self.sender.only_unanswered()
        self.assertEqual(removal.line, "DELETE channels/x?reason=answered_elsewhere")
        removal.fail(RequestTimeoutError)
        self.clock.advance(1)
        again = self.sender.only_unanswered()
        self.assertEqual(again.line, removal.line)
        again.accept()
        for each in (done, *later):
            self.successResultOf(each)

    def test_object_that_does_not_exist_is_removed(self) -> None:
        done = self.remove()
        self.sender.only_unanswered().refuse(404)
        self.successResultOf(done)
        self.assertEqual(self.log.texts(), [])

    def test_removal_that_is_cancelled_is_no_error(self) -> None:
        done = self.remove()
        self.sender.only_unanswered().answer.cancel()
        self.successResultOf(done)
        self.assertEqual(self.log.texts(), [])

    def test_removal_without_a_connection_is_no_error(self) -> None:
        """The next connection finds what is left."""
        done = self.remove()
        self.client.stop_waiting()
        self.connection.lose()
        self.successResultOf(done)
        self.assertEqual(self.log.texts(level=LogLevel.error), [])

    def test_refused_removal_is_logged(self) -> None:
        done = self.remove()
        self.sender.only_unanswered().refuse(500, "too old")
        self.successResultOf(done)
        [line] = self.log.texts()
        self.assertEqual(
            line,
            "Could not remove channel x from Asterisk: DELETE channels/x: 500 too old",
        )

    def test_fault_is_logged(self) -> None:
        done = self.remove()
        self.sender.only_unanswered().answer.errback(RuntimeError("a fault of ours"))
        self.successResultOf(done)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.log.texts(), ["Removing channel x failed"])
