"""Requests over the events websocket.

What is not pinned here because Asterisk has no order for it: the answer to ``play``
and its ``PlaybackStarted``, the answer to a stop and its ``PlaybackFinished``.
Either may be first, although both take the one websocket.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.sounds import LONG
from tests.support.asterisk_harness import stasis_status
from tests.support.waiting import until

if TYPE_CHECKING:
    from real_asterisk.raw_ari import Event, Events
    from tests.support.asterisk_harness import AsteriskHarness, StasisCall

LONGEST = 65_527
"""The bytes of the longest request in one frame: 65,535 with the frame's header."""


def body(response: Event) -> object:
    return json.loads(response.json["message_body"])


def outcome(response: Event) -> tuple[int, str, object]:
    """Return the status, its reason and the body; None: no body."""
    text = response.json.get("message_body")
    assert response.json.get("content_type") == (text and "application/json")
    return (
        response.json["status_code"],
        response.json["reason_phrase"],
        text and json.loads(text),
    )


async def refusal(events: Events, message: bytes) -> Event:
    """Send an invalid request; return the next response."""
    already = len(events.answered)
    events.sendMessage(message)
    await events.wait_for(lambda _: len(events.answered) > already)
    return events.all[-1]


def request_of(size: int) -> bytes:
    """Make a request of a number of bytes."""
    request = {"type": "RESTRequest", "request_id": "long", "method": "GET"}
    short = json.dumps({**request, "uri": "asterisk/ping", "rest": ""})
    return json.dumps(
        {**request, "uri": "asterisk/ping", "rest": "x" * (size - len(short))}
    ).encode()


async def call_with_a_long_sound(
    backend: AsteriskHarness, events: Events
) -> StasisCall:
    call = await backend.call(events)
    played = await events.ask(
        "POST", f"channels/{call.id}/play/long?media=sound:{LONG}"
    )
    assert played.json["status_code"] == 201
    await events.wait_for_type("PlaybackStarted", "long")
    return call


