"""Errors of TOML syntax, in plain words: the line, the cause, the remedy."""

import re
import tomllib
from difflib import get_close_matches
from typing import Any, NamedTuple

from channel_aa.problems import quoted

_POSITION = re.compile(
    r"(?P<message>.*) \(at (line (?P<line>\d+), column (?P<at>\d+)|end of document)\)"
)
_UNCLOSED = ("Unclosed", "Unterminated", "Illegal character '\\n'", 'Expected "\'"')
_SEARCHED_LINES = 200  # how far above an error an unclosed value may begin
_TYPOGRAPHIC = "[\u201c-\u201f\u2018-\u201b\u00ab\u00bb]"

_QUOTES = "the quotes are typographic; write straight ones: \" or '"
_OPEN_QUOTE = "the closing quote is missing"
_COMMENT = "a comment begins with '#'"
_TEXT = "text needs quotes: put them around the value"
_TWICE = "this key or table is already defined further up; keep one of them"
_KEY = (
    "a key of other characters than letters, digits, '-' and '_' needs quotes: \"*\""
    " = …"
)
_EQUALS = "'=' is required between a key and its value"
_ONE_LINE = (
    "a table in braces must be on one line; join the lines, or write it as a table of"
    " its own, with its name in brackets and a line for each key"
)
_ESCAPE = (
    "in double quotes, '\\' begins an escape; use '/', or put single quotes around the"
    " text"
)
_MORE = (
    "the line has more than a key and its value; put text in quotes, and each key on"
    " a line of its own"
)
# tomllib's message, the line from the error on, and the cause: the first that fits.
_CAUSES = tuple(
    (re.compile(message), re.compile(rest), cause)
    for message, rest, cause in (
        ("Invalid value|Invalid statement", _TYPOGRAPHIC, _QUOTES),
        ("Invalid statement|Expected newline", ";|//", _COMMENT),
        ("Invalid statement", "[^A-Za-z0-9]", _KEY),
        ("Invalid value", r"(?i)(true|yes|on)\b", "write true in lower case"),
        ("Invalid value", r"(?i)(false|no|off)\b", "write false in lower case"),
        ("Invalid value", "$|#", "the value is missing"),
        ("Invalid value", r"[^\W\d]", _TEXT),
        ("Cannot (overwrite|declare)|Duplicate inline table key", "", _TWICE),
        ("Unclosed array", "[^]]", "a ',' is missing between two values of the list"),
        ("Unclosed array", "", "the list is not closed; add ']' after its last value"),
        ("Unclosed inline table", "[^}]", "a ',' is missing between two keys"),
        ("Unclosed inline table", "", f"{_ONE_LINE}; or a '}}' is missing"),
        ("Invalid initial character for a key part", "$|#", _ONE_LINE),
        ("Invalid initial character", "}", "remove the ',' before '}'"),
        ("Illegal character '.n'|Unterminated|Expected \"'\"", "", _OPEN_QUOTE),
        ("Unescaped", "", _ESCAPE),
        (r"Expected '\]", "", "the ']' at the end of the table's name is missing"),
        ("Expected '='", ":", f"{_EQUALS}, not ':'"),
        ("Expected '='", "$|#", "'=' and a value are missing"),
        ("Expected '='", "", f"{_EQUALS}; a key of several words needs quotes"),
        ("Expected newline", r"(?<=\S)[\w:+-]", _TEXT),
        ("Expected newline", "", _MORE),
    )
)


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a TOML document.

    Raises:
        ValueError: it is not TOML: the end of a sentence that begins with the file's
            name. No value is in it that may be a secret.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
    raise ValueError(f"is not TOML: {_explained(message, text)}")


class _Place(NamedTuple):
    """Lines count from 1; ``first`` is where the value or the table begins."""

    first: int
    line: int
    column: int


def _explained(message: str, text: str) -> str:
    lines = text.replace("\r\n", "\n").split("\n")
    match = _POSITION.fullmatch(message)
    if match is None:
        return message
    message = match["message"]
    place = _place_of(match, lines)
    where, line, at = place.line, lines[place.line - 1], place.column - 1
    position = f"line {place.line}, column {place.column}"
    if message.startswith(_UNCLOSED) and (at >= len(line) or where != place.first):
        where, line = place.first, lines[place.first - 1]
        position, at = f"line {where}", len(line)
    causes = (
        cause
        for pattern, rest, cause in _CAUSES
        if pattern.match(message) and rest.match(line, at)
    )
    cause = next(causes, message)
    if cause == _OPEN_QUOTE and re.search(_TYPOGRAPHIC, line):
        cause = _QUOTES
    return f"{position}: {_shown(line, lines[place.first - 1 : where])}: {cause}"


def _place_of(match: re.Match[str], lines: list[str]) -> _Place:
    """Find where the statement begins that tomllib could not read to its end."""
    line, column = len(lines), len(lines[-1]) + 1
    if match["line"]:
        line, column = min(int(match["line"]), len(lines)), int(match["at"])
    for before in range(line - 1, max(line - _SEARCHED_LINES, 0) - 1, -1):
        try:
            tomllib.loads("\n".join(lines[:before]))
        except tomllib.TOMLDecodeError:
            continue
        return _Place(before + 1, line, column)
    return _Place(line, line, column)


def _shown(line: str, statement: list[str]) -> str:
    """Quote a line, but no value in a statement that may hold a secret."""
    if any(map(_may_be_secret, statement)):
        key = re.match(r"\s*([A-Za-z0-9_.-]+)\s*=", statement[0])
        return f"{quoted(key[1])} = …" if key else "a line with a password"
    return quoted(line.strip())


def _may_be_secret(line: str) -> bool:
    words = re.findall("[a-z]+", line.lower())
    return (
        "password" in line.lower()
        or "@" in line
        or any(
            get_close_matches(word, ["password", "secret"], cutoff=0.7)
            for word in words
        )
    )
