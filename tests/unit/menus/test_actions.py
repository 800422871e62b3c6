from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from channel_aa.menus.actions import (
    BACK,
    CONFIRM_PROMPT,
    HANGUP,
    REPEAT,
    TOP,
    VERBS,
    Action,
    Continue,
    Dial,
    DialplanPlace,
    Directory,
    GoTo,
    Language,
    Named,
    Play,
    Queue,
    Record,
    Run,
    SetVariables,
    Voicemail,
    follow_ups,
    with_digits,
)
from channel_aa.menus.sounds import prompt_of
from tests.support.config_case import ProblemCase

AT = datetime(2026, 12, 24, 13, 5, 9, tzinfo=ZoneInfo("Europe/London"))


def read(written: object) -> Action:
    """Read what stands in a file."""
    return Play(play=prompt_of("y"), then=written).then  # type: ignore[arg-type]


class ReadingTests(ProblemCase):
    def refused(self, written: object) -> str:
        return self.problem(lambda: read(written))

    def test_words_are_actions(self) -> None:
        words = {"repeat": REPEAT, "back": BACK, "top": TOP, "hangup": HANGUP}
        for word, action in words.items():
            self.assertEqual(read(word), action)

    def test_other_words_are_names(self) -> None:
        self.assertEqual(read("sales"), Named(name="sales"))
        self.assertIn("is not a name", self.refused("sound:press-1"))

    def test_each_verb_has_its_table(self) -> None:
        tables: dict[str, tuple[object, Action]] = {
            "play": (["hello"], Play(play=prompt_of("hello"))),
            "menu": ("sales", GoTo(menu="sales")),
            "dial": ("PJSIP/410", Dial(dial=("PJSIP/410",))),
            "record": ("a-{time}", Record(record="a-{time}")),
            "continue": (
                {"context": "phones"},
                Continue(continue_=DialplanPlace(context="phones")),
            ),
            "voicemail": ("410", Voicemail(voicemail="410")),
            "queue": ("support", Queue(queue="support")),
            "directory": ("default", Directory(directory="default")),
            "set": ({"A": "1"}, SetVariables(set_={"A": "1"})),
            "language": ("fr", Language(language="fr")),
            "run": ("look_up", Run(run="look_up")),
        }
        self.assertEqual(list(tables), list(VERBS))
        for verb, (written, action) in tables.items():
            self.assertEqual(read({verb: written}), action)

    def test_follow_ups_are_read_within(self) -> None:
        action = read(
            {
                "dial": ["PJSIP/410", "PJSIP/411"],
                "strategy": "ringall",
                "music": "default",
                "label": "Sales",
                "else": {"voicemail": "410"},
                "then": "top",
            }
        )
        self.assertEqual(
            action,
            Dial(
                dial=("PJSIP/410", "PJSIP/411"),
                strategy="ringall",
                music="default",
                label="Sales",
                else_=Voicemail(voicemail="410"),
                then=TOP,
            ),
        )
        self.assertEqual(
            follow_ups(action), (("then", TOP), ("else", Voicemail(voicemail="410")))
        )

    def test_confirmation_is_a_prompt_or_the_default_one(self) -> None:
        for written, prompt in (
            (True, CONFIRM_PROMPT),
            (False, ()),
            (["x", "recording:{recording}"], prompt_of("x", "recording:{recording}")),
        ):
            action = read({"dial": "PJSIP/410", "confirm": written})
            assert isinstance(action, Dial)
            self.assertEqual(action.confirm, prompt)
            self.assertEqual(action.replace(ring=5).confirm, prompt)
        for wrong, problem in (
            ("yes", "confirm: expected true, false or a list, found text"),
            ([], "confirm: has no sound"),
            (["x y"], "confirm[0]: 'x y': a name has no space"),
        ):
            self.assertIn(problem, self.refused({"dial": "A/1", "confirm": wrong}))

    def test_defaults_are_those_of_the_documentation(self) -> None:
        dial = Dial(dial=("PJSIP/410",))
        self.assertEqual(
            (dial.ring, dial.strategy, dial.music, dial.else_, dial.then),
            (20, "hunt", "", None, HANGUP),
        )
        self.assertEqual(dial.confirm, ())
        for action in (
            Play(play=prompt_of("x")),
            Record(record="x"),
            SetVariables(set_={}),
            Language(language="fr"),
        ):
            self.assertEqual(follow_ups(action), (("then", REPEAT),))

    def test_action_without_a_verb_is_refused_with_all_of_them(self) -> None:
        self.assertEqual(
            self.refused({"label": "x"}),
            "then: has no verb; it needs one of play, menu, dial, record, continue,"
            " voicemail, queue, directory, set, language, run",
        )

    def test_misspelt_verb_is_refused_with_the_nearest_one(self) -> None:
        self.assertEqual(
            self.refused({"Quue": "x"}),
            "then.Quue: 'Quue' is not a verb; did you mean 'queue'?",
        )

    def test_two_verbs_are_refused(self) -> None:
        self.assertIn("menu, dial; keep one", self.refused({"dial": "a", "menu": "b"}))

    def test_problem_within_a_follow_up_has_its_own_place(self) -> None:
        problem = self.refused({"dial": "PJSIP/1", "else": {"dial": "410"}})
        self.assertTrue(problem.startswith("then.else.dial: '410' is not an endpoint"))

    def test_action_of_another_type_is_refused(self) -> None:
        wrong: tuple[object, ...] = (5, [], True, 1.5)
        for written in wrong:
            self.assertIn("expected an action", self.refused(written))

    def test_key_of_another_verb_is_refused_with_its_own(self) -> None:
        self.assertEqual(
            self.refused({"queue": "x", "ring": 5}),
            "then.ring: unknown key; allowed here: label, queue, secret",
        )


