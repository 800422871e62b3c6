"""Dialling phones on behalf of a caller."""

from __future__ import annotations

from twisted.internet.defer import fail
from twisted.logger import capturedLogs, formatEvent

from channel_aa.interfaces import (
    ChannelGoneError,
    DialOutcome,
    PlaybackEnd,
    TelephonyError,
)
from tests.support.attendant_fakes import FakeChannel, FakePhone
from tests.support.call_case import CHANNEL, CallTestCase, exit_of

MENUS = """
max_call_seconds = 60
[menus.main]
prompt = ["main"]
[menus.main.options]
1 = { dial = "PJSIP/410", ring = 15, label = "Sales" }
2 = { dial = ["PJSIP/410", "PJSIP/411"], else = { play = ["sorry"] } }
3 = { dial = ["PJSIP/410", "PJSIP/411", "PJSIP/412"], strategy = "ringall" }
4 = { dial = "PJSIP/410", music = "jazz", then = { play = ["goodbye"] } }
A = { dial = "PJSIP/1@carrier", label = "Out", caller_id = "Acme <+441632>" }
6 = { dial = "PJSIP/410", else = { play = ["sorry"], then = "hangup" } }
7 = { dial = "PJSIP/410", else = "other" }
"*" = { dial = ["PJSIP/410", "PJSIP/411"], early_media = true }
8 = { dial = ["PJSIP/410", "PJSIP/411"], confirm = ["a", "b"] }
9 = { dial = ["PJSIP/410", "PJSIP/411", "PJSIP/412"], strategy = "ringall", confirm = ["a"] }
[menus.main.extensions]
pattern = "5XX"
dial = "PJSIP/{digits}"
[menus.other]
prompt = ["other"]
options = { 1 = "hangup" }
"""  # noqa: E501 - a table of TOML has one line

ANSWERED = DialOutcome.ANSWERED
RINGING = ["start ringing", "dial PJSIP/410 15 Sales"]


class DialTestCase(CallTestCase):
    FLOW = MENUS

    def dial(self, keys: str = "1") -> None:
        """Enter, and choose an option that dials."""
        self.enter()
        self.hear("main")
        self.sent()
        self.press(keys)

    def end_dialling(self, *outcomes: DialOutcome) -> None:
        """End dialling, of one phone after another."""
        for outcome in outcomes:
            self.channel.phones[-1].end_dialling(outcome)


class AnswerTests(DialTestCase):
    def test_ring_tone_plays_until_the_phone_answers(self) -> None:
        self.dial()
        self.assertEqual(self.sent(), RINGING)
        self.end_dialling(ANSWERED)
        self.assertEqual(self.sent(), ["stop ringing", "connect PJSIP/410"])

    def test_own_caller_id_is_shown_instead_of_the_label(self) -> None:
        self.dial("A")
        self.assertEqual(self.sent()[1:], ["dial PJSIP/1@carrier 20 Acme <+441632>"])

    def test_music_plays_instead_of_the_ring_tone(self) -> None:
        self.dial("4")
        self.end_dialling(ANSWERED)
        self.assertEqual(
            self.sent(),
            [
                "start music jazz",
                "dial PJSIP/410 20",
                "stop music",
                "connect PJSIP/410",
            ],
        )

    def test_caller_is_hung_up_after_the_conversation(self) -> None:
        self.dial()
        self.end_dialling(ANSWERED)
        self.sent()
        self.channel.phones[0].callee_hangs_up()
        self.assertEqual(self.sent(), ["set DIALSTATUS=ANSWER", "hang up"])

    def test_then_follows_the_conversation(self) -> None:
        self.dial("4")
        self.end_dialling(ANSWERED)
        self.channel.phones[0].callee_hangs_up()
        self.hear("goodbye", "main")

    def test_extension_is_part_of_the_endpoint(self) -> None:
        self.dial("512")
        self.assertEqual(self.sent(), ["start ringing", "dial PJSIP/512 20"])

    def test_keys_pressed_while_it_rings_are_kept(self) -> None:
        self.dial()
        self.press("4")
        self.end_dialling(DialOutcome.BUSY)
        self.assertEqual(len(self.channel.phones), 2)

    def test_keys_of_the_conversation_are_discarded(self) -> None:
        self.dial("4")
        self.end_dialling(ANSWERED)
        self.press("1")
        self.channel.phones[0].callee_hangs_up()
        self.hear("goodbye", "main")
        self.assert_silent()

    def test_conversation_does_not_count_for_the_time_limit(self) -> None:
        self.dial("4")
        self.end_dialling(ANSWERED)
        self.clock.advance(3600)
        self.channel.phones[0].callee_hangs_up()
        self.assert_plays("goodbye")

    def test_rejected_ring_tone_is_logged_and_the_phone_rings(self) -> None:
        self.channel.responses["start ringing"] = lambda: self.failed("no tone")
        self.enter()
        self.assertIn("no tone", " ".join(self.log_of("1")))
        self.end_dialling(ANSWERED)
        self.assertEqual(self.sent()[-1], "connect PJSIP/410")


