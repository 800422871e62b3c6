"""Traverse a call flow: every action and sound with its place, and what follows what.

A place is a dotted path in the configuration file: ``menus.main.options.1.then``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from channel_aa.menus.actions import (
    Action,
    Continue,
    Dial,
    GoTo,
    Named,
    Play,
    SetVariables,
    Voicemail,
    follow_ups,
)
from channel_aa.problems import path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from channel_aa.menus.menu import Menu
    from channel_aa.menus.routes import Route
    from channel_aa.menus.sounds import Prompt, Sound

ROUTE_TARGETS = ("to", "open", "closed", "holiday")
"""The keys of a route whose actions begin calls."""


class PlacedAction(NamedTuple):
    """An action, and where it stands.

    Attributes:
        place: a dotted path in the configuration file.
        action: the action.
    """

    place: str
    action: Action


class PlacedSound(NamedTuple):
    """A sound, and where it stands.

    Attributes:
        place: a dotted path in the configuration file.
        sound: the sound.
    """

    place: str
    sound: Sound


def in_menu(name: str, menu: Menu) -> Iterator[PlacedAction]:
    """Yield the actions of a menu's keys and limits, without follow-ups."""
    place = path_of("menus", name)
    for keys, action in menu.options.items():
        if action is not None:
            yield PlacedAction(path_of(f"{place}.options", keys), action)
    if menu.extensions is not None:
        yield PlacedAction(f"{place}.extensions", menu.extensions.action)
    yield PlacedAction(f"{place}.failure", menu.failure)


def in_routes(routes: Iterable[Route]) -> Iterator[PlacedAction]:
    """Yield the actions that routes begin calls with, without follow-ups."""
    for index, route in enumerate(routes):
        for key in ROUTE_TARGETS:
            action = getattr(route, key)
            if action is not None:
                yield PlacedAction(f"routes[{index}].{key}", action)


def in_actions(actions: Mapping[str, Action]) -> Iterator[PlacedAction]:
    """Yield the named actions, without follow-ups."""
    for name, action in actions.items():
        yield PlacedAction(path_of("actions", name), action)


def with_follow_ups(placed: Iterable[PlacedAction]) -> Iterator[PlacedAction]:
    """Yield each action, and then its follow-ups."""
    waiting = list(placed)[::-1]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += [
            PlacedAction(f"{each.place}.{key}", action)
            for key, action in follow_ups(each.action)
        ][::-1]


def menu_sounds(name: str, menu: Menu) -> Iterator[PlacedSound]:
    """Yield the sounds of a menu's prompts, without those of its actions."""
    place = path_of("menus", name)
    for key in ("greeting", "prompt"):
        yield from _prompt_sounds(f"{place}.{key}", getattr(menu, key))
    for key in ("noinput", "nomatch"):
        prompts = getattr(menu, key)
        for index, prompt in enumerate(prompts):
            # One prompt is written without a list around it.
            number = f"[{index}]" if len(prompts) > 1 else ""
            yield from _prompt_sounds(f"{place}.{key}{number}", prompt)


def played_sounds(placed: Iterable[PlacedAction]) -> Iterator[PlacedSound]:
    """Yield the sounds that actions play, to callers and to phones."""
    for each in placed:
        if isinstance(each.action, Play):
            yield from _prompt_sounds(f"{each.place}.play", each.action.play)
        elif isinstance(each.action, Dial):
            yield from _prompt_sounds(f"{each.place}.confirm", each.action.confirm)


def target_menu(action: Action, menus: Mapping[str, Menu]) -> str | None:
    """Return the name of the menu that an action enters, or ``None``."""
    match action:
        case GoTo(menu=name) | Named(name=name):
            return name if name in menus else None
    return None


def reachable_actions(
    action: Action, actions: Mapping[str, Action], *, ends: tuple[type, ...] = ()
) -> Iterator[Action]:
    """Yield an action and all that may follow it, until a menu is entered.

    A `Named` is there itself, and then what it stands for.

    Args:
        action: where to begin.
        actions: what names stand for.
        ends: kinds of actions whose follow-ups are left out.
    """
    waiting = [action]
    seen: set[str] = set()
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each, Named) and each.name in actions.keys() - seen:
            seen.add(each.name)
            waiting.append(actions[each.name])
        if not isinstance(each, ends):
            waiting += [after for _, after in follow_ups(each)][::-1]


def digit_texts(action: Action) -> Iterator[str]:
    """Yield the texts of an action in which ``{digits}`` may stand."""
    match action:
        case Play():
            for sound in action.play:
                yield from sound.templates
        case Dial():
            yield from action.dial
            for sound in action.confirm:
                yield from sound.media
        case Continue():
            yield action.continue_.extension
        case Voicemail():
            yield action.voicemail
        case SetVariables():
            yield from action.set_.values()
        case _:
            pass


def _prompt_sounds(place: str, prompt: Prompt) -> Iterator[PlacedSound]:
    for index, sound in enumerate(prompt):
        yield PlacedSound(f"{place}[{index}]", sound)
