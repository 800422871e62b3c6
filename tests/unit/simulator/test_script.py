from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator import ScriptError
from channel_aa.simulator.script import (
    Ended,
    HangUp,
    Hear,
    Press,
    Silence,
    Wait,
    parse_script,
)


class ScriptTests(SynchronousTestCase):
    def problem(self, script: str) -> str:
        return str(self.assertRaises(ScriptError, parse_script, script))

    def test_every_step_is_read(self) -> None:
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

    def test_a_step_is_written_as_it_is_read(self) -> None:
        script = "press 12#, wait 2.5, hear press-2, silence 3, hangup, ended"
        written = ", ".join(str(step) for step in parse_script(script))
        self.assertEqual(written, script)

    def test_steps_may_stand_on_lines_of_their_own(self) -> None:
        self.assertEqual(
            parse_script("\n press 1\n\n wait 2, hangup,\n"),
            (Press("1"), Wait(2.0), HangUp()),
        )

    def test_no_steps_are_a_script(self) -> None:
        self.assertEqual(parse_script(" "), ())

    def test_keys_may_be_spaced_and_small(self) -> None:
        self.assertEqual(parse_script("press 1 2 a"), (Press("12A"),))

    def test_silence_is_a_second_unless_said(self) -> None:
        self.assertEqual(parse_script("silence"), (Silence(1.0),))

    def test_a_sound_may_have_its_scheme(self) -> None:
        (step,) = parse_script("hear digits:1")
        assert isinstance(step, Hear)
        self.assertTrue(step.matches("digits:1"))
        self.assertFalse(step.matches("sound:digits:12"))

    def test_a_sound_without_scheme_is_a_sound(self) -> None:
        self.assertTrue(Hear("press-1").matches("sound:press-1"))
        self.assertFalse(Hear("press-1").matches("sound:press-10"))

    def test_an_unknown_step_is_named_with_those_there_are(self) -> None:
        self.assertEqual(
            self.problem("press 1, dance"),
            "step 2 ('dance'): no such step; the steps are"
            " press, wait, hear, silence, speak, hangup, ended",
        )

    def test_an_unknown_key_is_named_with_those_there_are(self) -> None:
        self.assertEqual(
            self.problem("press 1x"),
            "step 1 ('press 1x'): no such key: 'X'; keys are 0-9, *, # and A-D",
        )

    def test_what_is_left_out_is_asked_for(self) -> None:
        self.assertIn("step 1 ('press'): which keys?", self.problem("press"))
        self.assertIn("step 1 ('wait'): how many seconds?", self.problem("wait"))
        self.assertIn("step 1 ('hear'): which sound?", self.problem("hear"))

    def test_only_a_length_of_time_is_a_number_of_seconds(self) -> None:
        for seconds in ("x", "-1", "nan", "inf"):
            self.assertIn("how many seconds?", self.problem(f"wait {seconds}"))

    def test_one_sound_is_heard_at_a_time(self) -> None:
        self.assertIn("which sound?", self.problem("hear press-1 or"))

    def test_what_follows_a_word_that_takes_nothing_is_refused(self) -> None:
        self.assertEqual(
            self.problem("hangup now"),
            "step 1 ('hangup now'): nothing is to follow it, not 'now'",
        )