class NoAnswerTests(DialTestCase):
    def test_outcome_is_explained_and_the_menu_repeated(self) -> None:
        for outcome, sounds in {
            DialOutcome.BUSY: ("im-sorry", "vm-extension", "vm-isonphone"),
            DialOutcome.NO_ANSWER: ("number-not-answering",),
            DialOutcome.CONGESTION: ("all-circuits-busy-now",),
            DialOutcome.UNAVAILABLE: ("vm-nobodyavail",),
        }.items():
            with self.subTest(outcome=outcome):
                self.setUp()
                self.dial()
                self.end_dialling(outcome)
                self.assertEqual(
                    self.sent()[2:4],
                    ["stop ringing", f"set DIALSTATUS={outcome.value}"],
                )
                self.hear(*sounds, "main")
                self.tearDown()

    def test_key_interrupts_the_explanation(self) -> None:
        self.dial()
        self.end_dialling(DialOutcome.BUSY)
        self.press("1")
        self.assertEqual(len(self.channel.phones), 2)

    def test_phone_whose_outcome_is_an_error_is_unavailable(self) -> None:
        self.dial()
        self.channel.phones[0].outcome.errback(TelephonyError("500"))
        self.channel.phones[0].is_hung_up = True
        self.hear("vm-nobodyavail", "main")

    def test_else_replaces_the_explanation(self) -> None:
        self.dial("2")
        self.end_dialling(DialOutcome.BUSY, DialOutcome.NO_ANSWER)
        self.hear("sorry", "main")

    def test_outcome_is_logged(self) -> None:
        self.dial()
        with capturedLogs() as events:
            self.end_dialling(DialOutcome.BUSY)
        self.assert_logged(events, f"Channel {CHANNEL} dialled PJSIP/410: BUSY")

    def test_phone_that_cannot_be_connected_is_hung_up_and_logged(self) -> None:
        self.dial()
        phone = self.channel.phones[0]
        self.patch(phone, "connect", lambda: fail(TelephonyError("no bridge")))
        with capturedLogs() as events:
            self.end_dialling(ANSWERED)
        self.assert_logged(
            events, f"Could not connect {CHANNEL} with PJSIP/410: no bridge"
        )
        self.assertEqual(
            self.sent()[2:],
            [
                "stop ringing",
                "hang up PJSIP/410",
                "set DIALSTATUS=CONGESTION",
                "sound:all-circuits-busy-now",
            ],
        )

    def test_caller_who_is_gone_when_connected_gets_no_further_request(self) -> None:
        self.dial()
        phone = self.channel.phones[0]
        self.patch(phone, "connect", lambda: fail(ChannelGoneError("404")))
        self.end_dialling(ANSWERED)
        self.assertEqual(self.sent()[2:], ["stop ringing", "hang up PJSIP/410"])


class HangupReasonTests(DialTestCase):
    def test_caller_is_hung_up_with_the_outcome_of_the_dial(self) -> None:
        for outcome, hangup in {
            DialOutcome.BUSY: "hang up: busy",
            DialOutcome.CONGESTION: "hang up: congestion",
            DialOutcome.NO_ANSWER: "hang up",
            DialOutcome.UNAVAILABLE: "hang up",
        }.items():
            with self.subTest(outcome=outcome):
                self.setUp()
                self.dial("6")
                self.end_dialling(outcome)
                self.hear("sorry")
                self.assertEqual(self.sent()[-1], hangup)
                self.tearDown()

    def test_outcome_does_not_count_after_another_dial(self) -> None:
        self.dial("1")
        self.end_dialling(DialOutcome.BUSY)
        self.press("1")
        self.end_dialling(ANSWERED)
        self.channel.phones[1].callee_hangs_up()
        self.assertEqual(self.sent()[-1], "hang up")

    def test_outcome_does_not_count_after_another_menu(self) -> None:
        self.dial("7")
        self.end_dialling(DialOutcome.BUSY)
        self.press("1")
        self.assertEqual(self.sent()[-1], "hang up")


