"""Numbers that no caller may dial."""

from __future__ import annotations

from channel_aa.interfaces import DialOutcome
from tests.support.call_case import CHANNEL, CallTestCase

DENY = 'deny = ["00X.", "+X.", "0900X."]'
FLOW = """
[menus.main]
prompt = ["main"]
secret = SECRET
[menus.main.options]
"*" = "named"
"D" = { dial = "PJSIP/00491234567@trunk", else = { play = ["fixed"] } }
"*1" = "other"
[menus.main.extensions]
pattern = "X."
ACTION

[menus.other]
prompt = ["other"]
[menus.other.options]
0049 = { dial = "PJSIP/{digits}@trunk" }

[actions]
named = { dial = "PJSIP/{digits}@trunk" }
by-two-steps = { play = ["wait"], then = "named" }
"""
UNAVAILABLE = "vm-nobodyavail"
DIAL = 'dial = "PJSIP/{digits}@trunk"'


class DenialTests(CallTestCase):
    def use(self, action: str, *, deny: str = DENY, is_secret: bool = False) -> None:
        flow = FLOW.replace("ACTION", action).replace("SECRET", str(is_secret).lower())
        self.FLOW = f"{deny}\n{flow}"
        CallTestCase.setUp(self)

    def setUp(self) -> None:
        self.use(DIAL)

    def enter_number(self, keys: str) -> list[str]:
        """Enter, type a number, wait for its end, and return the log lines."""
        self.enter()
        self.hear("main")
        self.sent()
        lines = self.log_of(keys)
        self.clock.advance(2.0)
        return lines

    def end_call(self) -> None:
        self.call.left()
        self.assertEqual(self.channel.phones_in_use, [])

    def assert_dialled(self, *endpoints: str) -> None:
        dialled = [each for each in self.sent() if each.startswith(("dial", "cont"))]
        self.assertEqual(dialled, [*endpoints])

    def test_denied_number_is_not_dialled(self) -> None:
        for keys in ("0049123", "0012", "090012", "0" * 32):
            with self.subTest(keys=keys):
                self.use(DIAL)
                self.enter_number(keys)
                self.assert_dialled()
                self.assertEqual(self.channel.phones, [])
                self.hear(UNAVAILABLE, "main")
                self.end_call()

    def test_other_number_is_dialled(self) -> None:
        for keys in ("410", "00", "001", "0900", "10023"):
            with self.subTest(keys=keys):
                self.use(DIAL)
                self.enter_number(keys)
                self.assert_dialled(f"dial PJSIP/{keys}@trunk 20")
                self.end_call()

    def test_denied_number_is_dialled_in_no_way(self) -> None:
        dial = f"{{ {DIAL} }}"
        for action in (
            f'play = ["wait"]\nthen = {dial}',
            'play = ["wait"]\nthen = "named"',
            'play = ["wait"]\nthen = "by-two-steps"',
            f"set = {{ A = '1' }}\nthen = {dial}",
            'dial = "Local/{digits}@out/n"',
            'dial = "DAHDI/g1/{digits}"',
            'continue = { context = "out", extension = "{digits}" }',
        ):
            with self.subTest(action=action):
                self.use(action)
                self.enter_number("0049123")
                while self.channel.playing and self.channel.playing.media.endswith(
                    "wait"
                ):
                    self.channel.end_sound()
                self.assert_dialled()
                self.hear(UNAVAILABLE, "main")
                self.end_call()

    def test_number_that_the_endpoint_completes_is_denied(self) -> None:
        for endpoint, keys in (
            ("PJSIP/+{digits}@trunk", "49123"),
            ("PJSIP/0{digits}@trunk", "049123"),
            ("PJSIP/trunk/sip:00{digits}@provider", "49123"),
            ("PJSIP/9{digits}@trunk", "0049123"),
        ):
            with self.subTest(endpoint=endpoint):
                self.use(f'dial = "{endpoint}"')
                self.enter_number(keys)
                self.assert_dialled()
                self.hear(UNAVAILABLE, "main")
                self.end_call()

    def test_option_of_another_menu_is_denied(self) -> None:
        self.enter()
        self.hear("main")
        self.press("*1")
        self.press("0049")
        self.assertEqual(self.channel.phones, [])
        self.hear(UNAVAILABLE, "other")

    def test_else_follows(self) -> None:
        self.use(f'{DIAL}\nelse = {{ play = ["forbidden"] }}')
        self.enter_number("0049123")
        self.assertIn("set DIALSTATUS=CHANUNAVAIL", self.sent())
        self.hear("forbidden", "main")

    def test_other_phones_of_the_action_ring(self) -> None:
        self.use('dial = ["PJSIP/{digits}@trunk", "PJSIP/410"]')
        self.enter_number("0049123")
        self.assert_dialled("dial PJSIP/410 20")
        self.channel.phones[0].end_dialling(DialOutcome.NO_ANSWER)
        self.hear("number-not-answering", "main")

    def test_phone_of_the_file_is_never_denied(self) -> None:
        self.enter()
        self.hear("main")
        self.press("D")
        self.assert_dialled_fixed()

    def assert_dialled_fixed(self) -> None:
        self.assertEqual(
            [each.endpoint for each in self.channel.phones],
            ["PJSIP/00491234567@trunk"],
        )

    def test_denial_is_logged(self) -> None:
        self.enter()
        self.hear("main")
        lines = self.log_of("0049123#")
        self.assertIn(
            f"Channel {CHANNEL} may not dial PJSIP/0049123@trunk: deny of [attendant]"
            " has 00X.",
            lines,
        )

    def test_keys_of_a_secret_menu_are_not_logged(self) -> None:
        self.use(DIAL, is_secret=True)
        self.enter()
        self.hear("main")
        text = "\n".join(self.log_of("0049123#"))
        self.assertIn("may not dial (secret)", text)
        self.assertNotIn("0049123", text)

    def test_nothing_is_denied_by_default(self) -> None:
        self.use(DIAL, deny="")
        self.enter_number("0049123")
        self.assert_dialled("dial PJSIP/0049123@trunk 20")
