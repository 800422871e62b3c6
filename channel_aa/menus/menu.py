"""A menu: what a caller is offered, and what the keys do.

Frozen, checked when it is built, and pure.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated

from msgspec import field

from channel_aa.checked import (
    Checked,
    Problem,
    Reader,
    converted,
    one_or_list,
    quoted,
)
from channel_aa.menus.action_rules import language_or_none
from channel_aa.menus.actions import (
    HANGUP,
    REPEAT,
    Action,
    AnyAction,
    Play,
    read_action,
)
from channel_aa.menus.digits import KEYS, TERMINATOR, Pattern
from channel_aa.menus.sounds import (
    MAX_SECONDS,
    PlainSound,
    Prompt,
    prompt_of,
    some_sounds,
)

MAX_OPTION_DIGITS = 20
"""The most keys that an option may have."""

MAX_LIMIT = 100
"""The highest limit of no-inputs or no-matches."""

PlainPrompt = tuple[PlainSound, ...]


def option_keys(keys: str) -> str:
    """Allow keys of a telephone, with A to D as Asterisk reports them: a rule."""
    upper = keys.upper()
    if not 0 < len(upper) <= MAX_OPTION_DIGITS or not set(upper) <= set(KEYS):
        raise ValueError(
            f"{quoted(keys)} is no option's keys; allowed are 0 to 9, '*', '#' and A to"
            f" D, at most {MAX_OPTION_DIGITS} of them"
        )
    if TERMINATOR in upper and upper != TERMINATOR:
        raise ValueError(
            f"{quoted(keys)}: '#' ends what is entered, so it can be an option alone,"
            " but not be a part of one"
        )
    return upper


def extension_pattern(text: str) -> str:
    """Allow a pattern of extensions, without the dialplan's ``_``: a rule."""
    upper = text.upper()
    Pattern(upper)
    return upper.removeprefix("_")


def wait_seconds(seconds: float) -> float:
    """Allow a time that a caller can wait through: a rule."""
    if 0 < seconds <= MAX_SECONDS:
        return seconds
    raise ValueError(
        f"{seconds:g} is out of range; allowed are seconds, more than 0 and at"
        f" most {MAX_SECONDS}"
    )


def limit(times: int) -> int:
    """Allow how often something may happen: a rule."""
    if 0 <= times <= MAX_LIMIT:
        return times
    raise ValueError(
        f"{quoted(times)} is out of range; allowed are 0 (no limit) to {MAX_LIMIT}"
    )


def no_repeat(action: Action) -> Action:
    """Refuse to repeat for ever what nobody listens to: a rule."""
    if action == REPEAT:
        raise ValueError(
            "'repeat' would go on for ever; name a menu or an action, or 'hangup'"
        )
    return action


def some_prompts(prompts: tuple[Prompt, ...]) -> tuple[Prompt, ...]:
    """Allow no empty list of prompts, and none without a sound: a rule."""
    for each in prompts or ((),):
        some_sounds(each)
    return prompts


def read_prompts(
    value: object, place: str, problems: list[Problem]
) -> tuple[Prompt, ...] | None:
    """Read a prompt, or a list of prompts of which each time has its own."""
    if isinstance(value, list | tuple) and any(
        isinstance(each, list | tuple) for each in value
    ):
        prompts: tuple[Prompt, ...] | None = converted(
            value, tuple[PlainPrompt, ...], place, problems
        )
        return prompts
    single: Prompt | None = converted(value, PlainPrompt, place, problems)
    return None if single is None else (single,)


Prompts = Annotated[tuple[PlainPrompt, ...], Reader(read_prompts), some_prompts]


class Extensions(Checked, frozen=True, kw_only=True):
    """Numbers that callers may dial in a menu, beside its options.

    Attributes:
        pattern: patterns of the numbers, in Asterisk's letters: ``4XX``.
        deny: patterns of those that are not.
        action: what is done; ``{digits}`` in it is the number.
    """

    pattern: Annotated[tuple[str, ...], one_or_list(Annotated[str, extension_pattern])]
    deny: Annotated[
        tuple[str, ...], one_or_list(Annotated[str, extension_pattern])
    ] = ()
    action: AnyAction


_OWN_KEYS = ("pattern", "deny")


def read_extensions(
    value: object, place: str, problems: list[Problem]
) -> Extensions | None:
    """Read extensions, whose action stands in their own table."""
    before = len(problems)
    if isinstance(value, Mapping):
        own = {
            key: each
            for key, each in value.items()
            if key in _OWN_KEYS or get_close_matches(str(key).lower(), _OWN_KEYS)
        }
        rest = {key: each for key, each in value.items() if key not in own}
        action = read_action(rest, place, problems)
        value = {**own, "action": action or HANGUP}
    extensions: Extensions | None = converted(value, Extensions, place, problems)
    return extensions if len(problems) == before else None


AnyExtensions = Annotated[Extensions, Reader(read_extensions)]


class Menu(Checked, frozen=True, kw_only=True):
    """What a caller hears, and what the keys do.

    Attributes:
        greeting: heard once, on entering.
        prompt: heard then, and again after whatever was not understood.
        timeout: how many seconds of silence after the prompt are a no-input.
        interdigit_timeout: how many seconds without a further key end a number.
        noinput: what is heard at the first no-input of a visit, at the second and so
            on; the last is heard again and again.
        nomatch: what is heard after keys that mean nothing, likewise.
        max_noinput: at which no-input of a visit `failure` is done; 0: at none.
        max_nomatch: at which no-match of a visit `failure` is done; 0: at none.
        failure: what is done at a limit.
        language: the language of the sounds from here on; empty: as before.
        options: what is done for which keys. A to D are upper-case.
        extensions: numbers that may be dialled; ``None``: none.
    """

    greeting: PlainPrompt = ()
    prompt: Annotated[PlainPrompt, some_sounds]
    timeout: Annotated[float, wait_seconds] = 10.0
    interdigit_timeout: Annotated[float, wait_seconds] = 2.0
    noinput: Prompts = (prompt_of("are-you-still-there"),)
    nomatch: Prompts = (prompt_of("option-is-invalid"),)
    max_noinput: Annotated[int, limit] = 0
    max_nomatch: Annotated[int, limit] = 0
    failure: Annotated[AnyAction, no_repeat] = HANGUP
    language: Annotated[str, language_or_none] = ""
    options: Mapping[Annotated[str, option_keys], AnyAction] = field(
        default_factory=dict
    )
    extensions: AnyExtensions | None = None


def default_menu() -> Menu:
    """Give the menu for those who configure none: 1 and 2 say what was pressed."""
    say_digits = Play(play=prompt_of("you-entered", "digits:{digits}"))
    return Menu(
        prompt=prompt_of("press-1", "or", "press-2"),
        options={"1": say_digits, "2": say_digits},
    )