class RuleTests(ProblemCase):
    def test_nothing_starts_a_second_argument_of_dial(self) -> None:
        for phone in (
            *("PJSIP/410", "Local/410@phones/n", "SIP/trunk/00441632960000"),
            *("PJSIP/trunk/sip:410@pbx.example:5060", "PJSIP/{digits}@trunk"),
        ):
            self.assertEqual(Dial(dial=(phone,)).dial, (phone,))
        for phone in (
            *("410", "", "PJSIP/", "/410", "PJSIP/1&PJSIP/2", "PJSIP/1,20", "PJSIP/1|"),
            *("PJSIP/1 2", "PJSIP/${X}", "PJSIP/{caller}", "PJSIP/1\n", "PJSIP/ü"),
        ):
            self.assertIn("is not an endpoint", self.problem(Dial, dial=(phone,)))

    def test_caller_id_is_a_name_and_a_number_or_a_number(self) -> None:
        for written, parts in {
            "": None,
            "Acme & Söhne, Ltd. <+441632960000>": (
                "Acme & Söhne, Ltd.",
                "+441632960000",
            ),
            "Acme<100>": ("Acme", "100"),
            "<+441632960000>": ("", "+441632960000"),
            "+441632960000": ("", "+441632960000"),
            "*100#": ("", "*100#"),
        }.items():
            dial = Dial(dial=("PJSIP/1",), caller_id=written)
            self.assertEqual(dial.own_caller_id, parts)
        for written in (
            *("Acme", "Acme <>", "Acme <1", "1>", "<1>>", "Acme 1", '"Acme" <1>'),
            *("+44 1632", "+", "{digits}", "${X}", "<1> x", "<1><2>", " "),
            *("A" * 82 + "<1>", "1" * 41, "1\n", "A\n<1>", "A\x1b<1>", "\u202eA <1>"),
        ):
            problem = self.problem(Dial, dial=("PJSIP/1",), caller_id=written)
            self.assertRegex(problem, "is not a caller ID|has a control character")
        self.assertIn(
            "'Acme' is not a caller ID; write a name and a number, as in"
            " 'Acme <+441632960000>', or the number alone",
            self.problem(Dial, dial=("PJSIP/1",), caller_id="Acme"),
        )

    def test_at_least_one_phone_and_at_most_twenty_are_rung(self) -> None:
        Dial(dial=("PJSIP/1",) * 20)
        for number in (0, 21):
            problem = self.problem(Dial, dial=("PJSIP/1",) * number)
            self.assertIn("allowed are 1 to 20", problem)

    def test_times_have_bounds(self) -> None:
        cases: tuple[tuple[type[Action], dict[str, Any], dict[str, Any]], ...] = (
            (Dial, {"dial": ("PJSIP/1",)}, {"ring": 0}),
            (Dial, {"dial": ("PJSIP/1",)}, {"ring": 301}),
            (Record, {"record": "x"}, {"max_seconds": 0}),
            (Record, {"record": "x"}, {"max_silence": -1}),
            (Run, {"run": "x"}, {"timeout": float("nan")}),
            (Run, {"run": "x"}, {"timeout": 0}),
        )
        for build, field, wrong in cases:
            self.assertIn("out of range", self.problem(build, **field, **wrong))

    def test_unknown_word_is_refused_with_the_choices(self) -> None:
        problem = self.problem(Dial, dial=("PJSIP/1",), strategy="all")
        self.assertIn("allowed are 'hunt', 'ringall'", problem)
        problem = self.problem(Record, record="x", terminator="5")
        self.assertIn("allowed are '#', '*', 'any', 'none'", problem)

    def test_names_are_what_the_dialplan_can_hold(self) -> None:
        for build, field in (
            (Queue, "queue"),
            (Directory, "directory"),
            (Voicemail, "voicemail"),
            (Language, "language"),
            (Run, "run"),
            (DialplanPlace, "context"),
        ):
            for wrong in ("", "a b", "a,b", "${x}", "a\n", "ä", "a&b"):
                self.problem(build, **{field: wrong})

    def test_variables_and_functions_can_be_set(self) -> None:
        for name in ("PRIORITY", "_INHERITED", "CALLERID(name)", "CDR(userfield)"):
            SetVariables(set_={name: "x {digits}"})
        for name in ("", "1A", "A B", "SHELL(rm -r)", "A(b", "${X}"):
            self.assertIn(
                "is not a channel variable",
                self.problem(SetVariables, set_={name: "x"}),
            )

    def test_label_is_what_a_display_shows(self) -> None:
        Queue(queue="x", label="Verkauf Zürich")
        for label in ("x" * 41, 'a"b', "a\nb"):
            self.assertIn("is not a label", self.problem(Queue, queue="x", label=label))

    def test_priority_is_reachable(self) -> None:
        self.problem(DialplanPlace, context="x", priority=0)


