"""Which keys of a menu are secret."""

from __future__ import annotations

import tomllib

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.navigation import CallPlan
from channel_aa.menus.flow import CallFlow
from tests.support.call_case import NOON

MENUS = """
[actions]
vault = { continue = { context = "vault" }, secret = true }
[menus.main]
prompt = ["hello"]
options = { 1 = "main", 4711 = { menu = "open", secret = true }, 0815 = "vault" }
[menus.main.extensions]
pattern = "5XX"
run = "desk"
[menus.number]
prompt = ["hello"]
options = { 1 = "main" }
extensions = { pattern = "XXXX", run = "customer", secret = true }
[menus.pin]
prompt = ["hello"]
secret = true
options = { 1 = "main" }
extensions = { pattern = "5XX", run = "desk" }
[menus.open]
prompt = ["hello"]
options = { 1 = "main" }
"""


class SecretKeysTests(SynchronousTestCase):
    def setUp(self) -> None:
        flow = CallFlow.model_validate(tomllib.loads(MENUS))
        self.plan = CallPlan(flow, now=lambda: NOON)

    def shown(self, menu: str, *entries: str) -> list[str]:
        digit_map = self.plan.digit_maps[menu]
        secret = self.plan.secret_keys[menu]
        return [secret.shown(digit_map.match(each, is_over=True)) for each in entries]

    def test_option_is_masked_by_its_action_or_that_of_its_name(self) -> None:
        self.assertEqual(
            self.shown("main", "1", "4711", "0815", "523"),
            ["1", "(secret)", "(secret)", "523"],
        )

    def test_wrong_keys_are_masked_where_any_are_secret(self) -> None:
        self.assertEqual(self.shown("main", "4712", "9"), ["(secret)", "(secret)"])
        self.assertEqual(self.shown("number", "47", "1"), ["(secret)", "1"])
        self.assertEqual(self.shown("open", "9"), ["9"])

    def test_number_is_masked(self) -> None:
        self.assertEqual(self.shown("number", "4711"), ["(secret)"])

    def test_all_keys_of_a_secret_menu_are_masked(self) -> None:
        self.assertEqual(self.shown("pin", "1", "523", "9"), ["(secret)"] * 3)

    def test_menu_tells_whether_keys_may_be_secret(self) -> None:
        secret = {name: bool(each) for name, each in self.plan.secret_keys.items()}
        self.assertEqual(
            secret, {"main": True, "number": True, "pin": True, "open": False}
        )
