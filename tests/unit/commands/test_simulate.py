from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.commands.main import main
from channel_aa.simulator import ScriptError
from channel_aa.simulator.script import (
    HangUp,
    Hear,
    Press,
    SetPhone,
    Silence,
    Wait,
    parse_phone,
    parse_script,
)
from tests.support.printed import printed

COMPANY = """
[menus.main]
prompt = ["press-1", "or", "press-2"]
timeout = 10
noinput = ["are-you-still-there"]
nomatch = ["option-is-invalid"]
max_noinput = 2
max_nomatch = 2
failure = { continue = { context = "operators", extension = "0" } }
[menus.main.options]
1 = { play = ["you-entered", "digits:{digits}"] }
2 = "sales"
3 = { dial = "PJSIP/410", else = { voicemail = "410" } }
4 = { dial = "PJSIP/411" }
9 = { dial = "PJSIP/412", confirm = true }
0 = { dial = "PJSIP/413", early_media = true }
5 = { queue = "support" }
6 = { set = { TEAM = "sales" }, then = "hangup" }
7 = { record = "to/{caller}", then = { play = ["recording:{recording}"] } }
8 = { run = "look_up" }
[menus.sales]
prompt = ["sales-hours"]
language = "fr"
options."*" = "back"
[menus.closed]
prompt = ["we-are-closed"]
options.0 = "hangup"
[[routes]]
did = "100"
schedule = "office"
open = "sales"
closed = "closed"
[[routes]]
argument = "night"
to = "closed"
[schedules.office]
timezone = "Europe/London"
open = ["mon-fri 09:00-17:30"]
holidays = ["2026-12-24 12:00-24:00"]
"""
OPEN = "Thu 2026-12-24 11:00 GMT"


class SimulateTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name, "twistd.conf")
        self.file.write_text(COMPANY)

    def simulate(self, *arguments: str) -> tuple[int, list[str], str]:
        """Give the exit code, the lines without those of the prompt, and errors."""
        options = ["simulate", str(self.file), "--at", "2026-12-24 11:00", *arguments]
        code, out, err = printed(main, options)
        return code, out.splitlines(), err

    def press(self, steps: str, *arguments: str) -> list[str]:
        """Give what happened after the first prompt, without the times."""
        code, lines, err = self.simulate("--press", steps, *arguments)
        self.assertEqual((code, err), (0, ""))
        texts = [line[10:] for line in lines[1:]]
        self.assertEqual(texts[:3], ["press-1", "or", "press-2"])
        return texts[3:]


