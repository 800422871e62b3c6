"""The phones that can be dialled, and how each behaves.

A behaviour is written as::

answers            pick up at once
answers 2          ring for two seconds, then pick up
answers 2 hangs-up 5   … and hang up five seconds later
answers 1 press 12#    … and press keys as soon as that
answers 1 transfers-to PJSIP/411 after 5   … and transfer the conversation, blind,
                   five seconds after its beginning
answers 2 at PJSIP/411   ring for two seconds, then PJSIP/411 picks up the call
rings              ring, and never pick up; also: no answer, does not answer
silent             never pick up, without a ringing signal
busy               be busy; "busy 1": after ringing for a second
congested          the network is congested
declines 1         ring for a second, then decline the call
announces 2        send early media for two seconds, then decline the call
unallocated        a number that the network does not know
unreachable        an endpoint that is configured, and not registered
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEYS = frozenset("0123456789*#ABCD")
"""The keys of a phone."""

_REFUSALS = ("busy", "congested", "declines", "unallocated")
_OTHERS = ("rings", "silent", "unreachable")
_SYNONYMS = {"no answer": "rings", "does not answer": "rings"}


class ScriptError(ValueError):
    """A script cannot be understood, or could not be carried out."""


@dataclass(frozen=True, kw_only=True)
class PhoneBehaviour:
    """How a phone behaves when it is dialled; all times in seconds.

    Args:
        answers_after: from its first ring until it is picked up; None: never.
        hangs_up_after: from then until it hangs up; None: it never does.
        keys: the keys that it presses once it has been picked up.
        transfers_to: the endpoint that it transfers its conversation to; empty: none.
        transfers_after: from the beginning of the conversation until then.
        picked_up_by: the endpoint of the phone that picks up the call that rings here,
            after `answers_after`; empty: none.
        refusal: why it is not picked up: ``busy``, ``congested``, ``declines``,
            ``unallocated``.
        refuses_after: from its first ring until then.
        is_silent: whether it does not signal that it rings.
        has_early_media: whether it sends early media instead of ringing.
        is_reachable: whether it can be dialled at all.
    """

    answers_after: float | None = 0.0
    hangs_up_after: float | None = None
    keys: str = ""
    transfers_to: str = ""
    transfers_after: float = 0.0
    picked_up_by: str = ""
    refusal: str = ""
    refuses_after: float = 0.0
    is_silent: bool = False
    has_early_media: bool = False
    is_reachable: bool = True

    @classmethod
    def parse(cls, text: str) -> PhoneBehaviour:
        """Read how it is written; see `channel_aa.simulator.phone_behaviour`.

        Raises:
            ScriptError: it cannot be understood; the message says why.
        """
        words = iter(_SYNONYMS.get(text, text).split())
        first = next(words, "")
        if first == "answers":
            return cls._that_answers(list(words))
        seconds = _seconds(first, next(words, "0"))
        if next(words, None) is not None:
            raise ScriptError(f"write only a number of seconds after {first!r}")
        if first in _REFUSALS:
            return cls(answers_after=None, refusal=first, refuses_after=seconds)
        if first == "announces":
            return cls(
                answers_after=None,
                refusal="declines",
                refuses_after=seconds,
                is_silent=True,
                has_early_media=True,
            )
        if first not in _OTHERS:
            known = ", ".join(("answers", *_REFUSALS, "announces", *_OTHERS))
            raise ScriptError(f"unknown behaviour {first!r}; a phone can do: {known}")
        return cls(
            answers_after=None,
            is_silent=first == "silent",
            is_reachable=first != "unreachable",
        )

    @classmethod
    def _that_answers(cls, words: list[str]) -> PhoneBehaviour:
        has_seconds = len(words) % 2 == 1
        answers_after = _seconds("answers", words.pop(0)) if has_seconds else 0.0
        more: dict[str, Any] = {}
        for word, value in zip(words[::2], words[1::2], strict=True):
            match word:
                case "hangs-up":
                    more["hangs_up_after"] = _seconds(word, value)
                case "press" if KEYS.issuperset(value):
                    more["keys"] = value
                case "at" | "transfers-to" if "/" in value:
                    more["picked_up_by" if word == "at" else "transfers_to"] = value
                case "after" if "transfers_to" in more:
                    more["transfers_after"] = _seconds(word, value)
                case _:
                    known = (
                        "hangs-up 5, press 12#, at PJSIP/411, transfers-to PJSIP/411"
                    )
                    raise ScriptError(f"write one of {known}, not '{word} {value}'")
        return cls(answers_after=answers_after, **more)


class Phones:
    """The phones that can be dialled.

    Args:
        phones: how each behaves, or how that is written, by its endpoint:
            ``PJSIP/410``. Patterns of `fnmatch` are allowed: ``PJSIP/4*``; the first
            that matches counts, and ``*`` if no other does.

    Raises:
        ScriptError: one cannot be understood.
    """

    def __init__(
        self, phones: Mapping[str, PhoneBehaviour | str] = MappingProxyType({})
    ) -> None:
        self._by_pattern: dict[str, PhoneBehaviour] = {}
        for pattern, phone in reversed(list(phones.items())):
            self.change(pattern, phone)

    def change(self, pattern: str, phone: PhoneBehaviour | str) -> None:
        """Change how a phone behaves, whatever an earlier pattern says."""
        behaviour = PhoneBehaviour.parse(phone) if isinstance(phone, str) else phone
        self._by_pattern.pop(pattern, None)
        self._by_pattern = {pattern: behaviour, **self._by_pattern}

    def find(self, endpoint: str) -> PhoneBehaviour | None:
        """Find a phone; None: there is none."""
        for pattern, phone in self._by_pattern.items():
            if pattern != "*" and fnmatchcase(endpoint, pattern):
                return phone
        return self._by_pattern.get("*")

    def known(self) -> Iterator[tuple[str, str, PhoneBehaviour]]:
        """List technology, resource and behaviour of each that has an endpoint."""
        for endpoint, phone in self._by_pattern.items():
            technology, _, resource = endpoint.partition("/")
            # A Local channel is dialplan: there is no endpoint behind it.
            if resource and technology != "Local":
                yield technology, resource, phone


def parse_seconds(text: str, hint: str) -> float:
    """Read a number of seconds, 0 or more.

    Raises:
        ScriptError: it is none; the message ends with the hint.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not isfinite(seconds) or seconds < 0:
        raise ScriptError(f"write a number of seconds{hint}")
    return seconds


def _seconds(word: str, text: str) -> float:
    return parse_seconds(text, f": {word} 2")
