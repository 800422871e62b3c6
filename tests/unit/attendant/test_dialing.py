"""Dialling phones on behalf of a caller."""

from __future__ import annotations

from twisted.internet.defer import fail
from twisted.logger import capturedLogs

from channel_aa.interfaces import ChannelGoneError, DialOutcome, TelephonyError
from tests.support.attendant_fakes import FakeChannel
from tests.support.call_case import CHANNEL, CallTestCase

MENUS = """
max_call_seconds = 60
[menus.main]
prompt = ["main"]
[menus.main.options]
1 = { dial = "PJSIP/410", ring = 15, label = "Sales" }
2 = { dial = ["PJSIP/410", "PJSIP/411"], else = { play = ["nobody"] } }
3 = { dial = ["PJSIP/410", "PJSIP/411", "PJSIP/412"], strategy = "ringall" }
4 = { dial = "PJSIP/410", music = "jazz", then = { play = ["goodbye"] } }
[menus.main.extensions]
pattern = "5XX"
dial = "PJSIP/{digits}"
"""

ANSWERED = DialOutcome.ANSWERED
RINGING = ["start ringing", "dial PJSIP/410 15 Sales"]


class DialTestCase(CallTestCase):
    FLOW = MENUS

    def dial(self, keys: str = "1") -> None:
        """Enter, and run_menu something that dials."""
        self.enter()
        self.hear("main")
        self.asked()
        self.press(keys)

    def phone_ends(self, *outcomes: DialOutcome) -> None:
        """Let the phones that ring, one after another, be answered or not."""
        for outcome in outcomes:
            self.channel.phones[-1].ends(outcome)


class AnswerTests(DialTestCase):
    def test_ring_tone_is_heard_until_the_phone_is_answered(self) -> None:
        self.dial()
        self.assertEqual(self.asked(), RINGING)
        self.phone_ends(ANSWERED)
        self.assertEqual(self.asked(), ["stop ringing", "connect PJSIP/410"])

    def test_music_is_heard_instead_where_there_is_some(self) -> None:
        self.dial("4")
        self.phone_ends(ANSWERED)
        self.assertEqual(
            self.asked(),
            [
                "start music jazz",
                "dial PJSIP/410 20",
                "stop music",
                "connect PJSIP/410",
            ],
        )

    def test_caller_is_hung_up_after_the_conversation(self) -> None:
        self.dial()
        self.phone_ends(ANSWERED)
        self.asked()
        self.channel.phones[0].is_hung_up_by_the_callee()
        self.assertEqual(self.asked(), ["set DIALSTATUS=ANSWER", "hang up"])

    def test_caller_hears_what_comes_then(self) -> None:
        self.dial("4")
        self.phone_ends(ANSWERED)
        self.channel.phones[0].is_hung_up_by_the_callee()
        self.hear("goodbye", "main")

    def test_extension_is_dialled_by_its_number(self) -> None:
        self.dial("512")
        self.assertEqual(self.asked(), ["start ringing", "dial PJSIP/512 20"])

    def test_keys_pressed_while_it_rings_are_kept(self) -> None:
        self.dial()
        self.press("4")
        self.phone_ends(DialOutcome.BUSY)
        self.assertEqual(len(self.channel.phones), 2)

    def test_keys_of_the_conversation_are_nobody_s(self) -> None:
        self.dial("4")
        self.phone_ends(ANSWERED)
        self.press("1")
        self.channel.phones[0].is_hung_up_by_the_callee()
        self.hear("goodbye", "main")
        self.assert_silent()

    def test_time_of_the_conversation_does_not_count_for_the_call(self) -> None:
        self.dial("4")
        self.phone_ends(ANSWERED)
        self.clock.advance(3600)
        self.channel.phones[0].is_hung_up_by_the_callee()
        self.assert_plays("goodbye")

    def test_ring_tone_that_cannot_be_heard_is_logged_and_it_rings(self) -> None:
        self.channel.answers["start ringing"] = lambda: self.failing("no tone")
        self.enter()
        self.assertIn("no tone", " ".join(self.log_of("1")))
        self.phone_ends(ANSWERED)
        self.assertEqual(self.asked()[-1], "connect PJSIP/410")


