"""Checks that the Asterisk of a configuration file has everything the file requires.

Requests go over HTTP alone: an events websocket would take the application's name from
the daemon that runs. None of them changes anything. The check for which this does not
suffice is in `fetch_check`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from channel_aa.ari import AriError, NotFoundError, UnauthorizedError
from channel_aa.ari.takeover import programs_of
from channel_aa.ari.wire.diagnostics import (
    diagnose_connect_error,
    diagnose_refusal,
    is_connect_error,
)
from channel_aa.ari.wire.http import cause_of
from channel_aa.commands.findings import Findings, Level, Topic
from channel_aa.commands.requirements import requirements_of
from channel_aa.commands.resource_checks import ResourceChecks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channel_aa.ari import AriClient
    from channel_aa.commands.requirements import Requirements
    from channel_aa.settings import Settings

MODULES = {
    "app_stasis.so": "the dialplan cannot send calls to the attendant",
    "res_ari_applications.so": "the attendant cannot subscribe to events",
    "res_ari_bridges.so": "callers cannot be connected with phones",
    "res_ari_channels.so": "calls cannot be answered",
    "res_ari_events.so": "the attendant cannot connect",
    "res_ari_playbacks.so": "keys cannot interrupt sounds",
    "res_ari_recordings.so": "nothing can be recorded",
    "res_stasis_answer.so": "calls cannot be answered",
    "res_stasis_playback.so": "no sound can be played",
    "res_stasis_recording.so": "nothing can be recorded",
}
"""The modules that the attendant needs, and what is missing without each."""

_RECORDING = {"res_ari_recordings.so", "res_stasis_recording.so"}
_FETCHING = "res_http_media_cache.so"
"""The module with which Asterisk fetches sounds over HTTP."""

_VOICEMAIL = "app_voicemail"
"""The beginning of the name of each module with VoiceMail."""


class _System(msgspec.Struct):
    version: str


class _Config(msgspec.Struct):
    default_language: str = "en"


class _Info(msgspec.Struct):
    system: _System
    config: _Config = msgspec.field(default_factory=_Config)


async def preflight(
    settings: Settings,
    client: AriClient,
    *,
    can_fetch: Callable[[], Awaitable[Findings]],
) -> Findings:
    """Check that Asterisk answers, and has everything that the settings require.

    Args:
        settings: the configuration.
        client: sends the requests; it need not be started.
        can_fetch: checks that Asterisk can fetch spoken texts; called if it has to, and
            nothing is known to keep it from that.
    """
    check = _Preflight(settings, client)
    speaks = await check.run()
    topics = (Topic.CONNECTION, Topic.RIGHTS, Topic.MODULES)
    faults = (each for topic in topics for each in check.findings.of(topic))
    if speaks and all(each.level is not Level.ERROR for each in faults):
        check.findings.update(await can_fetch())
    return check.findings


class _Preflight:
    """The checks of one Asterisk, and the findings so far."""

    def __init__(self, settings: Settings, client: AriClient) -> None:
        self.findings = Findings()
        self._client = client
        self._settings = settings

    async def run(self) -> bool:
        """Check everything; return whether texts are to be spoken."""
        language = await self._check_connection()
        if language is None:
            return False
        requirements = requirements_of(self._settings.flow, default_language=language)
        resources = ResourceChecks(self._settings, self._client)
        found = await resources.check(requirements)
        await self._check_rights()
        await self._check_modules(requirements, speaks=resources.speaks)
        await self._check_application()
        self.findings.update(found)
        return resources.speaks

    async def _check_connection(self) -> str | None:
        """Check URL and user; return the default language, or None without answer."""
        settings = self._settings.asterisk
        try:
            info = await self._ask_for_info()
        except (AriError, msgspec.ValidationError) as error:
            self._explain(error)
            return None
        conceal = self._client.address.conceal
        who = f"Asterisk {conceal(info.system.version)}".rstrip()
        self.findings.note(
            Topic.CONNECTION,
            "asterisk.url",
            f"{who} answers at {settings.url} to the user {settings.username}",
        )
        return conceal(info.config.default_language) or "en"

    async def _ask_for_info(self) -> _Info:
        try:
            answer = await self._client.request("GET", "asterisk", "info")
        except NotFoundError:
            # docs/security.md recommends not to load res_ari_asterisk.so.
            await self._client.request("GET", "applications")
            return _Info(_System(version=""))
        return msgspec.convert(answer, _Info)

    def _explain(self, error: Exception) -> None:
        """Explain why the first request was not answered, and what to do."""
        address = self._client.address
        place = "asterisk.url"
        if not isinstance(error, AriError):
            message = f"{address.base_url} does not respond like ARI; check the url"
        elif error.status is not None:
            message = diagnose_refusal(error.status, error.message, address).text
            if isinstance(error, UnauthorizedError):
                place = "asterisk.username"
        elif error.__cause__ is not None and is_connect_error(
            cause := cause_of(error.__cause__)
        ):
            message = diagnose_connect_error(cause, address).text
        else:
            reason = error.message.rstrip(".")
            message = (
                f"no answer from {address.base_url} ({reason}). Check that Asterisk"
                " runs there, with its HTTP server (http.conf: enabled = yes,"
                " bindaddr, bindport)."
            )
        self.findings.error(Topic.CONNECTION, place, message)

    async def _check_rights(self) -> None:
        """Send a request whose 404 only a user gets who is not read-only."""
        nothing = f"channel-aa-check-{uuid4().hex}"
        user = self._settings.asterisk.username
        place = "asterisk.username"
        try:
            await self._client.request("DELETE", "playbacks", nothing)
        except UnauthorizedError as error:
            address, status = self._client.address, error.status or 0
            message = diagnose_refusal(status, error.message, address).text
            self.findings.error(Topic.RIGHTS, place, message)
        except NotFoundError:
            self.findings.ok(Topic.RIGHTS, f"the user {user} may read and write")
        except AriError as error:
            self.findings.warning(Topic.RIGHTS, place, str(error))

    async def _check_modules(self, requirements: Requirements, *, speaks: bool) -> None:
        topic = Topic.MODULES
        try:
            listed = await self._client.request("GET", "asterisk", "modules")
        except NotFoundError:
            lack = "not checked, because this Asterisk has not loaded"
            self.findings.note(topic, "asterisk", f"{lack} res_ari_asterisk.so")
            return
        except AriError as error:
            lack = f"Asterisk could not answer: {error}"
            self.findings.warning(topic, "asterisk", lack)
            return
        loaded = {
            str(each.get("name"))
            for each in listed
            if each.get("status", "Running") == "Running"
        }
        for name, lack in MODULES.items():
            if name not in loaded and (requirements.records or name not in _RECORDING):
                self._miss(topic, "asterisk", name, lack)
        voicemail = requirements.voicemail
        if voicemail and not any(name.startswith(_VOICEMAIL) for name in loaded):
            lack = "it has no VoiceMail, and callers would get the operator"
            self._miss(topic, voicemail[0], f"{_VOICEMAIL}.so", lack)
        if speaks and _FETCHING not in loaded:
            self._miss(topic, "speech", _FETCHING, "it cannot fetch spoken texts")
        if not self.findings.of(topic):
            self.findings.ok(topic, "Asterisk has loaded all that the attendant needs")

    def _miss(self, topic: Topic, place: str, name: str, lack: str) -> None:
        self.findings.error(
            topic,
            place,
            f"Asterisk has not loaded {name}, so {lack}. Install the module, remove a"
            " noload for it from modules.conf, and run asterisk -rx 'module load"
            f" {name}'",
        )

    async def _check_application(self) -> None:
        topic, place = Topic.APPLICATION, "asterisk.app"
        app = self._settings.asterisk.app
        try:
            state = await self._client.request("GET", "applications", app)
            listed = await self._client.request("GET", "applications")
        except NotFoundError:
            return
        except AriError as error:
            self.findings.warning(topic, place, str(error))
            return
        names = [str(each.get("name")) for each in listed]
        programs = ", ".join(programs_of(app, names).values())
        who = programs or "the running attendant, or another program"
        count = len(state.get("channel_ids", ())) if isinstance(state, dict) else 0
        calls = f"{count} call{'' if count == 1 else 's'}"
        self.findings.note(
            topic,
            place,
            f"the application {app} is in use now, with {calls}, by {who}; an"
            " attendant that starts takes it over",
        )
