"""What a call flow requires: sounds, recordings, endpoints, extensions, queues."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from channel_aa.attendant.dialing import EXPLANATIONS
from channel_aa.attendant.recording import EMPTY, KEPT, RECORDING_FAILED, REVIEW
from channel_aa.menus.actions import (
    Continue,
    Dial,
    Directory,
    Queue,
    Record,
    Voicemail,
    with_digits,
)
from channel_aa.menus.languages import Languages
from channel_aa.menus.sounds import DIGITS, prompt_of
from channel_aa.problems import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.menus.actions import Action
    from channel_aa.menus.flow import CallFlow
    from channel_aa.menus.sounds import Prompt

_ALL_KEYS = "0123456789"
"""What ``digits:{digits}`` may have to say if any extension can be dialled."""

_OF_SHIPPED_DIALPLAN = (
    (Voicemail, "channel-aa-voicemail"),
    (Queue, "channel-aa-queue"),
    (Directory, "channel-aa-directory"),
)


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A sound by its name, its first place in the file, and its languages."""

    name: str
    place: str
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Requirements:
    """What is required, each with the first place in the file that names it.

    `devices` are the devices whose state tells whether something exists, an extension
    of the dialplan or a queue; each with the name of that. `records` are the places of
    actions that record, and `voicemail` of those that need VoiceMail.
    """

    sounds: list[Sound] = field(default_factory=list)
    recordings: dict[str, str] = field(default_factory=dict)
    endpoints: dict[str, str] = field(default_factory=dict)
    devices: dict[tuple[str, str], str] = field(default_factory=dict)
    records: list[str] = field(default_factory=list)
    voicemail: list[str] = field(default_factory=list)


def requirements_of(flow: CallFlow, *, default_language: str) -> Requirements:
    """Collect what a call flow requires, in the order of the file.

    Names that only a caller's keys would complete are left out.
    """
    requirements = Requirements()
    languages = Languages(flow, default_language)
    sounds: dict[str, tuple[str, set[str]]] = {}
    for place, uri in _uris(flow):
        scheme, _, name = uri.partition(":")
        if scheme == "sound":
            sounds.setdefault(name, (place, set()))[1].update(languages.at(place))
        elif scheme == "recording" and "{" not in name:
            requirements.recordings.setdefault(name, place)
    for name, (place, played_in) in sounds.items():
        requirements.sounds.append(
            Sound(name=name, place=place, languages=tuple(sorted(played_in)))
        )
    for written in flow.all_actions():
        keys = _keys_at(flow, written.place)
        _add_endpoints_and_extensions(requirements, written.place, written.action, keys)
    return requirements


def _uris(flow: CallFlow) -> Iterator[tuple[str, str]]:
    """Yield each media URI that is played, and its place."""
    for played in flow.all_sounds():
        keys = _keys_at(flow, played.place)
        for media in played.sound.media:
            if DIGITS in media and not keys and media.startswith("sound:"):
                continue  # any number might stand there
            part = type(played.sound)(
                media=(media,), seconds=played.sound.seconds, barge_in=True
            )
            for uri in part.uris(digits=keys or _ALL_KEYS, recording="{recording}"):
                yield played.place, uri
    for written in flow.all_actions():
        for uri in _uris_of_attendant(written.action):
            yield written.place, uri


def _uris_of_attendant(action: Action) -> tuple[str, ...]:
    """Return what the attendant plays for an action without being configured to."""
    prompts: list[Prompt] = []
    if isinstance(action, Record):
        prompts += [prompt_of("beep")] if action.beep else []
        prompts += [RECORDING_FAILED] if action.else_ is None else []
        prompts += [REVIEW, KEPT, EMPTY] if action.review else []
    elif isinstance(action, Dial) and action.else_ is None:
        prompts += EXPLANATIONS.values()
    return tuple(uri for said in prompts for sound in said for uri in sound.uris())


def _keys_at(flow: CallFlow, place: str) -> str:
    """Return the keys of the option at a place; empty: any keys, or none."""
    for name, menu in flow.menus.items():
        options = f"{path_of('menus', name)}.options"
        for keys in menu.options:
            if f"{place}.".startswith(f"{path_of(options, keys)}."):
                return keys
    return ""


def _add_endpoints_and_extensions(
    requirements: Requirements, place: str, action: Action, keys: str
) -> None:
    if isinstance(action, Dial):
        for endpoint in action.dial:
            dialled = with_digits(endpoint, keys) if keys else endpoint
            _add_endpoint(requirements, place, dialled)
    elif isinstance(action, Continue):
        where = action.continue_
        extension = with_digits(where.extension, keys) if keys else where.extension
        _add_extension(requirements, place, extension, where.context)
    elif isinstance(action, Record):
        requirements.records.append(place)
    elif isinstance(action, Voicemail):
        requirements.voicemail.append(place)
    if isinstance(action, Queue):
        device = f"Queue:{action.queue}_avail"
        requirements.devices.setdefault((device, f"queue {action.queue}"), place)
    for kind, context in _OF_SHIPPED_DIALPLAN:
        if isinstance(action, kind):
            _add_extension(requirements, place, "s", context)


def _add_endpoint(requirements: Requirements, place: str, dialled: str) -> None:
    technology, _, rest = dialled.partition("/")
    if technology == "Local":
        extension, _, context = rest.partition("/")[0].partition("@")
        _add_extension(requirements, place, extension, context or "default")
        return
    number, at, provider = rest.partition("@")
    resource = (provider if at else number).partition("/")[0]
    if DIGITS not in resource:
        requirements.endpoints.setdefault(f"{technology}/{resource}", place)


def _add_extension(
    requirements: Requirements, place: str, extension: str, context: str
) -> None:
    if DIGITS not in extension:
        device = f"Local/{extension}@{context}"
        what = f"extension {extension} in the context {context}"
        requirements.devices.setdefault((device, what), place)