@pytest_twisted.ensureDeferred
async def test_response_equals_that_over_http(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    response = await events.ask("GET", "asterisk/ping", request_id="the first")
    fields = dict(response.json)
    assert json.loads(fields.pop("message_body"))["ping"] == "pong"
    assert fields.pop("timestamp")
    assert fields.pop("asterisk_id")
    assert fields == {
        "type": "RESTResponse",
        "transaction_id": "",
        "request_id": "the first",
        "status_code": 200,
        "reason_phrase": "OK",
        "uri": "asterisk/ping",
        "content_type": "application/json",
        "application": "channel-aa",
    }


@pytest_twisted.ensureDeferred
async def test_call_from_answer_to_continue(backend: AsteriskHarness) -> None:
    everything = await backend.listen_to_everything()
    events = await backend.listen()
    call = await backend.call(events, answer=False)
    channel = f"channels/{call.id}"
    done = (204, "No Content", None)
    assert outcome(await events.ask("POST", f"{channel}/answer")) == done
    played = await events.ask("POST", f"{channel}/play/one?media=sound:{LONG}")
    status, reason, playback = outcome(played)
    assert (status, reason) == (201, "Created")
    assert isinstance(playback, dict)
    # "playing" if the sound started before the response was written.
    assert playback["id"] == "one"
    assert playback["state"] in {"queued", "playing"}
    # The URI in the response has no query.
    assert played.json["uri"] == f"{channel}/play/one"
    assert outcome(await events.ask("DELETE", "playbacks/one")) == done
    await events.wait_for_type("PlaybackFinished", "one")
    assert outcome(await events.ask("POST", f"{channel}/continue")) == done
    await events.wait_for_type("StasisEnd", call.id)
    await stasis_status(everything, call.caller.name)
    assert outcome(await events.ask("POST", f"{channel}/answer")) == (
        409,
        "Conflict",
        {"message": "Channel not in Stasis application"},
    )


@pytest_twisted.ensureDeferred
async def test_parameters_may_be_in_the_uri_query_strings_and_body(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    uri = f"channels/{call.id}/variable"

    async def set_variable(**given: object) -> object:
        answer = await events.ask("POST", **{"uri": uri, **given})  # type: ignore[arg-type]
        assert answer.json["status_code"] == 204, answer.json
        return body(await events.ask("GET", f"{uri}?variable=X"))

    pairs = {"variable": "X", "value": "a b"}
    listed = [{"name": name, "value": value} for name, value in pairs.items()]
    in_uri = await set_variable(uri=f"{uri}?variable=X&value=Gr%C3%BC%C3%9Fe%20a+b")
    assert in_uri == {"value": "Grüße a b"}
    # Values there are not quoted.
    assert await set_variable(query_strings=listed) == {"value": "a b"}
    listed[1]["value"] = "a%20b+c&d"
    assert await set_variable(query_strings=listed) == {"value": "a%20b+c&d"}
    as_json = {"content_type": "application/json", "message_body": json.dumps(pairs)}
    assert await set_variable(**as_json) == {"value": "a b"}
    form = {"content_type": "application/x-www-form-urlencoded"}
    form["message_body"] = "variable=X&value=a%20c"
    assert await set_variable(**form) == {"value": "a c"}
    # The first place with the parameter counts: body, query_strings, URI.
    as_json["uri"] = f"{uri}?variable=X&value=other"
    assert await set_variable(**as_json) == {"value": "a b"}


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("method", "uri", "error"),
    [
        ("GET", "nowhere", (404, "Not Found", "Resource not found")),
        ("GET", "channels/none", (404, "Not Found", "Channel not found")),
        ("DELETE", "playbacks/none", (404, "Not Found", "Playback not found")),
        ("PUT", "asterisk/ping", (405, "Method Not Allowed", "Invalid method")),
        # A path has no leading slash; an extra slash ends it.
        ("GET", "/asterisk/ping", (405, "Method Not Allowed", "Invalid method")),
        ("GET", "asterisk//ping", (405, "Method Not Allowed", "Invalid method")),
        ("GET", "ari/asterisk/ping", (404, "Not Found", "Resource not found")),
        (
            "GET",
            "asterisk/ping/",
            (
                404,
                "Not Found",
                "ARI URLs do not end with a slash. Try /ari/asterisk/ping",
            ),
        ),
        (
            "GET",
            "events?app=channel-aa",
            (400, "Bad request", "Can't upgrade to websocket from a websocket"),
        ),
    ],
)
async def test_invalid_request_is_refused_with_a_message(
    backend: AsteriskHarness, method: str, uri: str, error: tuple[int, str, str]
) -> None:
    events = await backend.listen()
    status, reason, message = error
    response = await events.ask(method, uri)
    assert outcome(response) == (status, reason, {"message": message})


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("request_id", [None, 7, ""])
async def test_request_id_is_optional(
    backend: AsteriskHarness, request_id: object
) -> None:
    request = {"type": "RESTRequest", "method": "GET", "uri": "asterisk/ping"}
    if request_id is not None:
        request["request_id"] = request_id  # type: ignore[assignment]
    events = await backend.listen()
    response = await refusal(events, json.dumps(request).encode())
    assert response.json["status_code"] == 200
    assert response.json["request_id"] == ""


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("message", [b"", b"{bad", b'"a text"', b"7"])
async def test_message_that_is_not_a_json_object_is_refused_without_a_body(
    backend: AsteriskHarness, message: bytes
) -> None:
    events = await backend.listen()
    response = await refusal(events, message)
    unparsed = "Failed to parse request message JSON"
    assert outcome(response) == (400, unparsed, None)
    assert (response.json["request_id"], response.json["uri"]) == ("", "")
    # The websocket still serves requests.
    assert (await events.ask("GET", "asterisk/ping")).json["status_code"] == 200


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"type": None}, "No 'type' property."),
        ({"type": "RESTResponse"}, "Unknown request type."),
        ({"type": "restrequest"}, "Unknown request type."),
        ({"uri": None}, "Empty or missing 'uri' property."),
        ({"uri": ""}, "Empty or missing 'uri' property."),
        ({"uri": None, "method": None}, "Empty or missing 'uri' property."),
        ({"method": None}, "Unknown or missing 'method' property."),
        ({"method": "get"}, "Unknown or missing 'method' property."),
        ({"query_strings": [7]}, "Unable to parse 'query_strings' array."),
        ({"message_body": "{}"}, "No 'content_type' for 'message_body'."),
        (
            {"message_body": "{}", "content_type": "text/plain"},
            "Unknown content type.",
        ),
        (
            {"message_body": "{bad", "content_type": "application/json"},
            "Unable to parse 'message_body' as 'application/json'.",
        ),
    ],
)
async def test_incomplete_request_is_refused_with_a_message(
    backend: AsteriskHarness, properties: dict[str, object], message: str
) -> None:
    request = {"type": "RESTRequest", "request_id": "mine", "method": "GET"}
    changed = {**request, "uri": "asterisk/ping", **properties}
    given = {name: value for name, value in changed.items() if value is not None}
    events = await backend.listen()
    response = await refusal(events, json.dumps(given).encode())
    assert outcome(response) == (400, "Bad request", {"message": message})
    assert response.json["request_id"] == "mine"


