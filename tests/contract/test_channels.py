"""Channels: their events and requests."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.sounds import LONG
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.asterisk_harness import AsteriskHarness, StasisCall

CHANNEL_FIELDS = {
    "id",
    "name",
    "state",
    "protocol_id",
    "caller",
    "connected",
    "accountcode",
    "dialplan",
    "creationtime",
    "language",
}


async def play(backend: AsteriskHarness, call: StasisCall, media: str) -> str:
    """Start a sound, and return the playback's id."""
    answer = await backend.ari.post(f"/channels/{call.id}/play", media=media)
    playback_id: str = answer.json["id"]
    return playback_id


@pytest_twisted.ensureDeferred
async def test_stasis_start_has_the_channel(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events, answer=False)
    assert set(call.start) == {
        *("type", "timestamp", "asterisk_id", "application"),
        *("args", "channel"),
    }
    assert call.start["application"] == "channel-aa"
    assert call.start["args"] == []
    when = datetime.fromisoformat(str(call.start["timestamp"]))
    assert when.tzinfo is not None
    channel = call.start["channel"]
    assert channel == (await backend.ari.get(f"/channels/{call.id}")).json
    assert set(channel) == CHANNEL_FIELDS
    assert channel["state"] == "Ring"
    assert set(channel["caller"]) == set(channel["connected"]) == {"name", "number"}
    assert channel["dialplan"] == {
        "context": "default",
        "exten": "1000",
        "priority": 1,
        "app_name": "Stasis",
        "app_data": "channel-aa",
    }


@pytest_twisted.ensureDeferred
async def test_stasis_start_has_the_arguments_of_the_dialplan(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events, extension="1001", answer=False)
    assert call.start["args"] == ["one", "two"]


@pytest_twisted.ensureDeferred
async def test_answered_call_is_up(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events, answer=False)
    answered = await backend.ari.post(f"/channels/{call.id}/answer")
    assert (answered.status, answered.json) == (204, None)
    change = await events.wait_for_type("ChannelStateChange", call.id)
    assert change.json["channel"]["state"] == "Up"
    assert (await backend.ari.get(f"/channels/{call.id}")).json["state"] == "Up"


