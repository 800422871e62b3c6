"""Recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from real_asterisk.sounds import LONG
from tests.support.waiting import until

if TYPE_CHECKING:
    from real_asterisk.raw_ari import Events
    from tests.support.asterisk_harness import AsteriskHarness, StasisCall

NAME = "message"
STORED = f"/recordings/stored/{NAME}"
LIVE = f"/recordings/live/{NAME}"
GONE = (404, "Recording not found")


async def record(
    backend: AsteriskHarness, call: StasisCall, name: str = NAME, **limits: object
) -> None:
    answer = await backend.ari.post(
        f"/channels/{call.id}/record", name=name, format="wav", **limits
    )
    assert answer.status == 201, answer.json


async def until_finished(backend: AsteriskHarness) -> None:
    """Wait until it is not live: its last event comes shortly before."""

    async def is_over() -> bool:
        return (await backend.ari.get(LIVE)).status == 404

    await until(backend.reactor, is_over)


async def until_stored(backend: AsteriskHarness) -> None:
    """Wait until its file exists: its first event comes shortly before."""

    async def is_stored() -> bool:
        return (await backend.ari.get(STORED)).status == 200

    await until(backend.reactor, is_stored)


async def recorded(backend: AsteriskHarness, call: StasisCall, events: Events) -> None:
    """Record a word of the caller, and wait for the end."""
    await record(backend, call, terminateOn="#")
    await events.wait_for_type("RecordingStarted", NAME)
    await call.caller.speak()
    await call.caller.press("#")
    await events.wait_for_type("RecordingFinished", NAME)
    await until_finished(backend)


@pytest_twisted.ensureDeferred
async def test_recording_is_made_played_and_deleted(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    answer = await backend.ari.post(
        f"/channels/{call.id}/record", name=NAME, format="wav"
    )
    # The state may be newer than the response.
    assert answer.json.pop("state") in {"queued", "recording"}
    described = {
        "name": NAME,
        "format": "wav",
        "target_uri": f"channel:{call.id}",
    }
    assert (answer.status, answer.json) == (201, described)
    started = await events.wait_for_type("RecordingStarted", NAME)
    assert started.json["recording"] == {**described, "state": "recording"}
    live = await backend.ari.get(LIVE)
    assert live.json == {**described, "state": "recording"}
    # Its file exists already.
    await until_stored(backend)
    assert (await backend.ari.get(STORED)).status == 200

    await call.caller.speak()
    assert (await backend.ari.post(f"{LIVE}/stop")).status == 204
    finished = await events.wait_for_type("RecordingFinished", NAME)
    assert finished.json["recording"] == {**described, "state": "done", "duration": 0}
    await until_finished(backend)
    assert (await backend.ari.post(f"{LIVE}/stop")).error == GONE
    assert (await backend.ari.get(LIVE)).error == GONE

    stored = {"name": NAME, "format": "wav"}
    assert (await backend.ari.get(STORED)).json == stored
    assert (await backend.ari.get("/recordings/stored")).json == [stored]
    path = f"/channels/{call.id}/play/heard"
    assert (await backend.ari.post(path, media=f"recording:{NAME}")).status == 201
    heard = await events.wait_for_type("PlaybackFinished", "heard")
    assert heard.json["playback"]["state"] == "done"

    assert (await backend.ari.delete(STORED)).status == 204
    assert (await backend.ari.delete(STORED)).error == GONE
    assert (await backend.ari.get(STORED)).error == GONE


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(("terminator", "key"), [("#", "#"), ("*", "*"), ("any", "7")])
async def test_key_ends_a_recording(
    backend: AsteriskHarness, terminator: str, key: str
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await record(backend, call, terminateOn=terminator)
    await events.wait_for_type("RecordingStarted", NAME)
    if terminator != "any":
        await call.caller.press("5")
    await call.caller.press(key)
    await events.wait_for_type("RecordingFinished", NAME)
    # The application gets the key's event, too, and before.
    digits = [it.json["digit"] for it in events.all if it.type == "ChannelDtmfReceived"]
    assert digits == ([key] if terminator == "any" else ["5", key])
    assert events.all[-1].type == "RecordingFinished"


@pytest_twisted.ensureDeferred
async def test_recording_ends_at_its_maximum_duration(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await call.caller.keep_talking()
    await record(backend, call, maxDurationSeconds=1)
    finished = await events.wait_for_type("RecordingFinished", NAME)
    # Asterisk counts whole seconds of the clock.
    assert finished.json["recording"]["duration"] in {1, 2}


@pytest_twisted.ensureDeferred
async def test_recording_ends_after_silence(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await call.caller.keep_quiet()
    await record(backend, call, maxSilenceSeconds=1)
    finished = await events.wait_for_type("RecordingFinished", NAME)
    assert {"talking_duration", "silence_duration"} <= set(finished.json["recording"])


@pytest_twisted.ensureDeferred
async def test_recording_is_kept_at_a_hangup(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await record(backend, call)
    await events.wait_for_type("RecordingStarted", NAME)
    await call.caller.speak()
    await call.caller.hang_up()
    await events.wait_for_type("StasisEnd", call.id)
    assert events.types(call.id, NAME)[-3:] == [
        "ChannelHangupRequest",
        "RecordingFinished",
        "StasisEnd",
    ]
    assert (await backend.ari.get(STORED)).status == 200


@pytest_twisted.ensureDeferred
async def test_cancelled_recording_is_not_kept(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await record(backend, call)
    await events.wait_for_type("RecordingStarted", NAME)
    await call.caller.speak()
    assert (await backend.ari.delete(LIVE)).status == 204
    finished = await events.wait_for_type("RecordingFinished", NAME)
    assert finished.json["recording"]["state"] == "done"
    assert (await backend.ari.get(STORED)).error == GONE


@pytest_twisted.ensureDeferred
async def test_recording_waits_for_sounds_and_delays_later_ones(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    channel = f"/channels/{call.id}"
    await backend.ari.post(f"{channel}/play/before", media=f"sound:{LONG}")
    await record(backend, call)
    await backend.ari.post(f"{channel}/play/after", media="sound:or")
    assert (await backend.ari.get(LIVE)).json["state"] == "queued"
    waiting = Deferred.fromCoroutine(
        backend.ari.post(f"{channel}/variable", variable="LATE", value="1")
    )
    await events.wait_for_type("PlaybackStarted", "before")
    await backend.ari.delete("/playbacks/before")
    await events.wait_for_type("RecordingStarted", NAME)
    unset = await backend.ari.get(f"{channel}/variable", variable="LATE")
    assert unset.status == 404
    await backend.ari.post(f"{LIVE}/stop")
    assert (await waiting).status == 204
    await events.wait_for_type("PlaybackFinished", "after")
    assert events.types("before", "after", NAME) == [
        "PlaybackStarted",
        "PlaybackFinished",
        "RecordingStarted",
        "RecordingFinished",
        "PlaybackStarted",
        "PlaybackFinished",
    ]


@pytest_twisted.ensureDeferred
async def test_recording_answers_the_call(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events, answer=False)
    await record(backend, call)
    await events.wait_for_type("RecordingStarted", NAME)
    change = await events.wait_for_type("ChannelStateChange", call.id)
    assert change.json["channel"]["state"] == "Up"


@pytest_twisted.ensureDeferred
async def test_recording_fails_when_an_unanswered_caller_hangs_up(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events, answer=False)
    path = f"/channels/{call.id}/play/before"
    await backend.ari.post(path, media=f"sound:{LONG}")
    await record(backend, call)
    await events.wait_for_type("PlaybackStarted", "before")
    await call.caller.hang_up()
    failed = await events.wait_for_type("RecordingFailed", NAME)
    recording = failed.json["recording"]
    assert recording["state"] == "failed"
    assert recording["cause"] == "Failed to answer channel"
    await events.wait_for_type("StasisEnd", call.id)
    assert (await backend.ari.get(STORED)).error == GONE


@pytest_twisted.ensureDeferred
async def test_existing_recording_is_replaced_only_on_request(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await recorded(backend, call, events)
    path, query = f"/channels/{call.id}/record", {"name": NAME, "format": "wav"}
    there = (409, f"Recording '{NAME}' already exists and can not be overwritten")
    assert (await backend.ari.post(path, **query)).error == there
    again = await backend.ari.post(path, **query, ifExists="overwrite")
    assert again.status == 201
    # During a recording, a second one of its name is refused.
    assert (await backend.ari.post(path, **query)).error == there


@pytest_twisted.ensureDeferred
async def test_recording_is_copied_unless_the_other_name_is_taken(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await recorded(backend, call, events)
    path, query = f"{STORED}/copy", {"destinationRecordingName": "sales/copy"}
    copied = await backend.ari.post(path, **query)
    assert (copied.status, copied.json) == (
        200,
        {"name": "sales/copy", "format": "wav"},
    )
    taken = (409, "A recording with the same name already exists on the system")
    assert (await backend.ari.post(path, **query)).error == taken
    assert (await backend.ari.delete(STORED)).status == 204
    assert (await backend.ari.post(path, **query)).error == GONE
    copy = "/recordings/stored/sales%2Fcopy"
    assert (await backend.ari.delete(copy)).status == 204


@pytest_twisted.ensureDeferred
async def test_talking_is_measured_if_silence_may_end_the_recording(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    for speaks in (True, False):
        call = await backend.call(events)
        await record(backend, call, maxSilenceSeconds=2, maxDurationSeconds=3)
        await events.wait_for_type("RecordingStarted", NAME)
        if speaks:
            await call.caller.keep_talking()
        finished = await events.wait_for_type("RecordingFinished", NAME)
        talking = finished.json["recording"]["talking_duration"]
        assert talking >= 2 if speaks else talking == 0
        await until_finished(backend)
        assert (await backend.ari.delete(STORED)).status == 204
        await call.caller.hang_up()
        events = await backend.listen()


@pytest_twisted.ensureDeferred
async def test_recording_may_be_in_a_folder(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await record(backend, call, "sales/today", terminateOn="#")
    await events.wait_for_type("RecordingStarted", "sales/today")
    await call.caller.press("#")
    await events.wait_for_type("RecordingFinished", "sales/today")
    stored = "/recordings/stored/sales%2Ftoday"
    assert (await backend.ari.get(stored)).json["name"] == "sales/today"


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"name": ""}, (500, "Error parsing request")),
        # Paths outside of the recordings folder are refused.
        ({"name": "../message"}, (500, "Error parsing request")),
        ({"format": ""}, (422, "specified format is unknown on this system")),
        ({"format": "nonsense"}, (422, "specified format is unknown on this system")),
        ({"terminateOn": "7"}, (400, "terminateOn invalid")),
        ({"ifExists": "nonsense"}, (400, "ifExists invalid")),
        (
            {"maxDurationSeconds": "-1"},
            (400, "max_duration_seconds cannot be negative"),
        ),
    ],
)
async def test_invalid_recording_is_refused(
    backend: AsteriskHarness, given: dict[str, str], error: tuple[int, str]
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    query = {"name": NAME, "format": "wav", **given}
    answer = await backend.ari.post(f"/channels/{call.id}/record", **query)
    assert answer.error == error
