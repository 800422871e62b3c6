"""What may be written in an action: a rule for each kind of text and number.

The text goes to Asterisk, in dial strings, in the dialplan and in names of files:
each rule allows what is known to be harmless there.
"""

import re
from collections.abc import Callable

from channel_aa.checked import quoted
from channel_aa.menus.sounds import DIGITS

MAX_RING_SECONDS = 300
MAX_RECORD_SECONDS = 3600
MAX_SILENCE_SECONDS = 60
MAX_RUN_SECONDS = 60
MAX_ENDPOINTS = 20
MAX_LABEL_LENGTH = 40
MAX_VALUE_LENGTH = 1000
MAX_PRIORITY = 1_000_000

TERMINATORS = ("#", "*", "any", "none")
"""What may end a recording; ``none``: no key does."""

STRATEGIES = ("hunt", "ringall")
"""How several phones are rung: one after another, or all at once."""

RECORD_PLACEHOLDERS = ("{channel}", "{caller}", "{date}", "{time}")
"""What may stand in the name of a recording."""

_BRACES = re.compile(r"\{[^{}]*\}")


def _matching(
    pattern: str, message: str, *, with_digits: bool = False
) -> Callable[[str], str]:
    rule = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        plain = text.replace(DIGITS, "0") if with_digits else text
        if rule.fullmatch(plain):
            return text
        raise ValueError(f"{quoted(text)} {message}")

    return check


def _within(least: int, most: int, unit: str) -> Callable[[float], float]:
    def check(number: float) -> float:
        if least <= number <= most:
            return number
        raise ValueError(
            f"{quoted(number)} is out of range; allowed are {least} to {most}{unit}"
        )

    return check


endpoint = _matching(
    r"[A-Za-z][A-Za-z0-9]*/[A-Za-z0-9/@._:+*#-]{1,200}",
    "is no endpoint; write the technology, '/' and the phone, as in 'PJSIP/410' or"
    f" 'PJSIP/{DIGITS}@trunk', of letters, digits and '/@._:+*#-'; several phones"
    " stand in a list",
    with_digits=True,
)
dialplan_name = _matching(
    r"[A-Za-z0-9_.@-]{1,79}",
    "is no name that Asterisk's dialplan can hold; allowed are letters, digits, '-',"
    " '_', '.' and '@'",
)
music_class = _matching(
    r"[A-Za-z0-9_.-]{0,79}",
    "is no class of music on hold; allowed are letters, digits, '-', '_' and '.'",
)
dialplan_extension = _matching(
    r"[A-Za-z0-9_.+*#-]{1,79}",
    "is no extension; allowed are letters, digits, '-', '_', '.', '+', '*', '#' and"
    f" {DIGITS}",
    with_digits=True,
)
mailbox = _matching(
    r"[A-Za-z0-9_.-]{1,60}(@[A-Za-z0-9_.-]{1,60})?",
    f"is no mailbox; write it as in '410', '410@default' or '{DIGITS}'",
    with_digits=True,
)
channel_variable = _matching(
    r"[A-Za-z_][A-Za-z0-9_]{0,78}(\([A-Za-z0-9_,.-]{0,79}\))?",
    "is no channel variable; allowed are letters, digits and '_', not a digit first,"
    " or a function such as 'CALLERID(name)'",
)
language_code = _matching(
    r"[A-Za-z][A-Za-z0-9_-]{1,39}",
    "is no language of Asterisk's sounds; write it as in 'en' or 'en_GB'",
)
application_name = _matching(
    r"[A-Za-z_][A-Za-z0-9_.-]{0,79}",
    "is no name of a registered action; allowed are letters, digits, '-', '_' and '.'",
)
ring_seconds = _within(1, MAX_RING_SECONDS, " seconds")
take_seconds = _within(1, MAX_RECORD_SECONDS, " seconds")
silence_seconds = _within(
    0, MAX_SILENCE_SECONDS, " seconds; 0: silence does not end it"
)
run_seconds = _within(1, MAX_RUN_SECONDS, " seconds")
reachable_priority = _within(1, MAX_PRIORITY, "")


def some_endpoints(endpoints: tuple[str, ...]) -> tuple[str, ...]:
    """Allow at least one phone, and no more than can be rung at once: a rule."""
    if 0 < len(endpoints) <= MAX_ENDPOINTS:
        return endpoints
    raise ValueError(f"names {len(endpoints)} phones; allowed are 1 to {MAX_ENDPOINTS}")


def one_of(*allowed: str) -> Callable[[str], str]:
    """Allow one of these words: a rule."""

    def check(word: str) -> str:
        if word in allowed:
            return word
        raise ValueError(
            f"{quoted(word)} is unknown; allowed are {', '.join(map(quoted, allowed))}"
        )

    return check


def language_or_none(language: str) -> str:
    """Allow a language, or the one that the call has: a rule."""
    return language and language_code(language)


strategy_name = one_of(*STRATEGIES)
terminator_key = one_of(*TERMINATORS)


def label_text(label: str) -> str:
    """Allow what the display of a phone can show: a rule."""
    if len(label) <= MAX_LABEL_LENGTH and label.isprintable() and '"' not in label:
        return label
    raise ValueError(
        f"{quoted(label)} is no label; it has at most {MAX_LABEL_LENGTH} characters,"
        " no '\"' and no control character"
    )


def variable_value(value: str) -> str:
    """Allow what a channel variable can hold: a rule."""
    if len(value) <= MAX_VALUE_LENGTH and value.isprintable():
        return value
    raise ValueError(
        f"{quoted(value)}: a channel variable has at most {MAX_VALUE_LENGTH}"
        " characters, and no control character"
    )


def record_template(name: str) -> str:
    """Allow a name that stays within Asterisk's folder of recordings: a rule."""
    for found in _BRACES.findall(name):
        if found not in RECORD_PLACEHOLDERS:
            raise ValueError(
                f"{quoted(name)}: {quoted(found)} is unknown; allowed in braces are"
                f" {', '.join(RECORD_PLACEHOLDERS)}"
            )
    plain = _BRACES.sub("0", name)
    if ".." not in plain and re.fullmatch(
        r"(?!.*//)[A-Za-z0-9_.-][A-Za-z0-9_./-]{0,99}(?<!/)", plain
    ):
        return name
    raise ValueError(
        f"{quoted(name)} is no name of a recording; it has letters, digits, '-', '_',"
        " '.' and '/' in it, no '..', and begins and ends with none of '/'"
    )
