"""What is allowed in a file, and probably not meant; the messages are exact."""

from __future__ import annotations

import tomllib
from datetime import date

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.menus.flow import CallFlow
from channel_aa.menus.lint import lint

TODAY = date(2026, 11, 28)
NO_WAY_OUT = (
    "callers can leave this menu only by hanging up: no option leaves the menus, and"
    " no limit (max_noinput) ends them; add one"
)
OUT = '9 = "hangup"'


def linted(text: str) -> list[str]:
    """Read a call flow from a file's text, and return its warnings."""
    return list(map(str, lint(CallFlow(**tomllib.loads(text)), today=TODAY)))


def menu(options: str = OUT, *, keys: str = "", name: str = "main") -> str:
    return f"""
        [menus.{name}]
        prompt = ["x"]
        {keys}
        [menus.{name}.options]
        {options}
        """


class LintCase(SynchronousTestCase):
    def only(self, found: list[str], expected: str) -> None:
        self.assertEqual(found, [expected])


class TerminatorTests(LintCase):
    def test_option_that_the_terminator_of_the_menu_before_chooses(self) -> None:
        hash_menu = menu(f'"#" = "main"\n{OUT}', name="sales")
        for way in (
            menu(f'1 = "sales"\n{OUT}'),
            menu(f'1 = {{ play = ["x"], then = "sales" }}\n{OUT}'),
        ):
            self.only(
                linted(way + hash_menu),
                "menus.sales.options.'#': callers who press '#' after every entry"
                " choose it when they come from menus.main.options.1; give it another"
                " key",
            )

    def test_option_behind_a_menu_that_has_such_an_option_itself(self) -> None:
        flow = menu(f'1 = "sales"\n"#" = "sales"\n{OUT}')
        self.assertEqual(linted(flow + menu(f'"#" = "main"\n{OUT}', name="sales")), [])


class ReachabilityTests(LintCase):
    def test_unreachable_menu(self) -> None:
        self.only(
            linted(menu() + menu(name="night")),
            "menus.night: unreachable menu: no route, option or action leads to it",
        )

    def test_menu_is_reached_over_actions_limits_extensions_and_routes(self) -> None:
        for way in (
            menu('1 = "night"'),
            menu('1 = { menu = "night" }'),
            menu('1 = { play = ["x"], then = "night" }'),
            menu('1 = "a"') + '[actions]\na = "b"\nb = { queue = "x" }\nc = "night"',
            menu('1 = { dial = "PJSIP/1", else = "night" }'),
            menu(keys='failure = "night"\nmax_nomatch = 1'),
            menu() + '[menus.main.extensions]\npattern = "4X"\nmenu = "night"',
            menu() + '[[routes]]\ndid = "1"\nto = "night"',
            menu() + '[[routes]]\ndid = "1"\nto = { play = ["x"], then = "night" }',
        ):
            found = linted(way + menu(name="night"))
            reached = "menus.night: unreachable" not in "".join(found)
            self.assertEqual(reached, "c = " not in way, way)

    def test_entry_is_not_reached_past_a_route_for_every_call(self) -> None:
        (found,) = linted(menu() + menu(name="a") + '[[routes]]\nto = "a"')
        self.assertTrue(found.startswith("menus.main: unreachable menu"))

    def test_entry_is_reached_past_routes_for_some_calls(self) -> None:
        for rule in ('did = "1"', 'argument = "a"'):
            routes = f'[[routes]]\n{rule}\nto = "a"'
            self.assertEqual(linted(menu() + menu(name="a") + routes), [])

    def test_action_of_a_program_may_lead_anywhere(self) -> None:
        flow = menu('1 = { run = "look_up" }') + menu(name="night")
        self.assertEqual(linted(flow + '[actions]\na = "hangup"'), [])

    def test_unused_action(self) -> None:
        self.only(
            linted(menu() + '[actions]\noperator = { dial = "PJSIP/1" }'),
            "actions.operator: unused action: no reachable option, route or limit"
            " leads to it",
        )

    def test_unused_schedule(self) -> None:
        office = '[schedules.office]\ntimezone = "UTC"\nopen = ["mon"]'
        self.assertEqual(
            linted(menu() + office),
            ["schedules.office: unused schedule: no route refers to it"],
        )

    def test_unreachable_route(self) -> None:
        for before, after, is_reached in (
            ("", 'did = "1"', False),
            ('did = ["1", "2"]', 'did = "2"', False),
            ('did = "1"', 'did = "1"\nargument = "a"', False),
            ('argument = ["a", "b"]', 'did = "1"\nargument = "b"', False),
            ('did = "1"', 'did = ["1", "2"]', True),
            ('did = "1"', "", True),
            ('did = "1"\nargument = "a"', 'did = "1"', True),
            ('did = "1"', 'argument = "a"', True),
        ):
            routes = f"""
                [[routes]]
                {before}
                to = "main"
                [[routes]]
                {after}
                to = "main"
                """
            expected = (
                "routes[1]: unreachable route: routes[0] comes before it and matches"
                " all of its calls"
            )
            self.assertEqual(linted(menu() + routes), [] if is_reached else [expected])

    def test_each_unreachable_route_is_found(self) -> None:
        routes = '[[routes]]\nto = "main"\n' * 3
        self.assertEqual(
            [found.partition(":")[0] for found in linted(menu() + routes)],
            ["routes[1]", "routes[2]"],
        )


