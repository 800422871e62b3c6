from __future__ import annotations

import tomllib
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.commands.schema import file_schema
from channel_aa.config import load
from channel_aa.menus import flow as flow_module
from channel_aa.menus.actions import VERBS, DialplanPlace, Play
from channel_aa.menus.flow import CallFlow
from channel_aa.menus.lint import lint
from channel_aa.menus.menu import Extensions, Menu
from channel_aa.menus.routes import Route
from channel_aa.menus.schedules import Schedule
from channel_aa.menus.sounds import Sound, prompt_of
from channel_aa.menus.validation import cross_reference_problems
from channel_aa.problems import ConfigError, Problem
from channel_aa.settings import (
    AsteriskSettings,
    AttendantSettings,
    MetricsSettings,
    RecordsSettings,
    Secret,
    Settings,
    SpeechSettings,
    StatusSettings,
)
from tests.support.config_case import ConfigCase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.config_model import ConfigModel

SAMPLE = Path(__file__).parents[3] / "twistd.conf"
TODAY = date(2026, 11, 28)
SCHEMA = Draft202012Validator(file_schema())
MENU = Menu(prompt=prompt_of("press-1"))


class DefaultTests(ConfigCase):
    def test_defaults_are_those_of_the_documentation(self) -> None:
        settings = Settings()
        self.assertEqual(
            settings.asterisk,
            AsteriskSettings(
                url="http://localhost:8088",
                username="asterisk",
                password=Secret("asterisk"),
                app="channel-aa",
            ),
        )
        self.assertEqual(settings.flow, CallFlow())

    def test_without_a_file_the_defaults_hold(self) -> None:
        self.assertEqual(load(), Settings())

    def test_empty_file_gives_the_defaults(self) -> None:
        self.assertEqual(self.load(""), Settings())

    def test_sample_equals_the_defaults(self) -> None:
        self.assertEqual(load(SAMPLE), Settings())

    def test_sample_shows_every_key(self) -> None:
        text = SAMPLE.read_text("utf-8")
        missing = [key for key in all_keys() if f"{key} = " not in text]
        self.assertEqual(missing, [])

    def test_examples_in_the_sample_are_valid(self) -> None:
        """They are the lines with a '#' and no space behind it."""
        Settings(**whole_file())

    def test_default_menu_is_ten_lines_of_a_file(self) -> None:
        text = """
            [menus.main]
            prompt = ["press-1", "or", "press-2"]
            timeout = 10
            noinput = ["are-you-still-there"]
            nomatch = ["option-is-invalid"]
            [menus.main.options]
            1 = { play = ["you-entered", "digits:{digits}"], then = "repeat" }
            2 = { play = ["you-entered", "digits:{digits}"], then = "repeat" }
            """
        self.assertEqual(self.load(text), Settings())


def all_keys() -> Iterator[str]:
    """Name every key that a file may have."""
    kinds: list[type[ConfigModel]] = [Settings, AsteriskSettings, AttendantSettings]
    kinds += [
        StatusSettings,
        SpeechSettings,
        RecordsSettings,
        MetricsSettings,
        Menu,
        Extensions,
        Sound,
        Route,
        Schedule,
        DialplanPlace,
    ]
    kinds += VERBS.values()
    tables = {"asterisk", "attendant", "menus", "routes", "schedules", "status"}
    tables |= {"metrics", "records", "speech", "texts"}
    for kind in kinds:
        keys = {field.alias or name for name, field in kind.model_fields.items()}
        yield from (keys | kind.file_keys.keys()) - tables - _SHOWN_AS_TABLES


_SHOWN_AS_TABLES = {"actions", "options", "extensions", "action"}


class FileTests(ConfigCase):
    def test_file_wins_over_the_defaults(self) -> None:
        settings = self.load(
            """
            [asterisk]
            url = "https://pbx.example:8089/asterisk"
            app = "reception"
            [attendant]
            entry = "day"
            [menus.day]
            prompt = ["custom/welcome"]
            timeout = 2.5
            options = { "*" = { play = ["thanks"] } }
            """
        )
        self.assertEqual(
            settings,
            Settings(
                asterisk=AsteriskSettings(
                    url="https://pbx.example:8089/asterisk", app="reception"
                ),
                attendant=AttendantSettings(entry="day"),
                menus={
                    "day": Menu(
                        prompt=prompt_of("custom/welcome"),
                        timeout=2.5,
                        options={"*": Play(play=prompt_of("thanks"))},
                    )
                },
            ),
        )
        self.assertEqual(settings.flow.entry, "day")
        self.assertEqual(settings.flow.menus, settings.menus)

    def test_file_of_another_system_s_editor_is_read(self) -> None:
        settings = self.load(b'\xef\xbb\xbf[asterisk]\r\napp = "reception"\r\n')
        self.assertEqual(settings.asterisk.app, "reception")

    def test_numbers_beyond_bounds_are_refused_like_any_other(self) -> None:
        for number in ("1" + "0" * 400, "0x" + "f" * 9000, "1e999", "nan", "true"):
            problems = self.file_problems(
                f"[menus.main]\nprompt = ['x']\ntimeout = {number}"
            )
            self.assertIn("menus.main.timeout", problems[0])