@pytest_twisted.ensureDeferred
async def test_concurrent_requests_are_answered_in_order(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    ways = ("asterisk/ping", "channels/none", "asterisk/info")
    sent = [events.request("GET", ways[number % 3]) for number in range(200)]
    await events.response(sent[-1])
    assert events.answered == sent


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("waiting", ["answer", "variable?variable=X&value=1"])
async def test_request_that_waits_for_a_sound_blocks_only_its_websocket(
    backend: AsteriskHarness, waiting: str
) -> None:
    events = await backend.listen()
    other = await backend.listen("other")
    call = await call_with_a_long_sound(backend, events)
    already = events.answered
    sent = [
        events.request("POST", f"channels/{call.id}/{waiting}"),
        events.request("GET", "asterisk/ping"),
    ]
    assert (await other.ask("GET", "asterisk/ping")).json["status_code"] == 200
    assert (await backend.ari.get("/asterisk/ping")).status == 200
    # Events still arrive.
    await call.caller.press("5")
    await events.wait_for_type("ChannelDtmfReceived", call.id)
    assert events.answered == already
    await other.ask("DELETE", "playbacks/long")
    await events.response(sent[-1])
    assert events.answered == [*already, *sent]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/play?media=sound:or", 201),
        ("POST", "/continue", 204),
        ("GET", "/variable?variable=NONE", 404),
        ("GET", "", 200),
    ],
)
async def test_request_that_does_not_wait_for_a_sound_blocks_nothing(
    backend: AsteriskHarness, method: str, path: str, status: int
) -> None:
    events = await backend.listen()
    call = await call_with_a_long_sound(backend, events)
    sent = events.request(method, f"channels/{call.id}{path}")
    assert (await events.ask("GET", "playbacks/long")).json["status_code"] == 200
    assert (await events.response(sent)).json["status_code"] == status
    assert "PlaybackFinished" not in events.types("long")


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("end", ["playbacks/long", "channels/{}"])
async def test_request_that_ends_a_sound_does_not_wait_for_it(
    backend: AsteriskHarness, end: str
) -> None:
    events = await backend.listen()
    call = await call_with_a_long_sound(backend, events)
    asked_at = backend.reactor.seconds()
    response = await events.ask("DELETE", end.format(call.id))
    assert response.json["status_code"] == 204
    finished = await events.wait_for_type("PlaybackFinished", "long")
    assert finished.received - asked_at < backend.sounds[LONG] / 2


