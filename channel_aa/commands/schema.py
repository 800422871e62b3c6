"""``channel-aa schema``: the JSON Schema of the configuration file, for editors."""

from __future__ import annotations

import json
from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from channel_aa.config_model import ConfigModel
from channel_aa.menus.actions import ANY_ACTION, KEYWORDS, VERBS, Keyword, Named
from channel_aa.menus.sounds import Sound
from channel_aa.settings import AsteriskSettings, Secret, Settings

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from pydantic_core import core_schema

    from channel_aa.commands.cli import Subparsers

_REFERENCE = "#/$defs/{model}"
_UNUSED = {"Hours", "Holiday"}  # text in a file
_EPILOG = """\
An editor that supports schemas for TOML (taplo, Even Better TOML) completes and checks
a file whose first line names the schema: #:schema ./twistd.schema.json
"channel-aa check" finds more: undefined names, unreadable files, loops.

example:
  channel-aa schema >twistd.schema.json
"""


def add(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "schema",
        help="print the JSON Schema of the configuration file, for editors",
        description=(
            "Prints the JSON Schema (draft 2020-12) of the configuration file: every"
            " key with its meaning, its allowed values and its default."
        ),
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)


def run(_arguments: Namespace) -> int:
    """Print the schema."""
    print(json.dumps(file_schema(), indent=2, ensure_ascii=False))
    return 0


def file_schema() -> dict[str, Any]:
    """Make the JSON Schema of the configuration file."""
    kinds: list[type[ConfigModel]] = [Settings, *VERBS.values()]
    _, schema = models_json_schema(
        [(kind, "validation") for kind in kinds],
        ref_template=_REFERENCE,
        schema_generator=_Generator,
    )
    definitions = schema["$defs"]
    asterisk = definitions[AsteriskSettings.__name__]
    for key, description in AsteriskSettings.file_keys.items():
        asterisk["properties"][key] = {"type": "string", "description": description}
    asterisk["not"] = {"required": ["password", "password_file"]}
    verbs = {verb: definitions[kind.__name__] for verb, kind in VERBS.items()}
    extensions = definitions["Extensions"]
    definitions["Extensions"] = _with_actions(extensions, verbs)
    definitions["Action"] = _action_schema()
    whole: dict[str, Any] = _in_plain_words(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **definitions.pop(Settings.__name__),
            "title": "The configuration file of channel-aa",
            "$defs": {
                name: each for name, each in definitions.items() if name not in _UNUSED
            },
        }
    )
    return whole


def _action_schema() -> dict[str, Any]:
    name = Named.model_json_schema()["properties"]["name"]["pattern"]
    words = {
        "type": "string",
        "description": "A word that is an action, or the name of a menu or of an entry"
        " of [actions].",
        "anyOf": [{"enum": [*KEYWORDS]}, {"pattern": name}],
    }
    kinds = (kind.__name__ for kind in VERBS.values())
    tables = [{"$ref": _REFERENCE.format(model=kind)} for kind in kinds]
    return {
        "description": "An action: a word, or a table with one verb.",
        "oneOf": [words, *tables],
    }


def _with_actions(
    extensions: dict[str, Any], verbs: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """Put the keys of each action beside the keys of a menu's extensions."""
    own = {**extensions["properties"]}
    del own["action"]
    return {
        "description": extensions["description"],
        "oneOf": [
            {
                **schema,
                "properties": {**own, **schema["properties"]},
                "required": ["pattern", verb],
            }
            for verb, schema in verbs.items()
        ],
    }


def _in_plain_words(schema: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Write descriptions on one line; put the schema of actions in its places."""
    if isinstance(schema, list):
        return [*map(_in_plain_words, schema)]
    if not isinstance(schema, dict):
        return schema
    if ANY_ACTION.items() <= schema.items():
        schema = {**schema, "$ref": _REFERENCE.format(model="Action")}
        del schema["title"]
    described = schema.get("description")
    if isinstance(described, str):
        text = " ".join(described.replace("``", "`").split())
        schema = {**schema, "description": text}
    return {key: _in_plain_words(each) for key, each in schema.items()}


class _Generator(GenerateJsonSchema):
    """Describes what is written in a file."""

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401 - pydantic's
        return _as_written(dft)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])  # TOML has no null

    def dict_schema(self, schema: core_schema.DictSchema) -> dict[str, Any]:
        return {
            "type": "object",
            "propertyNames": self.generate_inner(schema["keys_schema"]),
            "additionalProperties": self.generate_inner(schema["values_schema"]),
        }

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002
        return False


def _as_written(value: object) -> object:
    """Give a default as a file has it."""
    match value:
        case Keyword():
            return value.word
        case Secret():
            return value.get_secret_value()  # of the sample: it protects nothing
        case Sound():
            return value.media[0].removeprefix("sound:")
        case tuple():
            return [*map(_as_written, value)]
        case ConfigModel():  # a table whose keys have their own defaults
            return {}
    return value
