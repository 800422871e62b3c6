from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator import ScriptError
from channel_aa.simulator.script import (
    Ended,
    HangUp,
    Hear,
    Press,
    SetPhone,
    Silence,
    Wait,
    parse_script,
)


class ScriptTests(SynchronousTestCase):
    def problem(self, script: str) -> str:
        return str(self.assertRaises(ScriptError, parse_script, script))

    def test_every_step_is_parsed(self) -> None:
        script = "press 12#, wait 2.5, hear press-2, silence 3, hangup, ended"
        steps = (
            Press("12#"),
            Wait(2.5),
            Hear("press-2"),
            Silence(3.0),
            HangUp(),
            Ended(),
        )
        self.assertEqual(parse_script(script), steps)

    def test_step_is_written_as_it_is_parsed(self) -> None:
        script = "press 12#, wait 2.5, hear press-2, silence 3, hangup, ended"
        written = ", ".join(str(step) for step in parse_script(script))
        self.assertEqual(written, script)

    def test_steps_may_be_separated_by_line_breaks(self) -> None:
        self.assertEqual(
            parse_script("\n press 1\n\n wait 2, hangup,\n"),
            (Press("1"), Wait(2.0), HangUp()),
        )

    def test_bare_keys_and_hang_up_are_accepted(self) -> None:
        self.assertEqual(parse_script("1 2#, hang  up"), (Press("12#"), HangUp()))

    def test_phone_step_is_parsed(self) -> None:
        step = SetPhone("PJSIP/410", "no answer")
        self.assertEqual(parse_script("phone PJSIP/410 no  answer"), (step,))
        self.assertEqual(str(step), "phone PJSIP/410 no answer")

    def test_empty_script_has_no_steps(self) -> None:
        self.assertEqual(parse_script(" "), ())

    def test_keys_may_have_spaces_and_lower_case(self) -> None:
        self.assertEqual(parse_script("press 1 2 a"), (Press("12A"),))

    def test_silence_is_one_second_by_default(self) -> None:
        self.assertEqual(parse_script("silence"), (Silence(1.0),))

    def test_sound_may_have_a_scheme(self) -> None:
        (step,) = parse_script("hear digits:1")
        assert isinstance(step, Hear)
        self.assertTrue(step.matches("digits:1"))
        self.assertFalse(step.matches("sound:digits:12"))

    def test_sound_without_a_scheme_matches_sound(self) -> None:
        self.assertTrue(Hear("press-1").matches("sound:press-1"))
        self.assertFalse(Hear("press-1").matches("sound:press-10"))

    def test_unknown_step_is_refused_with_the_known_ones(self) -> None:
        self.assertEqual(
            self.problem("press 1, dance"),
            "step 2 ('dance'): unknown step; the steps are"
            " press, wait, hear, silence, speak, phone, hang up, ended",
        )

    def test_unknown_key_is_refused_with_the_known_ones(self) -> None:
        self.assertEqual(
            self.problem("press 1x"),
            "step 1 ('press 1x'): no such key: 'X'; keys are 0-9, *, # and A-D",
        )

    def test_missing_argument_is_refused(self) -> None:
        for step, argument in (
            ("press", "keys"),
            ("wait", "a number of seconds"),
            ("hear", "one sound"),
        ):
            message = f"step 1 ('{step}'): write {argument} after it"
            self.assertIn(message, self.problem(step))

    def test_invalid_seconds_are_refused(self) -> None:
        for seconds in ("x", "-1", "nan", "inf"):
            self.assertIn("write a number of seconds", self.problem(f"wait {seconds}"))

    def test_hear_with_two_sounds_is_refused(self) -> None:
        self.assertIn("write one sound after it", self.problem("hear press-1 or"))

    def test_needless_argument_is_refused(self) -> None:
        self.assertEqual(
            self.problem("hangup now"),
            "step 1 ('hangup now'): write hangup alone, without 'now'",
        )
