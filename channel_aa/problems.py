"""Errors of a configuration: place and message, and helpers to write messages."""

import re
import reprlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

__all__ = [
    "PIP_INSTALL",
    "ConfigError",
    "Problem",
]

PIP_INSTALL = f"{sys.executable} -m pip install"
"""The command that installs packages where this program finds them."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where.

    Attributes:
        place: a dotted path (``menus.main.prompt[0]``), after the name of the file
            where there is one; or the name of an option or environment variable.
        message: what was found there, and what is allowed.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class ConfigError(ValueError):
    """A configuration that cannot be used.

    Attributes:
        problems: everything that is wrong. The error's text has one line for each.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def unknown_name(name: str, known: Iterable[str], *, kind: str) -> str:
    """Say that nothing has a name, and which name may be meant.

    Args:
        name: the name that was found.
        known: the names that exist.
        kind: what they are names of: ``"menu"``.
    """
    names = list(map(str, known))
    near = get_close_matches(name, names, n=1)
    if near:
        return f"no {kind} is called {quoted(name)}; did you mean {quoted(near[0])}?"
    listed = ", ".join(map(quoted, names)) or "none"
    return f"no {kind} is called {quoted(name)}; there are: {listed}"


def quoted(value: object) -> str:
    """Quote a value for a message: short, and always on one line."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python writes out no number of thousands of digits
        return "a number with too many digits"


def path_of(place: str, key: object) -> str:
    """Give the dotted path of a key of a table, quoted where TOML wants quotes."""
    is_bare = isinstance(key, str) and _BARE_KEY.fullmatch(key)
    name = str(key) if is_bare else quoted(key)
    return f"{place}.{name}" if place else name
