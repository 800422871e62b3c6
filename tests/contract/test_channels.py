"""What an application can do with a call, and hears of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.asterisk.sounds import LONG

if TYPE_CHECKING:
    from tests.contract.stage import Call, Stage

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


async def play(stage: Stage, call: Call, media: str) -> str:
    """Start a sound, and return the playback's id."""
    answer = await stage.ari.post(f"/channels/{call.id}/play", media=media)
    playback_id: str = answer.json["id"]
    return playback_id


@pytest_twisted.ensureDeferred
async def test_a_call_comes_with_its_channel(stage: Stage) -> None:
    events = await stage.listen()
    call = await stage.call(events, answer=False)
    assert set(call.start) == {
        *("type", "timestamp", "asterisk_id", "application"),
        *("args", "channel"),
    }
    assert call.start["application"] == "channel-aa"
    assert call.start["args"] == []
    when = datetime.fromisoformat(str(call.start["timestamp"]))
    assert when.tzinfo is not None
    channel = call.start["channel"]
    assert channel == (await stage.ari.get(f"/channels/{call.id}")).json
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
async def test_a_call_comes_with_the_arguments_of_the_dialplan(stage: Stage) -> None:
    events = await stage.listen()
    call = await stage.call(events, extension="1001", answer=False)
    assert call.start["args"] == ["one", "two"]


@pytest_twisted.ensureDeferred
async def test_an_answered_call_is_up(stage: Stage) -> None:
    events = await stage.listen()
    call = await stage.call(events, answer=False)
    answered = await stage.ari.post(f"/channels/{call.id}/answer")
    assert (answered.status, answered.json) == (204, None)
    change = await events.wait_for_type("ChannelStateChange", call.id)
    assert change.json["channel"]["state"] == "Up"
    assert (await stage.ari.get(f"/channels/{call.id}")).json["state"] == "Up"


@pytest_twisted.ensureDeferred
async def test_a_call_may_be_answered_twice(stage: Stage) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await events.wait_for_type("ChannelStateChange", call.id)
    assert (await stage.ari.post(f"/channels/{call.id}/answer")).status == 204
    assert events.types(call.id) == ["StasisStart", "ChannelStateChange"]


@pytest_twisted.ensureDeferred
async def test_ringing_can_be_indicated(stage: Stage) -> None:
    events = await stage.listen()
    call = await stage.call(events, answer=False)
    ring = f"/channels/{call.id}/ring"
    assert (await stage.ari.post(ring)).status == 204
    assert (await stage.ari.delete(ring)).status == 204


@pytest_twisted.ensureDeferred
async def test_every_key_arrives(stage: Stage) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    for key in "0123456789*#ABCD":
        await call.caller.press(key)
    await events.wait_for(lambda it: it.json.get("digit") == "D")
    received = [it for it in events.all if it.type == "ChannelDtmfReceived"]
    assert "".join(event.json["digit"] for event in received) == "0123456789*#ABCD"
    assert all(event.json["duration_ms"] > 0 for event in received)
    assert all(event.json["channel"]["id"] == call.id for event in received)


@pytest_twisted.ensureDeferred
async def test_a_key_does_not_stop_a_sound(stage: Stage) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    playback_id = await play(stage, call, f"sound:{LONG}")
    await events.wait_for_type("PlaybackStarted", playback_id)
    await call.caller.press("5")
    await events.wait_for_type("ChannelDtmfReceived", call.id)
    playback = await stage.ari.get(f"/playbacks/{playback_id}")
    assert playback.json["state"] == "playing"


@pytest_twisted.ensureDeferred
async def test_a_variable_is_set_and_told(stage: Stage) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    path = f"/channels/{call.id}/variable"
    assert (await stage.ari.post(path, variable="FOO", value="bar")).status == 204
    told = await events.wait_for_type("ChannelVarset", call.id)
    assert (told.json["variable"], told.json["value"]) == ("FOO", "bar")
    read = await stage.ari.get(path, variable="FOO")
    assert (read.status, read.json) == (200, {"value": "bar"})


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"variable": "UNSET"}, (404, "Provided variable was not found")),
        ({}, (400, "Variable name is required")),
    ],
)
async def test_a_variable_that_is_not_there_is_refused(
    stage: Stage, query: dict[str, str], error: tuple[int, str]
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    answer = await stage.ari.get(f"/channels/{call.id}/variable", **query)
    assert answer.error == error


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("path", ["/answer", "/variable?variable=FOO&value=bar"])
async def test_what_waits_for_a_sound_to_end(stage: Stage, path: str) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    playback_id = await play(stage, call, "sound:press-1")
    await events.wait_for_type("PlaybackStarted", playback_id)
    answer = await stage.ari.post(f"/channels/{call.id}{path}")
    assert answer.status == 204
    assert (await stage.ari.get(f"/playbacks/{playback_id}")).status == 404
    assert answer.seconds > stage.sounds["press-1"] / 2


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
async def test_what_does_not_wait_for_a_sound_to_end(
    stage: Stage, method: str, path: str
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    playback_id = await play(stage, call, f"sound:{LONG}")
    await events.wait_for_type("PlaybackStarted", playback_id)
    place = path.format(channel=call.id, playback=playback_id)
    answer = await stage.ari.request(method, place)
    assert answer.status in {200, 201, 204}
    assert answer.seconds < stage.sounds[LONG] / 2