class CallTests(SimulateTestCase):
    def test_call_is_printed_with_times(self) -> None:
        code, lines, err = self.simulate("--press", "1", "--caller", "Alice <410>")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(
            lines,
            [
                f'{OPEN}: "Alice" <410> calls 1000',
                "     0.0  press-1",
                "     1.0  or",
                "     2.0  press-2",
                "     3.3  key 1",
                "     3.3  you-entered",
                "     4.3  digits/1",
                "     5.3  press-1",
                "     6.3  or",
                "     7.3  press-2",
                "     8.6  hung up by caller",
            ],
        )

    def test_transcript_is_the_same_each_time(self) -> None:
        steps = ("--press", "7,wait 3,#,4,2,*")
        self.assertEqual(self.simulate(*steps), self.simulate(*steps))

    def test_silence_leads_to_the_limit(self) -> None:
        self.assertEqual(
            self.press("ended"),
            [
                *("are-you-still-there", "press-1", "or", "press-2"),
                "continued in dialplan at operators,0,1",
            ],
        )

    def test_hour_passes_at_once(self) -> None:
        self.file.write_text('[menus.main]\nprompt = ["or"]\n')
        _, lines, err = self.simulate("--press", "ended")
        self.assertEqual((lines[-1], err), ("  3600.0  hung up by application", ""))

    def test_key_after_hear_interrupts_the_sound(self) -> None:
        _, lines, _ = self.simulate("--press", "hear or, 1, hang up")
        self.assertEqual(
            lines[2:5],
            ["     1.0  or", "     1.0  key 1", "     1.0  you-entered"],
        )

    def test_key_after_wait_is_pressed_at_its_time(self) -> None:
        _, lines, _ = self.simulate("--press", "wait 9.5, 2, silence 2, hang up")
        self.assertEqual(
            lines[4:],
            [
                "     9.5  key 2",
                "     9.5  language fr",
                "     9.5  sales-hours",
                "    12.5  hung up by caller",
            ],
        )

    def test_phone_answers_and_the_caller_hangs_up(self) -> None:
        self.assertEqual(
            self.press("4"),
            [
                *("key 4", "dials PJSIP/411", "PJSIP/411 answers"),
                *("conversation begins", "conversation ends", "hung up by caller"),
            ],
        )

    def test_phone_behaves_as_configured(self) -> None:
        explained = {
            "busy": ["is busy", "im-sorry", "vm-extension", "vm-isonphone"],
            "no answer": ["does not answer", "number-not-answering"],
            "congested": ["is congested", "all-circuits-busy-now"],
        }
        for words, (outcome, *sounds) in explained.items():
            expected = [
                *("key 4", "dials PJSIP/411", f"PJSIP/411 {outcome}"),
                *(*sounds, "press-1", "or", "press-2", "hung up by caller"),
            ]
            phone = f"PJSIP/411 {words}"
            with self.subTest(words=words):
                self.assertEqual(self.press(f"phone {phone}, 4"), expected)
                self.assertEqual(self.press("4", "--phone", phone), expected)

    def test_phone_takes_the_call_by_pressing_1(self) -> None:
        talk = ("conversation begins", "conversation ends", "hung up by caller")
        refuses = ("PJSIP/412 does not take the call", "number-not-answering")
        for words, expected in (
            ("", ("PJSIP/412 takes the call", *talk)),
            ("answers 1 press 1", ("PJSIP/412 takes the call", *talk)),
            ("answers 1 press 2", refuses),
            ("answers 1", refuses),
            ("answers hangs-up 1", refuses),
        ):
            with self.subTest(words=words):
                phone = ("--phone", f"PJSIP/412 {words}") if words else ()
                steps = "9" if expected[1:] == talk else "9, hear number-not-answering"
                self.assertEqual(
                    self.press(steps, *phone)[: 3 + len(expected)],
                    ["key 9", "dials PJSIP/412", "PJSIP/412 answers", *expected],
                )

    def test_early_media_is_printed(self) -> None:
        talk = ("conversation begins", "conversation ends", "hung up by caller")
        for words, expected in (
            ("answers 1", ("PJSIP/413 answers", *talk)),
            (
                "announces 3",
                (
                    "early media of PJSIP/413 begins",
                    "PJSIP/413 does not answer",
                    "number-not-answering",
                ),
            ),
        ):
            with self.subTest(words=words):
                phone = ("--phone", f"PJSIP/413 {words}")
                self.assertEqual(
                    self.press("0", *phone)[: 2 + len(expected)],
                    ["key 0", "dials PJSIP/413", *expected],
                )

    def test_unreachable_phone_is_printed(self) -> None:
        self.assertEqual(
            self.press("phone PJSIP/411 unreachable, 4")[:3],
            ["key 4", "PJSIP/411 is unavailable", "vm-nobodyavail"],
        )

    def test_last_phone_step_counts(self) -> None:
        texts = self.press("phone PJSIP/* busy, 4, phone PJSIP/411 answers, 4")
        self.assertIn("PJSIP/411 is busy", texts)
        self.assertIn("PJSIP/411 answers", texts)

    def test_dialplan_location_is_printed(self) -> None:
        self.assertEqual(
            self.press("phone PJSIP/410 busy, 3")[-2:],
            [
                "sets CHANNEL_AA_ARGUMENT = 410",
                "continued in dialplan at channel-aa-voicemail,s,1",
            ],
        )
        self.assertEqual(
            self.press("5")[-1], "continued in dialplan at channel-aa-queue,s,1"
        )

    def test_variables_and_hangup_are_printed(self) -> None:
        self.assertEqual(
            self.press("6"), ["key 6", "sets TEAM = sales", "hung up by application"]
        )

    def test_recording_is_played_back(self) -> None:
        texts = self.press("7, speak 3, #", "--caller", "<0123>")
        self.assertEqual(
            texts[:4], ["key 7", "records to/0123", "key #", "recording:to/0123"]
        )

    def test_warning_of_the_attendant_is_printed(self) -> None:
        self.assertTrue(any("look_up" in text for text in self.press("8")))

    def test_time_number_and_argument_choose_the_route(self) -> None:
        for arguments, sound in (
            (["--did", "100"], "sales-hours"),
            (["--did", "100", "--at", "2026-12-24 13:00"], "we-are-closed"),
            (["--did", "100", "--at", "2026-12-24T10:00+05:00"], "we-are-closed"),
            (["--argument", "x", "--argument", "night"], "we-are-closed"),
            (["--argument", "day"], "press-1"),
            (["--argument", "channel-aa-menu=main.sales"], "sales-hours"),
        ):
            _, lines, _ = self.simulate("--press", "wait 0.5, hang up", *arguments)
            self.assertIn(f"     0.0  {sound}", lines, arguments)

    def test_menu_that_the_caller_comes_back_to_may_be_unknown(self) -> None:
        texts = self.simulate(
            "--press", "wait 0.5, hang up", "--argument", "channel-aa-menu=gone"
        )[1]
        self.assertIn("comes back to the menu gone", texts[1])
        self.assertEqual(texts[2], "     0.0  press-1")

    def test_terminator_behind_an_option_is_no_entry_of_its_menu(self) -> None:
        self.assertEqual(
            self.press("2#, *, hang up")[:6],
            [
                *("key 2", "language fr", "sales-hours", "key #", "key *"),
                "press-1",
            ],
        )

    def test_misdialled_number_is_one_no_match(self) -> None:
        with self.file.open("a") as file:
            file.write('[menus.main.extensions]\npattern = "9X1"\nplay = ["x"]\n')
        texts = self.press("981, 9921, silence 4, hang up")
        self.assertEqual(texts.count("option-is-invalid"), 1)
        self.assertNotIn("sales-hours", texts)

    def test_keys_of_a_secret_menu_are_masked(self) -> None:
        self.file.write_text(
            COMPANY.replace("[menus.sales]", "[menus.sales]\nsecret = true")
        )
        self.assertEqual(
            self.press("2,hear sales-hours,*"),
            [
                *["key 2", "language fr", "sales-hours", "key (secret)"],
                *["press-1", "or", "press-2", "hung up by caller"],
            ],
        )

    def test_keys_are_masked_where_an_option_is_secret(self) -> None:
        secret = 'options.4711 = { menu = "main", secret = true }'
        self.file.write_text(
            COMPANY.replace("[menus.sales]", f"[menus.sales]\n{secret}")
        )
        texts = self.press("2,hear sales-hours,*")
        self.assertIn("key (secret)", texts)
        self.assertNotIn("key *", texts)

    def test_simulation_logs_no_errors(self) -> None:
        self.simulate("--press", "2,1,1,1,4")
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_phone_is_picked_up_by_another(self) -> None:
        self.assertEqual(
            self.press("phone PJSIP/410 answers 1 at PJSIP/411, 3"),
            [
                *("key 3", "dials PJSIP/410", "PJSIP/410 is picked up"),
                *("conversation begins", "conversation ends", "hung up by caller"),
            ],
        )

    def test_conversation_goes_on_after_a_transfer(self) -> None:
        steps = "phone PJSIP/410 answers transfers-to PJSIP/411 after 2, 3, wait 20"
        phone = ("PJSIP/410 answers", "conversation begins", "conversation ends")
        self.assertEqual(
            self.press(steps), ["key 3", "dials PJSIP/410", *phone, "hung up by caller"]
        )


