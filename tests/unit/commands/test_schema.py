"""The JSON Schema of the configuration file, held against an independent validator.

That it refuses wrong files is in ``tests/unit/config/test_wrong_files.py``; that it
allows whatever is right, in ``tests/unit/config/test_config.py``.
"""

from __future__ import annotations

import json
import re
import tomllib
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.commands.main import main
from channel_aa.commands.schema import file_schema
from channel_aa.menus.actions import VERBS
from tests.support.printed import printed

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SAMPLES = (ROOT / "twistd.conf", *sorted((ROOT / "examples").glob("*.conf")))
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
VALIDATOR = Draft202012Validator(file_schema())


def files() -> Iterator[tuple[str, str]]:
    """Give every configuration that is shown, and where."""
    for path in SAMPLES:
        yield path.name, path.read_text("utf-8")
    for path in DOCUMENTS:
        for block in re.findall(
            r"```toml\n(.*?)```", path.read_text("utf-8"), re.DOTALL
        ):
            yield path.name, block


def properties(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401
    """Give every key of every table, with its own schema."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        schema = list(schema.values())
    for each in schema if isinstance(schema, list) else ():
        yield from properties(each)


class FileSchemaTests(SynchronousTestCase):
    def test_command_prints_a_schema_of_draft_2020_12(self) -> None:
        code, out, _ = printed(main, ["schema"])
        self.assertEqual(code, 0)
        schema = json.loads(out)
        self.assertEqual(schema, file_schema())
        self.assertIn("2020-12", schema["$schema"])
        Draft202012Validator.check_schema(schema)

    def test_help_shows_how_an_editor_finds_the_schema(self) -> None:
        with self.assertRaises(SystemExit), redirect_stdout(StringIO()) as out:
            main(["schema", "--help"])
        self.assertIn("channel-aa schema >twistd.schema.json", out.getvalue())
        self.assertIn("#:schema ./twistd.schema.json", out.getvalue())

    def test_every_file_that_is_shown_is_valid(self) -> None:
        shown = [*files()]
        self.assertGreater(len(shown), 5)
        for name, text in shown:
            errors = VALIDATOR.iter_errors(tomllib.loads(text))
            self.assertEqual([error.message for error in errors], [], name)

    def test_every_key_has_a_description(self) -> None:
        schema = file_schema()
        for key, each in properties(schema):
            if (
                key in {"schedule", "to", "open", "closed", "holiday"}
                and len(each) == 1
            ):
                continue  # of the rule that joins them
            described = (
                each.get("description")
                or (schema["$defs"][each["$ref"].rpartition("/")[2]]["description"])
            )
            self.assertRegex(described, r"\A[^\n]+\.\Z", key)
            self.assertNotIn("``", described)

    def test_optional_keys_have_the_default_as_it_is_written(self) -> None:
        definitions = file_schema()["$defs"]
        menu = definitions["Menu"]["properties"]
        self.assertEqual(menu["timeout"]["default"], 10)
        self.assertEqual(menu["nomatch"]["default"], [["option-is-invalid"]])
        self.assertEqual(menu["failure"]["default"], "hangup")
        self.assertEqual(definitions["Dial"]["properties"]["ring"]["default"], 20)
        asterisk = definitions["AsteriskSettings"]["properties"]
        self.assertEqual(asterisk["app"]["default"], "channel-aa")

    def test_no_definition_is_unused(self) -> None:
        schema = file_schema()
        text = json.dumps(schema)
        for name in schema["$defs"]:
            self.assertIn(f'"#/$defs/{name}"', text)

    def test_password_stands_in_one_place(self) -> None:
        asterisk = {"password": "x", "password_file": "y"}
        self.assertFalse(VALIDATOR.is_valid({"asterisk": asterisk}))
        for key in asterisk:
            self.assertTrue(VALIDATOR.is_valid({"asterisk": {key: "x"}}))

    def test_action_has_exactly_one_verb(self) -> None:
        def is_valid(action: object) -> bool:
            menu = {"prompt": ["x"], "options": {"1": action}}
            return bool(VALIDATOR.is_valid({"menus": {"main": menu}}))

        for action in ("back", "sales", {"menu": "sales"}, {"dial": "PJSIP/1"}):
            self.assertTrue(is_valid(action), action)
        for wrong in ({}, {"then": "back"}, {"menu": "a", "queue": "b"}, 5, "a b"):
            self.assertFalse(is_valid(wrong), wrong)
        self.assertEqual(len(file_schema()["$defs"]["Action"]["oneOf"]), 1 + len(VERBS))
