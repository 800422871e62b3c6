"""What a call flow needs of Asterisk: sounds, recordings, phones, dialplan, queues."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from channel_aa.attendant.dialing import EXPLANATIONS
from channel_aa.menus.actions import (
    Continue,
    Dial,
    Directory,
    Language,
    Queue,
    Record,
    Voicemail,
    with_digits,
)
from channel_aa.menus.sounds import DIGITS
from channel_aa.problems import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.menus.actions import Action
    from channel_aa.menus.flow import CallFlow

_ALL_KEYS = "0123456789"
"""What ``digits:{digits}`` may have to say, where an extension can be anything."""

_OF_SHIPPED_DIALPLAN = (
    (Voicemail, "channel-aa-voicemail"),
    (Queue, "channel-aa-queue"),
    (Directory, "channel-aa-directory"),
)


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A sound by its name; where that stands first, and its languages."""

    name: str
    place: str
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Requirements:
    """What is needed, each with the place in the file that first names it.

    `devices` are those whose state tells whether something exists: an extension of
    the dialplan, a queue; each with what it stands for.
    """

    sounds: list[Sound] = field(default_factory=list)
    recordings: dict[str, str] = field(default_factory=dict)
    endpoints: dict[str, str] = field(default_factory=dict)
    devices: dict[tuple[str, str], str] = field(default_factory=dict)


def requirements_of(flow: CallFlow, *, default_language: str) -> Requirements:
    """Collect what a call flow needs, in the order of the file.

    What only a caller's keys would complete is left out.
    """
    wanted = Requirements()
    languages = _Languages(flow, default_language)
    sounds: dict[str, tuple[str, set[str]]] = {}
    for place, uri in _uris(flow):
        scheme, _, name = uri.partition(":")
        if scheme == "sound":
            sounds.setdefault(name, (place, set()))[1].update(languages.at(place))
        elif scheme == "recording" and "{" not in name:
            wanted.recordings.setdefault(name, place)
    for name, (place, heard_in) in sounds.items():
        wanted.sounds.append(
            Sound(name=name, place=place, languages=tuple(sorted(heard_in)))
        )
    for written in flow.all_actions():
        keys = _keys_at(flow, written.place)
        _add_phones_and_places(wanted, written.place, written.action, keys)
    return wanted


class _Languages:
    """Which languages the sounds at a place are heard in."""

    def __init__(self, flow: CallFlow, default: str) -> None:
        self._of_menus = {
            f"{path_of('menus', name)}.": menu.language
            for name, menu in flow.menus.items()
            if menu.language
        }
        chosen = [route.language for route in flow.routes]
        chosen += [
            each.action.language
            for each in flow.all_actions()
            if isinstance(each.action, Language)
        ]
        self._elsewhere = {default, *filter(None, chosen)}

    def at(self, place: str) -> set[str]:
        for menu, language in self._of_menus.items():
            if place.startswith(menu):
                return {language}
        return self._elsewhere


def _uris(flow: CallFlow) -> Iterator[tuple[str, str]]:
    """Give each media URI that is played, and its place."""
    for heard in flow.all_sounds():
        keys = _keys_at(flow, heard.place)
        for media in heard.sound.media:
            if DIGITS in media and not keys and media.startswith("sound:"):
                continue  # any number might stand there
            part = type(heard.sound)(
                media=(media,), seconds=heard.sound.seconds, barge_in=True
            )
            for uri in part.uris(digits=keys or _ALL_KEYS, recording="{recording}"):
                yield heard.place, uri
    for written in flow.all_actions():
        for uri in _uris_of_attendant(written.action):
            yield written.place, uri


def _uris_of_attendant(action: Action) -> tuple[str, ...]:
    """Give what the attendant plays by itself for an action."""
    if isinstance(action, Record) and action.beep:
        return ("sound:beep",)
    if isinstance(action, Dial) and action.else_ is None:
        explained = [each for said in EXPLANATIONS.values() for each in said]
        return tuple(uri for sound in explained for uri in sound.uris())
    return ()


def _keys_at(flow: CallFlow, place: str) -> str:
    """Say which keys lead to what stands at a place; empty where that is open."""
    for name, menu in flow.menus.items():
        options = f"{path_of('menus', name)}.options"
        for keys in menu.options:
            if f"{place}.".startswith(f"{path_of(options, keys)}."):
                return keys
    return ""


def _add_phones_and_places(
    wanted: Requirements, place: str, action: Action, keys: str
) -> None:
    if isinstance(action, Dial):
        for endpoint in action.dial:
            dialled = with_digits(endpoint, keys) if keys else endpoint
            _add_phone(wanted, place, dialled)
    elif isinstance(action, Continue):
        where = action.continue_
        extension = with_digits(where.extension, keys) if keys else where.extension
        _add_extension(wanted, place, extension, where.context)
    if isinstance(action, Queue):
        device = f"Queue:{action.queue}_avail"
        wanted.devices.setdefault((device, f"queue {action.queue}"), place)
    for kind, context in _OF_SHIPPED_DIALPLAN:
        if isinstance(action, kind):
            _add_extension(wanted, place, "s", context)


def _add_phone(wanted: Requirements, place: str, dialled: str) -> None:
    technology, _, rest = dialled.partition("/")
    if technology == "Local":
        extension, _, context = rest.partition("/")[0].partition("@")
        _add_extension(wanted, place, extension, context or "default")
        return
    number, at, provider = rest.partition("@")
    resource = (provider if at else number).partition("/")[0]
    if DIGITS not in resource:
        wanted.endpoints.setdefault(f"{technology}/{resource}", place)


def _add_extension(
    wanted: Requirements, place: str, extension: str, context: str
) -> None:
    if DIGITS not in extension:
        device = f"Local/{extension}@{context}"
        what = f"extension {extension} in the context {context}"
        wanted.devices.setdefault((device, what), place)