class ExitTests(LintCase):
    def test_menu_without_exit(self) -> None:
        only_repeats = menu('1 = { play = ["x"] }')
        self.assertEqual(linted(only_repeats), [f"menus.main: {NO_WAY_OUT}"])

    def test_menus_without_exit(self) -> None:
        for back in ("back", "top", "main"):
            self.assertEqual(
                linted(menu('1 = "sales"') + menu(f'1 = "{back}"', name="sales")),
                [f"menus.main: {NO_WAY_OUT}", f"menus.sales: {NO_WAY_OUT}"],
            )

    def test_every_end_of_a_call_is_an_exit(self) -> None:
        for action in (
            '"hangup"',
            '{ dial = "PJSIP/1" }',
            '{ continue = { context = "x" } }',
            '{ voicemail = "1" }',
            '{ queue = "x" }',
            '{ directory = "x" }',
            '{ run = "x" }',
            '{ play = ["x"], then = "hangup" }',
        ):
            self.assertEqual(linted(menu(f"1 = {action}")), [])

    def test_limit_is_an_exit(self) -> None:
        for limit in ("max_noinput", "max_nomatch"):
            self.assertEqual(linted(menu('1 = "repeat"', keys=f"{limit} = 1")), [])

    def test_exit_of_another_menu_is_an_exit(self) -> None:
        for back in ("back", "top", "main"):
            main = menu(f'1 = "sales"\n{OUT}')
            self.assertEqual(linted(main + menu(f'1 = "{back}"', name="sales")), [])
        main = menu('1 = "sales"')
        self.assertEqual(linted(main + menu('1 = { queue = "x" }', name="sales")), [])

    def test_menu_with_a_way_back_keeps_its_other_exits(self) -> None:
        menus = (
            menu('1 = "sales"')
            + menu('1 = "back"\n2 = "night"', name="sales")
            + menu(name="night")
        )
        self.assertEqual(linted(menus), [])


class OptionTests(LintCase):
    def test_more_than_five_options(self) -> None:
        options = "\n".join(f'{key} = {{ queue = "x" }}' for key in range(6))
        self.only(
            linted(menu(options)),
            "menus.main.options: offers 6 options; people remember about 5: move"
            " some to a menu of their own",
        )

    def test_ways_back_are_no_options_to_remember(self) -> None:
        options = "\n".join(f'{key} = {{ queue = "x" }}' for key in range(5))
        self.assertEqual(linted(menu(f'{options}\n"*" = "back"\n"#" = "repeat"')), [])

    def test_option_that_another_one_begins_with(self) -> None:
        self.only(
            linted(menu('1 = "hangup"\n12 = "hangup"')),
            "menus.main.options.1: callers who press 1 wait 2 s, because '12' begins"
            " with it, too; give one of them another first key",
        )


class ExtensionTests(LintCase):
    def extensions(self, *, options: str = OUT, keys: str = "") -> list[str]:
        table = f'[menus.main.extensions]\n{keys}\ndial = "PJSIP/{{digits}}"'
        return linted(menu(options) + table)

    def test_option_that_extensions_begin_with(self) -> None:
        self.only(
            self.extensions(options='4 = "hangup"', keys='pattern = "4XX"'),
            "menus.main.options.4: callers who press 4 wait 2 s, because '4XX' begins"
            " with it, too; give one of them another first key",
        )

    def test_extension_that_an_option_hides(self) -> None:
        self.only(
            self.extensions(options='410 = "hangup"', keys='pattern = "4XX"'),
            "menus.main.options.410: hides the extension 410 of the pattern '4XX':"
            " callers get the option; deny the extension, or give the option another"
            " key",
        )

    def test_extension_that_is_denied_is_not_hidden(self) -> None:
        keys = 'pattern = "4XX"\ndeny = "41X"'
        self.assertEqual(self.extensions(options='410 = "hangup"', keys=keys), [])

    def test_extension_that_an_option_goes_on_from(self) -> None:
        self.only(
            self.extensions(options='4101 = "hangup"', keys='pattern = "41X"'),
            "menus.main.extensions.pattern: callers who dial 410 wait 2 s, because"
            " the option 4101 begins with it, too; give one of them another first key",
        )

    def test_extension_of_one_digit_that_an_option_goes_on_from(self) -> None:
        (found,) = self.extensions(options='12 = "hangup"', keys='pattern = "1"')
        self.assertIn("callers who dial 1 wait 2 s", found)


