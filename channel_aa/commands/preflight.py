"""Checks that the Asterisk of a configuration file has everything the file requires.

Requests go over HTTP alone: an events websocket would take the application's name from
the daemon that runs. None of them changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
from twisted.internet.defer import Deferred, gatherResults

from channel_aa.ari import AriError, NotFoundError, UnauthorizedError
from channel_aa.ari.recording import FOLDER_REMEDY
from channel_aa.ari.takeover import programs_of
from channel_aa.ari.wire.diagnostics import diagnose_refusal
from channel_aa.ari.wire.errors import ServerError
from channel_aa.commands.requirements import Requirements, requirements_of
from channel_aa.menus.default_sounds import CORE_SOUNDS
from channel_aa.problems import Problem
from channel_aa.speech.engines import EngineError, find_engine
from channel_aa.speech.speech import spoken_by_place, texts_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from channel_aa.ari import AriClient
    from channel_aa.commands.requirements import Sound
    from channel_aa.config import Settings

_FETCHING = "res_http_media_cache.so"
"""The module with which Asterisk fetches sounds over HTTP."""

_INVALID = "INVALID"
"""The state that Asterisk gives a device which does not exist."""


_VOICEMAIL = "app_voicemail"
"""The beginning of the name of each module with VoiceMail."""


class _System(msgspec.Struct):
    version: str


class _Config(msgspec.Struct):
    default_language: str = "en"


class _Info(msgspec.Struct):
    system: _System
    config: _Config = msgspec.field(default_factory=_Config)


@dataclass(frozen=True)
class Findings:
    """Errors; warnings, printed as "warning"; and notes on what Asterisk is."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def extend(self, found: Findings) -> None:
        """Add further findings."""
        self.errors.extend(found.errors)
        self.warnings.extend(found.warnings)
        self.notes.extend(found.notes)


async def preflight(settings: Settings, client: AriClient) -> Findings:
    """Check that Asterisk answers, and has everything that the settings require.

    Args:
        settings: the configuration.
        client: sends the requests; it need not be started.
    """
    check = _Preflight(settings, client)
    if await check.check_server():
        requirements = requirements_of(
            settings.flow, default_language=check.default_language
        )
        await check.check_requirements(requirements)
        if settings.texts or any(spoken_by_place(settings.flow)):
            await check.check_speech()
    return check.findings


