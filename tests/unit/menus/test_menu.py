from __future__ import annotations

from typing import Any

from channel_aa.menus.actions import BACK, HANGUP, Dial, Named, Play, Voicemail
from channel_aa.menus.menu import Extensions, Menu, default_menu
from channel_aa.menus.sounds import Prompt, Sound, prompt_of
from tests.support.config_case import ProblemCase

X = prompt_of("x")


def read_menu(**table: Any) -> Menu:  # noqa: ANN401 - what a file may hold
    return Menu(**{"prompt": ["x"], **table})


class DefaultMenuTests(ProblemCase):
    def test_default_menu_is_the_one_of_the_documentation(self) -> None:
        menu = default_menu()
        self.assertEqual(menu.prompt, prompt_of("press-1", "or", "press-2"))
        self.assertEqual(menu.timeout, 10)
        self.assertEqual(menu.noinput, (prompt_of("are-you-still-there"),))
        self.assertEqual(menu.nomatch, (prompt_of("option-is-invalid"),))
        self.assertEqual((menu.max_noinput, menu.max_nomatch), (0, 0))
        say_digits = Play(play=prompt_of("you-entered", "digits:{digits}"))
        self.assertEqual(dict(menu.options), {"1": say_digits, "2": say_digits})

    def test_defaults_are_those_of_the_documentation(self) -> None:
        menu = read_menu()
        self.assertEqual(
            menu,
            Menu(
                prompt=X,
                greeting=(),
                timeout=10,
                interdigit_timeout=2,
                noinput=(prompt_of("are-you-still-there"),),
                nomatch=(prompt_of("option-is-invalid"),),
                max_noinput=0,
                max_nomatch=0,
                failure=HANGUP,
                language="",
                options={},
                extensions=None,
            ),
        )


class OptionTests(ProblemCase):
    def test_every_key_of_a_telephone_may_be_an_option(self) -> None:
        menu = Menu(prompt=X, options=dict.fromkeys("0123456789*#ABCD", BACK))
        self.assertEqual("".join(menu.options), "0123456789*#ABCD")

    def test_option_may_have_several_digits(self) -> None:
        menu = Menu(prompt=X, options={"12": BACK, "*9": BACK, "0" * 20: BACK})
        self.assertEqual(list(menu.options), ["12", "*9", "0" * 20])

    def test_small_letters_are_kept_as_asterisk_reports_the_keys(self) -> None:
        self.assertEqual(list(Menu(prompt=X, options={"a": BACK}).options), ["A"])

    def test_key_that_is_there_twice_is_refused(self) -> None:
        problems = self.problems(Menu, prompt=X, options={"a": BACK, "A": BACK})
        self.assertEqual(
            problems, ["options.A: 'A' is defined twice; remove one of them"]
        )

    def test_invalid_option_key_is_refused(self) -> None:
        for key in ("", "E", " ", "1 2", "\u0661", "ß", "1\n", "1" * 21):
            problem = self.problem(Menu, prompt=X, options={key: BACK})
            self.assertIn("is not a valid option", problem)
            self.assertEqual(len(problem.splitlines()), 1)

    def test_terminator_is_an_option_alone_or_no_part_of_one(self) -> None:
        Menu(prompt=X, options={"#": BACK})
        for keys in ("1#", "#1", "##"):
            problem = self.problem(Menu, prompt=X, options={keys: BACK})
            self.assertIn("'#' ends the input", problem)

    def test_options_are_read_as_actions(self) -> None:
        menu = read_menu(options={"1": "sales", "2": {"dial": "PJSIP/410"}})
        self.assertEqual(
            dict(menu.options),
            {"1": Named(name="sales"), "2": Dial(dial=("PJSIP/410",))},
        )


class PromptTests(ProblemCase):
    def test_sound_is_a_name_or_a_table(self) -> None:
        menu = read_menu(
            greeting=[
                "welcome",
                {"media": ["digits:1", "x"], "barge_in": False},
                {"media": "tone:ring", "seconds": 2},
            ]
        )
        self.assertEqual(
            menu.greeting,
            (
                Sound(media=("welcome",)),
                Sound(media=("digits:1", "x"), barge_in=False),
                Sound(media=("tone:ring",), seconds=2),
            ),
        )

    def test_single_prompt_is_repeated(self) -> None:
        menu = read_menu(noinput=["a", "b"], nomatch=[{"media": ["a"]}])
        self.assertEqual(menu.noinput, (prompt_of("a", "b"),))
        self.assertEqual(menu.nomatch, (prompt_of("a"),))

    def test_list_of_prompts_escalates(self) -> None:
        menu = read_menu(noinput=[["a"], ["b", "c"]])
        self.assertEqual(menu.noinput, (prompt_of("a"), prompt_of("b", "c")))

    def test_program_gives_prompts_as_they_are_kept(self) -> None:
        prompts: tuple[Prompt, ...] = (prompt_of("a"), prompt_of("b"))
        self.assertEqual(Menu(prompt=X, noinput=prompts).noinput, prompts)

    def test_sounds_and_prompts_in_one_list_are_refused(self) -> None:
        problem = self.problem(Menu, prompt=X, noinput=["a", ["b"]])
        self.assertEqual(
            problem,
            "noinput[0]: expected a list in brackets, found text in quotes: 'a'",
        )

    def test_empty_prompts_are_refused_with_a_silent_one(self) -> None:
        problems = self.problems(Menu, prompt=[], noinput=[], nomatch=[["x"], []])
        self.assertEqual(
            [problem.split(":")[0] for problem in problems],
            ["prompt", "noinput", "nomatch[1]"],
        )
        self.assertIn('["silence/1"]', problems[0])

    def test_digits_are_refused_where_no_key_has_been_pressed(self) -> None:
        keys = ("greeting", "prompt", "noinput", "nomatch")
        fields = {key: ["digits:{digits}"] for key in keys}
        problems = self.problems(Menu, **fields)
        self.assertEqual(
            [problem.split(":")[0] for problem in problems],
            ["greeting[0]", "prompt[0]", "noinput[0]", "nomatch[0]"],
        )
        self.assertIn("only in the action of an option", problems[0])


