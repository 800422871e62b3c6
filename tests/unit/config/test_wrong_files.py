"""Messages for the author of a configuration file with an error.

Each file is small and has one error, unless its test says otherwise. The messages are
exact: they are what this program is like to use.
"""

from __future__ import annotations

import tomllib

from jsonschema import Draft202012Validator

from channel_aa.commands.schema import file_schema
from tests.support.config_case import ConfigCase

SCHEMA = Draft202012Validator(file_schema())

MENU = '[menus.main]\nprompt = ["press-1"]\n'


NO_ENDPOINT = (
    " is not an endpoint; write the technology, '/' and the phone, as in 'PJSIP/410'"
    " or 'PJSIP/{digits}@trunk', of letters, digits and '/@._:+*#-'; write several"
    " phones as a list"
)


def menu(lines: str) -> str:
    return MENU + lines


def option(action: str) -> str:
    return f"{MENU}[menus.main.options]\n1 = {action}\n"


def route(lines: str) -> str:
    return f"{MENU}[[routes]]\n{lines}\n"


def schedule(lines: str) -> str:
    return f"""{MENU}
[[routes]]
schedule = "office"
open = "main"
closed = "hangup"
[schedules.office]
{lines}
"""


NAMES = "it does not know which names there are"
FLOW = "it does not follow actions from one to another"
PAIRS = "it does not compare the keys of a table"
CALENDAR = "it knows no time zones, no calendar and no order of times"
BEYOND_A_SCHEMA = {
    "test_undefined_entry": NAMES,
    "test_action_where_a_menu_belongs": NAMES,
    "test_undefined_menu": NAMES,
    "test_misspelt_word": NAMES,
    "test_undefined_name": NAMES,
    "test_name_of_both_a_menu_and_an_action": NAMES,
    "test_undefined_schedule": NAMES,
    "test_cycle_of_actions": FLOW,
    "test_digits_without_a_key": FLOW,
    "test_failure_that_repeats_by_default": FLOW,
    "test_cycle_of_menus_without_keys": FLOW,
    "test_message_without_menu_to_repeat": FLOW,
    "test_city_in_place_of_a_time_zone": CALENDAR,
    "test_day_that_does_not_exist": CALENDAR,
    "test_hours_over_midnight": CALENDAR,
    "test_early_media_of_phones_that_ring_at_once": PAIRS,
    "test_early_media_with_music": PAIRS,
    "test_early_media_with_a_confirmation": PAIRS,
}
"""The tests whose files the JSON Schema allows, each with the reason."""


class WrongFileTests(ConfigCase):
    def reported(self, content: str, *expected: str) -> None:
        self.assertEqual(self.file_problems(content), list(expected))
        is_allowed = SCHEMA.is_valid(tomllib.loads(content))
        self.assertEqual(is_allowed, self._testMethodName in BEYOND_A_SCHEMA)