@pytest_twisted.ensureDeferred
async def test_stop_and_next_play_may_be_sent_together(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await call_with_a_long_sound(backend, events)
    events.request("DELETE", "playbacks/long")
    events.request("POST", f"channels/{call.id}/play/next?media=sound:or")
    await events.wait_for_type("PlaybackFinished", "next")
    told = [
        (event.type, event.json["playback"]["id"])
        for event in events.all
        if event.is_about("long") or event.is_about("next")
    ]
    assert told == [
        ("PlaybackStarted", "long"),
        ("PlaybackFinished", "long"),
        ("PlaybackStarted", "next"),
        ("PlaybackFinished", "next"),
    ]


@pytest_twisted.ensureDeferred
async def test_longest_request_in_one_frame_is_served(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    events.sendMessage(request_of(LONGEST))
    assert (await events.response("long")).json["status_code"] == 200


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("size", [LONGEST + 1, 0xFFFF, 0xFFFF + 1, 100_000])
async def test_longer_frame_closes_the_websocket(
    backend: AsteriskHarness, size: int
) -> None:
    events = await backend.listen()
    events.sendMessage(request_of(size))
    assert await events.closed == 1009
    assert events.answered == []


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("size", [200, LONGEST + 1])
async def test_fragmented_request_is_served(
    backend: AsteriskHarness, size: int
) -> None:
    events = await backend.listen()
    events.sendMessage(request_of(size), fragmentSize=size // 2)
    assert (await events.response("long")).json["status_code"] == 200


@pytest_twisted.ensureDeferred
async def test_binary_message_is_ignored(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    events.sendMessage(request_of(200), isBinary=True)
    await events.ask("GET", "asterisk/ping", request_id="text")
    assert events.answered == ["text"]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    "event_filter",
    [
        {"allowed": [{"type": "StasisStart"}]},
        {"disallowed": [{"type": "RESTResponse"}]},
    ],
)
async def test_event_filter_without_responses_drops_them(
    backend: AsteriskHarness, event_filter: dict[str, object]
) -> None:
    events = await backend.listen()
    other = await backend.listen("other")
    call = await backend.call(events)

    async def filter_events(wanted: object) -> None:
        answer = await other.ask(
            "PUT",
            "applications/channel-aa/eventFilter",
            content_type="application/json",
            message_body=json.dumps(wanted),
        )
        assert answer.json["status_code"] == 200

    await filter_events(event_filter)
    for playback in ("unheard", "second"):
        play = f"channels/{call.id}/play/{playback}?media=sound:{LONG}"
        last = events.request("POST", play)

    async def is_served() -> bool:
        return (await backend.ari.get("/playbacks/second")).status == 200

    # Asterisk serves the requests in turn, so the first one's response was dropped.
    await until(backend.reactor, is_served)
    allowed = [{"type": "StasisStart"}, {"type": "RESTResponse"}]
    await filter_events({"allowed": allowed, "disallowed": []})
    await events.ask("GET", "asterisk/ping", request_id="heard")
    await filter_events({})
    await events.ask("DELETE", "playbacks/unheard", request_id="stop")
    # That of the last one may have been sent after the filter was changed.
    assert [each for each in events.answered if each != last] == ["heard", "stop"]


@pytest_twisted.ensureDeferred
async def test_replaced_websocket_still_serves_requests(
    backend: AsteriskHarness,
) -> None:
    first = await backend.listen()
    second = await backend.listen()
    await first.wait_for(lambda it: it.type == "ApplicationReplaced")
    assert (await first.ask("GET", "asterisk/ping")).json["status_code"] == 200
    assert second.answered == []


@pytest_twisted.ensureDeferred
async def test_response_names_the_first_of_several_applications(
    backend: AsteriskHarness,
) -> None:
    events = await backend.ari.listen("one,two")
    response = await events.ask("GET", "asterisk/ping")
    assert response.json["application"] == "one"
