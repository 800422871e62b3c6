from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.deferreds import PausableTimer, cancellable


class CancellableTests(SynchronousTestCase):
    def test_result_is_that_of_the_source(self) -> None:
        source: Deferred[int] = Deferred()
        waiting = cancellable(source)
        self.assertNoResult(waiting)
        source.callback(1)
        self.assertEqual(self.successResultOf(waiting), 1)

    def test_error_is_that_of_the_source(self) -> None:
        source: Deferred[int] = Deferred()
        waiting = cancellable(source)
        source.errback(ZeroDivisionError())
        self.failureResultOf(waiting, ZeroDivisionError)

    def test_cancel_cancels_the_source_and_fails_whatever_its_result(
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

    def test_cancel_does_not_wait_for_the_source(self) -> None:
        later: Deferred[int] = Deferred()
        source: Deferred[int] = Deferred()
        source.addErrback(lambda _: later)
        waiting = cancellable(source)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        later.callback(1)


class PausableTimerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.ends: list[float] = []
        self.timer = PausableTimer(
            self.clock, 10, lambda: self.ends.append(self.clock.seconds())
        )

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_timer_fires_once(self) -> None:
        self.timer.start()
        self.clock.advance(10)
        self.timer.stop()
        self.timer.start()
        self.clock.advance(100)
        self.assertEqual(self.ends, [10])

    def test_stopped_time_does_not_count(self) -> None:
        self.timer.start()
        self.clock.advance(4)
        self.timer.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.advance(1000)
        self.timer.start()
        self.clock.advance(5.9)
        self.assertEqual(self.ends, [])
        self.clock.advance(0.1)
        self.assertEqual(len(self.ends), 1)

    def test_start_of_a_running_timer_does_nothing(self) -> None:
        self.timer.start()
        self.timer.start()
        self.clock.advance(10)
        self.assertEqual(self.ends, [10])

    def test_stop_of_a_stopped_timer_does_nothing(self) -> None:
        self.timer.stop()
        self.timer.stop()
        self.clock.advance(100)
        self.assertEqual(self.ends, [])
