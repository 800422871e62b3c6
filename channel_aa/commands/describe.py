"""Describes an action in the words of the configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.menus.actions import (
    VERBS,
    Continue,
    Dial,
    Keyword,
    Named,
    Play,
    SetVariables,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from channel_aa.menus.actions import Action, DialplanPlace
    from channel_aa.menus.sounds import Sound


MAX_TEXT = 30
"""The most characters of a text that are shown."""


def describe(action: Action) -> str:
    """Describe an action, without the action that follows it."""
    if isinstance(action, Keyword):
        return action.word
    if isinstance(action, Named):
        return action.name
    for verb, kind in VERBS.items():
        if isinstance(action, kind):
            return f"{verb} {_object_of(action, verb)}"
    return type(action).__name__  # of a program that embeds the attendant


def sound_names(prompt: Iterable[Sound]) -> list[str]:
    """Return the names of sounds as in a file, and the first words of texts."""
    names = []
    for sound in prompt:
        names += [media.removeprefix("sound:") for media in sound.media]
        if sound.say:
            names.append(f'"{shortened(next(iter(sound.say.values())))}"')
    return names


def shortened(text: str) -> str:
    """Shorten a text for a line among others."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def dialplan_location(location: DialplanPlace) -> str:
    """Write a location as Asterisk does: ``context,extension,priority``."""
    return f"{location.context},{location.extension},{location.priority}"


def _object_of(action: Action, verb: str) -> str:
    match action:
        case Play():
            return ", ".join(sound_names(action.play))
        case Dial():
            together = " at once" if action.strategy == "ringall" else " in turn"
            several = together if len(action.dial) > 1 else ""
            confirmed = ", to be confirmed" if action.confirm else ""
            return f"{', '.join(action.dial)}{several}, {action.ring} s{confirmed}"
        case Continue():
            return dialplan_location(action.continue_)
        case SetVariables():
            settings = (f"{name} = {value}" for name, value in action.set_.items())
            return ", ".join(settings)
        case _:
            return str(getattr(action, verb))