class MenuFileTests(WrongFileTests):
    def test_misspelt_key(self) -> None:
        self.reported(
            menu("time_out = 5"),
            "menus.main.time_out: unknown key; did you mean 'timeout'?",
        )

    def test_undefined_names_of_a_menu_with_a_misspelt_key(self) -> None:
        self.reported(
            menu(
                "time_out = 5\n[menus.main.options]\n"
                '1 = { dial = "PJSIP/1", else = "mein", then = "mian" }'
            ),
            "menus.main.time_out: unknown key; did you mean 'timeout'?",
            "menus.main.options.1.else: no menu or action is called 'mein'; did you"
            " mean 'main'?",
            "menus.main.options.1.then: no menu or action is called 'mian'; did you"
            " mean 'main'?",
        )

    def test_unknown_key(self) -> None:
        self.reported(
            "[attendant]\nvoice = 'x'",
            "attendant.voice: unknown key; allowed here: cdr_userfield, deny,"
            " drain_timeout, entry, max_call_seconds, max_calls, max_forwards",
        )

    def test_key_in_the_wrong_table(self) -> None:
        self.reported(
            "entry = 'main'",
            "entry: unknown key; allowed here: actions, asterisk, attendant, menus,"
            " metrics, records, routes, schedules, speech, status, texts",
        )

    def test_menu_without_a_prompt(self) -> None:
        self.reported("[menus.main]\ntimeout = 5", "menus.main.prompt: is missing")

    def test_prompt_without_brackets(self) -> None:
        self.reported(
            menu('greeting = "welcome"'),
            "menus.main.greeting: expected a list in brackets, found text in quotes:"
            " 'welcome'",
        )

    def test_prompt_without_a_sound(self) -> None:
        self.reported(
            menu("nomatch = []"),
            "menus.main.nomatch: has no sound; write at least one, or a silent one:"
            ' ["silence/1"]',
        )

    def test_number_in_quotes(self) -> None:
        self.reported(
            menu('timeout = "10"'),
            "menus.main.timeout: expected a number, found text in quotes: '10'",
        )

    def test_half_a_limit(self) -> None:
        self.reported(
            menu("max_noinput = 2.5"),
            "menus.main.max_noinput: expected a whole number, found a number: 2.5",
        )

    def test_limit_beyond_bounds(self) -> None:
        self.reported(
            menu("max_nomatch = -1"),
            "menus.main.max_nomatch: -1 is out of range; allowed are 0 (no limit) to"
            " 100",
        )

    def test_failure_that_goes_on(self) -> None:
        self.reported(
            menu('failure = "repeat"'),
            "menus.main.failure: 'repeat' would loop; set a menu, an action, or"
            " 'hangup'",
        )

    def test_undefined_entry(self) -> None:
        self.reported(
            f"[attendant]\nentry = 'mian'\n{MENU}",
            "attendant.entry: no menu is called 'mian'; did you mean 'main'?",
        )

    def test_key_that_no_telephone_has(self) -> None:
        self.reported(
            menu('options.E = "hangup"'),
            "menus.main.options.E: 'E' is not a valid option; allowed are keys 0 to"
            " 9, '*', '#' and A to D, at most 20 of them",
        )

    def test_terminator_within_an_option(self) -> None:
        self.reported(
            menu('options."1#" = "hangup"'),
            "menus.main.options.'1#': '1#': '#' ends the input, so it can be an"
            " option of its own, but not a part of one",
        )


class SoundFileTests(WrongFileTests):
    def prompt_problem(self, sounds: str, expected: str) -> None:
        self.reported(
            menu(f"greeting = [{sounds}]"), f"menus.main.greeting[0]{expected}"
        )

    def test_sound_with_a_folder_of_the_file_system(self) -> None:
        self.prompt_problem(
            '"/var/sounds/welcome"',
            ": '/var/sounds/welcome': a name begins within Asterisk's folder of sounds,"
            " not with '/'",
        )

    def test_sound_with_a_space(self) -> None:
        self.prompt_problem(
            '"my welcome"',
            ": 'my welcome': a name has no space, ',', '&', ':' or '..' in it",
        )

    def test_scheme_that_asterisk_does_not_know(self) -> None:
        self.prompt_problem(
            '"text:hello"',
            ": 'text:hello': 'text:' is unknown; allowed are a sound's name alone, and"
            " 'digits:', 'number:', 'characters:', 'tone:', 'recording:'",
        )

    def test_number_in_words(self) -> None:
        self.prompt_problem(
            '"number:ten"',
            ": 'number:ten': a whole number of at most 9 digits is needed, or {digits}",
        )

    def test_tone_without_an_end(self) -> None:
        self.prompt_problem(
            '"tone:ring"',
            ": 'tone:ring': a tone does not end by itself; set its duration: { media"
            ' = ["tone:ring"], seconds = 2 }',
        )

    def test_digits_before_a_key(self) -> None:
        self.prompt_problem(
            '"digits:{digits}"',
            ": 'digits:{digits}': {digits} has a value only in the action of an"
            " option, after keys were pressed",
        )

    def test_unknown_key_of_a_sound(self) -> None:
        self.prompt_problem(
            '{ media = ["x"], bargein = false }',
            ".bargein: unknown key; did you mean 'barge_in'?",
        )

    def test_sounds_beside_lists_of_sounds(self) -> None:
        self.reported(
            menu('noinput = ["a", ["b"]]'),
            "menus.main.noinput[0]: expected a list in brackets, found text in quotes:"
            " 'a'",
        )


