"""The types of the fields of actions, with their rules.

The text of an action goes to Asterisk, in dial strings, in the dialplan and in names of
files: each type allows what is known to be harmless there.
"""

import re
from hashlib import sha256
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WithJsonSchema,
)

from channel_aa.config_errors import type_name
from channel_aa.config_types import (
    Explain,
    Matching,
    OneOf,
    Text,
    printable,
)
from channel_aa.problems import quoted

MAX_LABEL_LENGTH = 40
MAX_VALUE_LENGTH = 1000

TERMINATORS = ("#", "*", "any", "none")
"""The keys that may end a recording; ``none``: no key does."""

STRATEGIES = ("hunt", "ringall")
"""How several phones are rung: one after another, or all at once."""

RECORD_PLACEHOLDERS = ("{channel}", "{caller}", "{date}", "{time}")
"""The placeholders in the name of a recording."""

_MAX_PART = 60
"""The longest part of a recording's name that comes from the call."""

_BRACES = re.compile(r"\{[^{}]*\}")


def one_of(words: tuple[str, ...]) -> OneOf:
    """Allow these words only."""
    listed = ", ".join(map(quoted, words))
    return OneOf(words, f"{{value}} is unknown; allowed are {listed}")


def _check_recording(name: str) -> str:
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
        f"{quoted(name)} is not a valid recording name; it has letters, digits, '-',"
        " '_', '.' and '/' in it, no '..', and no '/' at its beginning or end"
    )


def _check_argument(value: object) -> object:
    if isinstance(value, str | bool | int | float):
        return value
    raise ValueError(
        f"expected text, a number, true or false, found {type_name(value)}"
    )


Label = Annotated[
    Text,
    Field(max_length=MAX_LABEL_LENGTH, pattern='^[^"]*$'),
    AfterValidator(printable),
    Explain(
        f"{{value}} is not a label; it has at most {MAX_LABEL_LENGTH} characters, no"
        " '\"' and no control character"
    ),
]
Endpoint = Annotated[
    str,
    Matching(
        r"[A-Za-z][A-Za-z0-9]*/(\{digits\}|[A-Za-z0-9/@._:+*#-]){1,200}",
        "{value} is not an endpoint; write the technology, '/' and the phone, as in"
        " 'PJSIP/410' or 'PJSIP/{digits}@trunk', of letters, digits and '/@._:+*#-';"
        " write several phones as a list",
    ),
]
OwnCallerId = Annotated[
    str,
    Matching(
        r'([^"<>\\]{0,81}<\+?[0-9*#]{1,40}>|\+?[0-9*#]{1,40})?',
        "{value} is not a caller ID; write a name and a number, as in"
        " 'Acme <+441632960000>', or the number alone, of digits after a '+' or none",
    ),
    AfterValidator(printable),
]
DialplanName = Annotated[
    str,
    Matching(
        "[A-Za-z0-9_.@-]{1,79}",
        "{value} is not a name in Asterisk's dialplan; allowed are letters, digits,"
        " '-', '_', '.' and '@'",
    ),
]
DialplanExtension = Annotated[
    str,
    Matching(
        r"(\{digits\}|[A-Za-z0-9_.+*#-]){1,79}",
        "{value} is not an extension; allowed are letters, digits, '-', '_', '.',"
        " '+', '*', '#' and {digits}",
    ),
]
MusicClass = Annotated[
    str,
    Matching(
        "[A-Za-z0-9_.-]{0,79}",
        "{value} is not a class of music on hold; allowed are letters, digits, '-',"
        " '_' and '.'",
    ),
]
Mailbox = Annotated[
    str,
    Matching(
        r"(\{digits\}|[A-Za-z0-9_.-]){1,60}(@(\{digits\}|[A-Za-z0-9_.-]){1,60})?",
        "{value} is not a mailbox; write it as in '410', '410@default' or '{digits}'",
    ),
]
VariableName = Annotated[
    str,
    Matching(
        r"[A-Za-z_][A-Za-z0-9_]{0,78}(\([A-Za-z0-9_,.-]{0,79}\))?",
        "{value} is not a channel variable; allowed are letters, digits and '_', not"
        " a digit first, or a function such as 'CALLERID(name)'",
    ),
]
VariableValue = Annotated[
    Text,
    Field(max_length=MAX_VALUE_LENGTH),
    AfterValidator(printable),
    Explain(
        f"{{value}}: a channel variable has at most {MAX_VALUE_LENGTH} characters, and"
        " no control character"
    ),
]
RegisteredName = Annotated[
    str,
    Matching(
        "[A-Za-z_][A-Za-z0-9_.-]{0,79}",
        "{value} is not a name of a registered action; allowed are letters, digits,"
        " '-', '_' and '.'",
    ),
]
ArgumentName = Annotated[
    str,
    Matching(
        "[A-Za-z_][A-Za-z0-9_]{0,79}",
        "{value} is not the name of an argument; allowed are letters, digits and '_',"
        " not a digit first",
    ),
]
ArgumentValue = Annotated[
    Annotated[str, Field(strict=True)]
    | Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True)]
    | Annotated[float, Field(strict=True)],
    BeforeValidator(_check_argument),
]
RecordingName = Annotated[
    Text,
    AfterValidator(_check_recording),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(?!/)(?!.*//)(?!.*\.\.)(?!.*/$)"
            r"(\{(channel|caller|date|time)\}|[A-Za-z0-9_./-]){1,100}$",
        }
    ),
]


def harmless(value: str) -> str:
    """Return a part of a file's name that no other value has.

    A dot, which is in each channel's id, becomes an underscore; other characters that
    could mean something in a path become their UTF-8 in hexadecimal: ``=2F``.
    """
    escaped = re.sub(r"[^A-Za-z0-9+.-]", _in_hexadecimal, value).replace(".", "_")
    if len(escaped) > _MAX_PART:
        digest = sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        # No escaped value has this in it.
        return f"{escaped[: _MAX_PART - 34]}=={digest}"
    return escaped or "unknown"


def _in_hexadecimal(character: re.Match[str]) -> str:
    encoded = character[0].encode("utf-8", "surrogatepass")
    return "".join(f"={byte:02X}" for byte in encoded)