class OverrideTests(ConfigCase):
    def test_overrides_win_over_the_file(self) -> None:
        settings = self.load(
            "[asterisk]\nurl = 'http://a'\napp = 'a'\nusername = 'a'",
            overrides={"url": "http://b:1", "app": "b"},
        )
        self.assertEqual(settings.asterisk.url, "http://b:1")
        self.assertEqual(settings.asterisk.app, "b")
        self.assertEqual(settings.asterisk.username, "a")

    def test_problem_of_an_override_names_the_option(self) -> None:
        overrides = {"url": "x", "username": "a:b", "app": ""}
        problems = self.problems(partial(self.load, "", overrides=overrides))
        self.assertEqual(
            [problem.split(":")[0] for problem in problems],
            ["--url", "--username", "--app"],
        )


class FlowTests(ConfigCase):
    def test_flow_is_made_once(self) -> None:
        settings = Settings()
        self.assertIs(settings.flow, settings.flow)

    def test_flow_of_a_file_is_validated_once(self) -> None:
        with patch.object(
            flow_module, "cross_reference_problems", wraps=cross_reference_problems
        ) as validation:
            settings = self.load("")
            lint(settings.flow, today=TODAY)
            self.assertIs(settings.flow.menus, settings.menus)
        self.assertEqual(validation.call_count, 1)


class ProgramTests(ConfigCase):
    """Settings that a program builds hold to the rules of the file."""

    def test_error_has_all_problems_as_data(self) -> None:
        error = self.assertRaises(
            ConfigError, AsteriskSettings, url="x", username="", app="ok"
        )
        self.assertEqual([each.place for each in error.problems], ["url", "username"])
        self.assertIsInstance(error.problems[0], Problem)
        self.assertIsInstance(error, ValueError)

    def test_changed_copy_is_checked_too(self) -> None:
        change = AsteriskSettings().replace
        problem = self.problem(change, url="x")
        self.assertTrue(problem.startswith("url: "))

    def test_field_of_another_type_is_refused(self) -> None:
        self.assertEqual(
            self.problem(Settings, asterisk="http://localhost"),
            "asterisk: expected a table, found text in quotes",
        )

    def test_settings_are_frozen(self) -> None:
        settings = Settings()
        with self.assertRaises(AttributeError):
            settings.asterisk = AsteriskSettings()  # type: ignore[misc]
        with self.assertRaises(TypeError):
            settings.menus["night"] = MENU  # type: ignore[index]


KEYS = (
    *("asterisk", "url", "username", "password", "app", "attendant", "entry"),
    *("menus", "main", "prompt", "timeout", "noinput", "nomatch", "options"),
    *("1", "a", "A", "*", "play", "actions", "routes", "schedules", "status"),
    *("failure", "extensions", "pattern", "deny", "max_noinput", "open", "closed"),
    *("to", "did", "schedule", "timezone", "holidays", "office", "else", "then"),
    *(*VERBS, "context", "media", "seconds", "barge_in", "language", "holiday"),
)


VALUES = (
    *("press-1", "main", "{digits}", "http://a:8088", "digits:1", "back", "repeat"),
    *("PJSIP/{digits}", "tone:ring", "4XX", "UTC", "mon-fri", "2026-12-25"),
)


def tables() -> st.SearchStrategy[Any]:
    scalars = (
        st.text()
        | st.sampled_from(VALUES)
        | st.integers()
        | st.floats()
        | st.booleans()
        | st.dates()
    )
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=5)
        ),
        max_leaves=20,
    )


def whole_file() -> dict[str, Any]:
    """Give the sample with all its examples; `load` alone reads the password."""
    lines = SAMPLE.read_text("utf-8").splitlines()
    kept = [
        line.removeprefix("#") for line in lines if not line.startswith(("# ", "#:"))
    ]
    document = tomllib.loads("\n".join(kept))
    del document["asterisk"]["password"]
    return document


def as_table(document: object) -> dict[str, Any]:
    """Give a table; anything else stands in one."""
    return document if isinstance(document, dict) else {"menus": document}


class PropertyTests(SynchronousTestCase):
    def judge(self, document: object) -> None:
        try:
            settings = Settings(**as_table(document))
        except ConfigError as error:
            self.assertTrue(error.problems)
            for problem in error.problems:
                self.assertEqual(len(f"{problem}".splitlines()), 1)
                self.assertTrue(f"{problem}".isprintable())
                self.assertLess(len(problem.message), 400)
        else:
            lint(settings.flow, today=TODAY)
            self.assertEqual([*SCHEMA.iter_errors(document)], [])

    @given(tables())
    def test_any_table_is_settings_or_problems_on_one_line_each(
        self, document: object
    ) -> None:
        self.judge(document)

    @given(st.data())
    def test_any_change_of_a_valid_file_is_settings_or_problems(
        self, data: st.DataObject
    ) -> None:
        document = whole_file()
        here: Any = document
        for _ in range(data.draw(st.integers(1, 6))):
            keys = sorted(here) if isinstance(here, dict) else range(len(here))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(here[key], dict | list) or not here[key]:
                break
            here, parent = here[key], here
        else:
            here = parent
        change = data.draw(st.sampled_from(["replace", "remove", "rename"]))
        value = data.draw(tables()) if change == "replace" else here[key]
        if change != "replace":
            del here[key]
        if change == "rename" and isinstance(here, dict):
            here[data.draw(st.text())] = value
        elif change == "replace":
            here[key] = value
        self.judge(document)