@pytest_twisted.ensureDeferred
async def test_second_answer_has_no_effect(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await events.wait_for_type("ChannelStateChange", call.id)
    assert (await backend.ari.post(f"/channels/{call.id}/answer")).status == 204
    assert events.types(call.id) == ["StasisStart", "ChannelStateChange"]


@pytest_twisted.ensureDeferred
async def test_ringing_can_be_indicated(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events, answer=False)
    ring = f"/channels/{call.id}/ring"
    assert (await backend.ari.post(ring)).status == 204
    assert (await backend.ari.delete(ring)).status == 204


@pytest_twisted.ensureDeferred
async def test_all_keys_are_received(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    for key in "0123456789*#ABCD":
        await call.caller.press(key)
    await events.wait_for(lambda it: it.json.get("digit") == "D")
    received = [it for it in events.all if it.type == "ChannelDtmfReceived"]
    assert "".join(event.json["digit"] for event in received) == "0123456789*#ABCD"
    assert all(event.json["duration_ms"] > 0 for event in received)
    assert all(event.json["channel"]["id"] == call.id for event in received)


@pytest_twisted.ensureDeferred
async def test_key_does_not_stop_a_sound(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    playback_id = await play(backend, call, f"sound:{LONG}")
    await events.wait_for_type("PlaybackStarted", playback_id)
    await call.caller.press("5")
    await events.wait_for_type("ChannelDtmfReceived", call.id)
    playback = await backend.ari.get(f"/playbacks/{playback_id}")
    assert playback.json["state"] == "playing"


@pytest_twisted.ensureDeferred
async def test_setting_a_variable_is_reported(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    path = f"/channels/{call.id}/variable"
    assert (await backend.ari.post(path, variable="FOO", value="bar")).status == 204
    varset = await events.wait_for_type("ChannelVarset", call.id)
    assert (varset.json["variable"], varset.json["value"]) == ("FOO", "bar")
    read = await backend.ari.get(path, variable="FOO")
    assert (read.status, read.json) == (200, {"value": "bar"})


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"variable": "UNSET"}, (404, "Provided variable was not found")),
        ({}, (400, "Variable name is required")),
    ],
)
async def test_unset_variable_is_refused(
    backend: AsteriskHarness, query: dict[str, str], error: tuple[int, str]
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    answer = await backend.ari.get(f"/channels/{call.id}/variable", **query)
    assert answer.error == error


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("path", ["/answer", "/variable?variable=FOO&value=bar"])
async def test_requests_that_wait_for_the_end_of_a_sound(
    backend: AsteriskHarness, path: str
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    playback_id = await play(backend, call, f"sound:{LONG}")
    await events.wait_for_type("PlaybackStarted", playback_id)
    answer = await backend.ari.post(f"/channels/{call.id}{path}")
    assert answer.status == 204
    assert (await backend.ari.get(f"/playbacks/{playback_id}")).status == 404
    assert answer.seconds > backend.sounds[LONG] / 2


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/channels/{channel}"),
        ("GET", "/channels/{channel}/variable?variable=STASISSTATUS"),
        ("POST", "/channels/{channel}/ring"),
        ("DELETE", "/channels/{channel}/ring"),
        ("POST", "/channels/{channel}/continue"),
        ("POST", "/channels/{channel}/play?media=sound:or"),
        ("DELETE", "/channels/{channel}"),
        ("GET", "/playbacks/{playback}"),
        ("DELETE", "/playbacks/{playback}"),
    ],
)
async def test_requests_that_do_not_wait_for_the_end_of_a_sound(
    backend: AsteriskHarness, method: str, path: str
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    playback_id = await play(backend, call, f"sound:{LONG}")
    await events.wait_for_type("PlaybackStarted", playback_id)
    place = path.format(channel=call.id, playback=playback_id)
    answer = await backend.ari.request(method, place)
    assert answer.status in {200, 201, 204}
    assert answer.seconds < backend.sounds[LONG] / 2


@pytest_twisted.ensureDeferred
async def test_variable_may_be_empty(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    path = f"/channels/{call.id}/variable"
    assert (await backend.ari.post(path, variable="FOO", value="")).status == 204
    read = await backend.ari.get(path, variable="FOO")
    assert (read.status, read.json) == (200, {"value": ""})
    # Without a value, the variable is unset.
    assert (await backend.ari.post(path, variable="FOO")).status == 204
    read = await backend.ari.get(path, variable="FOO")
    assert read.status == 404


@pytest_twisted.ensureDeferred
async def test_presentation_tells_a_withheld_number(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    path = f"/channels/{call.id}/variable"

    async def are_all(presentation: str) -> bool:
        parts = ("pres", "num-pres", "name-pres")
        found = [
            await backend.ari.get(path, variable=f"CALLERID({it})") for it in parts
        ]
        return all(each.json == {"value": presentation} for each in found)

    await backend.ari.post(path, variable="CALLERID(all)", value='"Ada" <0123>')
    await events.wait_for_type("ChannelCallerId", call.id)
    assert await are_all("allowed_not_screened")
    for presentation in ("prohib_not_screened", "prohib"):
        query = {"variable": "CALLERID(pres)", "value": presentation}
        assert (await backend.ari.post(path, **query)).status == 204
        # Asterisk 16 answers before it has set it.
        await until(backend.reactor, partial(are_all, presentation), presentation)
    # The channel does not tell.
    channel = (await backend.ari.get(f"/channels/{call.id}")).json
    assert channel["caller"] == {"name": "Ada", "number": "0123"}


@pytest_twisted.ensureDeferred
async def test_functions_are_read_and_set_like_variables(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    path = f"/channels/{call.id}/variable"
    values = {
        "CALLERID(name)": "Ada",
        "CALLERID(num)": "0123",
        "CHANNEL(language)": "fr",
    }
    for name, value in values.items():
        assert (await backend.ari.post(path, variable=name, value=value)).status == 204
        read = await backend.ari.get(path, variable=name)
        assert (read.status, read.json) == (200, {"value": value})
    read = await backend.ari.get(path, variable="CALLERID(all)")
    assert read.json == {"value": '"Ada" <0123>'}
    channel = (await backend.ari.get(f"/channels/{call.id}")).json
    assert channel["caller"] == {"name": "Ada", "number": "0123"}
    assert channel["language"] == "fr"
    await events.wait_for(lambda _: events.types(call.id).count("ChannelCallerId") >= 2)
    # Functions have events of their own, or none.
    assert events.types(call.id) == [
        "StasisStart",
        "ChannelStateChange",
        "ChannelCallerId",
        "ChannelCallerId",
    ]


@pytest_twisted.ensureDeferred
async def test_several_variables_are_set_in_one_request(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    path = f"/channels/{call.id}/variable"
    names = ("FOO", "BAR", "BAZ")
    for value, expected in {
        "410@default,main.sales,+441632960000": [
            "410@default",
            "main.sales",
            "+441632960000",
        ],
        "*#4A,,1": ["*#4A", "", "1"],
        "1,2": ["1", "2", ""],
    }.items():
        function = {"variable": f"ARRAY({','.join(names)})", "value": value}
        assert (await backend.ari.post(path, **function)).status == 204
        read = [(await backend.ari.get(path, variable=name)).json for name in names]
        assert [each["value"] for each in read] == expected
    await events.wait_for(lambda _: events.types(call.id).count("ChannelVarset") >= 9)


@pytest_twisted.ensureDeferred
async def test_array_may_contain_the_cdr(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    path = f"/channels/{call.id}/variable"
    function = "ARRAY(FOO,CDR(userfield))"
    value = "main:2>sales:*,main:2>sales:#"
    assert (await backend.ari.post(path, variable=function, value=value)).status == 204
    for name, expected in (("FOO", "main:2>sales:*"), ("CDR(userfield)", value[15:])):
        read = await backend.ari.get(path, variable=name)
        assert read.json["value"] == expected


@pytest_twisted.ensureDeferred
async def test_unknown_function_cannot_be_read(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    path = f"/channels/{call.id}/variable"
    name = "NONSENSE(name)"
    # Setting it has no effect and no event.
    assert (await backend.ari.post(path, variable=name, value="x")).status == 204
    read = await backend.ari.get(path, variable=name)
    assert read.error == (500, "Unable to read provided function")


@pytest_twisted.ensureDeferred
async def test_variables_of_asterisk_can_be_read(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    path = f"/channels/{call.id}/variable"
    own = {"CHANNEL": call.caller.name, "UNIQUEID": call.id, "EXTEN": "1000"}
    for name, value in own.items():
        assert (await backend.ari.get(path, variable=name)).json == {"value": value}


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("wait", ["ring", "moh", "moh?mohClass=tone"])
async def test_ringing_and_music_do_not_delay_a_sound(
    backend: AsteriskHarness, wait: str
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    assert (await backend.ari.post(f"/channels/{call.id}/{wait}")).status == 204
    playback_id = await play(backend, call, "sound:or")
    await events.wait_for_type("PlaybackFinished", playback_id)
    assert "ChannelHold" not in events.types(call.id)


@pytest_twisted.ensureDeferred
async def test_dtmf_can_be_sent_to_the_caller(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    path = f"/channels/{call.id}/dtmf"
    assert (await backend.ari.post(path, dtmf="12#")).status == 204
    assert (await backend.ari.post(path)).error == (400, "DTMF is required")
