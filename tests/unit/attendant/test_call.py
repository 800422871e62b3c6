"""A call from its entry to its end, mostly in the default menu."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail
from twisted.logger import capturedLogs, formatEvent
from zope.interface.verify import verifyObject

from channel_aa.dialogue.keypad import MAX_KEPT, MAX_PER_SECOND
from channel_aa.interfaces import (
    ChannelGoneError,
    IChannel,
    IChannelListener,
    IOutboundChannel,
    IPlayback,
    IRecording,
    IStasisApplication,
    PlaybackEnd,
    TelephonyError,
)
from tests.support.attendant_fakes import FakePhone, FakePlayback, FakeRecording
from tests.support.call_case import CHANNEL, PROMPT, CallTestCase, lines_of

ERROR = ["set CHANNEL_AA_REASON=error", "continue"]
STOPPING = ["set CHANNEL_AA_REASON=stopping", "continue"]


class SeedSessionTests(CallTestCase):
    def test_session_is_that_of_the_seed_document(self) -> None:
        with capturedLogs() as events:
            self.enter()
            self.assert_plays("press-1")
            self.press("1")
            self.hear("you-entered", "digits/1", *PROMPT)
            self.press("2")
            self.hear("you-entered", "digits/2")
            self.assert_plays("press-1")
            self.press("8")
            self.hear("option-is-invalid", *PROMPT)
            self.clock.advance(10)
            self.hear("are-you-still-there", *PROMPT)
            self.call.left()
        self.assertEqual(
            lines_of(events),
            [
                f"Channel {CHANNEL} has entered the application",
                f"Channel {CHANNEL} entered 1",
                f"Channel {CHANNEL} entered 2",
                f"Channel {CHANNEL} entered 8",
                f"Channel {CHANNEL} entered an invalid option!",
                f"Channel {CHANNEL} stopped paying attention...",
                f"{CHANNEL} has left the application",
            ],
        )

    def test_call_is_answered_before_anything_plays(self) -> None:
        answered: Deferred[None] = Deferred()
        self.channel.answered = answered
        self.enter()
        self.assertEqual(self.channel.log, ["answer"])
        answered.callback(None)
        self.assertEqual(self.channel.log, ["answer", "sound:press-1"])


class KeyTests(CallTestCase):
    def test_each_dtmf_digit_is_handled(self) -> None:
        self.enter()
        for key in "0123456789*#ABCD":
            self.press(key)
            if key in "12":
                self.hear("you-entered", f"digits/{key}")
            else:
                self.hear("option-is-invalid")

    def test_key_interrupts_each_sound_of_the_prompt(self) -> None:
        for heard in range(len(PROMPT)):
            self.enter()
            self.hear(*PROMPT[:heard])
            interrupted = self.channel.playing
            assert interrupted is not None
            self.press("1")
            self.assertEqual(interrupted.stops, 1)
            self.assert_plays("you-entered")
            self.call.left()

    def test_key_interrupts_the_feedback(self) -> None:
        self.enter()
        self.press("1")
        self.press("2")
        self.hear("you-entered")
        self.assert_plays("digits/2")
        self.press("8")
        self.assert_plays("option-is-invalid")
        self.press("1")
        self.assert_plays("you-entered")

    def test_key_interrupts_the_noinput_prompt(self) -> None:
        self.enter()
        self.hear(*PROMPT)
        self.clock.advance(10)
        self.assert_plays("are-you-still-there")
        self.press("1")
        self.assert_plays("you-entered")

    def test_nothing_plays_over_a_sound_that_is_being_stopped(self) -> None:
        self.enter()
        stopped = self.channel.playing
        assert stopped is not None
        self.call.dtmf_received("1")
        self.assertEqual(self.channel.heard, ["press-1"])
        stopped.end()
        self.assert_plays("you-entered")

    def test_key_just_before_a_sound_ends_counts_once(self) -> None:
        self.enter()
        self.call.dtmf_received("1")
        self.channel.end_sound()
        self.hear("you-entered", "digits/1", "press-1")

    def test_key_just_after_a_sound_ended_stops_the_next_one(self) -> None:
        self.enter()
        self.channel.end_sound()
        self.press("1")
        self.assertEqual(self.channel.heard, ["press-1", "or", "you-entered"])

    def test_key_just_after_the_last_sound_ended_needs_no_stop(self) -> None:
        self.enter()
        self.hear(*PROMPT)
        self.press("1")
        self.assert_plays("you-entered")
        self.assertEqual([p.stops for p in self.channel.playbacks], [0, 0, 0, 0])

    def test_two_keys_in_a_row_are_handled_in_order(self) -> None:
        self.enter()
        with capturedLogs() as events:
            self.call.dtmf_received("1")
            self.call.dtmf_received("8")
            self.channel.end_sound()
        self.assertEqual(
            [event["digits"] for event in events if "digits" in event], ["1", "8"]
        )
        self.assert_plays("option-is-invalid")

    def test_invalid_key_discards_the_type_ahead_behind_it(self) -> None:
        self.enter()
        self.call.dtmf_received("8")
        self.call.dtmf_received("1")
        self.channel.end_sound()
        self.hear("option-is-invalid", *PROMPT)
        self.assert_silent()

    def test_key_pressed_before_the_call_is_answered_is_kept(self) -> None:
        answered: Deferred[None] = Deferred()
        self.channel.answered = answered
        self.enter()
        self.call.dtmf_received("1")
        answered.callback(None)
        self.assertEqual(self.channel.heard, ["you-entered"])

    def test_thousand_keys_at_once_play_one_error_prompt(self) -> None:
        self.enter()
        for _ in range(1000):
            self.call.dtmf_received("9")
        self.channel.end_sound()
        self.assertEqual(self.channel.heard, ["press-1", "option-is-invalid"])


class FloodTests(CallTestCase):
    """200 keys a second for a minute, which no telephone can send."""

    def flood(self) -> int:
        """Press them, and return how many lines are logged."""
        with capturedLogs() as events:
            for number in range(200 * 60):
                self.press("0123456789*#ABCD"[number * 7 % 16])
                self.clock.advance(1 / 200)
        return len(events)

    def test_flood_costs_no_more_than_the_fastest_telephone(self) -> None:
        self.enter()
        lines = self.flood()
        presses = self.call.context.keypad.presses
        self.assertLess(presses, MAX_KEPT + MAX_PER_SECOND * 60 + 1)
        self.assertLessEqual(lines, 2 * presses)
        self.assertLess(len(self.channel.playbacks), 2 * presses)

    def test_call_goes_on_after_a_flood(self) -> None:
        self.enter()
        self.flood()
        self.clock.advance(1)
        self.press("9")
        self.hear("option-is-invalid", *PROMPT)
        self.press("1")
        self.assert_plays("you-entered")

    def test_flood_is_logged_once_when_the_call_has_left(self) -> None:
        self.enter()
        self.flood()
        with capturedLogs() as events:
            self.call.left()
        self.assert_logged(
            events,
            "too many to log each",
            "has left the application",
            "faster than a phone can",
            "the caller hung up",
        )


class SilenceTests(CallTestCase):
    def test_timeout_starts_at_the_end_of_the_last_sound(self) -> None:
        self.enter()
        self.clock.advance(60)
        self.hear(*PROMPT)
        self.clock.advance(9.9)
        self.assert_silent()
        self.clock.advance(0.1)
        self.assert_plays("are-you-still-there")

    def test_key_cancels_the_timeout(self) -> None:
        self.enter()
        self.hear(*PROMPT)
        self.clock.advance(9)
        self.press("8")
        self.clock.advance(9)
        self.hear("option-is-invalid", *PROMPT)
        self.clock.advance(9)
        self.assert_silent()


class HangupTests(CallTestCase):
    def assert_over(self) -> None:
        """Check that further events cause no request."""
        requests = list(self.channel.log)
        self.call.dtmf_received("1")
        self.clock.advance(60)
        self.call.left()
        self.assertEqual(self.channel.log, requests)
        self.assertNotIn("continue", requests)

    def test_hangup_while_the_call_is_answered_ends_it(self) -> None:
        self.channel.answered = Deferred()
        self.enter()
        self.call.hung_up()
        self.assert_over()

    def test_hangup_while_a_sound_plays_ends_the_call(self) -> None:
        self.enter()
        self.call.hung_up()
        self.channel.playbacks[-1].end(PlaybackEnd.FAILED)
        self.assert_over()

    def test_hangup_while_a_sound_is_stopped_ends_the_call(self) -> None:
        self.enter()
        self.call.dtmf_received("1")
        self.call.hung_up()
        self.channel.playbacks[-1].end(PlaybackEnd.FAILED)
        self.assert_over()

    def test_hangup_while_waiting_for_a_key_ends_the_call(self) -> None:
        self.enter()
        self.hear(*PROMPT)
        self.call.hung_up()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assert_over()

    def test_channel_that_leaves_without_a_hangup_ends_the_call(self) -> None:
        self.enter()
        self.call.left()
        self.assert_over()

    def test_exit_is_logged_once(self) -> None:
        self.enter()
        with capturedLogs() as events:
            self.call.left()
            self.call.left()
        self.assertEqual(len(events), 2)  # the exit, and how the call has ended


class ErrorTests(CallTestCase):
    def test_sound_that_fails_is_logged_and_the_next_one_plays(self) -> None:
        self.enter()
        with capturedLogs() as events:
            self.channel.end_sound(PlaybackEnd.FAILED)
        self.assertEqual(
            [formatEvent(event) for event in events],
            [f"sound:press-1 was not played to {CHANNEL}: no such sound"],
        )
        self.assert_plays("or")

    def test_call_that_cannot_be_answered_continues_in_the_dialplan(self) -> None:
        self.channel.answered = fail(TelephonyError("out of memory"))
        with capturedLogs() as events:
            self.enter()
        self.assertEqual(self.channel.log, ["answer", *ERROR])
        self.assertIn("out of memory", " ".join(map(str, map(formatEvent, events))))

    def test_request_that_fails_because_of_a_hangup_logs_no_error(self) -> None:
        self.channel.answered = fail(TelephonyError("500 Failed to answer channel"))
        self.channel.continued = fail(ChannelGoneError("404"))
        with capturedLogs() as events:
            self.enter()
        self.assertEqual(len(events), 1)  # that it has entered

    def test_channel_that_is_gone_gets_no_further_request(self) -> None:
        self.channel.answered = fail(ChannelGoneError("404"))
        self.enter()
        self.assertEqual(self.channel.log, ["answer"])

    def test_exception_ends_one_call_in_the_dialplan(self) -> None:
        self.channel.answered = fail(ZeroDivisionError("a bug"))
        self.enter()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.channel.log, ["answer", *ERROR])

    def test_rejected_continue_is_logged(self) -> None:
        self.channel.answered = fail(TelephonyError("no"))
        self.channel.continued = fail(TelephonyError("neither"))
        with capturedLogs() as events:
            self.enter()
        self.assertEqual(
            [formatEvent(event) for event in events][1:],
            [
                f"Could not continue {CHANNEL} in the dialplan: neither",
                f"The call of {CHANNEL} failed: no",
            ],
        )
        self.assertEqual(self.channel.log[-1], "hang up")

    def test_hangup_after_a_rejected_continue_ends_the_call(self) -> None:
        self.channel.answered = fail(TelephonyError("no"))
        self.channel.continued = fail(TelephonyError("neither"))
        self.channel.responses["hang up"] = self.unanswered
        self.enter()
        self.call.left()
        self.assert_finished()

    def test_call_that_is_gone_after_a_rejected_continue_is_over(self) -> None:
        self.channel.answered = fail(TelephonyError("no"))
        self.channel.continued = fail(TelephonyError("neither"))
        self.channel.responses["hang up"] = lambda: fail(ChannelGoneError("404"))
        self.enter()
        self.assert_finished()


class CloseTests(CallTestCase):
    def test_close_stops_the_sound_and_continues_in_the_dialplan(self) -> None:
        self.enter()
        self.successResultOf(self.close())
        self.assertEqual(self.channel.playbacks[-1].stops, 1)
        self.assertEqual(self.channel.log, ["answer", "sound:press-1", *STOPPING])

    def test_close_waits_for_the_answer_to_continue(self) -> None:
        continued: Deferred[None] = Deferred()
        self.channel.continued = continued
        self.enter()
        closed = self.close()
        self.assertNoResult(closed)
        continued.callback(None)
        self.successResultOf(closed)

    def test_hangup_ends_the_wait_of_close(self) -> None:
        self.channel.continued = Deferred()
        self.enter()
        closed = self.close()
        self.call.hung_up()
        self.successResultOf(closed)

    def test_new_call_is_rejected_while_closing(self) -> None:
        self.successResultOf(self.close())
        self.enter()
        self.assertEqual(self.channel.log, STOPPING)
        self.successResultOf(self.close())

    def test_reopened_attendant_answers_calls(self) -> None:
        self.successResultOf(self.close())
        self.attendant.open()
        self.enter()
        self.assert_plays("press-1")


LIMITED = """
max_call_seconds = 25
[menus.main]
prompt = ["main"]
"""


class TimeLimitTests(CallTestCase):
    FLOW = LIMITED

    def spend(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            if self.channel.playing is not None:
                self.channel.end_sound()

    def test_call_at_its_time_limit_is_hung_up_with_the_reason(self) -> None:
        self.enter()
        self.spend(24)
        self.sent()
        self.spend(2)
        self.assertEqual(self.sent()[-2:], ["set CHANNEL_AA_REASON=limit", "hang up"])

    def test_time_limit_ends_the_call_if_the_reason_cannot_be_set(self) -> None:
        self.channel.responses["set CHANNEL_AA_REASON=limit"] = self.unanswered
        self.channel.responses["hang up"] = lambda: self.failed("no")
        self.enter()
        self.spend(30)
        self.assertEqual(self.sent()[-2:], ["hang up", "continue"])

    def test_call_that_is_gone_at_its_time_limit_is_over(self) -> None:
        for line in ("set CHANNEL_AA_REASON=limit", "hang up"):
            with self.subTest(line=line):
                self.setUp()
                self.channel.responses[line] = lambda: fail(ChannelGoneError("404"))
                self.enter()
                self.spend(25)
                self.assertEqual(self.sent()[-1], line)
                self.assert_finished()
                self.tearDown()

    def test_hangup_while_the_reason_is_set_ends_the_call(self) -> None:
        self.channel.responses["set CHANNEL_AA_REASON=limit"] = self.unanswered
        self.enter()
        self.spend(25)
        self.call.left()
        self.spend(30)
        self.assertEqual(self.sent()[-1], "set CHANNEL_AA_REASON=limit")
        self.assert_finished()


class InterfaceTests(CallTestCase):
    def test_attendant_and_call_provide_their_interfaces(self) -> None:
        verifyObject(IStasisApplication, self.attendant)
        verifyObject(IChannelListener, self.enter())

    def test_fakes_provide_their_interfaces(self) -> None:
        verifyObject(IChannel, self.channel)
        verifyObject(IPlayback, FakePlayback("1", "sound:or"))
        verifyObject(IRecording, FakeRecording("one", []))
        verifyObject(IOutboundChannel, FakePhone("PJSIP/410", []))