class DigitsTests(ProblemCase):
    def test_digits_are_put_where_they_stand(self) -> None:
        self.assertEqual(
            with_digits("Local/{digits}@phones", "410"), "Local/410@phones"
        )

    @given(st.text())
    def test_nothing_but_keys_is_ever_put_into_a_text(self, digits: str) -> None:
        text = with_digits("PJSIP/{digits}", digits).removeprefix("PJSIP/")
        self.assertLessEqual(set(text), set("0123456789*#ABCD"))


class RecordingNameTests(ProblemCase):
    def name(self, template: str, **values: str) -> str:
        fields = {"channel": "1700000000.12", "caller": "+441632960000"} | values
        return Record(record=template).name(**fields, at=AT)

    def test_template_is_filled(self) -> None:
        self.assertEqual(
            self.name("messages/{caller}-{date}-{time}"),
            "messages/+441632960000-2026-12-24-130509",
        )
        self.assertEqual(self.name("{channel}"), "1700000000_12")

    def test_caller_without_a_number_is_unknown(self) -> None:
        self.assertEqual(self.name("{caller}", caller=""), "unknown")

    def test_template_cannot_leave_its_folder(self) -> None:
        for template in ("", "/a", "../a", "a/../b", "a/", "a//b", "a b", "a\\b", "ä"):
            problem = self.problem(Record, record=template)
            self.assertTrue(
                problem.startswith(f"record: {template!r} is not a valid recording"),
                problem,
            )

    def test_template_may_have_letters_digits_and_signs(self) -> None:
        for template in ("Messages/Alice-1_2.x", "a", "A", "_", ".x"):
            self.assertEqual(Record(record=template).record, template)

    def test_template_has_at_most_100_characters(self) -> None:
        Record(record="a" * 100)
        self.problem(Record, record="a" * 101)

    def test_value_has_at_most_60_characters(self) -> None:
        self.assertEqual(self.name("{caller}", caller="1" * 60), "1" * 60)
        cut = self.name("{caller}", caller="1" * 61)
        self.assertRegex(cut, "^1{26}==[0-9a-f]{32}$")
        self.assertNotEqual(cut, self.name("{caller}", caller="1" * 62))

    def test_letters_digits_and_signs_of_a_value_are_kept(self) -> None:
        self.assertEqual(self.name("{caller}", caller="+4a-zA-Z"), "+4a-zA-Z")

    def test_other_characters_of_a_value_are_escaped(self) -> None:
        for caller, name in (
            ("a/b", "a=2Fb"),
            ("a_b", "a=5Fb"),
            ("a.b", "a_b"),
            ("a=b", "a=3Db"),
            ("ü", "=C3=BC"),
            ("\ud800", "=ED=A0=80"),
        ):
            self.assertEqual(self.name("{caller}", caller=caller), name)

    @given(st.lists(st.text("ab/_.=-\u00fc2F5" * 8, max_size=70), min_size=2))
    @example(["a/b", "a_b", "a.b", "a=2Fb", "a=5Fb"])
    @example(["1" * 61, "1" * 62, f"{'1' * 60}/", "/" * 20, "/" * 21])
    def test_different_callers_have_different_names(self, callers: list[str]) -> None:
        names = {self.name("{caller}", caller=each) for each in set(callers)}
        self.assertEqual(len(names), len(set(callers)))

    def test_unknown_placeholder_is_refused_with_those_that_there_are(self) -> None:
        self.assertEqual(
            self.problem(Record, record="{number}"),
            "record: '{number}': '{number}' is unknown; allowed in braces are"
            " {channel}, {caller}, {date}, {time}",
        )

    @given(st.text(), st.text())
    def test_no_value_can_leave_its_folder(self, caller: str, channel: str) -> None:
        name = self.name("a/{caller}.{channel}", caller=caller, channel=channel)
        self.assertRegex(name, r"\Aa/[\w+=-]+\.[\w+=-]+\Z")
        self.assertTrue(name.isascii())
        self.assertLess(len(name), 200)
