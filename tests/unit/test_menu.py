from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.menu import Menu, Option, default_menu
from channel_aa.checked import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


class MenuCase(SynchronousTestCase):
    def problems(self, build: Callable[..., object], **fields: object) -> list[str]:
        error = self.assertRaises(ConfigError, build, **fields)
        return [str(each) for each in error.problems]

    def sound_problem(self, sound: str) -> str:
        (problem,) = self.problems(Option, play=(sound,))
        self.assertIn(repr(sound)[:20], problem)
        return problem


class SoundNamesTests(MenuCase):
    def test_bare_name_is_a_sound(self) -> None:
        self.assertEqual(Menu(prompt=("press-1",)).prompt, ("sound:press-1",))

    def test_scheme_sound_may_be_written(self) -> None:
        self.assertEqual(Menu(prompt=("sound:press-1",)).prompt, ("sound:press-1",))

    def test_name_may_be_a_path_in_any_language(self) -> None:
        menu = Menu(prompt=("custom/grüezi_2.b",))
        self.assertEqual(menu.prompt, ("sound:custom/grüezi_2.b",))

    def test_digits_scheme_is_refused_with_the_reason_and_the_remedy(self) -> None:
        problem = self.sound_problem("digits:1")
        self.assertIn("a key cannot stop", problem)
        self.assertIn("'digits/{digits}'", problem)

    def test_other_schemes_are_refused(self) -> None:
        for sound in ("number:12", "tone:ring", "recording:x", "SOUND:x", "bogus:x"):
            self.assertIn("'sound:' is the only scheme", self.sound_problem(sound))

    def test_names_that_lead_out_of_the_sounds_folder_are_refused(self) -> None:
        for sound in ("/etc/passwd", "sound:/x", "a/../../x", "..", "sound:.."):
            self.sound_problem(sound)

    def test_names_that_asterisk_would_take_apart_are_refused(self) -> None:
        for sound in (
            "a&b",
            "a,b",
            "a b",
            "a\tb",
            "a\nb",
            "sound:a:b",
            "a\x00",
            "a\u202e",
        ):
            self.sound_problem(sound)

    def test_problem_stays_on_one_line(self) -> None:
        for sound in ("a\nb", "a\r", "a\u2028b", "x" * 5000):
            problem = self.sound_problem(sound)
            self.assertEqual(len(problem.splitlines()), 1)
            self.assertLess(len(problem), 300)

    def test_empty_names_are_refused(self) -> None:
        for sound in ("", "sound:"):
            self.assertIn("the name is empty", self.sound_problem(sound))

    def test_name_has_a_length_limit(self) -> None:
        Option(play=("x" * 200,))
        self.assertIn("at most 200", self.sound_problem("x" * 201))

    def test_digits_is_the_only_thing_in_braces(self) -> None:
        for sound in ("{digit}", "{}", "{", "}", "{{digits}}", "x{digits}{"):
            self.assertIn("{digits}", self.sound_problem(sound))

    def test_digits_is_refused_where_no_key_has_been_pressed(self) -> None:
        problems = self.problems(
            Menu,
            prompt=("digits/{digits}",),
            noinput=("digits/{digits}",),
            nomatch=("digits/{digits}",),
        )
        self.assertEqual(
            [problem.split(":")[0] for problem in problems],
            ["prompt[0]", "noinput[0]", "nomatch[0]"],
        )
        self.assertIn("in an option's play", problems[0])


