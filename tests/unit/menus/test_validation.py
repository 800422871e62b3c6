"""Cross-references of a call flow; tests/unit/config has the messages in a file."""

from __future__ import annotations

import tomllib

from channel_aa.menus.flow import CallFlow
from tests.support.config_case import ProblemCase

MENU = """
[menus.main]
prompt = ["x"]
timeout = 5
"""
LIMITED = f"{MENU}max_noinput = 3\n"


class ValidationCase(ProblemCase):
    def found(self, text: str) -> list[tuple[str, str]]:
        """Return the place of each problem, and the beginning of its message."""
        lines = self.problems(lambda: CallFlow(**tomllib.loads(text)))
        return [
            (place, message.partition(",")[0])
            for place, _, message in (line.partition(": ") for line in lines)
        ]

    def assert_valid(self, text: str) -> None:
        CallFlow(**tomllib.loads(text))


class DigitsTests(ValidationCase):
    def test_no_action_may_use_digits_that_no_key_precedes(self) -> None:
        for action, text in (
            ('{ play = ["digits:{digits}"] }', "digits:{digits}"),
            ('{ dial = "PJSIP/{digits}" }', "PJSIP/{digits}"),
            ('{ dial = "A/1", confirm = ["digits:{digits}"] }', "digits:{digits}"),
            ('{ continue = { context = "x", extension = "{digits}" } }', "{digits}"),
            ('{ voicemail = "{digits}" }', "{digits}"),
            ('{ set = { A = "{digits}" } }', "{digits}"),
        ):
            with self.subTest(action=action):
                self.assertEqual(
                    self.found(f"{MENU}failure = {action}"),
                    [("menus.main.failure", f"leads to '{text}'")],
                )


class SecretTests(ValidationCase):
    PIN = '{ queue = "support", secret = true }'

    def test_keys_that_lead_to_an_action_may_be_secret(self) -> None:
        pattern = 'extensions = { pattern = "XX", menu = "main", secret = true }'
        options = f"options = {{ 1 = {self.PIN} }}"
        self.assert_valid(f"actions.a = {self.PIN}{MENU}{pattern}\n{options}\n")

    def test_where_no_keys_lead_nothing_is_secret(self) -> None:
        for text, place in (
            (f"{LIMITED}failure = {self.PIN}", "menus.main.failure"),
            (f"{MENU}[[routes]]\nto = {self.PIN}", "routes[0].to"),
            (
                f"actions.a = {{ play = ['b'], then = {self.PIN} }}{MENU}",
                "actions.a.then",
            ),
        ):
            with self.subTest(place=place):
                self.assertEqual(
                    self.found(text),
                    [(f"{place}.secret", "has no effect here")],
                )


class CycleTests(ValidationCase):
    """Menus whose limits lead to each other, which no key would end."""

    def loops(self, *menus: str) -> tuple[str, str]:
        return (
            f"menus.{menus[0]}.failure",
            f"loops as long as no key is pressed: {menus[0]}",
        )

    def menu(self, name: str, failure: str) -> str:
        return f"""
            [menus.{name}]
            prompt = ["x"]
            max_noinput = 3
            failure = {failure}
            """

    def test_phone_ends_a_cycle(self) -> None:
        for key in ("then", "else"):
            phone = f'{{ dial = "PJSIP/1", {key} = "main" }}'
            self.assert_valid(f"{LIMITED}failure = {phone}")

    def test_top_leads_to_every_menu_that_calls_begin_in(self) -> None:
        self.assertEqual(self.found(self.menu("main", '"top"')), [self.loops("main")])
        routed = self.menu("main", '"hangup"') + self.menu("sales", '"top"')
        self.assert_valid(routed)
        route = '[[routes]]\ndid = "1"\nto = "sales"'
        self.assertEqual(self.found(routed + route), [self.loops("sales")])

    def test_back_leads_to_the_menus_before(self) -> None:
        back = self.menu("main", '"sales"') + self.menu("sales", '"back"')
        self.assertEqual(self.found(back), [self.loops("main")])
        self.assert_valid(self.menu("main", '"hangup"') + self.menu("sales", '"back"'))

    def test_each_cycle_is_found(self) -> None:
        menus = "".join(
            self.menu(name, f'"{target}"')
            for name, target in (("main", "a"), ("a", "main"), ("b", "c"), ("c", "b"))
        )
        self.assertEqual(
            sorted(place for place, _ in self.found(menus)),
            ["menus.b.failure", "menus.main.failure"],
        )


class RouteTests(ValidationCase):
    def test_menu_again_needs_a_menu(self) -> None:
        for action, is_valid in (
            ('{ play = ["x"], then = "back" }', False),
            ('{ dial = "PJSIP/1", then = "hangup" }', True),
            ('{ dial = "PJSIP/1", then = "back" }', True),
        ):
            route = f"{MENU}[[routes]]\nto = {action}"
            if is_valid:
                self.assert_valid(route)
            else:
                self.assertEqual(
                    self.found(route), [("routes[0].to", "leads to 'back'")]
                )


class InvalidTableTests(ValidationCase):
    """Names in tables that are invalid for another reason."""

    def test_undefined_names_in_invalid_tables_are_found(self) -> None:
        for table, place in (
            (f'{MENU}time_out = 1\nfailure = "nowhere"', "menus.main.failure"),
            (
                f'{MENU}[menus.main.extensions]\npatern = "X"\nmenu = "nowhere"',
                "menus.main.extensions.menu",
            ),
            (
                f'{MENU}[actions]\na = {{ play = [], then = "nowhere" }}',
                "actions.a.then",
            ),
            (f'{MENU}[[routes]]\ndidd = "1"\nto = "nowhere"', "routes[0].to"),
        ):
            with self.subTest(place=place):
                self.assertIn(place, [found for found, _ in self.found(table)])
