"""Admission of calls, overload, drain, reload and replacement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant import attendant
from channel_aa.attendant.attendant import OverloadLog
from tests.support.attendant_fakes import FakeChannel
from tests.support.call_case import CHANNEL, CallTestCase, call_flow, lines_of

if TYPE_CHECKING:
    from channel_aa.attendant.call import Call

STOPPING = ["set CHANNEL_AA_REASON=stopping", "continue"]
OVERLOAD = ["set CHANNEL_AA_REASON=overload", "continue"]


class ManyCallsTestCase(CallTestCase):
    def tearDown(self) -> None:
        for call in [*self.attendant.calls, *self.attendant.rejected]:
            call.left()
        self.successResultOf(self.close())
        super().tearDown()

    def enter_another(self, *, adopted: bool = False) -> tuple[Call, FakeChannel]:
        channel = FakeChannel("PJSIP/bob-00000002")
        return self.attendant.channel_entered(channel, (), adopted=adopted), channel


class OverloadTests(ManyCallsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.attendant.max_calls = 2
        self.first, _ = self.enter_another()
        self.enter_another()

    def test_call_above_the_limit_continues_in_the_dialplan_with_the_reason(
        self,
    ) -> None:
        _, channel = self.enter_another()
        self.assertEqual(channel.log, OVERLOAD)

    def test_rejected_calls_are_counted_and_do_not_count_for_the_limit(self) -> None:
        for _ in range(10):
            self.enter_another()
        self.first.left()
        _, channel = self.enter_another()
        self.assertEqual(channel.log, ["answer", "sound:press-1"])
        self.assertEqual(self.attendant.overload_rejections, 10)
        self.assertEqual(self.attendant.attended, 3)

    def test_thousand_rejected_calls_log_two_lines(self) -> None:
        with capturedLogs() as events:
            for _ in range(1000):
                call, _ = self.enter_another()
                call.left()
            self.clock.advance(60)
        self.assertEqual(
            lines_of(events),
            [
                "Too many calls: 1 continued in the dialplan (1 so far)",
                "Too many calls: 999 continued in the dialplan (1000 so far)",
            ],
        )

    def test_adopted_call_is_accepted_above_the_limit(self) -> None:
        _, channel = self.enter_another(adopted=True)
        self.assertIn("sound:press-1", channel.log)

    def test_limit_of_zero_is_the_most_that_an_attendant_serves(self) -> None:
        self.patch(attendant, "MAX_CALLS", 100)
        self.attendant.max_calls = 0
        for _ in range(98):
            self.enter_another()
        self.assertEqual(len(self.attendant.calls), 100)
        _, channel = self.enter_another()
        self.assertEqual(channel.log, OVERLOAD)

    def test_limit_may_be_one_call(self) -> None:
        self.attendant.max_calls = 1
        _, channel = self.enter_another()
        self.assertEqual(channel.log, OVERLOAD)

    def test_rejected_call_that_cannot_continue_is_hung_up(self) -> None:
        channel = self.channel
        channel.continued = self.failed("no")
        self.enter()
        self.assertEqual(channel.log, [*OVERLOAD, "hang up"])


class AdoptionTests(CallTestCase):
    def test_adopted_call_is_silenced_answered_and_hears_the_first_menu(self) -> None:
        with capturedLogs() as events:
            self.call = self.attendant.channel_entered(self.channel, (), adopted=True)
        self.assertEqual(
            self.channel.log,
            ["stop ringing", "stop music", "answer", "sound:press-1"],
        )
        self.assertEqual(
            [formatEvent(event) for event in events],
            [f"Adopted channel {CHANNEL}"],
        )

    def test_adopted_call_that_cannot_be_silenced_hears_the_menu(
        self,
    ) -> None:
        self.channel.responses["stop music"] = lambda: self.failed("no")
        self.channel.answered = self.failed("no")
        self.call = self.attendant.channel_entered(self.channel, (), adopted=True)
        self.assert_plays("press-1")


class DrainTests(ManyCallsTestCase):
    def test_drain_ends_with_the_last_call_in_a_menu(self) -> None:
        self.enter()
        closed = self.close(drain_timeout=10)
        self.clock.advance(5)
        self.assertNoResult(closed)
        self.hear("press-1")
        self.call.left()
        self.successResultOf(closed)
        self.assertNotIn("continue", self.channel.log)

    def test_call_continues_in_the_dialplan_at_the_drain_timeout(self) -> None:
        self.enter()
        closed = self.close(drain_timeout=10)
        self.sent()
        self.clock.advance(10)
        self.successResultOf(closed)
        self.assertEqual(self.sent(), STOPPING)

    def test_new_call_during_a_drain_continues_in_the_dialplan(self) -> None:
        self.enter()
        closed = self.close(drain_timeout=10)
        _, channel = self.enter_another()
        self.assertEqual(channel.log, STOPPING)
        self.clock.advance(10)
        self.successResultOf(closed)

    def test_second_close_ends_the_drain(self) -> None:
        self.enter()
        first = self.close(drain_timeout=600)
        second = self.close()
        self.successResultOf(first)
        self.successResultOf(second)
        self.assertEqual(self.channel.log[-2:], STOPPING)

    def test_close_without_calls_does_not_wait(self) -> None:
        self.successResultOf(self.close(drain_timeout=600))

    def test_reason_that_is_not_answered_delays_the_exit_by_its_timeout(self) -> None:
        self.channel.responses[STOPPING[0]] = self.unanswered
        self.enter()
        closed = self.close()
        self.assertNoResult(closed)
        self.clock.advance(5)
        self.successResultOf(closed)
        self.assertEqual(self.channel.log[-2:], STOPPING)

    def test_reason_that_is_rejected_does_not_delay_the_exit(self) -> None:
        self.channel.responses[STOPPING[0]] = lambda: self.failed("no")
        self.enter()
        self.successResultOf(self.close())
        self.assertEqual(self.channel.log[-2:], STOPPING)

    def test_call_that_cannot_continue_at_a_stop_is_left_to_be_adopted(self) -> None:
        self.channel.continued = self.failed("no")
        self.enter()
        self.successResultOf(self.close())
        self.assertEqual(self.channel.log[-2:], STOPPING)


class ReloadTests(ManyCallsTestCase):
    def test_calls_in_progress_keep_their_call_flow_and_new_calls_get_the_new_one(
        self,
    ) -> None:
        self.enter()
        self.attendant.flow = call_flow('[menus.main]\nprompt = ["new"]')
        self.assertEqual(self.attendant.flow.entry, "main")
        self.press("1")
        self.hear("you-entered", "digits/1", "press-1")
        _, channel = self.enter_another()
        self.assertEqual(channel.heard, ["new"])


class ReplacementTests(ManyCallsTestCase):
    def test_replaced_attendant_detaches_from_its_calls_without_a_request(
        self,
    ) -> None:
        self.enter()
        self.sent()
        self.attendant.replaced()
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.attendant.calls, set())


class ReentrantChannel(FakeChannel):
    """A channel that leaves while the coroutine of its call runs."""

    call: Call | None = None

    def play(self, media: str) -> object:  # type: ignore[override] # the same object
        playback = super().play(media)
        if self.call is not None:
            self.call.left()
        return playback


class ReentranceTests(CallTestCase):
    def test_hangup_while_the_coroutine_runs_ends_the_call(self) -> None:
        self.channel = channel = ReentrantChannel(CHANNEL)
        channel.call = self.enter()
        self.channel.end_sound()
        self.clock.advance(0)
        self.assertEqual(channel.heard, ["press-1", "or"])
        self.assertEqual(channel.playbacks[-1].stops, 1)
        self.clock.advance(60)
        self.assertEqual(channel.heard, ["press-1", "or"])


class OverloadLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.overload_log = OverloadLog(self.clock)

    def tearDown(self) -> None:
        self.overload_log.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def log(self, *rejections_each_second: int) -> list[str]:
        """Reject so many calls, second by second, and return the log lines."""
        with capturedLogs() as events:
            for count in rejections_each_second:
                for _ in range(count):
                    self.overload_log.count_rejection()
                self.clock.advance(1)
        return [str(formatEvent(event)) for event in events]

    def test_first_rejection_is_logged_at_once_and_further_ones_once_a_minute(
        self,
    ) -> None:
        lines = self.log(1000, *[10] * 119)
        self.assertEqual(
            lines,
            [
                "Too many calls: 1 continued in the dialplan (1 so far)",
                "Too many calls: 1589 continued in the dialplan (1590 so far)",
                "Too many calls: 600 continued in the dialplan (2190 so far)",
            ],
        )

    def test_minute_without_a_rejection_ends_the_interval(self) -> None:
        self.log(1, *[0] * 60)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.log(1)), 1)

    def test_stop_logs_the_remaining_rejections_and_cancels_the_timer(self) -> None:
        self.log(5)
        with capturedLogs() as events:
            self.overload_log.stop()
            self.assertEqual(self.clock.getDelayedCalls(), [])
            self.overload_log.stop()
        self.assertEqual([event["count"] for event in events], [4])
        self.assertEqual(self.overload_log.total, 5)
