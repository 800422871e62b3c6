"""Conceals the credentials in what a server sends: it may send them back.

Error pages quote requests, and a malicious server knows the password from the first
one. What it sends is concealed wherever it is shown: in the log, errors, the status,
and by ``channel-aa check``.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CONCEALED = "<secret>"
"""What stands for the credentials."""

MAX_TEXT = 4096
"""How many characters of a text are searched; the rest is cut off. No log line has as
many."""

_URL_SAFE = {"+": "-", "/": "_"}  # RFC 4648, section 5
_PADDING = "=|%3[dD]"


def concealer(username: str, password: str) -> Callable[[str], str]:
    """Make a function that removes the credentials from a text.

    They are found as such, in base64 and as HTTP's basic authentication (RFC 7617),
    and each of these also if any of its characters are encoded: with ``%``, as in a
    URL, or with a backslash, as in JSON, or as in HTML. The function cuts a text that
    is longer than `MAX_TEXT`.
    """
    credentials = f"{username}:{password}"
    secrets = [_in_base64(credentials)]
    if password:
        secrets += [_in_base64(password), "".join(map(_encoded, password))]
    pattern = re.compile("|".join(secrets))
    # At most twelve characters for each one of the longest: \ud83d\ude00
    longest = 12 * len(b64encode(credentials.encode()))

    def conceal(text: str) -> str:
        shown = pattern.sub(CONCEALED, text[:MAX_TEXT])
        # The cut may have left the beginning of a secret.
        return shown if len(text) <= MAX_TEXT else shown[:-longest]

    return conceal


def _in_base64(text: str) -> str:
    encoded = b64encode(text.encode()).decode("ascii").rstrip("=")
    characters = (_encoded(each, _URL_SAFE.get(each, each)) for each in encoded)
    return f"{''.join(characters)}(?:{_PADDING})*"


def _encoded(character: str, *others: str) -> str:
    """Return a regular expression for a character and its encodings."""
    percent = "".join(f"%{byte:02x}" for byte in character.encode())
    utf_16 = json.dumps(character)[1:-1]  # JSON's, if it is not ASCII
    if character.isascii():
        utf_16 = f"\\u{ord(character):04x}"
    any_case = "|".join(map(re.escape, (percent, utf_16)))
    forms = {character, *others, f"\\{character}", html.escape(character)}
    if character == " ":
        forms.add("+")
    if character == "'":
        forms.add("&#39;")
    return f"(?:{'|'.join(map(re.escape, sorted(forms)))}|(?i:{any_case}))"