class NoAnswerTests(DialTestCase):
    def test_caller_hears_why_and_then_the_menu(self) -> None:
        for outcome, sounds in {
            DialOutcome.BUSY: ("im-sorry", "vm-extension", "vm-isonphone"),
            DialOutcome.NO_ANSWER: ("number-not-answering",),
            DialOutcome.CONGESTION: ("all-circuits-busy-now",),
            DialOutcome.UNAVAILABLE: ("vm-nobodyavail",),
        }.items():
            with self.subTest(outcome=outcome):
                self.setUp()
                self.dial()
                self.phone_ends(outcome)
                self.assertEqual(
                    self.asked()[2:4],
                    ["stop ringing", f"set DIALSTATUS={outcome.value}"],
                )
                self.hear(*sounds, "main")
                self.tearDown()

    def test_key_interrupts_the_explanation(self) -> None:
        self.dial()
        self.phone_ends(DialOutcome.BUSY)
        self.press("1")
        self.assertEqual(len(self.channel.phones), 2)

    def test_else_is_done_instead_of_an_explanation(self) -> None:
        self.dial("2")
        self.phone_ends(DialOutcome.BUSY, DialOutcome.NO_ANSWER)
        self.hear("nobody", "main")

    def test_outcome_is_logged(self) -> None:
        self.dial()
        with capturedLogs() as events:
            self.phone_ends(DialOutcome.BUSY)
        self.assert_logged(events, f"Channel {CHANNEL} dialled PJSIP/410: BUSY")

    def test_phone_that_cannot_be_connected_is_hung_up_and_said_to_be_so(self) -> None:
        self.dial()
        phone = self.channel.phones[0]
        self.patch(phone, "connect", lambda: fail(TelephonyError("no bridge")))
        with capturedLogs() as events:
            self.phone_ends(ANSWERED)
        self.assert_logged(events, "could not be connected with PJSIP/410: no bridge")
        self.assertEqual(
            self.asked()[2:],
            [
                "stop ringing",
                "hang up PJSIP/410",
                "set DIALSTATUS=CONGESTION",
                "sound:all-circuits-busy-now",
            ],
        )

    def test_caller_who_is_gone_when_connected_is_left_alone(self) -> None:
        self.dial()
        phone = self.channel.phones[0]
        self.patch(phone, "connect", lambda: fail(ChannelGoneError("404")))
        self.phone_ends(ANSWERED)
        self.assertEqual(self.asked()[2:], ["stop ringing", "hang up PJSIP/410"])


class SeveralPhonesTests(DialTestCase):
    def test_hunt_rings_the_next_when_one_does_not_answer(self) -> None:
        self.dial("2")
        self.assertEqual(self.channel.busy_phones, ["PJSIP/410"])
        self.phone_ends(DialOutcome.BUSY)
        self.assertEqual(self.channel.busy_phones, ["PJSIP/411"])
        self.phone_ends(ANSWERED)
        self.assertEqual(
            self.asked(),
            [
                "start ringing",
                "dial PJSIP/410 20",
                "dial PJSIP/411 20",
                "stop ringing",
                "connect PJSIP/411",
            ],
        )

    def test_hunt_ends_at_the_first_answer(self) -> None:
        self.dial("2")
        self.phone_ends(ANSWERED)
        self.assertEqual(len(self.channel.phones), 1)

    def test_ringall_rings_all_and_hangs_up_those_that_come_late(self) -> None:
        self.dial("3")
        self.assertEqual(len(self.channel.busy_phones), 3)
        self.channel.phones[0].ends(DialOutcome.BUSY)
        self.channel.phones[1].ends(ANSWERED)
        self.assertEqual(self.channel.busy_phones, ["PJSIP/411"])
        self.assertEqual(
            self.asked()[-3:],
            ["hang up PJSIP/412", "stop ringing", "connect PJSIP/411"],
        )

    def test_ringall_of_which_none_answers_tells_the_best_of_the_outcomes(
        self,
    ) -> None:
        self.dial("3")
        self.channel.phones[2].ends(DialOutcome.UNAVAILABLE)
        self.channel.phones[0].ends(DialOutcome.BUSY)
        self.channel.phones[1].ends(DialOutcome.CONGESTION)
        self.assertEqual(self.channel.variables["DIALSTATUS"], "BUSY")
        self.assert_plays("im-sorry")