class ExpenseTests(LintCase):
    """Numbers that callers can dial at the company's expense."""

    DIAL = 'dial = "PJSIP/{digits}@trunk"'
    EXIT = '"*" = "hangup"'

    def extensions(self, action: str, *, keys: str, others: str = "") -> list[str]:
        head = f"{others}\n{menu(self.EXIT)}"
        return linted(f"{head}\n[menus.main.extensions]\n{keys}\n{action}")

    def assert_warned(self, found: list[str], number: str, pattern: str) -> None:
        (warning,) = found
        self.assertIn("menus.main.extensions.pattern: ", warning)
        self.assertIn(f"'{pattern}' lets callers dial {number} with", warning)

    def test_pattern_that_lets_callers_dial_anything(self) -> None:
        self.only(
            self.extensions(self.DIAL, keys='pattern = ["0."]'),
            "menus.main.extensions.pattern: '0.' lets callers dial 001123456789 with"
            " 'PJSIP/{digits}@trunk', perhaps at your expense; write as many X as your"
            " extensions have digits, or add such numbers to deny of [attendant]",
        )

    def test_pattern_of_fifteen_digits(self) -> None:
        pattern = "X" * 15
        found = self.extensions(self.DIAL, keys=f'pattern = "{pattern}"')
        self.assert_warned(found, "001123456789012", pattern)

    def test_every_way_to_a_dial_is_followed(self) -> None:
        dial = f"{{ {self.DIAL} }}"
        place = 'continue = { context = "out", extension = "{digits}" }'
        for action in (
            f'play = ["x"]\nthen = {dial}',
            f'dial = "PJSIP/410"\nelse = {dial}',
            f'run = "lookup"\nelse = {dial}',
            'play = ["x"]\nthen = "out"',
            'play = ["x"]\nthen = "out-in-two-steps"',
            'dial = ["PJSIP/410", "Local/{digits}@out"]',
            place,
            f"set = {{ A = '1' }}\nthen = {{ {place} }}",
        ):
            with self.subTest(action=action):
                named = (
                    f"[actions]\nout = {dial}\n"
                    'out-in-two-steps = { language = "en", then = "out" }\n'
                )
                found = self.extensions(action, keys='pattern = "X."', others=named)
                warnings = [each for each in found if "unused" not in each]
                self.assert_warned(warnings, "001123456789", "X.")

    def test_digits_around_the_entry_are_part_of_the_number(self) -> None:
        found = self.extensions(
            'dial = "PJSIP/+44{digits}@trunk"', keys='pattern = "NXXXXXXXXX"'
        )
        self.assert_warned(found, "+442234567890", "NXXXXXXXXX")

    def test_entry_of_another_menu_is_not_dialled(self) -> None:
        other = menu(f"1 = {{ {self.DIAL} }}\n{OUT}", name="other")
        found = self.extensions(
            'play = ["x"]\nthen = "other"', keys='pattern = "X."', others=other
        )
        self.assertEqual(found, [])

    def test_extensions_of_a_company_are_not_warned_of(self) -> None:
        for pattern in ("4XX", "XXXXXX", "00442079460XXX"):
            found = self.extensions(self.DIAL, keys=f'pattern = "{pattern}"')
            self.assertEqual(found, [])

    def test_entry_that_is_not_dialled_is_not_warned_of(self) -> None:
        for action in (
            'play = ["digits:{digits}"]',
            'voicemail = "{digits}"',
            'set = { ACCOUNT = "{digits}" }',
            'dial = "PJSIP/410"',
        ):
            self.assertEqual(self.extensions(action, keys='pattern = "X."'), [])

    def test_number_that_is_not_denied_is_named(self) -> None:
        for deny, number in (
            ('"001X."', "002123456789"),
            ('"00X."', "090011234567"),
            ('"0900X.", "1900X."', "001123456789"),
        ):
            for keys, others in (
                (f"deny = [{deny}]", ""),
                ("", f"deny = [{deny}]"),
            ):
                found = self.extensions(
                    self.DIAL, keys=f'pattern = "X."\n{keys}', others=others
                )
                self.assert_warned(found, number, "X.")

    def test_expensive_numbers_of_another_country_are_denied_in_vain(self) -> None:
        found = self.extensions(
            self.DIAL,
            keys='pattern = "1NXXNXXXXXX"',
            others='deny = ["00X.", "0900X."]',
        )
        self.assert_warned(found, "19002123456", "1NXXNXXXXXX")

    def test_pattern_without_an_expensive_number_is_not_warned_of(self) -> None:
        europe = 'deny = ["00X.", "0900X."]'
        america = 'deny = ["011X.", "1900X."]'
        for keys, others in (
            (europe, ""),
            ("", europe),
            (america, ""),
            ("", america),
        ):
            found = self.extensions(
                self.DIAL, keys=f'pattern = "X."\n{keys}', others=others
            )
            self.assertEqual(found, [])