class ConfirmationTests(DialTestCase):
    def answer(self, number: int) -> FakePhone:
        """Answer the phone of this number, of those that were dialled."""
        phone = self.channel.phones[number]
        phone.end_dialling(ANSWERED)
        return phone

    def test_phone_takes_the_call_with_1(self) -> None:
        self.dial("8")
        phone = self.answer(0)
        phone.end_sound()
        self.assertEqual(phone.heard, ["a", "b"])
        with capturedLogs() as events:
            phone.press("1")
        self.assertEqual(
            [formatEvent(event) for event in events],
            [
                f"PJSIP/410 took the call of {CHANNEL}",
                f"Channel {CHANNEL} dialled PJSIP/410: ANSWER",
            ],
        )
        self.assertEqual(self.sent()[-2:], ["stop ringing", "connect PJSIP/410"])
        self.assertEqual(phone.listener, None)

    def test_key_may_follow_the_prompt(self) -> None:
        self.dial("8")
        phone = self.answer(0)
        phone.end_sound()
        phone.end_sound()
        self.clock.advance(9.9)
        phone.press("1")
        self.assertEqual(self.sent()[-1], "connect PJSIP/410")

    def test_other_key_refuses_and_the_next_phone_rings(self) -> None:
        self.dial("8")
        phone = self.answer(0)
        with capturedLogs() as events:
            phone.press("2")
        self.assert_logged(
            events,
            f"PJSIP/410 did not take the call of {CHANNEL}: pressed 2",
            f"Channel {CHANNEL} dialled PJSIP/410: NOANSWER",
        )
        self.assertEqual(self.sent()[-2:], ["hang up PJSIP/410", "dial PJSIP/411 20"])
        self.answer(1).press("1")
        self.assertEqual(self.sent()[-1], "connect PJSIP/411")

    def test_silence_refuses_after_two_prompts(self) -> None:
        self.dial("8")
        phone = self.answer(0)
        for _ in range(2):
            self.assertFalse(phone.is_hung_up)
            phone.end_sound()
            phone.end_sound()
            with capturedLogs() as events:
                self.clock.advance(10)
        self.assertEqual(phone.heard, ["a", "b", "a", "b"])
        self.assertTrue(phone.is_hung_up)
        self.assert_logged(events, f"call of {CHANNEL}: no key was pressed")

    def test_hangup_of_the_phone_refuses(self) -> None:
        for sounds in (0, 1, 2):
            with self.subTest(sounds=sounds):
                self.setUp()
                self.dial("8")
                phone = self.answer(0)
                for _ in range(sounds):
                    phone.end_sound()
                with capturedLogs() as events:
                    phone.callee_hangs_up()
                self.assertEqual(
                    [formatEvent(event) for event in events][:1],
                    [f"PJSIP/410 did not take the call of {CHANNEL}: hung up"],
                )
                self.assertEqual(self.channel.phones_in_use, ["PJSIP/411"])
                self.tearDown()

    def test_refusal_counts_as_not_answered(self) -> None:
        self.dial("8")
        self.answer(0).press("*")
        self.answer(1).press("0")
        self.assertEqual(self.channel.variables["DIALSTATUS"], "NOANSWER")
        self.assert_plays("number-not-answering")

    def test_prompt_that_cannot_be_played_is_logged(self) -> None:
        self.dial("8")
        phone = self.answer(0)
        with capturedLogs() as events:
            phone.end_sound(PlaybackEnd.FAILED)
        self.assert_logged(events, "sound:a was not played to PJSIP/410: no such sound")
        phone.press("1")

    def test_caller_hears_the_ring_tone_meanwhile(self) -> None:
        self.dial("8")
        phone = self.answer(0)
        self.press("1")
        phone.end_sound()
        self.assertNotIn("stop ringing", self.sent())
        self.assertEqual(self.channel.heard, ["main"])

    def test_first_that_presses_1_wins_a_ringall(self) -> None:
        self.dial("9")
        first, second = self.answer(0), self.answer(2)
        self.assertEqual(self.channel.phones_in_use[1], "PJSIP/411")
        self.sent()
        second.press("1")
        self.assertEqual(
            self.sent(),
            [
                "hang up PJSIP/410: answered_elsewhere",
                "hang up PJSIP/411: answered_elsewhere",
                "stop ringing",
                "connect PJSIP/412",
            ],
        )
        self.assertEqual((first.listener, second.listener), (None, None))

    def test_refusal_leaves_the_other_phones_of_a_ringall(self) -> None:
        self.dial("9")
        self.answer(0).press("2")
        self.assertEqual(self.channel.phones_in_use, ["PJSIP/411", "PJSIP/412"])
        self.channel.phones[1].end_dialling(DialOutcome.BUSY)
        self.answer(2).press("1")
        self.assertEqual(self.sent()[-1], "connect PJSIP/412")

    def test_callers_hangup_hangs_up_phones_that_hear_the_prompt(self) -> None:
        for is_silent in (False, True):
            with self.subTest(is_silent=is_silent):
                self.setUp()
                self.dial("9")
                phone = self.answer(0)
                if is_silent:
                    phone.end_sound()
                with capturedLogs() as events:
                    self.call.hung_up()
                self.assertEqual(self.channel.phones_in_use, [])
                self.assertNotIn("take", " ".join(map(str, map(formatEvent, events))))
                self.tearDown()

    def test_stop_hangs_up_phones_that_hear_the_prompt(self) -> None:
        self.dial("8")
        self.answer(0)
        self.successResultOf(self.close())
        self.assertEqual(self.channel.phones_in_use, [])
        self.assertEqual(self.sent()[-1], "continue")


