"""What a dialled phone shows: the variables of its channel that decide on it."""

from __future__ import annotations

import re

# The "i" keeps Asterisk from announcing the change before the phone is called.
_SHOWN_NAME = "CONNECTEDLINE(name,i)"
_SHOWN_NUMBER = "CONNECTEDLINE(num,i)"
_SHOWN_PRESENTATION = "CONNECTEDLINE(pres,i)"

_NOT_IN_A_NAME = frozenset('"<>\\')
_NOT_IN_A_NUMBER = re.compile(r"[^A-Za-z0-9+*#._-]+")
_LONGEST_NAME = 80
_LONGEST_NUMBER = 40


def caller_variables(*, label: str, name: str, number: str) -> dict[str, str]:
    """Return the variables with which a phone shows a label before the caller's name.

    Asterisk copies the caller's name and number to the phone's channel, with their
    presentation. These variables leave the presentation as it is, so that what the
    caller withholds stays withheld, as with Dial(). They have only what differs from
    Asterisk's copy: a name and a number may come from outside, and what a phone could
    misread is left out, such as quotation marks and bidirectional marks.
    """
    copied = {_SHOWN_NAME: name, _SHOWN_NUMBER: number}
    shown = _shown(label=label, name=name, number=number)
    return {key: text for key, text in shown.items() if text != copied[key]}


def all_variables(
    *, label: str, name: str, number: str, is_withheld: bool
) -> dict[str, str]:
    """Return the variables with which a phone shows a caller, and the label.

    For a channel that is created first: Asterisk copies nothing of the caller to it.
    """
    shown = _shown(label=label, name=name, number=number)
    return {**shown, _SHOWN_PRESENTATION: "prohib" if is_withheld else "allowed"}


def own_variables(*, name: str, number: str) -> dict[str, str]:
    """Return the variables with which a phone shows these instead of the caller's."""
    return {_SHOWN_NAME: name, _SHOWN_NUMBER: number, _SHOWN_PRESENTATION: "allowed"}


def split_caller_id(caller_id: str) -> tuple[str, str]:
    """Split ``Acme <+441632960000>``, or a number alone, into name and number."""
    name, _, number = caller_id.rpartition("<")
    return name.strip(), number.strip().rstrip(">")


def _shown(*, label: str, name: str, number: str) -> dict[str, str]:
    words = (_sanitized(each) for each in (label, name))
    return {
        _SHOWN_NAME: ": ".join(filter(None, words))[:_LONGEST_NAME],
        _SHOWN_NUMBER: _NOT_IN_A_NUMBER.sub("", number)[:_LONGEST_NUMBER],
    }


def _sanitized(name: str) -> str:
    harmless = (
        each if each.isprintable() and each not in _NOT_IN_A_NAME else " "
        for each in name
    )
    return " ".join("".join(harmless).split())