class WaitTests(LintCase):
    def test_waits_that_are_too_short_or_too_long(self) -> None:
        for keys, expected in {
            "timeout = 3": [],
            "timeout = 10": [],
            "timeout = 2.5": [
                "menus.main.timeout: 2.5 s is a short wait; most callers need 3 to 10"
            ],
            "timeout = 11": [
                "menus.main.timeout: 11 s is a long wait; most callers need 3 to 10"
            ],
        }.items():
            self.assertEqual(linted(menu(keys=keys)), expected)

    def test_keys_of_one_number_that_may_come_too_slowly(self) -> None:
        self.assertEqual(linted(menu(keys="interdigit_timeout = 10")), [])
        self.only(
            linted(menu(keys="interdigit_timeout = 11")),
            "menus.main.interdigit_timeout: 11 s is a long wait; most callers need 1"
            " to 3",
        )


class ScheduleTests(LintCase):
    def schedule(self, hours: str) -> list[str]:
        return linted(
            f"""
            {menu()}
            [[routes]]
            schedule = "office"
            open = "main"
            closed = "hangup"
            [schedules.office]
            timezone = "UTC"
            open = {hours}
            """
        )

    def test_schedule_that_is_never_open(self) -> None:
        self.assertEqual(
            self.schedule("[]"),
            [("schedules.office.open: the schedule is never open; add times")],
        )

    def test_overlapping_times(self) -> None:
        self.only(
            self.schedule('["mon-fri 09:00-17:00", "sat", "fri 16:30-18:00"]'),
            "schedules.office.open[2]: overlaps with open[0]: fri 16:30-17:00",
        )

    def test_times_that_touch_are_not_named_twice(self) -> None:
        self.assertEqual(
            self.schedule('["mon 09:00-12:00", "mon 12:00-17:00", "tue 09:00-17:00"]'),
            [],
        )


class RecordingTests(LintCase):
    def test_recording_that_a_forged_number_overwrites(self) -> None:
        forgeable = '1 = { record = "m/{caller}-{date}", overwrite = true }'
        self.only(
            linted(menu(f"{forgeable}\n{OUT}")),
            "menus.main.options.1.overwrite: callers can forge the number in"
            " 'm/{caller}-{date}', and so replace the recordings of others; remove"
            " overwrite, or put {channel} into the name",
        )

    def test_other_recordings_may_be_overwritten(self) -> None:
        for action in (
            '{ record = "m/{caller}" }',
            '{ record = "message" }',
            '{ record = "greeting", overwrite = true }',
            '{ record = "{caller}-{channel}", overwrite = true }',
        ):
            self.assertEqual(linted(menu(f"1 = {action}\n{OUT}")), [])


class DialledNumberTests(LintCase):
    def routes(self, *numbers: str) -> list[str]:
        written = ", ".join(f'"{each}"' for each in numbers)
        return linted(f"routes = [{{ did = [{written}], to = 'main' }}]\n" + menu())

    def test_number_that_is_a_pattern_of_the_dialplan(self) -> None:
        for number in ("_X.", "_4XX", "4XX", "0123."):
            self.only(
                self.routes(number),
                f"routes[0].did: '{number}' looks like a pattern; a route compares"
                " numbers as they are: list them, or let the dialplan choose with an"
                " argument, as in Stasis(app,sales)",
            )

    def test_number_with_letters(self) -> None:
        self.only(
            self.routes("0800flower"),
            "routes[0].did: '0800flower' has letters and digits; no telephone number"
            " has both",
        )

    def test_plus_where_other_numbers_have_none(self) -> None:
        self.only(
            self.routes("441632960001", "+441632960000"),
            "routes[0].did: '+441632960000' begins with '+', and '441632960001' does"
            " not; write each as the dialplan has it: 'asterisk -rx \"core show"
            " channels\"' shows the extension of a call",
        )

    def test_numbers_and_names_that_can_be_dialled(self) -> None:
        for numbers in (("+441632960000", "+44163296"), ("1000",), ("s",), ("SALES",)):
            self.assertEqual(self.routes(*numbers), [])