class ExpectTests(SimulateTestCase):
    def test_expected_call_is_exit_code_0(self) -> None:
        code, _, err = self.simulate(
            "--press", "5", "--expect", "press-1,...,channel-aa-queue,s,1"
        )
        self.assertEqual((code, err[:3]), (1, "The"))
        code, _, err = self.simulate(
            *("--press", "5", "--expect"),
            "press-1,...,continued in dialplan at channel-aa-queue,s,1",
        )
        self.assertEqual((code, err), (0, ""))

    def test_transcript_is_accepted_as_expectation(self) -> None:
        _, lines, _ = self.simulate("--press", "1,4")
        transcript = "\n".join(lines[1:])
        code, _, err = self.simulate("--press", "1,4", "--expect", transcript)
        self.assertEqual((code, err), (0, ""))

    def test_unexpected_call_is_exit_code_1_and_prints_the_difference(self) -> None:
        code, lines, err = self.simulate(
            "--press",
            "1,hang up",
            "--expect",
            "press-1,or,press-3,...,hung up by caller",
        )
        self.assertEqual(code, 1)
        self.assertEqual(len(lines), 11)
        self.assertEqual(
            err.splitlines(),
            [
                "The call differs from the expectation (-: expected, +: actual):",
                *("  press-1", "  or", "- press-3", "  press-2", "  you-entered"),
                *("  digits/1", "  press-1", "  or", "  press-2"),
                "  hung up by caller",
            ],
        )


