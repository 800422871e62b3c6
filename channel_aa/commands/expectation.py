"""Expectations of a simulated call, and how a call differs from them.

An expectation is a list of events, with commas or line breaks between: the lines of a
transcript, with or without their times. A sound may have ``sound:`` or ``sound`` before
it; spoken texts are in quotes. ``...`` stands for any events, or none. Keys are not
events, but what the caller does: they are left out on both sides.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from channel_aa.commands.transcript import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from channel_aa.commands.transcript import Entry

ANYTHING = "..."
_CONTINUED = "continued in dialplan at "
_TIME = re.compile(r"^\d+\.\d\s+")
_TEXT = re.compile(r'"[^"\n]*"')
_SOUND = re.compile(r"^sound[: ]\s*")


def read_expectation(text: str) -> list[str]:
    """Read an expectation."""
    place = re.compile(rf"({_CONTINUED}[^,\s]+),([^,\s]+),(\d+)")
    kept = place.sub("\\1\0\\2\0\\3", text)
    kept = _TEXT.sub(lambda text: text[0].replace(",", "\0"), kept)
    items = (plain(item.replace("\0", ",")) for item in re.split(r"[,\n]", kept))
    return [each for each in items if each and not each.startswith("key ")]


def happened(entries: Iterable[Entry]) -> list[str]:
    """Return the events of a transcript, as an expectation names them."""
    return [entry.text for entry in entries if entry.kind is not Kind.KEY]


def is_met(expected: Sequence[str], found: list[str]) -> bool:
    """Return whether the expected events have happened, and no others."""
    # How many of the found events the expectation so far may stand for.
    reached = {0}
    for item in expected:
        if item == ANYTHING:
            reached = set(range(min(reached, default=len(found) + 1), len(found) + 1))
        else:
            reached = {at + 1 for at in reached if found[at : at + 1] == [item]}
    return len(found) in reached


def difference(expected: Sequence[str], found: Sequence[str]) -> Iterator[str]:
    """Show line by line what was expected (``-``), and what happened (``+``)."""
    matcher = SequenceMatcher(None, expected, found, autojunk=False)
    for tag, first, last, begin, end in matcher.get_opcodes():
        if tag == "equal":
            yield from (f"  {text}" for text in expected[first:last])
            continue
        block = expected[first:last]
        yield from (f"- {text}" for text in block if text != ANYTHING)
        sign = " " if ANYTHING in block else "+"
        yield from (f"{sign} {text}" for text in found[begin:end])


def plain(item: str) -> str:
    """Return an event of an expectation or a transcript, without its time."""
    text = _SOUND.sub("", _TIME.sub("", item.strip()))
    return ANYTHING if text == "…" else " ".join(text.split())