class _Preflight:
    """The checks of one Asterisk, and the findings so far."""

    def __init__(self, settings: Settings, client: AriClient) -> None:
        self.findings = Findings()
        self.default_language = "en"
        self._client = client
        self._settings = settings.asterisk
        self._speech = settings.speech
        self._texts = texts_by_name(settings)
        self._unchecked: list[str] = []

    async def check_server(self) -> bool:
        """Check URL, user, version and application; return whether it answers."""
        settings = self._settings
        try:
            answer = await self._get("asterisk", "info")
            info = msgspec.convert(answer, _Info)
        except (AriError, msgspec.ValidationError) as error:
            self.findings.errors.append(self._explain(error))
            return False
        conceal = self._client.address.conceal
        version = conceal(info.system.version)
        self.default_language = conceal(info.config.default_language) or "en"
        self.findings.notes.append(
            Problem(
                "asterisk.url",
                f"Asterisk {version} answers at {settings.url} to the user"
                f" {settings.username}",
            )
        )
        await self._check_permission()
        await self._check_application()
        return True

    async def check_requirements(self, requirements: Requirements) -> None:
        """Find which requirements Asterisk does not meet."""
        answers = [
            *(
                Deferred.fromCoroutine(self._check_sound(sound))
                for sound in requirements.sounds
            ),
            *(
                Deferred.fromCoroutine(self._check_recording(place, name))
                for name, place in requirements.recordings.items()
            ),
            *(
                Deferred.fromCoroutine(self._check_endpoint(place, endpoint))
                for endpoint, place in requirements.endpoints.items()
            ),
            *(
                Deferred.fromCoroutine(self._check_device(place, device, what))
                for (device, what), place in requirements.devices.items()
            ),
        ]
        if requirements.records:
            checked = self._check_recording_folder(requirements.records[0])
            answers.append(Deferred.fromCoroutine(checked))
        if requirements.voicemail:
            checked = self._check_voicemail(requirements.voicemail[0])
            answers.append(Deferred.fromCoroutine(checked))
        results = await gatherResults(answers)
        for found in results:
            self.findings.extend(found)
        if self._unchecked:
            self.findings.notes.append(
                Problem(
                    "asterisk",
                    "not checked, because this Asterisk has not loaded"
                    f" res_ari_device_states.so: {', '.join(self._unchecked)}",
                )
            )

    async def _get(self, *path: str) -> Any:  # noqa: ANN401 - any JSON
        return await self._client.request("GET", *path)

    def _explain(self, error: Exception) -> Problem:
        """Explain why the first request was not answered, and what to do."""
        address = self._client.address
        if isinstance(error, AriError) and error.status is not None:
            problem = diagnose_refusal(error.status, error.message, address)
            is_users = isinstance(error, UnauthorizedError)
            place = "asterisk.username" if is_users else "asterisk.url"
            return Problem(place, problem.text)
        if isinstance(error, AriError):
            reason = error.message.rstrip(".")
            return Problem(
                "asterisk.url",
                f"no answer from {address.base_url} ({reason}). Check that Asterisk"
                " runs there, with its HTTP server (http.conf: enabled = yes,"
                " bindaddr, bindport).",
            )
        return Problem(
            "asterisk.url",
            f"{address.base_url} does not respond like ARI; check the url",
        )

    async def _check_permission(self) -> None:
        """Send a request whose 404 only a user gets who is not read-only."""
        nothing = f"channel-aa-check-{uuid4().hex}"
        try:
            await self._client.request("DELETE", "playbacks", nothing)
        except UnauthorizedError:
            user = self._settings.username
            self.findings.errors.append(
                Problem(
                    "asterisk.username",
                    f"the user {user} may only read; set read_only = no for it in"
                    " ari.conf",
                )
            )
        except NotFoundError:
            return
        except AriError as error:
            self.findings.warnings.append(Problem("asterisk.username", str(error)))

    async def _check_application(self) -> None:
        app = self._settings.app
        try:
            state = await self._get("applications", app)
            listed = await self._get("applications")
        except NotFoundError:
            return
        except AriError as error:
            self.findings.warnings.append(Problem("asterisk.app", str(error)))
            return
        names = [str(each.get("name")) for each in listed]
        programs = ", ".join(programs_of(app, names).values())
        who = programs or "the running attendant, or another program"
        count = len(state.get("channel_ids", ())) if isinstance(state, dict) else 0
        calls = f"{count} call{'' if count == 1 else 's'}"
        self.findings.notes.append(
            Problem(
                "asterisk.app",
                f"the application {app} is in use now, with {calls}, by {who}; an"
                " attendant that starts takes it over",
            )
        )

    async def _check_sound(self, sound: Sound) -> Findings:
        found = Findings()
        answer = await self._look_up(found, sound.place, "sounds", sound.name)
        if answer is None:
            folder, _, rest = sound.name.rpartition("/")
            # Asterisk takes a folder beside those of the languages for one of them.
            beside = await self._look_up(found, sound.place, "sounds", rest)
            if not (folder and folder in _languages(beside)):
                if sound.name in self._texts:
                    found.warnings.append(self._text_instead(sound))
                    return found
                found.errors.append(
                    Problem(
                        sound.place,
                        f"Asterisk has no sound {sound.name}; callers would hear"
                        " nothing. Put it into Asterisk's folder of sounds, as"
                        f" {_file(sound)}",
                    )
                )
            return found
        missing = [
            language
            for language in sound.languages
            if not {language, language.partition("_")[0]} & _languages(answer)
        ]
        if answer and missing:
            found.warnings.append(
                Problem(
                    sound.place,
                    f"Asterisk has the sound {sound.name}, but not in the language"
                    f" {', '.join(missing)}",
                )
            )
        return found

    def _text_instead(self, sound: Sound) -> Problem:
        """Say what is heard of a sound that Asterisk lacks, and that has a text."""
        instead = "its text is spoken instead"
        try:
            engine = find_engine(self._speech)
        except EngineError:
            engine = None
        if engine is None:
            instead = "and its text cannot be spoken"
            if sound.name in CORE_SOUNDS:
                instead = "core sounds are played instead, as far as there are any"
        return Problem(
            sound.place,
            f"Asterisk has no sound {sound.name}; {instead}. Put the sound into"
            f" Asterisk's folder of sounds, as {_file(sound)}",
        )

    async def check_speech(self) -> None:
        """Check that Asterisk can fetch spoken texts, as far as that shows.

        Whether it reaches the URL shows when it fetches the first one.
        """
        try:
            await self._get("asterisk", "modules", _FETCHING)
        except NotFoundError as error:
            if "could not be found" in error.message:
                self.findings.errors.append(
                    Problem(
                        "speech",
                        f"Asterisk has not loaded {_FETCHING}, without which it cannot"
                        " fetch spoken texts; load it in modules.conf",
                    )
                )
                return
            self._unchecked_speech("it has not loaded res_ari_asterisk.so")
        except AriError as error:
            self._unchecked_speech(str(error))

    def _unchecked_speech(self, why: str) -> None:
        self.findings.notes.append(
            Problem("speech", f"not checked whether Asterisk loaded {_FETCHING}: {why}")
        )

    async def _check_recording(self, place: str, name: str) -> Findings:
        found = Findings()
        answer = await self._look_up(found, place, "recordings", "stored", name)
        if answer is None:
            found.warnings.append(
                Problem(place, f"Asterisk has no recording {name} now")
            )
        return found

    async def _check_recording_folder(self, place: str) -> Findings:
        """Check that the folder exists; without it, Asterisk cannot list it."""
        found = Findings()
        try:
            await self._get("recordings", "stored")
        except ServerError as error:
            found.errors.append(
                Problem(place, f"Asterisk cannot record ({error}). {FOLDER_REMEDY}")
            )
        except AriError as error:
            found.warnings.append(Problem(place, f"Asterisk could not answer: {error}"))
        return found

    async def _check_voicemail(self, place: str) -> Findings:
        """Check that a module with VoiceMail is loaded; there are several."""
        found = Findings()
        try:
            modules = await self._get("asterisk", "modules")
        except AriError as error:
            found.warnings.append(Problem(place, f"Asterisk could not answer: {error}"))
            return found
        if not any(str(each.get("name")).startswith(_VOICEMAIL) for each in modules):
            found.errors.append(
                Problem(
                    place,
                    "Asterisk has not loaded app_voicemail.so, so it has no VoiceMail;"
                    " callers would get the operator. Install the module, and run"
                    " asterisk -rx 'module load app_voicemail.so'",
                )
            )
        return found

    async def _check_endpoint(self, place: str, endpoint: str) -> Findings:
        found = Findings()
        technology, _, resource = endpoint.partition("/")
        answer = await self._look_up(found, place, "endpoints", technology, resource)
        if answer is None:
            found.errors.append(Problem(place, f"Asterisk has no endpoint {endpoint}"))
        elif answer.get("state") == "offline":
            found.warnings.append(
                Problem(place, f"{endpoint} is offline now and cannot be dialled")
            )
        return found

    async def _check_device(self, place: str, device: str, what: str) -> Findings:
        """Check that something exists, by the state of its device."""
        found = Findings()
        answer = await self._look_up(found, place, "deviceStates", device)
        if answer is None:
            self._unchecked.append(what)
        elif answer.get("state") == _INVALID:
            found.errors.append(Problem(place, f"Asterisk has no {what}"))
        return found

    async def _look_up(
        self, found: Findings, place: str, *path: str
    ) -> dict[str, Any] | None:
        """Get something; None: it does not exist; empty: there was no answer."""
        try:
            answer = await self._get(*path)
        except NotFoundError:
            return None
        except AriError as error:
            found.warnings.append(Problem(place, f"Asterisk could not answer: {error}"))
            return {}
        return answer if isinstance(answer, dict) else {}


def _languages(sound: dict[str, Any] | None) -> set[str]:
    formats: Iterable[dict[str, Any]] = (sound or {}).get("formats", ())
    return {str(each.get("language")) for each in formats}


def _file(sound: Sound) -> str:
    language = sound.languages[0] if sound.languages else "en"
    return f"{language}/{sound.name}.wav or in another format"