class SeveralPhonesTests(DialTestCase):
    def test_hunt_rings_the_next_when_one_does_not_answer(self) -> None:
        self.dial("2")
        self.assertEqual(self.channel.phones_in_use, ["PJSIP/410"])
        self.end_dialling(DialOutcome.BUSY)
        self.assertEqual(self.channel.phones_in_use, ["PJSIP/411"])
        self.end_dialling(ANSWERED)
        self.assertEqual(
            self.sent(),
            [
                "start ringing",
                "dial PJSIP/410 20",
                "dial PJSIP/411 20",
                "stop ringing",
                "connect PJSIP/411",
            ],
        )

    def test_ring_tone_begins_again_after_the_early_media_of_a_phone(self) -> None:
        self.dial("*")
        self.end_dialling(DialOutcome.BUSY, ANSWERED)
        self.assertEqual(
            self.sent(),
            [
                "start ringing",
                "dial PJSIP/410 20 early media",
                "start ringing",
                "dial PJSIP/411 20 early media",
                "stop ringing",
                "connect PJSIP/411",
            ],
        )

    def test_hunt_ends_at_the_first_answer(self) -> None:
        self.dial("2")
        self.end_dialling(ANSWERED)
        self.assertEqual(len(self.channel.phones), 1)

    def test_ringall_rings_all_and_hangs_up_all_but_the_first_that_answers(
        self,
    ) -> None:
        self.dial("3")
        self.assertEqual(len(self.channel.phones_in_use), 3)
        self.channel.phones[0].end_dialling(DialOutcome.BUSY)
        self.channel.phones[1].end_dialling(ANSWERED)
        self.assertEqual(self.channel.phones_in_use, ["PJSIP/411"])
        self.assertEqual(
            self.sent()[-3:],
            [
                "hang up PJSIP/412: answered_elsewhere",
                "stop ringing",
                "connect PJSIP/411",
            ],
        )

    def test_ringall_logs_no_outcome_after_the_answer(self) -> None:
        self.dial("3")
        with capturedLogs() as events:
            self.channel.phones[1].end_dialling(ANSWERED)
        self.assertEqual(
            [formatEvent(event) for event in events],
            [f"Channel {CHANNEL} dialled PJSIP/411: ANSWER"],
        )

    def test_ringall_without_an_answer_has_the_most_promising_outcome(
        self,
    ) -> None:
        self.dial("3")
        self.channel.phones[2].end_dialling(DialOutcome.UNAVAILABLE)
        self.channel.phones[0].end_dialling(DialOutcome.BUSY)
        self.channel.phones[1].end_dialling(DialOutcome.CONGESTION)
        self.assertEqual(self.channel.variables["DIALSTATUS"], "BUSY")
        self.assert_plays("im-sorry")