class ActionFileTests(WrongFileTests):
    def option_problem(self, action: str, *expected: str) -> None:
        self.reported(
            option(action), *(f"menus.main.options.1{each}" for each in expected)
        )

    def test_undefined_name(self) -> None:
        self.option_problem(
            '"mian"',
            ": no menu or action is called 'mian'; did you mean 'main'?",
        )

    def test_misspelt_word(self) -> None:
        self.option_problem(
            '"hang-up"',
            ": no menu or action is called 'hang-up'; did you mean 'hangup'?",
        )

    def test_undefined_menu(self) -> None:
        self.option_problem(
            '{ menu = "sales" }',
            ".menu: no menu is called 'sales'; there are: 'main'",
        )

    def test_action_where_a_menu_belongs(self) -> None:
        self.reported(
            option('{ menu = "operator" }') + '[actions]\noperator = "hangup"',
            "menus.main.options.1.menu: 'operator' is an action, not a menu; write it"
            " without 'menu': \"operator\"",
        )

    def test_number_in_place_of_an_action(self) -> None:
        self.option_problem(
            "410",
            ": expected an action: a name in quotes, or a table such as"
            ' { menu = "sales" }; found a number',
        )

    def test_nothing_to_do(self) -> None:
        self.option_problem(
            '{ then = "back" }',
            ": has no verb; it needs one of play, menu, dial, record, continue,"
            " voicemail, queue, directory, set, language, run",
        )

    def test_misspelt_verb(self) -> None:
        self.option_problem(
            '{ voicemial = "410" }',
            ".voicemial: 'voicemial' is not a verb; did you mean 'voicemail'?",
        )

    def test_two_things_at_once(self) -> None:
        self.option_problem(
            '{ play = ["x"], dial = "PJSIP/410" }',
            ": has several verbs: play, dial; keep one, and put the other into its"
            " 'then'",
        )

    def test_phone_without_a_technology(self) -> None:
        self.option_problem(
            '{ dial = "410" }',
            f".dial: '410'{NO_ENDPOINT}",
        )

    def test_phones_as_the_dialplan_joins_them(self) -> None:
        self.option_problem(
            '{ dial = "PJSIP/1&PJSIP/2" }',
            f".dial: 'PJSIP/1&PJSIP/2'{NO_ENDPOINT}",
        )

    def test_ring_time_of_the_dialplan_s_milliseconds(self) -> None:
        self.option_problem(
            '{ dial = "PJSIP/410", ring = 20000 }',
            ".ring: 20000 is out of range; allowed are 1 to 300 seconds",
        )

    def test_early_media_of_phones_that_ring_at_once(self) -> None:
        self.option_problem(
            '{ dial = ["A/1", "A/2"], strategy = "ringall", early_media = true }',
            ".early_media: cannot be combined with strategy = 'ringall'; remove one of"
            " them",
        )

    def test_early_media_with_music(self) -> None:
        self.option_problem(
            '{ dial = "A/1", music = "default", early_media = true }',
            ".early_media: cannot be combined with music; remove one of them",
        )

    def test_early_media_with_a_confirmation(self) -> None:
        self.option_problem(
            '{ dial = "A/1", confirm = true, early_media = true }',
            ".early_media: cannot be combined with confirm; remove one of them",
        )

    def test_confirmation_that_is_a_word(self) -> None:
        self.option_problem(
            '{ dial = "A/1", confirm = "yes" }',
            ".confirm: expected true, false or a list, found text in quotes",
        )

    def test_recording_outside_of_its_folder(self) -> None:
        self.option_problem(
            '{ record = "../{caller}" }',
            ".record: '../{caller}' is not a valid recording name; it has letters,"
            " digits, '-', '_', '.' and '/' in it, no '..', and no '/' at its"
            " beginning or end",
        )

    def test_continue_without_a_context(self) -> None:
        self.option_problem(
            '{ continue = { extension = "6001" } }', ".continue.context: is missing"
        )

    def test_follow_up_of_what_has_none(self) -> None:
        self.option_problem(
            '{ queue = "support", then = "back" }',
            ".then: unknown key; allowed here: label, queue, secret",
        )

    def test_cycle_of_actions(self) -> None:
        self.reported(
            menu('failure = "a"\n[actions]\nb = { play = ["x"], then = "a" }\na = "b"'),
            "actions.b: loops without a key: b, a, b; end one of them with a menu or"
            " 'hangup'",
        )

    def test_cycle_of_menus_without_keys(self) -> None:
        self.reported(
            f"""
            {menu("max_noinput = 3")}
            failure = {{ play = ["sorry"], then = "sales" }}
            [menus.sales]
            prompt = ["x"]
            max_noinput = 3
            failure = "back"
            """,
            "menus.main.failure: loops as long as no key is pressed: main, sales,"
            " main; end it with 'hangup', a phone or the dialplan",
        )

    def test_failure_that_repeats_by_default(self) -> None:
        self.reported(
            menu('max_noinput = 3\nfailure = { play = ["goodbye"] }'),
            "menus.main.failure: loops as long as no key is pressed: main, main; end"
            " it with 'hangup', a phone or the dialplan",
        )

    def test_digits_without_a_key(self) -> None:
        self.reported(
            menu('failure = "staff"\n[actions]\nstaff = { dial = "PJSIP/{digits}" }'),
            "menus.main.failure: leads to 'PJSIP/{digits}', but no key precedes it,"
            " so {digits} has no value; write the digits out",
        )

    def test_name_of_both_a_menu_and_an_action(self) -> None:
        self.reported(
            menu('[actions]\nmain = "hangup"\ntop = "hangup"'),
            "actions.top: 'top' is the name of a built-in action; choose another name",
            "actions.main: a menu has the name 'main', too; rename one of them",
        )

    def test_invalid_pattern_of_extensions(self) -> None:
        self.reported(
            menu('[menus.main.extensions]\npattern = "4Y"\nqueue = "x"'),
            "menus.main.extensions.pattern: '4Y' is not a pattern: 'Y' is not X, Z,"
            " N, [1-5], a key of a phone, or '.' at the end",
        )


