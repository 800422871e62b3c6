"""Menus: entries, counts, navigation, prompts and languages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.menu_session import escalated, is_reached
from channel_aa.menus.sounds import prompt_of
from tests.support.call_case import CHANNEL, CallTestCase, lines_of

MENUS = """
[menus.main]
greeting = ["welcome"]
prompt = ["main", "choose"]
noinput = [["are-you-there"], ["hello"]]
nomatch = [["not-an-option"], ["try-again"]]
max_noinput = 3
max_nomatch = 3
failure = "operator"
[menus.main.options]
1 = { play = ["you-entered", "digits:{digits}"] }
2 = { menu = "sales" }
21 = { play = ["twenty-one"] }
5 = "fair"
6 = { play = [{ media = ["law"], barge_in = false }] }
7 = "repeat"
8 = "hangup"
9 = "top"
"*" = "back"
[menus.main.extensions]
pattern = "4XX"
deny = "499"
play = ["extension", "digits:{digits}"]

[menus.sales]
greeting = ["sales-welcome"]
prompt = ["sales"]
language = "fr"
[menus.sales.options]
0 = "operator"
1 = { menu = "main" }
2 = { menu = "support" }
9 = "top"
"*" = "back"

[menus.support]
prompt = ["support"]
options = { "*" = "back", "9" = "top", "2" = "sales" }

