"""Match the keys that a caller presses with options, extensions and the terminator.

Pure: a `DigitMap` says that the keys match, that nothing can match any more, or to wait
for more keys. When the time between two keys is up, it is asked again with ``is_over``.

Where an entry may have several keys, keys that match nothing are a wrong number, and
the keys that follow belong to it: 4999 is one no-match, and its last key no option.
Asterisk's own `BackGround` and `WaitExten` end the entry at the first key that matches
nothing, and take the rest for the next one.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYS = "0123456789*#ABCD"
"""The keys of a telephone (ITU-T Q.23), as Asterisk reports them."""

TERMINATOR = "#"
"""Ends what is being entered, in a menu that has no other use for it."""

MAX_DIGITS = 32
"""The longest number that a pattern with ``.`` takes, and the longest wrong one."""

_DIGITS = frozenset("0123456789")
_LETTERS = {"X": _DIGITS, "Z": _DIGITS - {"0"}, "N": _DIGITS - {"0", "1"}}
_PART = re.compile(r"\[(?P<set>[^\]]*)\]|(?P<key>.)", re.DOTALL)
_RANGE = re.compile(r"(?P<first>[0-9])-(?P<last>[0-9])|(?P<key>[0-9*#A-D])")


class Pattern:
    """A pattern of numbers, in the letters of Asterisk's dialplan.

    ``X`` is 0 to 9, ``Z`` 1 to 9, ``N`` 2 to 9, ``[1-57]`` one of these; ``.``, at the
    end only, is one or more of 0 to 9, up to `MAX_DIGITS` in all. Every other key of
    a telephone is itself. A ``_`` in front, as the dialplan writes it, may be there.

    Raises:
        ValueError: the text is no pattern; the message says why.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        body = text.removeprefix("_")
        self._is_open = body.endswith(".")
        if self._is_open:
            body = body[:-1]
        self._parts = [_keys_of(match, text) for match in _PART.finditer(body)]
        if self._is_open:
            self._parts.append(_DIGITS)
        if not self._parts:
            raise ValueError("the pattern is empty")
        if len(self._parts) > MAX_DIGITS:
            raise ValueError(f"a pattern has at most {MAX_DIGITS} digits")

    def __repr__(self) -> str:
        return f"<Pattern {self.text}>"

    @property
    def keys(self) -> frozenset[str]:
        """All keys that are in a number of this pattern."""
        return frozenset().union(*self._parts)

    @property
    def free_keys(self) -> int:
        """How many keys of a number the caller chooses; `MAX_DIGITS` after ``.``."""
        if self._is_open:
            return MAX_DIGITS
        return sum(len(part) > 1 for part in self._parts)

    def example(self, beginning: str, *, length: int) -> str:
        """Return a number of this pattern that begins with these keys.

        Args:
            beginning: the first keys.
            length: how many keys it has, if the pattern leaves that open.

        Returns:
            Empty if no number of the pattern begins with them.
        """
        parts = self._parts
        if self._is_open:
            parts = [*parts, *[_DIGITS] * (length - len(parts))]
        keys = beginning[: len(parts)]
        if keys != beginning or not self._begins(keys):
            return ""
        for index, part in enumerate(parts[len(keys) :], start=1):
            key = str(index % 10)
            keys += key if key in part else min(part)
        return keys

    def matches(self, keys: str) -> bool:
        """Whether the keys are a complete number of the pattern."""
        wanted = len(self._parts)
        return self._begins(keys) and (
            wanted <= len(keys) <= MAX_DIGITS if self._is_open else len(keys) == wanted
        )

    def may_grow(self, keys: str) -> bool:
        """Whether more keys may make a number, or a longer one, of these."""
        most = MAX_DIGITS if self._is_open else len(self._parts)
        return len(keys) < most and self._begins(keys)

    def _begins(self, keys: str) -> bool:
        last = self._parts[-1]
        return all(
            key in (self._parts[index] if index < len(self._parts) else last)
            for index, key in enumerate(keys)
        )


def number_patterns(min_digits: int, max_digits: int) -> list[str]:
    """Return the patterns of all numbers with so many digits.

    Raises:
        ValueError: there are no such numbers, or they are longer than `MAX_DIGITS`.
    """
    if not 1 <= min_digits <= max_digits <= MAX_DIGITS:
        raise ValueError(
            f"numbers of {min_digits} to {max_digits} digits; allowed are 1 to"
            f" {MAX_DIGITS}, the smaller number first"
        )
    return ["X" * count for count in range(min_digits, max_digits + 1)]


