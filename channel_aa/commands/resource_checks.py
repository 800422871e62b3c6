"""Checks that Asterisk has the sounds, phones and extensions that a call flow names."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, gatherResults

from channel_aa.ari import AriError, NotFoundError
from channel_aa.ari.recording import FOLDER_REMEDY
from channel_aa.ari.wire.errors import ServerError
from channel_aa.commands.findings import Findings, Topic
from channel_aa.menus.default_sounds import CORE_SOUNDS
from channel_aa.speech.engines import engine_name
from channel_aa.speech.speech import spoken_by_place, texts_by_name

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Iterator
    from typing import Any

    from channel_aa.ari import AriClient
    from channel_aa.commands.requirements import Requirements, Sound
    from channel_aa.settings import Settings

_INVALID = "INVALID"
"""The state that Asterisk gives a device which does not exist."""

_SHIPPED_APP = "channel-aa"
_SHIPPED_ENTRY = "1000", "channel-aa"
"""The application, and the extension and context that sends calls to it, in the shipped
dialplan."""


class ResourceChecks:
    """Looks up what a call flow requires.

    Args:
        settings: the configuration.
        client: sends the requests.

    Attributes:
        speaks: whether texts are to be spoken: there is an engine, and the menus have
            texts, or sounds with a text that Asterisk lacks.
    """

    def __init__(self, settings: Settings, client: AriClient) -> None:
        self._client = client
        self._app = settings.asterisk.app
        self._has_engine = engine_name(settings.speech) != "none"
        self.speaks = self._has_engine and any(spoken_by_place(settings.flow))
        self._texts = texts_by_name(settings)
        self._unchecked: list[str] = []

    async def check(self, requirements: Requirements) -> Findings:
        """Find which requirements Asterisk does not meet."""
        checks = self._checks(requirements)
        found = Findings()
        for each in await gatherResults([*map(Deferred.fromCoroutine, checks)]):
            found.update(each)
        if self._unchecked:
            found.note(
                Topic.DIALPLAN,
                "asterisk",
                "not checked, because this Asterisk has not loaded"
                f" res_ari_device_states.so: {', '.join(self._unchecked)}",
            )
        for topic, names, one, all_ in (
            (Topic.SOUNDS, requirements.sounds, "sound", "sounds"),
            (
                *(Topic.PHONES, requirements.endpoints),
                *("phone or trunk", "phones and trunks"),
            ),
            (
                *(Topic.DIALPLAN, requirements.devices),
                *("extension or queue", "extensions and queues"),
            ),
            (Topic.RECORDINGS, requirements.recordings, "recording", "recordings"),
        ):
            if not found.of(topic):
                has = f"Asterisk has all {all_} that the file names: {len(names)}"
                found.ok(topic, has if names else f"the file names no {one}")
        return found

    def _checks(
        self, requirements: Requirements
    ) -> Iterator[Coroutine[Deferred[Any], Any, Findings]]:
        for sound in requirements.sounds:
            yield self._check_sound(sound)
        for name, place in requirements.recordings.items():
            yield self._check_recording(place, name)
        for endpoint, place in requirements.endpoints.items():
            yield self._check_endpoint(place, endpoint)
        for (device, what), place in requirements.devices.items():
            yield self._check_device(place, device, what)
        if requirements.records:
            yield self._check_recording_folder(requirements.records[0])
        if self._app == _SHIPPED_APP:
            yield self._check_shipped_dialplan()

    async def _check_sound(self, sound: Sound) -> Findings:
        found, topic = Findings(), Topic.SOUNDS
        answer = await self._look_up(found, topic, sound.place, "sounds", sound.name)
        if answer is None:
            folder, _, rest = sound.name.rpartition("/")
            # Asterisk takes a folder beside those of the languages for one of them.
            beside = await self._look_up(found, topic, sound.place, "sounds", rest)
            if folder and folder in _languages(beside):
                return found
            if sound.name in self._texts:
                self._say_what_is_heard(found, sound)
            else:
                found.error(
                    topic,
                    sound.place,
                    f"Asterisk has no sound {sound.name}; callers would hear nothing."
                    f" Put it into Asterisk's folder of sounds, as {_file(sound)}",
                )
            return found
        missing = [
            language
            for language in sound.languages
            if not {language, language.partition("_")[0]} & _languages(answer)
        ]
        if answer and missing:
            found.warning(
                topic,
                sound.place,
                f"Asterisk has the sound {sound.name}, but not in the language"
                f" {', '.join(missing)}",
            )
        return found

    def _say_what_is_heard(self, found: Findings, sound: Sound) -> None:
        """Say what is heard of a sound that Asterisk lacks, and that has a text."""
        instead = "its text is spoken instead"
        if self._has_engine:
            self.speaks = True
        else:
            instead = "and its text cannot be spoken"
            if sound.name in CORE_SOUNDS:
                instead = "core sounds are played instead, as far as there are any"
        found.warning(
            Topic.SOUNDS,
            sound.place,
            f"Asterisk has no sound {sound.name}; {instead}. Put the sound into"
            f" Asterisk's folder of sounds, as {_file(sound)}",
        )

    async def _check_recording(self, place: str, name: str) -> Findings:
        found, topic = Findings(), Topic.RECORDINGS
        answer = await self._look_up(found, topic, place, "recordings", "stored", name)
        if answer is None:
            found.warning(
                topic,
                place,
                f"Asterisk has no recording {name} now; until there is one, callers"
                " hear a pause of 0.3 s",
            )
        return found

    async def _check_recording_folder(self, place: str) -> Findings:
        """Check that the folder exists; without it, Asterisk cannot list it."""
        found, topic = Findings(), Topic.RECORDINGS
        try:
            await self._client.request("GET", "recordings", "stored")
        except ServerError as error:
            message = f"Asterisk cannot record ({error}). {FOLDER_REMEDY}"
            found.error(topic, place, message)
        except AriError as error:
            found.warning(topic, place, f"Asterisk could not answer: {error}")
        else:
            found.ok(topic, "Asterisk's folder of recordings is there")
        return found

    async def _check_endpoint(self, place: str, endpoint: str) -> Findings:
        found, topic = Findings(), Topic.PHONES
        technology, _, resource = endpoint.partition("/")
        answer = await self._look_up(
            found, topic, place, "endpoints", technology, resource
        )
        if answer is None:
            shown = _console("pjsip show endpoints") if technology == "PJSIP" else ""
            found.error(topic, place, f"Asterisk has no endpoint {endpoint}{shown}")
        elif answer.get("state") == "offline":
            message = (
                f"{endpoint} is offline now and cannot be dialled: no phone is"
                " registered there, or it does not answer"
            )
            found.warning(topic, place, message)
        return found

    async def _check_device(self, place: str, device: str, what: str) -> Findings:
        """Check that something exists, by the state of its device."""
        found, topic = Findings(), Topic.DIALPLAN
        answer = await self._look_up(found, topic, place, "deviceStates", device)
        if answer is None:
            self._unchecked.append(what)
        elif answer.get("state") == _INVALID:
            context = device.partition("@")[2]
            shown = _console(f"dialplan show {context}" if context else "queue show")
            found.error(topic, place, f"Asterisk has no {what}{shown}")
        return found

    async def _check_shipped_dialplan(self) -> Findings:
        """Tell whether calls may come in through the shipped dialplan."""
        found, topic = Findings(), Topic.DIALPLAN
        extension, context = _SHIPPED_ENTRY
        answer = await self._look_up(
            found, topic, "asterisk.app", "deviceStates", f"Local/{extension}@{context}"
        )
        entry = f"the extension {extension} of the context {context}"
        if answer and answer.get("state") != _INVALID:
            found.ok(topic, f"{entry} sends calls to the attendant")
        elif answer:
            found.note(
                topic,
                "asterisk.app",
                f"Asterisk has not {entry}, which the shipped dialplan has. Unless"
                f" another extension calls Stasis({_SHIPPED_APP}), no call arrives:"
                " include dialplan/extensions.conf, as README says",
            )
        return found

    async def _look_up(
        self, found: Findings, topic: Topic, place: str, *path: str
    ) -> dict[str, Any] | None:
        """Get something; None: it does not exist; empty: there was no answer."""
        try:
            answer = await self._client.request("GET", *path)
        except NotFoundError:
            return None
        except AriError as error:
            found.warning(topic, place, f"Asterisk could not answer: {error}")
            return {}
        return answer if isinstance(answer, dict) else {}


def _console(command: str) -> str:
    """Name the command of Asterisk's console that lists what there is."""
    return f"; to list those that it has: asterisk -rx {shlex.quote(command)}"


def _languages(sound: dict[str, Any] | None) -> set[str]:
    formats: Iterable[dict[str, Any]] = (sound or {}).get("formats", ())
    return {str(each.get("language")) for each in formats}


def _file(sound: Sound) -> str:
    language = sound.languages[0] if sound.languages else "en"
    file = f"{language}/{sound.name}.wav"
    return f"{file} (16 bits, mono, 8000 Hz) or in another format"