class HangupTests(DialTestCase):
    """`tearDown` checks that no phone rings any more."""

    def test_hangup_while_it_rings(self) -> None:
        for keys in "1234":
            with self.subTest(keys=keys):
                self.setUp()
                self.dial(keys)
                self.call.hung_up()
                self.assertEqual(self.channel.busy_phones, [])
                self.tearDown()

    def test_hangup_between_two_phones(self) -> None:
        self.dial("2")
        self.phone_ends(DialOutcome.BUSY)
        self.call.left()
        self.assertEqual(self.asked()[-1], "hang up PJSIP/411")

    def test_hangup_before_the_ring_tone_has_begun(self) -> None:
        self.channel.answers["start ringing"] = self.never
        self.dial()
        self.call.left()
        self.assertEqual(self.asked(), ["start ringing"])

    def test_hangup_while_the_ring_tone_is_being_stopped(self) -> None:
        self.channel.answers["stop ringing"] = self.never
        self.dial()
        self.phone_ends(ANSWERED)
        self.call.left()
        self.assertEqual(self.asked()[-1], "hang up PJSIP/410")

    def test_hangup_in_the_conversation(self) -> None:
        self.dial("4")
        self.phone_ends(ANSWERED)
        self.asked()
        self.call.hung_up()
        self.assertEqual(self.asked(), ["hang up PJSIP/410"])

    def test_hangup_while_dialstatus_is_being_set(self) -> None:
        self.channel.answers["set DIALSTATUS=BUSY"] = self.never
        self.dial()
        self.phone_ends(DialOutcome.BUSY)
        self.call.left()
        self.assertEqual(self.channel.heard, ["main"])


class StopTests(DialTestCase):
    def test_caller_whose_phone_rings_goes_on_in_the_dialplan(self) -> None:
        for keys in "123":
            with self.subTest(keys=keys):
                self.setUp()
                self.dial(keys)
                self.successResultOf(self.close())
                self.assertEqual(self.channel.busy_phones, [])
                asked = self.asked()
                self.assertIn("stop ringing", asked)
                self.assertEqual(
                    asked[-2:], ["set CHANNEL_AA_REASON=stopping", "continue"]
                )
                self.tearDown()

    def test_conversation_is_left_standing(self) -> None:
        self.dial()
        self.phone_ends(ANSWERED)
        self.asked()
        self.assertEqual(self.attendant.conversations, 1)
        self.successResultOf(self.close())
        self.call.hung_up()
        self.call.left()
        self.assertEqual(self.asked(), [])
        self.assertEqual(self.channel.busy_phones, ["PJSIP/410"])
        self.channel.phones.clear()

    def test_calls_in_a_menu_are_waited_for_and_conversations_are_not(self) -> None:
        self.dial("4")
        closed = self.close(drain_timeout=30)
        self.assertNoResult(closed)
        self.phone_ends(ANSWERED)
        self.successResultOf(closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.channel.phones.clear()

    def test_conversation_that_ends_while_others_are_waited_for_goes_on(self) -> None:
        self.dial("4")
        self.phone_ends(ANSWERED)
        talker = self.call
        other = self.attendant.channel_entered(FakeChannel("PJSIP/bob-00000002"), ())
        closed = self.close(drain_timeout=30)
        self.channel.phones[0].is_hung_up_by_the_callee()
        self.assert_plays("goodbye")
        talker.left()
        self.assertNoResult(closed)
        other.left()
        self.successResultOf(closed)

    def test_conversation_of_a_call_that_is_another_s_now_is_left_standing(
        self,
    ) -> None:
        self.dial()
        self.phone_ends(ANSWERED)
        self.asked()
        self.attendant.replaced()
        self.assertEqual(self.asked(), [])
        self.channel.phones.clear()
