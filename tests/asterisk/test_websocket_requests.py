"""Requests that go over the events websocket, as 22.4 and later serve them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from tests.contract.stage import AsteriskStage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.internet.posixbase import PosixReactorBase

    from tests.asterisk.harness import Asterisk

pytestmark = pytest.mark.asterisk


@pytest_twisted.async_yield_fixture
async def stage(
    asterisk: Asterisk, reactor: PosixReactorBase
) -> AsyncIterator[AsteriskStage]:
    opened = await AsteriskStage.open(reactor, asterisk)
    yield opened
    await opened.close()


@pytest_twisted.ensureDeferred
async def test_a_response_has_its_requests_id_and_a_body_of_text(
    stage: AsteriskStage,
) -> None:
    events = await stage.listen()
    response = (await events.ask("GET", "channels/none")).json
    assert response["request_id"] == "request-1"
    assert response["status_code"] == 404
    assert response["reason_phrase"] == "Not Found"
    assert response["content_type"] == "application/json"
    assert json.loads(response["message_body"]) == {"message": "Channel not found"}


@pytest_twisted.ensureDeferred
async def test_a_response_with_no_body_has_none(stage: AsteriskStage) -> None:
    events = await stage.listen()
    call = await stage.call(events, answer=False)
    response = (await events.ask("POST", f"channels/{call.id}/answer")).json
    assert response["status_code"] == 204
    assert "message_body" not in response


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("?media=sound:or", {}),
        ("", {"query_strings": [{"name": "media", "value": "sound:or"}]}),
        (
            "",
            {
                "content_type": "application/json",
                "message_body": '{"media":"sound:or"}',
            },
        ),
    ],
)
async def test_arguments_go_in_the_uri_beside_it_or_in_a_body(
    stage: AsteriskStage, query: str, fields: dict[str, object]
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    uri = f"channels/{call.id}/play/one{query}"
    assert (await events.ask("POST", uri, **fields)).json["status_code"] == 201
    await events.wait_for_type("PlaybackFinished", "one")


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("method", "uri", "status", "message"),
    [
        ("GET", "/asterisk/ping", 405, "Invalid method"),
        ("GET", "nowhere", 404, "Resource not found"),
        ("BOGUS", "asterisk/ping", 400, "Unknown or missing 'method' property."),
        ("GET", "", 400, "Empty or missing 'uri' property."),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(
    stage: AsteriskStage, method: str, uri: str, status: int, message: str
) -> None:
    events = await stage.listen()
    response = (await events.ask(method, uri)).json
    assert response["status_code"] == status
    assert json.loads(response["message_body"]) == {"message": message}


@pytest_twisted.ensureDeferred
async def test_a_request_that_waits_holds_up_those_behind_it(
    stage: AsteriskStage,
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await stage.ari.post(f"/channels/{call.id}/play/one", media="sound:press-1")
    await events.wait_for_type("PlaybackStarted", "one")
    await gatherResults(
        [
            Deferred.fromCoroutine(events.ask("POST", f"channels/{call.id}/answer")),
            Deferred.fromCoroutine(events.ask("GET", "asterisk/ping")),
        ]
    )
    assert [event.type for event in events.all[-3:]] == [
        "PlaybackFinished",
        "RESTResponse",
        "RESTResponse",
    ]
    assert [event.json["uri"] for event in events.all[-2:]] == [
        f"channels/{call.id}/answer",
        "asterisk/ping",
    ]


@pytest_twisted.ensureDeferred
async def test_a_frame_over_64_kib_closes_the_websocket(stage: AsteriskStage) -> None:
    events = await stage.listen()
    events.sendMessage(b"x" * 65536)
    assert await events.closed == 1009