class RouteFileTests(WrongFileTests):
    def test_route_without_target(self) -> None:
        self.reported(
            route('did = "1000"'),
            "routes[0].to: is missing; set the menu or the action for these calls",
        )

    def test_schedule_of_another_type(self) -> None:
        self.reported(
            route('schedule = 5\nopen = "main"\nclosed = "main"'),
            "routes[0].schedule: expected text in quotes, found a number: 5",
        )

    def test_times_without_a_schedule(self) -> None:
        self.reported(
            route('open = "main"\nto = "main"'),
            "routes[0].open: has no effect without a schedule; set 'schedule', or set"
            " 'to' for calls at any time",
        )

    def test_route_without_closed(self) -> None:
        self.reported(
            schedule('timezone = "UTC"\nopen = []').replace('closed = "hangup"', ""),
            "routes[0].closed: is missing; set the menu or the action for these calls",
        )

    def test_undefined_schedule(self) -> None:
        self.reported(
            route('schedule = "office"\nopen = "main"\nclosed = "main"'),
            "routes[0].schedule: no schedule is called 'office'; there are: none",
        )

    def test_argument_of_the_shipped_dialplan(self) -> None:
        self.reported(
            route('argument = "channel-aa-menu=main"\nto = "main"'),
            "routes[0].argument: 'channel-aa-menu=main': arguments that begin with"
            " 'channel-aa-menu=' are the shipped dialplan's own; choose another one",
        )

    def test_argument_with_a_comma(self) -> None:
        self.reported(
            route('argument = "one,two"\nto = "main"'),
            "routes[0].argument: 'one,two' is not an argument of"
            " Stasis(app,argument); it has at least one character, no ',' and no"
            " control character",
        )

    def test_number_with_spaces(self) -> None:
        self.reported(
            route('did = "+44 1632 960000"\nto = "main"'),
            "routes[0].did: '+44 1632 960000' is not a dialled number; write it as"
            " the dialplan has it, such as '+441632960000', without spaces",
        )

    def test_number_without_quotes(self) -> None:
        self.reported(
            route('did = 1000\nto = "main"'),
            "routes[0].did: expected text in quotes, found a number: 1000",
        )

    def test_message_without_menu_to_repeat(self) -> None:
        self.reported(
            route('to = { play = ["closed"] }'),
            "routes[0].to: leads to 'repeat', but no menu precedes it; set what"
            ' follows: then = "hangup", or a menu\'s name',
        )

    def test_routes_in_single_brackets(self) -> None:
        self.reported(
            f'{MENU}[routes]\nto = "main"',
            "routes: expected a list in brackets, found a table",
        )