[actions]
operator = { play = ["operator"], then = "hangup" }
fair = { set = { CALLED = "{digits}" }, then = { language = "de" } }
"""
FIRST, SECOND, THIRD = (prompt_of(name) for name in ("first", "second", "third"))
SPELLED = ["extension", "digits/4", "digits/2", "digits/0"]


class MenuTestCase(CallTestCase):
    FLOW = MENUS

    def enter_and_listen(self) -> None:
        """Enter, and hear the main menu to its end."""
        self.enter()
        self.hear("welcome", "main", "choose")
        self.sent()


class EntryTests(MenuTestCase):
    def test_option_of_one_key_matches_at_once(self) -> None:
        self.enter_and_listen()
        self.press("1")
        self.hear("you-entered", "digits/1", "main", "choose")

    def test_option_that_begins_a_longer_one_matches_after_the_interdigit_timeout(
        self,
    ) -> None:
        self.enter_and_listen()
        self.press("2")
        self.clock.advance(1.9)
        self.assert_silent()
        self.clock.advance(0.1)
        self.assert_plays("sales-welcome")

    def test_interdigit_timeout_restarts_at_each_digit(self) -> None:
        self.enter_and_listen()
        for key in "420":
            self.assert_silent()
            self.press(key)
            self.clock.advance(1.9)
        self.assert_plays("extension")

    def test_terminator_ends_the_wait(self) -> None:
        self.enter_and_listen()
        self.press("2#")
        self.assert_plays("sales-welcome")

    def test_longer_option_matches_at_its_last_key(self) -> None:
        self.enter_and_listen()
        self.press("21")
        self.hear("twenty-one", "main")

    def test_extension_matches_at_its_last_digit_and_can_be_played(self) -> None:
        self.enter_and_listen()
        lines = self.log_of("4", "2", "0")
        self.assertEqual(lines, [f"Channel {CHANNEL} entered 420"])
        self.hear(*SPELLED, "main")

    def test_terminator_behind_an_entry_belongs_to_it(self) -> None:
        for keys, heard in (
            ("420#", "extension"),
            ("21#", "twenty-one"),
            ("1#", "you-entered"),
        ):
            with self.subTest(keys=keys):
                self.setUp()
                self.enter_and_listen()
                self.press(keys)
                self.assert_plays(heard)
                self.tearDown()

    def test_second_terminator_is_an_entry(self) -> None:
        self.enter_and_listen()
        self.press("2#")
        self.assert_plays("sales-welcome")
        self.press("#")
        self.assert_plays("option-is-invalid")

    def test_terminator_behind_an_option_does_not_count_in_its_menu(self) -> None:
        self.enter_and_listen()
        self.press("2#")
        self.press("2")
        self.assert_plays("support")
        self.clock.advance(1.9)
        lines = self.log_of("#")
        self.assertEqual(lines, [])
        self.assert_plays("support")

    def test_type_ahead_with_terminators_leads_through_menus(self) -> None:
        self.enter()
        for key in "2#2#*#0":
            self.call.dtmf_received(key)
        self.channel.end_sound()
        self.hear("operator")

    def test_terminator_after_the_interdigit_timeout_is_an_entry(self) -> None:
        self.enter_and_listen()
        self.press("420")
        self.clock.advance(2.1)
        self.press("#")
        self.assert_plays("not-an-option")

    def test_denied_extension_is_a_no_match(self) -> None:
        self.enter_and_listen()
        self.press("499")
        self.clock.advance(2)
        self.assert_plays("not-an-option")

    def test_misdialled_number_is_one_no_match_and_selects_no_option(self) -> None:
        self.enter_and_listen()
        lines = self.log_of(*"4998")
        self.clock.advance(1.9)
        self.assert_silent()
        lines += self.log_of(*"8")
        self.clock.advance(1.9)
        self.assert_silent()
        with capturedLogs() as events:
            self.clock.advance(0.1)
        lines += [str(formatEvent(event)) for event in events]
        self.assertEqual(
            lines,
            [
                f"Channel {CHANNEL} entered 49988",
                f"Channel {CHANNEL} entered an invalid option!",
            ],
        )
        self.hear("not-an-option", "main")

    def test_wrong_key_interrupts_the_sound_at_once(self) -> None:
        self.enter()
        self.press("3")
        self.assertEqual(self.channel.playbacks[-1].stops, 1)
        self.assert_silent()
        self.clock.advance(2)
        self.assert_plays("not-an-option")

    def test_terminator_ends_a_misdialled_number_at_once(self) -> None:
        self.enter_and_listen()
        self.press("4998#")
        self.assert_plays("not-an-option")

    def test_key_during_the_nomatch_prompt_begins_the_next_entry(self) -> None:
        self.enter_and_listen()
        self.press("4998#")
        self.press("420")
        self.hear(*SPELLED)

    def test_reconnection_discards_a_misdialled_number(self) -> None:
        self.enter_and_listen()
        self.press("499")
        self.call.reconnected()
        self.hear("main", "choose")

    def test_incomplete_extension_is_a_no_match_after_the_interdigit_timeout(
        self,
    ) -> None:
        self.enter_and_listen()
        self.press("42")
        self.clock.advance(2)
        self.assert_plays("not-an-option")

    def test_key_that_interrupts_is_the_first_digit(self) -> None:
        self.enter()
        self.press("4")
        self.assert_silent()
        self.press("20")
        self.hear(*SPELLED)

    def test_type_ahead_is_kept_from_menu_to_menu(self) -> None:
        self.enter()
        for key in "2#2*0":
            self.call.dtmf_received(key)
        self.channel.end_sound()
        self.hear("operator")
        self.assertEqual(self.channel.heard, ["welcome", "operator"])
        self.assertEqual(self.sent()[-1], "hang up")

    def test_no_match_clears_type_ahead(self) -> None:
        self.enter()
        for key in "3#1":
            self.call.dtmf_received(key)
        self.channel.end_sound()
        self.hear("not-an-option", "main", "choose")
        self.assert_silent()

    def test_invalid_dtmf_digits_are_ignored(self) -> None:
        self.enter_and_listen()
        for key in ("", "x", "12", "\n"):
            self.call.dtmf_received(key)
        self.assert_silent()
        self.clock.advance(10)
        self.assert_plays("are-you-there")


class CountTests(MenuTestCase):
    def test_each_no_input_has_its_prompt_until_the_limit(self) -> None:
        self.enter_and_listen()
        self.clock.advance(10)
        self.hear("are-you-there", "main", "choose")
        self.clock.advance(10)
        self.hear("hello", "main", "choose")
        self.clock.advance(10)
        self.hear("operator")
        self.assertEqual(self.sent()[-1], "hang up")

    def test_each_no_match_has_its_prompt_until_the_limit(self) -> None:
        self.enter_and_listen()
        self.press("3#")
        self.assert_plays("not-an-option")
        self.press("3#")
        self.assert_plays("try-again")
        self.press("3#")
        self.assert_plays("operator")

    def test_no_input_and_no_match_have_separate_counts(self) -> None:
        self.enter_and_listen()
        for _ in range(2):
            self.press("3#")
            self.channel.end_sound()
            self.hear("main", "choose")
            self.clock.advance(10)
            self.channel.end_sound()
            self.hear("main", "choose")
        self.press("3#")
        self.assert_plays("operator")

    def test_repeat_keeps_the_counts(self) -> None:
        self.enter_and_listen()
        self.press("3#")
        self.press("7")
        self.hear("main")
        self.press("3#")
        self.assert_plays("try-again")

    def test_option_that_returns_to_the_menu_keeps_the_counts(self) -> None:
        self.enter_and_listen()
        self.press("3#")
        self.press("1")
        self.hear("you-entered", "digits/1")
        self.press("3#")
        self.assert_plays("try-again")

    def test_entering_the_menu_resets_the_counts(self) -> None:
        for again in ("9", "*", "2#1"):
            with self.subTest(again=again):
                self.setUp()
                self.enter_and_listen()
                self.press("3#")
                self.press("3#")
                self.press(again)
                self.press("3#")
                self.assert_plays("not-an-option")
                self.tearDown()

    def test_incomplete_entry_is_not_counted_as_no_input(self) -> None:
        self.enter_and_listen()
        self.press("4")
        with capturedLogs() as events:
            self.clock.advance(2)
        self.assertEqual(
            lines_of(events),
            [
                f"Channel {CHANNEL} entered 4",
                f"Channel {CHANNEL} entered an invalid option!",
            ],
        )


class NavigationTests(MenuTestCase):
    def test_greeting_plays_once_on_entry(self) -> None:
        self.enter_and_listen()
        self.press("7")
        self.hear("main", "choose")
        self.press("2#")
        self.hear("sales-welcome", "sales")

    def test_back_leads_to_the_menu_before_without_its_greeting(self) -> None:
        self.enter_and_listen()
        self.press("2#2")
        self.hear("support")
        self.press("*")
        self.hear("sales")
        self.press("*")
        self.hear("main", "choose")

    def test_back_in_the_first_menu_leads_there_again(self) -> None:
        self.enter_and_listen()
        self.press("*")
        self.hear("main", "choose")

    def test_top_leads_to_the_first_menu_without_its_greeting(self) -> None:
        self.enter_and_listen()
        self.press("2#2")
        self.press("9")
        self.hear("main", "choose")
        self.press("*")
        self.hear("main", "choose")

    def test_entering_a_menu_of_the_history_goes_back_to_it(self) -> None:
        self.enter_and_listen()
        self.press("2#")
        for _ in range(100):
            self.press("22")
            self.clock.advance(0.2)
        self.hear("sales-welcome", "sales")
        self.press("*")
        self.hear("main", "choose")

    def test_name_stands_for_a_menu_or_an_action(self) -> None:
        self.enter_and_listen()
        self.press("2#0")
        self.hear("operator")

    def test_hangup_ends_the_call(self) -> None:
        self.enter_and_listen()
        self.press("8")
        self.assertEqual(self.sent(), ["hang up"])

    def test_call_that_cannot_be_hung_up_continues_in_the_dialplan(self) -> None:
        self.channel.responses["hang up"] = lambda: self.failed("busy")
        self.enter_and_listen()
        self.press("8")
        self.assertEqual(self.sent(), ["hang up", "continue"])


class PromptTests(MenuTestCase):
    def test_sound_without_barge_in_plays_to_its_end(self) -> None:
        self.enter_and_listen()
        self.press("6")
        self.assert_plays("law")
        self.press("1")
        self.assert_plays("law")
        self.channel.end_sound()
        self.hear("you-entered")

    def test_sound_without_barge_in_plays_in_spite_of_type_ahead(self) -> None:
        self.enter()
        for key in "61":
            self.call.dtmf_received(key)
        self.channel.end_sound()
        self.hear("law", "you-entered")

    def test_timeout_starts_after_sounds_that_all_fail(self) -> None:
        self.enter()
        self.hear_failing("welcome", "main", "choose")
        self.assert_silent()
        self.clock.advance(9.9)
        self.assert_silent()

    def test_menu_whose_sounds_fail_repeats_at_the_timeout_only(self) -> None:
        self.attendant.flow = self.attendant.flow.__class__()
        self.enter()
        for round_ in range(50):
            self.hear_failing("press-1", "or", "press-2")
            self.assertEqual(self.clock.seconds(), 10 * round_)
            self.clock.advance(10)
            self.hear_failing("are-you-still-there")


class LanguageTests(MenuTestCase):
    def test_menu_sets_its_language(self) -> None:
        self.enter_and_listen()
        self.press("2#")
        self.hear("sales-welcome")
        self.press("*")
        self.hear("main")
        self.assertEqual(
            self.sent(),
            [
                "set CHANNEL(language)=fr",
                "sound:sales-welcome",
                "sound:sales",
                "sound:main",
                "sound:choose",
            ],
        )

    def test_current_language_is_not_set_again(self) -> None:
        self.channel.language = "fr"
        self.enter_and_listen()
        self.press("2#")
        self.assertEqual(self.sent(), ["sound:sales-welcome"])

    def test_actions_set_variables_and_the_language(self) -> None:
        self.enter_and_listen()
        self.press("5")
        self.assertEqual(
            self.sent(),
            ["set CALLED=5", "set CHANNEL(language)=de", "sound:main"],
        )

    def test_variable_that_cannot_be_set_is_logged_and_the_call_goes_on(self) -> None:
        self.channel.responses["set CALLED=5"] = lambda: self.failed("no such thing")
        self.enter_and_listen()
        lines = self.log_of("5")
        self.assertIn(f"Could not set CALLED of {CHANNEL}: no such thing", lines)
        self.assert_plays("main")


class ReconnectionTests(MenuTestCase):
    def test_reconnection_repeats_the_menu_and_counts_nothing(self) -> None:
        self.enter_and_listen()
        for _ in range(5):
            self.clock.advance(9)
            self.call.reconnected()
            self.hear("main", "choose")
        self.clock.advance(10)
        self.assert_plays("are-you-there")

    def test_reconnection_discards_an_incomplete_entry(self) -> None:
        self.enter_and_listen()
        self.press("4")
        self.call.reconnected()
        self.hear("main", "choose")
        self.press("420")
        self.hear(*SPELLED)

    def test_reconnection_does_not_interrupt_a_sound(self) -> None:
        self.enter()
        self.call.reconnected()
        self.hear("welcome", "main")


TONES = """
[menus.main]
prompt = [{ media = ["tone:ring"], seconds = 2 }, "number:42", "characters:a1"]
"""


class SchemeTests(CallTestCase):
    FLOW = TONES

    def test_tone_is_stopped_after_its_seconds(self) -> None:
        self.enter()
        self.assert_plays("tone:ring")
        self.clock.advance(1.9)
        tone = self.channel.playbacks[-1]
        self.assertEqual(tone.stops, 0)
        self.clock.advance(0.1)
        self.assertEqual(tone.stops, 1)
        tone.end()
        self.hear("number:42", "letters/a", "digits/1")

    def test_tone_that_a_key_stops_leaves_no_timer(self) -> None:
        self.enter()
        self.press("1")
        self.clock.advance(2)
        self.assertEqual(self.channel.playbacks[0].stops, 1)

    def test_key_takes_effect_at_the_end_of_a_sound_that_cannot_be_stopped(
        self,
    ) -> None:
        self.enter()
        self.clock.advance(2)
        self.channel.end_sound()
        self.call.dtmf_received("1")
        self.assert_plays("number:42")
        self.channel.end_sound()
        self.assert_plays("option-is-invalid")


class CountLimitTests(SynchronousTestCase):
    def test_limit_is_reached_when_the_count_gets_there(self) -> None:
        self.assertEqual([is_reached(n, 3) for n in range(5)], [False] * 3 + [True] * 2)

    @given(st.integers(min_value=0))
    def test_limit_of_zero_is_never_reached(self, count: int) -> None:
        self.assertFalse(is_reached(count, 0))

    @given(st.integers(min_value=1, max_value=200), st.integers(1, 100))
    def test_limit_stays_reached(self, count: int, limit: int) -> None:
        reached = [is_reached(n, limit) for n in range(1, count + 1)]
        self.assertEqual(reached, sorted(reached))
        self.assertEqual(sum(reached), max(0, count - limit + 1))


class EscalationTests(SynchronousTestCase):
    def test_each_count_has_its_prompt_and_the_last_repeats(self) -> None:
        prompts = (FIRST, SECOND, THIRD)
        self.assertEqual(
            [escalated(prompts, n) for n in range(1, 6)],
            [FIRST, SECOND, THIRD, THIRD, THIRD],
        )

    def test_single_prompt_repeats(self) -> None:
        self.assertEqual([escalated((FIRST,), n) for n in (1, 2)], [FIRST, FIRST])

    def test_no_prompts_play_nothing(self) -> None:
        self.assertEqual(escalated((), 1), ())


class SecretTests(CallTestCase):
    FLOW = """
        [menus.main]
        prompt = ["enter-password"]
        secret = true
        max_nomatch = 2
        options = { 4711 = "inside" }
        [menus.inside]
        prompt = ["inside"]
        options = { 1 = "repeat" }
        """

    def test_entries_of_a_secret_menu_are_masked_right_or_wrong(self) -> None:
        self.enter()
        self.hear("enter-password")
        lines = self.log_of(*"4712#")
        self.assertEqual(
            lines,
            [
                f"Channel {CHANNEL} entered (secret)",
                f"Channel {CHANNEL} entered an invalid option!",
            ],
        )
        self.hear("option-is-invalid", "enter-password")
        self.assertEqual(self.log_of(*"4711"), [f"Channel {CHANNEL} entered (secret)"])
        self.assert_plays("inside")

    def test_entries_of_the_next_menu_are_not_masked(self) -> None:
        self.enter()
        self.press("4711")
        self.hear("inside")
        self.assertEqual(self.log_of("1"), [f"Channel {CHANNEL} entered 1"])


class SecretOptionTests(CallTestCase):
    FLOW = """
        [menus.main]
        prompt = ["enter-password"]
        options = { 4711 = { menu = "inside", secret = true }, 2 = "inside" }
        [menus.inside]
        prompt = ["inside"]
        options = { 1 = "repeat" }
        """

    def test_secret_option_and_wrong_keys_are_masked(self) -> None:
        self.enter()
        self.hear("enter-password")
        secret = f"Channel {CHANNEL} entered (secret)"
        self.assertEqual(self.log_of(*"4712#")[0], secret)
        self.hear("option-is-invalid", "enter-password")
        self.assertEqual(self.log_of(*"4711"), [secret])
        self.assert_plays("inside")

    def test_other_option_is_logged(self) -> None:
        self.enter()
        self.hear("enter-password")
        self.assertEqual(self.log_of("2"), [f"Channel {CHANNEL} entered 2"])
        self.assert_plays("inside")