class DeniedPattern(Pattern):
    """A pattern of numbers that must not be dialled.

    It differs from `Pattern`, so that it cannot be evaded: it may begin with ``+``, and
    ``.`` is one or more of any keys, however many.
    """

    def __init__(self, text: str) -> None:
        body = text.removeprefix("_")
        self._prefix = "+" if body.startswith("+") else ""
        super().__init__(body.removeprefix("+"))
        self.text = text

    def matches(self, keys: str) -> bool:
        """Whether a number, with or without a ``+`` in front, is of the pattern."""
        if not keys.startswith(self._prefix):
            return False
        keys = keys.removeprefix(self._prefix)
        parts = self._parts[:-1] if self._is_open else self._parts
        is_long_enough = (
            len(keys) > len(parts) if self._is_open else len(keys) == len(parts)
        )
        return is_long_enough and all(
            key in part for key, part in zip(keys, parts, strict=False)
        )


class Match(Enum):
    """What the keys that a caller pressed match in a menu."""

    WAIT = "wait"
    """Nothing is decided yet: more keys may follow."""

    OPTION = "option"
    EXTENSION = "extension"
    NO_MATCH = "no match"


class MatchResult(NamedTuple):
    """The keys that a caller pressed, and what they match."""

    kind: Match
    digits: str
    """Without the terminator; never empty."""


class DigitMap:
    """The options and extensions of a menu, by the keys that a caller presses.

    An option wins over an extension of the same digits. A denied extension is a
    no-match.

    Args:
        options: the keys of each option, one or more.
        patterns: of the extensions that may be dialled: see `Pattern`.
        deny: patterns of those that may not.
        terminator: the key that ends what is entered, where it has no other use; empty:
            no key does.

    Attributes:
        terminator: the key that ends what is entered; empty: none does.

    Raises:
        ValueError: see `Pattern`; or the terminator is no key.
    """

    def __init__(
        self,
        options: Iterable[str],
        patterns: Iterable[str] = (),
        deny: Iterable[str] = (),
        *,
        terminator: str = TERMINATOR,
    ) -> None:
        self._options = frozenset(options)
        self._beginnings = frozenset(
            option[:end] for option in self._options for end in range(1, len(option))
        )
        self._patterns = [Pattern(text) for text in patterns]
        self._denied = [Pattern(text) for text in deny]
        used = frozenset().union(
            *self._options, *(each.keys for each in self._patterns)
        )
        if terminator and terminator not in list(KEYS):
            raise ValueError(f"a terminator is a key of a phone, not {terminator!r}")
        self.terminator = "" if terminator in used else terminator
        self._has_numbers = any(map(self._may_grow, KEYS))
        # Nearly everything that callers enter is one key.
        self._single = {key: self._match(key, is_over=False) for key in KEYS}

    def match(self, keys: str, *, is_over: bool = False) -> MatchResult:
        """Match keys, as soon as no further key can change the result.

        Args:
            keys: what was pressed so far, the terminator included; not empty.
            is_over: nothing follows: the time between two keys has passed. Then the
                result is never to wait.
        """
        if not is_over:
            result = self._single.get(keys)
            if result is not None:
                return result
        return self._match(keys, is_over=is_over)

    def _match(self, keys: str, *, is_over: bool) -> MatchResult:
        terminator = self.terminator
        if terminator and keys.endswith(terminator):
            keys = keys[:-1] or terminator
            is_over = True
        if not is_over and self._may_grow(keys):
            return MatchResult(Match.WAIT, keys)
        if keys in self._options:
            return MatchResult(Match.OPTION, keys)
        if self._is_extension(keys):
            return MatchResult(Match.EXTENSION, keys)
        if self._has_numbers and not is_over and len(keys) < MAX_DIGITS:
            return MatchResult(Match.WAIT, keys)
        return MatchResult(Match.NO_MATCH, keys)

    def _may_grow(self, keys: str) -> bool:
        return keys in self._beginnings or any(
            pattern.may_grow(keys) for pattern in self._patterns
        )

    def _is_extension(self, keys: str) -> bool:
        return any(pattern.matches(keys) for pattern in self._patterns) and not any(
            pattern.matches(keys) for pattern in self._denied
        )


def _keys_of(part: re.Match[str], pattern: str) -> frozenset[str]:
    inside, key = part["set"], part["key"]
    if inside is None:
        if key in _LETTERS or key in KEYS:
            return _LETTERS.get(key) or frozenset(key)
        raise ValueError(
            f"{pattern!r} is not a pattern: {key!r} is not X, Z, N, [1-5], a key of a"
            " phone, or '.' at the end"
        )
    found: set[str] = set()
    position = 0
    while position < len(inside):
        match = _RANGE.match(inside, position)
        if match is None or (match["first"] or "") > (match["last"] or ""):
            raise ValueError(
                f"{pattern!r} is not a pattern: write keys and ranges in brackets,"
                " such as [1-57]"
            )
        first, last = match["first"], match["last"]
        found.update(map(str, range(int(first), int(last) + 1)) if first else match[0])
        position = match.end()
    if not found:
        raise ValueError(f"{pattern!r} is not a pattern: the brackets are empty")
    return frozenset(found)
