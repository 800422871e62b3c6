from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.deferreds import cancellable


class DetachedTests(SynchronousTestCase):
    def test_it_fires_as_its_source_does(self) -> None:
        source: Deferred[int] = Deferred()
        waiting = cancellable(source)
        self.assertNoResult(waiting)
        source.callback(1)
        self.assertEqual(self.successResultOf(waiting), 1)

    def test_it_fails_as_its_source_does(self) -> None:
        source: Deferred[int] = Deferred()
        waiting = cancellable(source)
        source.errback(ZeroDivisionError())
        self.failureResultOf(waiting, ZeroDivisionError)

    def test_cancelled_it_cancels_its_source_and_fails_whatever_that_gives(
        self,
    ) -> None:
        for source in (
            Deferred[int](),
            Deferred[int](lambda source: source.callback(1)),
            Deferred[int](lambda source: source.errback(ZeroDivisionError())),
        ):
            waiting = cancellable(source)
            waiting.cancel()
            self.assertTrue(source.called)
            self.failureResultOf(waiting, CancelledError)

    def test_it_does_not_wait_for_a_source_that_goes_on(self) -> None:
        later: Deferred[int] = Deferred()
        source: Deferred[int] = Deferred()
        source.addErrback(lambda _: later)
        waiting = cancellable(source)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        later.callback(1)