class ErrorTests(SimulateTestCase):
    def error_of(self, *arguments: str) -> str:
        code, _, err = self.simulate(*arguments)
        self.assertEqual(code, 1)
        self.assertEqual(len(err.splitlines()), 1, err)
        return err.strip()

    def test_unknown_step_is_named(self) -> None:
        self.assertIn(
            "--press: step 2 ('dance'): unknown step;",
            self.error_of("--press", "1, dance"),
        )
        self.assertIn(
            "write an endpoint and what it does", self.error_of("--press", "phone 410")
        )
        self.assertIn(
            "unknown behaviour 'sings'", self.error_of("--press", "phone A/1 sings")
        )
        self.assertIn(
            "write a number of seconds", self.error_of("--press", "wait long")
        )

    def test_step_after_the_end_is_named(self) -> None:
        self.assertEqual(
            self.error_of("--press", "6,1"),
            "channel-aa: --press: step 2 (press 1): cannot press 1: the caller last"
            " heard press-2, at 2.0 seconds; the call is over, hung up by application",
        )

    def test_missing_sound_of_hear_is_named(self) -> None:
        self.assertIn(
            "step 1 (hear nothing): waited 27.0 seconds for the sound nothing: the"
            " caller last heard press-2, at 16.0 seconds; the call is over, continued",
            self.error_of("--press", "hear nothing"),
        )

    def test_wait_for_the_callers_turn_is_limited(self) -> None:
        prompt = '{ media = ["tone:ring"], seconds = 900 }'
        self.file.write_text(f"[menus.main]\nprompt = [{prompt}]\n")
        for script, step in (("1", "step 1 (press 1)"), ("wait 1", "after the last")):
            self.assertIn(f"--press: {step}", self.error_of("--press", script))

    def test_simulation_without_press_needs_a_terminal(self) -> None:
        self.assertIn("no terminal to read keys from", self.error_of())

    def test_invalid_file_is_not_called(self) -> None:
        self.file.write_text("[menus.main]\nprompt = []\n")
        self.assertIn("menus.main.prompt", self.error_of("--press", "1"))

    def test_invalid_time_or_phone_is_refused(
        self,
    ) -> None:
        for option, value, word in (
            ("--at", "tomorrow", "2026-12-24 13:00"),
            ("--phone", "410", "PJSIP/410 busy"),
        ):
            with self.assertRaises(SystemExit):
                self.simulate("--press", "1", option, value)
            self.assertTrue(word)


class StepsTests(SynchronousTestCase):
    def test_steps_are_parsed(self) -> None:
        self.assertEqual(
            parse_script(
                "1 2#, press 4,\nhear or , wait 2.5,silence 3, hang up, hangup"
            ),
            (
                *(Press("12#"), Press("4"), Hear("or"), Wait(2.5), Silence(3)),
                *(HangUp(), HangUp()),
            ),
        )

    def test_phone_behaviour_is_parsed(self) -> None:
        self.assertEqual(parse_phone("PJSIP/4 busy"), SetPhone("PJSIP/4", "busy"))
        self.assertEqual(parse_phone("A/1  no  answer"), SetPhone("A/1", "no answer"))

    def test_letters_a_to_d_are_keys(self) -> None:
        self.assertEqual(parse_script("a, B"), (Press("A"), Press("B")))
        with self.assertRaises(ScriptError):
            parse_script("E")
