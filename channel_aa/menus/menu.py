"""Menus: prompts, options, extensions and limits; frozen and pure."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from channel_aa.config_errors import moved, refusal
from channel_aa.config_model import ConfigModel
from channel_aa.config_types import Between, Flag, FrozenMapping, OneOrMany, Text
from channel_aa.dialogue.digits import KEYS, TERMINATOR, DeniedPattern, Pattern
from channel_aa.menus.actions import HANGUP, REPEAT, Action, Play
from channel_aa.menus.sounds import (
    NAMES_NO_SOUND,
    LanguageOrNone,
    PlainSound,
    Seconds,
    prompt_of,
)
from channel_aa.problems import Problem, path_of, quoted

__all__ = [
    "Extensions",
    "Menu",
    "default_menu",
]

MAX_OPTION_DIGITS = 20
"""The most keys that an option may have."""

MAX_LIMIT = 100
"""The highest limit of no-inputs or no-matches."""


def _check_option_keys(keys: str) -> str:
    upper = keys.upper()
    if not 0 < len(upper) <= MAX_OPTION_DIGITS or not set(upper) <= set(KEYS):
        raise ValueError(
            f"{quoted(keys)} is not a valid option; allowed are keys 0 to 9, '*', '#'"
            f" and A to D, at most {MAX_OPTION_DIGITS} of them"
        )
    if TERMINATOR in upper and upper != TERMINATOR:
        raise ValueError(
            f"{quoted(keys)}: '#' ends the input, so it can be an option of its own,"
            " but not a part of one"
        )
    return upper


def _check_pattern(text: str) -> str:
    upper = text.upper()
    Pattern(upper)
    return upper.removeprefix("_")


def _refuse_repeat(action: Action) -> Action:
    if action == REPEAT:
        raise ValueError("'repeat' would loop; set a menu, an action, or 'hangup'")
    return action


def _refuse_doubles(
    options: object, handler: ValidatorFunctionWrapHandler
) -> Mapping[str, Action]:
    """Refuse two options whose keys differ in upper and lower case only."""
    kept: Mapping[str, Action] = handler(options)
    if isinstance(options, Mapping) and len(kept) < len(options):
        found: set[str] = set()
        for keys in options:
            if keys.upper() in found:
                message = f"{quoted(keys.upper())} is defined twice; remove one of them"
                raise refusal([Problem(path_of("", keys), message)])
            found.add(keys.upper())
    return kept


def _check_denied(text: str) -> str:
    upper = text.upper()
    DeniedPattern(upper)
    return upper.removeprefix("_")


class _OneOrManyPrompts(OneOrMany):
    """Take a prompt like a list of one prompt."""

    def _is_many(self, value: object) -> bool:
        return not isinstance(value, list | tuple) or any(
            isinstance(each, list | tuple) for each in value
        )


OptionKeys = Annotated[
    Text,
    AfterValidator(_check_option_keys),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^([0-9*A-Da-d]{{1,{MAX_OPTION_DIGITS}}}|{TERMINATOR})$",
        }
    ),
]
ExtensionPattern = Annotated[
    Text,
    AfterValidator(_check_pattern),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^_?(([0-9*#A-Da-dXxZzNn]|\[[0-9*#A-Da-d-]+\])+\.?|\.)$",
        }
    ),
]
DeniedNumber = Annotated[
    Text,
    AfterValidator(_check_denied),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^_?\+?(([0-9*#A-Da-dXxZzNn]|\[[0-9*#A-Da-d-]+\])+\.?|\.)$",
        }
    ),
]
PlainPrompt = Annotated[tuple[PlainSound, ...], Field(min_length=1), NAMES_NO_SOUND]
Prompts = Annotated[
    tuple[PlainPrompt, ...],
    Field(min_length=1),
    NAMES_NO_SOUND,
    _OneOrManyPrompts(),
]
Limit = Annotated[int, Between(0, MAX_LIMIT, zero="no limit")]

_OWN_KEYS = ("pattern", "deny")


class Extensions(ConfigModel, frozen=True):
    """Numbers that callers may dial in a menu, in addition to its options.

    Their action is in the same table: ``{ pattern = "4XX", dial = "PJSIP/{digits}" }``.
    """

    pattern: Annotated[tuple[ExtensionPattern, ...], OneOrMany()]
    """Patterns of the numbers, as in Asterisk's dialplan but without ``_``: ``4XX``."""

    deny: Annotated[tuple[ExtensionPattern, ...], OneOrMany()] = ()
    """Patterns of the numbers that callers may not dial."""

    action: Action
    """The action for these numbers; ``{digits}`` in it is the number."""

    @model_validator(mode="wrap")
    @classmethod
    def _read_table(
        cls, value: object, handler: ModelWrapValidatorHandler[Self]
    ) -> Self:
        if not isinstance(value, Mapping) or isinstance(value.get("action"), Action):
            return handler(value)
        own = {
            key: each
            for key, each in value.items()
            if key in _OWN_KEYS or get_close_matches(str(key).lower(), _OWN_KEYS)
        }
        action = {key: each for key, each in value.items() if key not in own}
        with moved(lambda loc: loc[1:] if loc[:1] == ("action",) else loc):
            return handler({**own, "action": action})


class Menu(ConfigModel, frozen=True):
    """A menu: what callers hear, and what the keys do."""

    greeting: tuple[PlainSound, ...] = ()
    """The sounds that a caller hears once, on entering the menu."""

    prompt: PlainPrompt
    """The sounds after the greeting, and again after a no-input or a no-match. A key
    interrupts them."""

    timeout: Seconds = 10.0
    """How many seconds without a key, after the prompt, count as a no-input."""

    interdigit_timeout: Seconds = 2.0
    """How many seconds without a further key end a number, right or wrong."""

    noinput: Prompts = (prompt_of("are-you-still-there"),)
    """The prompt after a no-input. A list of prompts is for the first since the menu
    was entered, the second and so on; the last prompt is repeated."""

    nomatch: Prompts = (prompt_of("option-is-invalid"),)
    """The prompt after a no-match: keys that are no option and no extension. It may be
    a list of prompts, as ``noinput``."""

    max_noinput: Limit = 0
    """After how many no-inputs in the menu ``failure`` follows; 0: no limit."""

    max_nomatch: Limit = 0
    """After how many no-matches in the menu ``failure`` follows; 0: no limit."""

    failure: Annotated[
        Action,
        AfterValidator(_refuse_repeat),
        Field(json_schema_extra={"not": {"const": "repeat"}}),
    ] = HANGUP
    """The action at ``max_noinput`` or ``max_nomatch``."""

    language: LanguageOrNone = ""
    """The language of the sounds from this menu on: ``en``, ``fr``. Empty: no
    change."""

    secret: Flag = False
    """Whether all that callers type here is secret, such as a PIN: the keys are masked
    in the log, in records, in the diagram of ``channel-aa graph`` and by ``simulate``.
    A single option or extension can be ``secret``, too."""

    options: Annotated[
        FrozenMapping[OptionKeys, Action], WrapValidator(_refuse_doubles)
    ] = Field(default_factory=dict, validate_default=True)
    """The actions by their keys: 0 to 9, ``*``, ``#`` and A to D, one or several."""

    extensions: Extensions | None = None
    """Numbers that callers may dial; default: none."""


def default_menu() -> Menu:
    """Make the menu of a configuration without menus: 1 and 2 say what was pressed."""
    say_digits = Play(play=prompt_of("you-entered", "digits:{digits}"))
    return Menu(
        prompt=prompt_of("press-1", "or", "press-2"),
        options={"1": say_digits, "2": say_digits},
    )