class HolidayTests(LintCase):
    def holidays(self, *days: str, zone: str = "UTC") -> list[str]:
        written = ", ".join(f'"{each}"' for each in days)
        route = "{ schedule = 'office', open = 'main', closed = 'main' }"
        return linted(
            f"routes = [{route}]\n"
            + menu()
            + f"""
            [schedules.office]
            timezone = "{zone}"
            open = ["mon"]
            holidays = [{written}]
            """
        )

    def test_zone_with_the_opposite_sign(self) -> None:
        for zone, where in (("GMT+1", "1 h behind"), ("GMT-11", "11 h ahead of")):
            self.only(
                self.holidays(zone=f"Etc/{zone}"),
                f"schedules.office.timezone: 'Etc/{zone}' is {where} Greenwich, and has"
                " no summer time; write it by a city, as in 'Europe/London'",
            )

    def test_holidays_all_in_the_past(self) -> None:
        self.only(
            self.holidays("2025-12-25", "2026-11-26..2026-11-27", "2026-01-01"),
            "schedules.office.holidays: all holidays are in the past, the last one on"
            " 2026-11-27; add those to come",
        )

    def test_holiday_that_lasts_until_today_or_is_to_come(self) -> None:
        for days in (("2026-11-26..2026-11-28",), ("2025-12-25", "2026-12-25"), ()):
            self.assertEqual(self.holidays(*days), [])


class SoundTests(LintCase):
    def test_sound_with_the_extension_of_a_file(self) -> None:
        for extension in ("wav", "ulaw", "sln16", "gsm"):
            self.only(
                linted(menu(keys=f'greeting = ["acme/welcome.{extension}"]')),
                f"menus.main.greeting[0]: 'acme/welcome.{extension}' has a file's"
                " extension, which Asterisk adds by itself; write 'acme/welcome'",
            )

    def test_dot_in_the_name_of_a_sound(self) -> None:
        self.assertEqual(linted(menu(keys='greeting = ["acme/welcome.v2"]')), [])


class SecretTests(LintCase):
    EXTENSIONS = '[menus.main.extensions]\npattern = "4XX"\ndial = "PJSIP/{digits}"'

    def test_secret_keys_that_are_dialled(self) -> None:
        self.only(
            linted(menu(keys="secret = true") + self.EXTENSIONS),
            "menus.main.secret: dials 'PJSIP/{digits}', and the log has each dialled"
            " phone, so that the keys are not secret; remove secret, or dial a phone"
            " without {digits}",
        )

    def test_secret_extensions_that_are_dialled(self) -> None:
        [line] = linted(f"{menu()}{self.EXTENSIONS}\nsecret = true")
        self.assertIn("menus.main.extensions.secret: dials 'PJSIP/{digits}'", line)

    def test_secret_keys_that_are_not_dialled(self) -> None:
        fixed = self.EXTENSIONS.replace("{digits}", "410")
        self.assertEqual(linted(menu(keys="secret = true") + fixed), [])
        self.assertEqual(linted(menu() + self.EXTENSIONS), [])


class EndpointTests(LintCase):
    def dialled(self, phones: str) -> list[str]:
        return linted(menu(f"1 = {{ dial = {phones} }}\n{OUT}"))

    def test_channel_driver_that_asterisk_no_longer_has(self) -> None:
        self.only(
            self.dialled('["PJSIP/410", "SIP/411@trunk"]'),
            "menus.main.options.1.dial[1]: 'SIP/411@trunk': Asterisk has no SIP/ since"
            " version 21; write PJSIP/411@trunk",
        )

    def test_context_in_the_place_of_a_trunk(self) -> None:
        self.only(
            self.dialled('"PJSIP/{digits}@from-internal"'),
            "menus.main.options.1.dial: 'PJSIP/{digits}@from-internal': from-internal"
            " is a context of the dialplan, and no trunk; write"
            " Local/{digits}@from-internal",
        )

    def test_others_are_not_doubted(self) -> None:
        for phone in ("PJSIP/410", "PJSIP/0@trunk", "Local/410@from-internal"):
            self.assertEqual(self.dialled(f'"{phone}"'), [])