class LimitTests(ProblemCase):
    def test_times_are_more_than_nothing_and_at_most_an_hour(self) -> None:
        for seconds in (0.001, 1, 2.5, 3600):
            self.assertEqual(Menu(prompt=X, timeout=seconds).timeout, seconds)
        for key in ("timeout", "interdigit_timeout"):
            for seconds in (0, -1, 3600.5, float("inf"), float("nan")):
                problem = self.problem(Menu, prompt=X, **{key: seconds})
                self.assertIn("more than 0 and at most 3600", problem)

    def test_limits_are_counts_and_0_is_none(self) -> None:
        menu = Menu(prompt=X, max_noinput=100, max_nomatch=0)
        self.assertEqual((menu.max_noinput, menu.max_nomatch), (100, 0))
        for times in (-1, 101):
            self.assertIn(
                "0 (no limit)", self.problem(Menu, prompt=X, max_noinput=times)
            )
        self.assertIn("whole number", self.problem(Menu, prompt=X, max_noinput=1.5))

    def test_failure_that_repeats_is_refused(self) -> None:
        problem = self.problem(Menu, prompt=X, failure="repeat")
        self.assertIn("would loop", problem)


class ExtensionsTests(ProblemCase):
    def test_action_stands_in_the_table_of_the_pattern(self) -> None:
        menu = read_menu(
            extensions={
                "pattern": "4XX",
                "deny": ["499"],
                "dial": "PJSIP/{digits}",
                "label": "Staff",
                "else": {"voicemail": "{digits}"},
            }
        )
        self.assertEqual(
            menu.extensions,
            Extensions(
                pattern=("4XX",),
                deny=("499",),
                action=Dial(
                    dial=("PJSIP/{digits}",),
                    label="Staff",
                    else_=Voicemail(voicemail="{digits}"),
                ),
            ),
        )

    def problems_of(self, **table: object) -> list[str]:
        return self.problems(Extensions, **table)

    def test_patterns_are_kept_without_the_underscore_of_the_dialplan(self) -> None:
        extensions = Extensions(pattern=("_4xx", "N[1-57]Z."), action=BACK)
        self.assertEqual(extensions.pattern, ("4XX", "N[1-57]Z."))

    def test_invalid_pattern_is_refused(self) -> None:
        for pattern in ("", "4YX", "4.X", "[5-1]", "[", "4 X", "4!", "_"):
            problems = self.problems_of(pattern=pattern, queue="x")
            self.assertEqual([each.split(":")[0] for each in problems], ["pattern"])

    def test_all_problems_are_reported_at_once(self) -> None:
        places = [
            each.split(":")[0]
            for each in self.problems_of(patern="4XX", deny="Y", dial="410", rnig=5)
        ]
        self.assertEqual(sorted(places), ["deny", "dial", "patern", "pattern", "rnig"])

    def test_misspelt_pattern_is_refused_with_the_nearest_key(self) -> None:
        problems = self.problems_of(patern="4XX", queue="x")
        self.assertEqual(
            problems,
            [
                "patern: unknown key; did you mean 'pattern'?",
                "pattern: is missing",
            ],
        )

    def test_extensions_without_an_action_are_refused(self) -> None:
        problem = self.problem(Menu, prompt=X, extensions={"pattern": "4XX"})
        self.assertTrue(problem.startswith("extensions: has no verb; it needs"))

    def test_extensions_of_another_type_are_refused(self) -> None:
        problem = self.problem(Menu, prompt=X, extensions="4XX")
        self.assertEqual(problem, "extensions: expected a table, found text in quotes")


class FrozenTests(ProblemCase):
    def test_menu_and_its_options_are_frozen(self) -> None:
        menu = default_menu()
        with self.assertRaises(AttributeError):
            menu.timeout = 3  # type: ignore[misc]
        with self.assertRaises(TypeError):
            menu.options["3"] = menu.options["1"]  # type: ignore[index]

    def test_later_changes_of_what_it_was_built_from_do_not_reach_it(self) -> None:
        options = {"1": BACK}
        menu = Menu(prompt=X, options=options)
        options.clear()
        self.assertEqual(list(menu.options), ["1"])
