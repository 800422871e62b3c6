"""Requests in general, and resources that need no call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.phones.tones import TONES

if TYPE_CHECKING:
    from tests.support.asterisk_harness import AsteriskHarness


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    "credentials", [("asterisk", "wrong"), ("stranger", "asterisk")]
)
async def test_credentials_are_required(
    backend: AsteriskHarness, credentials: tuple[str, str]
) -> None:
    answer = await backend.user(*credentials).get("/asterisk/info")
    assert answer.error == (401, "Authentication required")


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", "/nowhere", (404, "Resource not found")),
        ("GET", "/channels/none/nowhere", (404, "Resource not found")),
        ("PUT", "/asterisk/info", (405, "Invalid method")),
        ("GET", "/channels/none", (404, "Channel not found")),
        ("POST", "/channels/none/answer", (404, "Channel not found")),
        ("POST", "/channels/none/play?media=sound:or", (404, "Channel not found")),
        ("GET", "/playbacks/none", (404, "Playback not found")),
        ("DELETE", "/playbacks/none", (404, "Playback not found")),
        ("GET", "/applications/none", (404, "Application not found")),
        ("GET", "/sounds/none", (404, "Sound not found")),
        # An id with a slash has to be quoted.
        ("GET", "/sounds/digits/1", (404, "Resource not found")),
    ],
)
async def test_missing_resource_is_refused_with_a_message(
    backend: AsteriskHarness, method: str, path: str, error: tuple[int, str]
) -> None:
    answer = await backend.ari.request(method, path)
    assert answer.error == error


@pytest_twisted.ensureDeferred
async def test_asterisk_reports_its_version(backend: AsteriskHarness) -> None:
    answer = await backend.ari.get("/asterisk/info")
    assert answer.status == 200
    assert {"build", "system", "config", "status"} <= set(answer.json)
    assert re.match(r"\d+\.\d+\.\d+", answer.json["system"]["version"])
    assert answer.json["system"]["entity_id"]


@pytest_twisted.ensureDeferred
async def test_asterisk_answers_a_ping(backend: AsteriskHarness) -> None:
    answer = await backend.ari.get("/asterisk/ping")
    assert answer.status == 200
    assert answer.json["ping"] == "pong"


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("sound", ["press-1", "digits/1"])
async def test_sound_is_found_by_its_quoted_name(
    backend: AsteriskHarness, sound: str
) -> None:
    answer = await backend.ari.get(f"/sounds/{sound.replace('/', '%2F')}")
    assert answer.status == 200
    assert answer.json["id"] == sound
    assert answer.json["formats"] == [{"language": "en", "format": "slin"}]


@pytest_twisted.ensureDeferred
async def test_channels_are_listed(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    channels = (await backend.ari.get("/channels")).json
    assert call.id in [channel["id"] for channel in channels]


@pytest_twisted.ensureDeferred
async def test_only_the_requested_information_is_returned(
    backend: AsteriskHarness,
) -> None:
    answer = await backend.ari.get("/asterisk/info", only="system")
    assert set(answer.json) == {"system"}


@pytest_twisted.ensureDeferred
async def test_endpoints_have_a_state(backend: AsteriskHarness) -> None:
    known = {
        "technology": "PJSIP",
        "resource": "410",
        "state": "offline",
        "channel_ids": [],
    }
    for path in ("/endpoints", "/endpoints/PJSIP"):
        listed = (await backend.ari.get(path)).json
        assert [each for each in listed if each["resource"] not in TONES] == [known]
    assert (await backend.ari.get("/endpoints/PJSIP/410")).json == known
    # The technology is case-insensitive.
    assert (await backend.ari.get("/endpoints/pjsip/410")).json == known


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/PJSIP/411", "Endpoint not found"),
        ("/Nonsense/410", "Endpoint not found"),
        ("/Nonsense", "No Endpoints found - invalid tech Nonsense"),
        # Local channels lead to the dialplan and have no endpoint.
        ("/Local/answers@phones", "Endpoint not found"),
    ],
)
async def test_unknown_endpoint_is_not_found(
    backend: AsteriskHarness, path: str, message: str
) -> None:
    assert (await backend.ari.get(f"/endpoints{path}")).error == (404, message)
