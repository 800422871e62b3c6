"""Bridges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from real_asterisk.sounds import LONG
from tests.support.waiting import until

if TYPE_CHECKING:
    from real_asterisk.raw_ari import Event, Events
    from tests.support.asterisk_harness import AsteriskHarness, StasisCall

BRIDGE = "the-bridge"
PHONE = "the-telephone"
TYPES = frozenset(
    {
        *("ChannelEnteredBridge", "ChannelLeftBridge", "BridgeDestroyed"),
        *("ChannelHangupRequest", "StasisEnd", "PlaybackFinished"),
    }
)


async def conversation(
    backend: AsteriskHarness, events: Events, phone: str = "answers"
) -> StasisCall:
    """Connect a caller with a phone."""
    call = await backend.call(events)
    await create(backend)
    await add(backend, call.id)
    # Last, since the phone may hang up soon.
    await backend.ring(phone, PHONE, originator=call.id)
    await events.wait_for_type("StasisStart", PHONE)
    await add(backend, PHONE)
    return call


async def create(backend: AsteriskHarness) -> None:
    created = await backend.ari.post(f"/bridges/{BRIDGE}", type="mixing", name="Ours")
    assert created.status == 200, created.json


async def add(backend: AsteriskHarness, *channels: str) -> None:
    path = f"/bridges/{BRIDGE}/addChannel"
    added = await backend.ari.post(path, channel=",".join(channels))
    assert (added.status, added.json) == (204, None)


async def members(backend: AsteriskHarness) -> set[str]:
    bridge = await backend.ari.get(f"/bridges/{BRIDGE}")
    assert bridge.status == 200
    return set(bridge.json["channels"])


def types_of(events: Events, *about: str) -> list[str]:
    return [kind for kind in events.types(*about) if kind in TYPES]


def channels_in(event: Event) -> set[str]:
    return set(event.json["bridge"]["channels"])


@pytest_twisted.ensureDeferred
async def test_bridge_from_creation_to_destruction(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    everything = await backend.listen_to_everything()
    assert (await backend.ari.get("/bridges")).json == []
    created = await backend.ari.post(f"/bridges/{BRIDGE}", type="mixing", name="Ours")
    described = dict(created.json)
    assert described.pop("creationtime")
    assert described == {
        "id": BRIDGE,
        "technology": "simple_bridge",
        "bridge_type": "mixing",
        "bridge_class": "stasis",
        "creator": "Stasis",
        "name": "Ours",
        "channels": [],
        "video_mode": "talker",
    }
    assert (await backend.ari.get("/bridges")).json == [created.json]
    assert (await backend.ari.get(f"/bridges/{BRIDGE}")).json == created.json
    again = await backend.ari.post(f"/bridges/{BRIDGE}")
    assert again.error == (409, f"Bridge with id '{BRIDGE}' already exists")
    assert (await backend.ari.delete(f"/bridges/{BRIDGE}")).status == 204

    async def is_missing() -> bool:
        return (await backend.ari.get(f"/bridges/{BRIDGE}")).status == 404

    # Asterisk may list it for a moment longer.
    await until(backend.reactor, is_missing)
    for method in ("GET", "DELETE"):
        missing = await backend.ari.request(method, f"/bridges/{BRIDGE}")
        assert missing.error == (404, "Bridge not found")
    await everything.wait_for_type("BridgeDestroyed", BRIDGE)
    assert everything.types(BRIDGE) == ["BridgeCreated", "BridgeDestroyed"]
    # An application gets a bridge's events once one of its channels was in it.
    assert events.types(BRIDGE) == []


@pytest_twisted.ensureDeferred
async def test_unknown_bridge_type_is_refused(backend: AsteriskHarness) -> None:
    answer = await backend.ari.post(f"/bridges/{BRIDGE}", type="nonsense")
    assert answer.error == (500, "Unable to create bridge")


@pytest_twisted.ensureDeferred
async def test_channels_enter_a_bridge(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await conversation(backend, events)
    await events.wait_for(
        lambda it: it.type == "ChannelEnteredBridge" and it.is_about(PHONE)
    )
    entered = [it for it in events.all if it.type == "ChannelEnteredBridge"]
    assert [it.json["channel"]["id"] for it in entered] == [call.id, PHONE]
    assert [channels_in(it) for it in entered] == [{call.id}, {call.id, PHONE}]
    assert await members(backend) == {call.id, PHONE}
    application = (await backend.ari.get("/applications/channel-aa")).json
    assert application["bridge_ids"] == [BRIDGE]
    assert {call.id, PHONE} <= set(application["channel_ids"])


@pytest_twisted.ensureDeferred
async def test_several_channels_may_be_added_at_once(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    first, second = await backend.call(events), await backend.call(events)
    await create(backend)
    await add(backend, first.id, second.id)
    assert await members(backend) == {first.id, second.id}


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("path", "channel", "error"),
    [
        ("the-bridge/addChannel", "none", (400, "Channel not found")),
        ("the-bridge/removeChannel", "none", (400, "Channel not found")),
        ("the-bridge/addChannel", "", (400, "Missing parameter channel")),
        ("none/addChannel", "none", (404, "Bridge not found")),
    ],
)
async def test_invalid_addition_to_a_bridge_is_refused(
    backend: AsteriskHarness, path: str, channel: str, error: tuple[int, str]
) -> None:
    await create(backend)
    given = {"channel": channel} if channel else {}
    assert (await backend.ari.post(f"/bridges/{path}", **given)).error == error


@pytest_twisted.ensureDeferred
async def test_channel_removed_from_a_bridge_stays_in_the_application(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await conversation(backend, events)
    path = f"/bridges/{BRIDGE}/removeChannel"
    assert (await backend.ari.post(path, channel=call.id)).status == 204
    left = await events.wait_for_type("ChannelLeftBridge", call.id)
    assert channels_in(left) == {PHONE}
    again = await backend.ari.post(path, channel=call.id)
    assert again.error == (422, "Channel not in this bridge")
    played = await backend.ari.post(f"/channels/{call.id}/play/x", media="sound:or")
    assert played.status == 201
    await events.wait_for_type("PlaybackFinished", "x")


@pytest_twisted.ensureDeferred
async def test_channel_added_twice_leaves_in_between(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await create(backend)
    await add(backend, call.id)
    await add(backend, call.id)
    entered = "ChannelEnteredBridge"
    await events.wait_for(lambda _: types_of(events, call.id).count(entered) > 1)
    assert types_of(events, call.id) == [entered, "ChannelLeftBridge", entered]


@pytest_twisted.ensureDeferred
async def test_caller_stays_when_the_phone_hangs_up(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await conversation(backend, events, "hangs-up")
    await events.wait_for_type("StasisEnd", PHONE)
    assert types_of(events, PHONE)[-3:] == [
        "ChannelHangupRequest",
        "ChannelLeftBridge",
        "StasisEnd",
    ]
    assert await members(backend) == {call.id}
    assert "StasisEnd" not in types_of(events, call.id)


@pytest_twisted.ensureDeferred
async def test_phone_stays_when_the_caller_hangs_up(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await conversation(backend, events)
    await call.caller.hang_up()
    await events.wait_for_type("StasisEnd", call.id)
    assert types_of(events, call.id)[-3:] == [
        "ChannelHangupRequest",
        "ChannelLeftBridge",
        "StasisEnd",
    ]
    assert await members(backend) == {PHONE}
    assert (await backend.ari.get(f"/channels/{PHONE}")).json["state"] == "Up"


@pytest_twisted.ensureDeferred
async def test_channel_that_continues_leaves_the_bridge(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await conversation(backend, events)
    assert (await backend.ari.post(f"/channels/{call.id}/continue")).status == 204
    await events.wait_for_type("StasisEnd", call.id)
    assert types_of(events, call.id)[-2:] == ["ChannelLeftBridge", "StasisEnd"]
    assert await members(backend) == {PHONE}


@pytest_twisted.ensureDeferred
async def test_destroyed_bridge_releases_its_channels(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await conversation(backend, events)
    assert (await backend.ari.delete(f"/bridges/{BRIDGE}")).status == 204
    left = "ChannelLeftBridge"
    await events.wait_for(lambda _: types_of(events, BRIDGE).count(left) > 1)
    for channel in (call.id, PHONE):
        assert (await backend.ari.get(f"/channels/{channel}")).json["state"] == "Up"

    async def is_forgotten() -> bool:
        known = (await backend.ari.get("/applications/channel-aa")).json
        return not known["bridge_ids"]

    # The channels' events come shortly after they have left.
    await until(backend.reactor, is_forgotten)
    # BridgeDestroyed is sent only for a bridge with at most one channel.
    assert "BridgeDestroyed" not in types_of(events, BRIDGE)


@pytest_twisted.ensureDeferred
async def test_bridge_outlives_its_channels(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await create(backend)
    await add(backend, call.id)
    await call.caller.hang_up()
    await events.wait_for_type("StasisEnd", call.id)
    assert await members(backend) == set()
    known = (await backend.ari.get("/applications/channel-aa")).json
    assert (known["channel_ids"], known["bridge_ids"]) == ([], [BRIDGE])
    await backend.ari.delete(f"/bridges/{BRIDGE}")
    await events.wait_for_type("BridgeDestroyed", BRIDGE)


@pytest_twisted.ensureDeferred
async def test_conversation_outlives_the_websocket(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await conversation(backend, events)
    await events.leave()
    known = (await backend.ari.get("/applications/channel-aa")).json
    assert known["bridge_ids"] == [BRIDGE]
    assert {call.id, PHONE} <= set(known["channel_ids"])
    assert await members(backend) == {call.id, PHONE}
    again = await backend.listen()
    await backend.ari.delete(f"/channels/{PHONE}")
    await again.wait_for_type("ChannelLeftBridge", PHONE)
    await again.wait_for_type("StasisEnd", PHONE)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("media", [f"sound:{LONG}", "tone:ring"])
@pytest.mark.parametrize("operation", ["addChannel", "removeChannel"])
async def test_adding_and_removing_a_channel_wait_for_the_end_of_a_sound(
    backend: AsteriskHarness, media: str, operation: str
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await create(backend)
    if operation == "removeChannel":
        await add(backend, call.id)
    await backend.ari.post(f"/channels/{call.id}/play/x", media=media)
    await events.wait_for_type("PlaybackStarted", "x")
    events.all.clear()
    path = f"/bridges/{BRIDGE}/{operation}"
    waiting = Deferred.fromCoroutine(backend.ari.post(path, channel=call.id))
    await backend.ari.get("/asterisk/ping")
    assert (await backend.ari.delete("/playbacks/x")).status == 204
    answer = await waiting
    assert (answer.status, answer.json) == (204, None)
    moved = {"addChannel": "ChannelEnteredBridge", "removeChannel": "ChannelLeftBridge"}
    await events.wait_for_type(moved[operation], call.id)
    assert types_of(events, call.id, "x") == ["PlaybackFinished", moved[operation]]


@pytest_twisted.ensureDeferred
async def test_sounds_and_keys_work_in_a_bridge(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await conversation(backend, events)
    await backend.ari.post(f"/channels/{call.id}/play/x", media="sound:or")
    await call.caller.press("5")
    await events.wait_for_type("ChannelDtmfReceived", call.id)
    finished = await events.wait_for_type("PlaybackFinished", "x")
    assert finished.json["playback"]["state"] == "done"


@pytest_twisted.ensureDeferred
async def test_ringing_and_music_need_not_end_before_a_bridge(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await create(backend)
    for wait in ("ring", "moh", "moh?mohClass=tone", "moh?mohClass=unknown"):
        assert (await backend.ari.post(f"/channels/{call.id}/{wait}")).status == 204
        await add(backend, call.id)
        path = f"/bridges/{BRIDGE}/removeChannel"
        assert (await backend.ari.post(path, channel=call.id)).status == 204
        over = wait.partition("?")[0]
        assert (await backend.ari.delete(f"/channels/{call.id}/{over}")).status == 204