class ScheduleFileTests(WrongFileTests):
    def test_city_in_place_of_a_time_zone(self) -> None:
        self.reported(
            schedule('timezone = "London"\nopen = []'),
            "schedules.office.timezone: 'London' is not a time zone; did you mean"
            " 'Europe/London'?",
        )

    def test_invalid_hours(self) -> None:
        self.reported(
            schedule('timezone = "UTC"\nopen = ["9-17"]'),
            "schedules.office.open[0]: '9-17' is not a time of the week; write it as"
            " in 'mon-fri 09:00-17:30' or 'sat,sun 10:00-12:00'",
        )

    def test_hours_over_midnight(self) -> None:
        self.reported(
            schedule('timezone = "UTC"\nopen = ["fri 22:00-02:00"]'),
            "schedules.office.open[0]: 'fri 22:00-02:00' ends before it begins; write"
            " a night as two entries, one until 24:00 and one from 00:00",
        )

    def test_day_of_another_language(self) -> None:
        self.reported(
            schedule('timezone = "UTC"\nopen = ["mo-fr 09:00-17:00"]'),
            "schedules.office.open[0]: 'mo-fr 09:00-17:00': 'mo' is not a day; the"
            " days are mon, tue, wed, thu, fri, sat, sun",
        )

    def test_holiday_written_as_at_home(self) -> None:
        self.reported(
            schedule('timezone = "UTC"\nopen = []\nholidays = ["25.12.2026"]'),
            "schedules.office.holidays[0]: '25.12.2026' is not a holiday; write it as"
            " in '2026-12-25', '2026-12-24 12:00-24:00' or '2026-12-24..2026-12-27'",
        )

    def test_day_that_does_not_exist(self) -> None:
        self.reported(
            schedule('timezone = "UTC"\nopen = []\nholidays = ["2027-02-29"]'),
            "schedules.office.holidays[0]: '2027-02-29': there is no day '2027-02-29';"
            " write year, month and day as in '2026-12-24'",
        )

    def test_date_without_quotes(self) -> None:
        self.reported(
            schedule('timezone = "UTC"\nopen = []\nholidays = [2026-12-25]'),
            "schedules.office.holidays[0]: expected text in quotes, found a date or a"
            " time",
        )


class SchemaTableTests(WrongFileTests):
    def test_every_file_beyond_the_schema_is_that_of_a_test(self) -> None:
        kinds = WrongFileTests.__subclasses__()
        names = {name for kind in kinds for name in dir(kind)}
        self.assertLessEqual(set(BEYOND_A_SCHEMA), names)


class WholeFileTests(WrongFileTests):
    def test_all_problems_of_a_file_are_reported_in_one_run(self) -> None:
        found = self.file_problems(
            """
            asterik = 1
            [asterisk]
            url = "htp://x"
            user = "x"
            app = 5
            [attendant]
            entry = "man"
            [menus.main]
            prompt = "press-1"
            timeout = "ten"
            noinput = []
            nomatch = ["digits:x", 5]
            [menus.main.options]
            1 = { play = ["{digit}", "digits:{digits}"] }
            2 = "slaes"
            x = { play = ["x"], paly = ["y"] }
            "a.b" = 3
            [menus.main.extensions]
            pattern = "4XX"
            dial = "410"
            else = "operater"
            [menus."n ight"]
            timeout = 99999
            [menus.sales]
            prompt = ["x"]
            options.1 = { menu = "mian" }
            [actions]
            operator = { dial = "PJSIP/1", else = "mian" }
            [[routes]]
            did = "1000"
            to = "slaes"
            [schedules.office]
            open = ["mon 9-17"]
            """
        )
        places = [problem.split(": ")[0] for problem in found]
        self.assertEqual(
            places,
            [
                "asterik",
                "asterisk.url",
                "asterisk.user",
                "asterisk.app",
                "menus.main.prompt",
                "menus.main.timeout",
                "menus.main.noinput",
                "menus.main.nomatch[0]",
                "menus.main.nomatch[1]",
                "menus.main.options.1.play[0]",
                "menus.main.options.x",
                "menus.main.options.x.paly",
                "menus.main.options.'a.b'",
                "menus.main.options.'a.b'",
                "menus.main.extensions.dial",
                "menus.'n ight'",
                "menus.'n ight'.timeout",
                "menus.'n ight'.prompt",
                "schedules.office.open[0]",
                "schedules.office.timezone",
                "attendant.entry",
                "menus.sales.options.1.menu",
                "actions.operator.else",
                "routes[0].to",
                # These stand in a menu that is wrong in itself.
                "menus.main.options.2",
                "menus.main.extensions.else",
            ],
        )