class OptionTests(MenuCase):
    def test_digits_in_a_sound_are_what_was_pressed(self) -> None:
        option = Option(play=("you-entered", "digits/{digits}"))
        self.assertEqual(option.media("7"), ("sound:you-entered", "sound:digits/7"))

    def test_every_key_has_a_sound_that_asterisk_ships(self) -> None:
        """The names are those of the files in asterisk-core-sounds."""
        option = Option(play=("digits/{digits}",))
        names = {key: option.media(key)[0] for key in "0189*#ABCD"}
        self.assertEqual(
            names,
            {
                "0": "sound:digits/0",
                "1": "sound:digits/1",
                "8": "sound:digits/8",
                "9": "sound:digits/9",
                "*": "sound:digits/star",
                "#": "sound:digits/pound",
                "A": "sound:letters/a",
                "B": "sound:letters/b",
                "C": "sound:letters/c",
                "D": "sound:letters/d",
            },
        )

    def test_own_sounds_follow_the_key_in_their_own_folder(self) -> None:
        option = Option(play=("custom/key-{digits}",))
        self.assertEqual(
            [option.media(key)[0] for key in "1*A"],
            ["sound:custom/key-1", "sound:custom/key-star", "sound:custom/key-a"],
        )

    def test_several_digits_are_said_one_after_another(self) -> None:
        option = Option(play=("digits/{digits}", "thanks"))
        self.assertEqual(
            option.media("20"), ("sound:digits/2", "sound:digits/0", "sound:thanks")
        )

    def test_option_without_digits_says_the_same_for_every_key(self) -> None:
        self.assertEqual(Option(play=("hello",)).media("#"), ("sound:hello",))

    def test_option_that_plays_nothing_is_refused(self) -> None:
        (problem,) = self.problems(Option, play=())
        self.assertIn("play: names no sound", problem)
        self.assertIn("silence/1", problem)


class MenuTests(MenuCase):
    def test_default_menu_is_the_one_of_the_documentation(self) -> None:
        menu = default_menu()
        self.assertEqual(menu.prompt, ("sound:press-1", "sound:or", "sound:press-2"))
        self.assertEqual(menu.timeout, 10)
        self.assertEqual(menu.noinput, ("sound:are-you-still-there",))
        self.assertEqual(menu.nomatch, ("sound:option-is-invalid",))
        self.assertEqual(
            {key: option.media(key) for key, option in menu.options.items()},
            {
                "1": ("sound:you-entered", "sound:digits/1"),
                "2": ("sound:you-entered", "sound:digits/2"),
            },
        )

    def test_every_key_of_a_telephone_may_be_an_option(self) -> None:
        hello = Option(play=("hello",))
        menu = Menu(prompt=("x",), options=dict.fromkeys("0123456789*#ABCD", hello))
        self.assertEqual("".join(menu.options), "0123456789*#ABCD")

    def test_small_letters_are_kept_as_asterisk_reports_the_keys(self) -> None:
        menu = Menu(prompt=("x",), options={"a": Option(play=("hello",))})
        self.assertEqual(list(menu.options), ["A"])

    def test_key_that_is_there_twice_is_refused(self) -> None:
        hello = Option(play=("hello",))
        problems = self.problems(Menu, prompt=("x",), options={"a": hello, "A": hello})
        self.assertEqual(problems, ["options.A: 'A' is there twice"])

    def test_what_is_no_key_is_refused(self) -> None:
        hello = Option(play=("hello",))
        for key in ("", "E", "12", " ", "\u0661", "ß", "1\n"):
            (problem,) = self.problems(Menu, prompt=("x",), options={key: hello})
            self.assertIn("is not a key of a telephone", problem)
            self.assertEqual(len(problem.splitlines()), 1)

    def test_lists_of_sounds_may_not_be_empty(self) -> None:
        problems = self.problems(Menu, prompt=(), noinput=(), nomatch=())
        self.assertEqual(
            [problem.split(":")[0] for problem in problems],
            ["prompt", "noinput", "nomatch"],
        )
        self.assertIn('["silence/1"]', problems[0])

    def test_timeout_is_more_than_nothing_and_at_most_an_hour(self) -> None:
        for timeout in (0.001, 1, 2.5, 3600):
            self.assertEqual(Menu(prompt=("x",), timeout=timeout).timeout, timeout)
        for timeout in (0, -1, 3600.5, float("inf"), float("nan")):
            (problem,) = self.problems(Menu, prompt=("x",), timeout=timeout)
            self.assertIn("more than 0 and at most 3600", problem)

    def test_menu_and_its_options_are_frozen(self) -> None:
        menu = default_menu()
        with self.assertRaises(AttributeError):
            menu.timeout = 3  # type: ignore[misc]
        with self.assertRaises(TypeError):
            menu.options["3"] = menu.options["1"]  # type: ignore[index]

    def test_later_changes_of_what_it_was_built_from_do_not_reach_it(self) -> None:
        options = {"1": Option(play=("hello",))}
        menu = Menu(prompt=("x",), options=options)
        options.clear()
        self.assertEqual(list(menu.options), ["1"])
