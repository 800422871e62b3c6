"""What callers experience within menus, and from one to another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.menu_session import escalated, is_reached
from channel_aa.menus.sounds import prompt_of
from tests.support.call_case import CHANNEL, CallTestCase

MENUS = """
[menus.main]
greeting = ["welcome"]
prompt = ["main", "run_menu"]
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
        self.hear("welcome", "main", "run_menu")
        self.asked()


class EntryTests(MenuTestCase):
    def test_option_of_one_key_counts_at_once(self) -> None:
        self.enter_and_listen()
        self.press("1")
        self.hear("you-entered", "digits/1", "main", "run_menu")

    def test_option_that_begins_a_longer_one_counts_after_the_time_between_digits(
        self,
    ) -> None:
        self.enter_and_listen()
        self.press("2")
        self.clock.advance(1.9)
        self.assert_silent()
        self.clock.advance(0.1)
        self.assert_plays("sales-welcome")

    def test_time_between_digits_begins_anew_at_each_digit(self) -> None:
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

    def test_longer_option_counts_at_its_last_key(self) -> None:
        self.enter_and_listen()
        self.press("21")
        self.hear("twenty-one", "main")

    def test_extension_counts_at_its_last_digit_and_can_be_said(self) -> None:
        self.enter_and_listen()
        lines = self.log_of("4", "2", "0")
        self.assertEqual(lines, [f"Channel {CHANNEL} entered 420"])
        self.hear(*SPELLED, "main")

    def test_terminator_after_a_number_that_has_counted_is_ignored(self) -> None:
        for keys, heard in (("420#", "extension"), ("21#", "twenty-one")):
            with self.subTest(keys=keys):
                self.setUp()
                self.enter_and_listen()
                self.press(keys)
                self.assert_plays(heard)
                self.tearDown()

    def test_terminator_after_a_while_is_a_key_like_any_other(self) -> None:
        self.enter_and_listen()
        self.press("420")
        self.clock.advance(2.1)
        self.press("#")
        self.assert_plays("not-an-option")

    def test_denied_extension_is_a_no_match(self) -> None:
        self.enter_and_listen()
        self.press("499")
        self.assert_plays("not-an-option")

    def test_half_an_extension_is_a_no_match_after_the_time_between_digits(
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
        self.assertEqual(self.asked()[-1], "hang up")

    def test_no_match_clears_what_was_pressed_ahead(self) -> None:
        self.enter()
        for key in "31":
            self.call.dtmf_received(key)
        self.channel.end_sound()
        self.hear("not-an-option", "main", "run_menu")
        self.assert_silent()

    def test_keys_of_no_telephone_are_ignored(self) -> None:
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
        self.hear("are-you-there", "main", "run_menu")
        self.clock.advance(10)
        self.hear("hello", "main", "run_menu")
        self.clock.advance(10)
        self.hear("operator")
        self.assertEqual(self.asked()[-1], "hang up")

    def test_each_no_match_has_its_prompt_until_the_limit(self) -> None:
        self.enter_and_listen()
        self.press("3")
        self.assert_plays("not-an-option")
        self.press("3")
        self.assert_plays("try-again")
        self.press("3")
        self.assert_plays("operator")

    def test_no_input_and_no_match_count_apart(self) -> None:
        self.enter_and_listen()
        for _ in range(2):
            self.press("3")
            self.channel.end_sound()
            self.hear("main", "run_menu")
            self.clock.advance(10)
            self.channel.end_sound()
            self.hear("main", "run_menu")
        self.press("3")
        self.assert_plays("operator")

    def test_repeat_keeps_the_counts(self) -> None:
        self.enter_and_listen()
        self.press("3")
        self.press("7")
        self.hear("main")
        self.press("3")
        self.assert_plays("try-again")

    def test_option_that_returns_to_the_menu_keeps_the_counts(self) -> None:
        self.enter_and_listen()
        self.press("3")
        self.press("1")
        self.hear("you-entered", "digits/1")
        self.press("3")
        self.assert_plays("try-again")

    def test_entering_anew_resets_the_counts(self) -> None:
        for again in ("9", "*", "2#1"):
            with self.subTest(again=again):
                self.setUp()
                self.enter_and_listen()
                self.press("3")
                self.press("3")
                self.press(again)
                self.press("3")
                self.assert_plays("not-an-option")
                self.tearDown()

    def test_half_an_entry_and_silence_is_no_no_input(self) -> None:
        self.enter_and_listen()
        self.press("4")
        with capturedLogs() as events:
            self.clock.advance(2)
        self.assertEqual(
            [formatEvent(event) for event in events],
            [
                f"Channel {CHANNEL} entered 4",
                f"Channel {CHANNEL} entered an invalid option!",
            ],
        )


class WayTests(MenuTestCase):
    def test_greeting_is_heard_once_on_entering(self) -> None:
        self.enter_and_listen()
        self.press("7")
        self.hear("main", "run_menu")
        self.press("2#")
        self.hear("sales-welcome", "sales")

    def test_back_leads_to_the_menu_before_without_its_greeting(self) -> None:
        self.enter_and_listen()
        self.press("2#2")
        self.hear("support")
        self.press("*")
        self.hear("sales")
        self.press("*")
        self.hear("main", "run_menu")

    def test_back_in_the_first_menu_leads_there_again(self) -> None:
        self.enter_and_listen()
        self.press("*")
        self.hear("main", "run_menu")

    def test_top_leads_to_the_first_menu_without_its_greeting(self) -> None:
        self.enter_and_listen()
        self.press("2#2")
        self.press("9")
        self.hear("main", "run_menu")
        self.press("*")
        self.hear("main", "run_menu")

    def test_who_enters_a_menu_again_has_come_back_to_it(self) -> None:
        self.enter_and_listen()
        self.press("2#")
        for _ in range(100):
            self.press("22")
            self.clock.advance(0.2)
        self.hear("sales-welcome", "sales")
        self.press("*")
        self.hear("main", "run_menu")

    def test_name_stands_for_a_menu_or_an_action(self) -> None:
        self.enter_and_listen()
        self.press("2#0")
        self.hear("operator")

    def test_hangup_ends_the_call(self) -> None:
        self.enter_and_listen()
        self.press("8")
        self.assertEqual(self.asked(), ["hang up"])

    def test_call_that_cannot_be_hung_up_goes_on_in_the_dialplan(self) -> None:
        self.channel.answers["hang up"] = lambda: self.failing("busy")
        self.enter_and_listen()
        self.press("8")
        self.assertEqual(self.asked(), ["hang up", "continue"])


class PromptTests(MenuTestCase):
    def test_sound_that_no_key_stops_is_heard_to_its_end(self) -> None:
        self.enter_and_listen()
        self.press("6")
        self.assert_plays("law")
        self.press("1")
        self.assert_plays("law")
        self.channel.end_sound()
        self.hear("you-entered")

    def test_sound_that_no_key_stops_is_heard_in_spite_of_type_ahead(self) -> None:
        self.enter()
        for key in "61":
            self.call.dtmf_received(key)
        self.channel.end_sound()
        self.hear("law", "you-entered")

    def test_sounds_that_all_fail_leave_the_time_to_choose(self) -> None:
        self.enter()
        self.hear_failing("welcome", "main", "run_menu")
        self.assert_silent()
        self.clock.advance(9.9)
        self.assert_silent()

    def test_menus_whose_sounds_fail_never_end_without_time_passing(self) -> None:
        self.attendant.flow = self.attendant.flow.__class__()
        self.enter()
        for round_ in range(50):
            self.hear_failing("press-1", "or", "press-2")
            self.assertEqual(self.clock.seconds(), 10 * round_)
            self.clock.advance(10)
            self.hear_failing("are-you-still-there")


class LanguageTests(MenuTestCase):
    def test_menu_speaks_its_language_from_then_on(self) -> None:
        self.enter_and_listen()
        self.press("2#")
        self.hear("sales-welcome")
        self.press("*")
        self.hear("main")
        self.assertEqual(
            self.asked(),
            [
                "set CHANNEL(language)=fr",
                "sound:sales-welcome",
                "sound:sales",
                "sound:main",
                "sound:run_menu",
            ],
        )

    def test_language_that_is_spoken_already_is_not_set_again(self) -> None:
        self.channel.language = "fr"
        self.enter_and_listen()
        self.press("2#")
        self.assertEqual(self.asked(), ["sound:sales-welcome"])

    def test_actions_set_variables_and_the_language(self) -> None:
        self.enter_and_listen()
        self.press("5")
        self.assertEqual(
            self.asked(), ["set CALLED=5", "set CHANNEL(language)=de", "sound:main"]
        )

    def test_what_cannot_be_set_is_logged_and_the_call_goes_on(self) -> None:
        self.channel.answers["set CALLED=5"] = lambda: self.failing("no such thing")
        self.enter_and_listen()
        lines = self.log_of("5")
        self.assertIn(f"{CHANNEL}: CALLED could not be set: no such thing", lines)
        self.assert_plays("main")


class ReconnectionTests(MenuTestCase):
    def test_caller_who_waits_hears_the_menu_again_and_nothing_counts(self) -> None:
        self.enter_and_listen()
        for _ in range(5):
            self.clock.advance(9)
            self.call.reconnected()
            self.hear("main", "run_menu")
        self.clock.advance(10)
        self.assert_plays("are-you-there")

    def test_half_an_entry_is_forgotten_with_the_keys_that_were_lost(self) -> None:
        self.enter_and_listen()
        self.press("4")
        self.call.reconnected()
        self.hear("main", "run_menu")
        self.press("420")
        self.hear(*SPELLED)

    def test_caller_who_hears_something_goes_on_hearing_it(self) -> None:
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

    def test_key_takes_effect_at_the_end_of_what_cannot_be_stopped(self) -> None:
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
    def test_limit_of_none_is_never_reached(self, count: int) -> None:
        self.assertFalse(is_reached(count, 0))

    @given(st.integers(min_value=1, max_value=200), st.integers(1, 100))
    def test_counting_up_reaches_a_limit_once_and_for_all(
        self, count: int, limit: int
    ) -> None:
        reached = [is_reached(n, limit) for n in range(1, count + 1)]
        self.assertEqual(reached, sorted(reached))
        self.assertEqual(sum(reached), max(0, count - limit + 1))


class EscalationTests(SynchronousTestCase):
    def test_each_time_has_its_prompt_and_the_last_repeats(self) -> None:
        prompts = (FIRST, SECOND, THIRD)
        self.assertEqual(
            [escalated(prompts, n) for n in range(1, 6)],
            [FIRST, SECOND, THIRD, THIRD, THIRD],
        )

    def test_one_prompt_is_for_every_time(self) -> None:
        self.assertEqual([escalated((FIRST,), n) for n in (1, 2)], [FIRST, FIRST])

    def test_nothing_to_say_is_silence(self) -> None:
        self.assertEqual(escalated((), 1), ())