class HangupTests(DialTestCase):
    """`tearDown` checks that no phone rings any more."""

    def test_hangup_while_a_phone_rings_hangs_it_up(self) -> None:
        for keys in "1234":
            with self.subTest(keys=keys):
                self.setUp()
                self.dial(keys)
                self.call.hung_up()
                self.assertEqual(self.channel.phones_in_use, [])
                self.tearDown()

    def test_hangup_between_two_phones_rings_no_other(self) -> None:
        self.dial("2")
        self.end_dialling(DialOutcome.BUSY)
        self.call.left()
        self.assertEqual(self.sent()[-1], "hang up PJSIP/411")

    def test_hangup_before_the_ring_tone_rings_no_phone(self) -> None:
        self.channel.responses["start ringing"] = self.unanswered
        self.dial()
        self.call.left()
        self.assertEqual(self.sent(), ["start ringing"])

    def test_hangup_while_the_ring_tone_is_stopped_hangs_up_the_phone(self) -> None:
        self.channel.responses["stop ringing"] = self.unanswered
        self.dial()
        self.end_dialling(ANSWERED)
        self.call.left()
        self.assertEqual(self.sent()[-1], "hang up PJSIP/410")

    def test_hangup_in_the_conversation_hangs_up_the_phone(self) -> None:
        self.dial("4")
        self.end_dialling(ANSWERED)
        self.sent()
        self.call.hung_up()
        self.assertEqual(self.sent(), ["hang up PJSIP/410"])

    def test_hangup_while_dialstatus_is_set_ends_the_call(self) -> None:
        self.channel.responses["set DIALSTATUS=BUSY"] = self.unanswered
        self.dial()
        self.end_dialling(DialOutcome.BUSY)
        self.call.left()
        self.assertEqual(self.channel.heard, ["main"])


class StopTests(DialTestCase):
    def test_stop_while_a_phone_rings_hangs_it_up_and_continues_in_the_dialplan(
        self,
    ) -> None:
        for keys in "123":
            with self.subTest(keys=keys):
                self.setUp()
                self.dial(keys)
                self.successResultOf(self.close())
                self.assertEqual(self.channel.phones_in_use, [])
                asked = self.sent()
                self.assertIn("stop ringing", asked)
                self.assertEqual(asked[-2:], exit_of("stopping", f"main:{keys}"))
                self.tearDown()

    def test_stop_hangs_the_phone_up_before_it_stops_the_ring_tone(self) -> None:
        self.channel.responses["stop ringing"] = self.unanswered
        self.dial()
        self.sent()
        self.close()
        self.assertEqual(self.sent(), ["hang up PJSIP/410", "stop ringing"])
        self.call.left()

    def test_stop_keeps_a_conversation(self) -> None:
        self.dial()
        self.end_dialling(ANSWERED)
        self.sent()
        self.assertEqual(self.attendant.conversations, 1)
        self.successResultOf(self.close())
        self.call.hung_up()
        self.call.left()
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.channel.phones_in_use, ["PJSIP/410"])
        self.channel.phones.clear()

    def test_drain_waits_for_calls_in_a_menu_but_not_for_conversations(self) -> None:
        self.dial("4")
        closed = self.close(drain_timeout=30)
        self.assertNoResult(closed)
        self.end_dialling(ANSWERED)
        self.successResultOf(closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.channel.phones.clear()

    def test_call_whose_conversation_ends_during_a_drain_goes_on(self) -> None:
        self.dial("4")
        self.end_dialling(ANSWERED)
        talker = self.call
        other = self.attendant.channel_entered(FakeChannel("PJSIP/bob-00000002"), ())
        closed = self.close(drain_timeout=30)
        self.channel.phones[0].callee_hangs_up()
        self.assert_plays("goodbye")
        talker.left()
        self.assertNoResult(closed)
        other.left()
        self.successResultOf(closed)

    def test_replaced_attendant_keeps_a_conversation(
        self,
    ) -> None:
        self.dial()
        self.end_dialling(ANSWERED)
        self.sent()
        self.attendant.replaced()
        self.assertEqual(self.sent(), [])
        self.channel.phones.clear()
