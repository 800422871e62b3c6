"""Applications and their websockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.raw_ari import RefusedError
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.asterisk_harness import AsteriskHarness

NO_APPLICATION = (404, "Application not found")


async def channels_of(backend: AsteriskHarness) -> set[str]:
    answer = await backend.ari.get("/applications/channel-aa")
    assert answer.status == 200
    channels: list[str] = answer.json["channel_ids"]
    assert len(set(channels)) == len(channels)
    return set(channels)


@pytest_twisted.ensureDeferred
async def test_application_exists_while_its_websocket_is_open(
    backend: AsteriskHarness,
) -> None:
    unknown = await backend.ari.get("/applications/channel-aa")
    assert unknown.error == NO_APPLICATION
    events = await backend.listen()
    assert await channels_of(backend) == set()
    await events.leave()
    await until(backend.reactor, backend.has_no_application)


@pytest_twisted.ensureDeferred
async def test_application_lists_its_channels(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    first = await backend.call(events)
    second = await backend.call(events)
    assert await channels_of(backend) == {first.id, second.id}
    await first.caller.hang_up()
    await events.wait_for_type("StasisEnd", first.id)

    async def has_one() -> bool:
        return await channels_of(backend) == {second.id}

    # Asterisk removes the channel shortly after its StasisEnd.
    await until(backend.reactor, has_one)


@pytest_twisted.ensureDeferred
async def test_calls_stay_when_the_websocket_is_lost(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    other = await backend.call(events)
    await events.leave()
    assert await channels_of(backend) == {call.id, other.id}
    played = await backend.ari.post(
        f"/channels/{call.id}/play/missed", media="sound:or"
    )
    assert played.status == 201

    # Past events are not sent again, and there is no second StasisStart.
    again = await backend.listen()
    await other.caller.hang_up()
    await again.wait_for_type("StasisEnd", other.id)
    await backend.ari.post(f"/channels/{call.id}/play/heard", media="sound:or")
    await again.wait_for_type("PlaybackFinished", "heard")
    await call.caller.press("7")
    await again.wait_for_type("ChannelDtmfReceived", call.id)
    assert "StasisStart" not in again.types(call.id, other.id)


@pytest_twisted.ensureDeferred
async def test_end_of_a_call_without_a_websocket_is_not_reported(
    backend: AsteriskHarness,
) -> None:
    everything = await backend.listen_to_everything()
    events = await backend.listen()
    call = await backend.call(events)
    await events.leave()
    await call.caller.hang_up()
    await everything.wait_for_type("ChannelDestroyed", call.id)
    await until(backend.reactor, backend.has_no_application)
    again = await backend.listen()
    assert await channels_of(backend) == set()
    await backend.call(again)
    assert again.types(call.id) == []


@pytest_twisted.ensureDeferred
async def test_second_websocket_replaces_the_first(
    backend: AsteriskHarness,
) -> None:
    first = await backend.listen()
    call = await backend.call(first)
    second = await backend.listen()
    replaced = await first.wait_for(lambda it: it.type == "ApplicationReplaced")
    assert replaced.json["application"] == "channel-aa"
    await backend.ari.post(f"/channels/{call.id}/play/one", media="sound:or")
    await second.wait_for_type("PlaybackFinished", "one")
    assert first.all[-1] is replaced
    # Closing the first websocket does not end the application.
    assert not first.closed.called
    assert await first.leave() == 1000
    await backend.ari.post(f"/channels/{call.id}/play/two", media="sound:or")
    await second.wait_for_type("PlaybackFinished", "two")
    assert await channels_of(backend) == {call.id}


@pytest_twisted.ensureDeferred
async def test_application_without_calls_tells_whether_its_websocket_is_open(
    backend: AsteriskHarness,
) -> None:
    """A websocket may have several applications; calls keep only their own."""

    async def names() -> set[str]:
        listed = (await backend.ari.get("/applications")).json
        return {each["name"] for each in listed if each["name"].startswith("channel-")}

    first = await backend.listen("channel-aa,channel-aa@pbx:1:2f")
    assert await names() == {"channel-aa", "channel-aa@pbx:1:2f"}
    call = await backend.call(first)
    assert call.start["application"] == "channel-aa"
    second = await backend.listen("channel-aa,channel-aa@pbx:2:2f")
    replaced = await first.wait_for(lambda it: it.type == "ApplicationReplaced")
    assert replaced.json["application"] == "channel-aa"
    assert await names() == {
        "channel-aa",
        "channel-aa@pbx:1:2f",
        "channel-aa@pbx:2:2f",
    }
    await second.leave()
    await first.leave()

    async def has_only_the_calls() -> bool:
        return await names() == {"channel-aa"}

    await until(backend.reactor, has_only_the_calls, "the end of the others")
    assert await channels_of(backend) == {call.id}


@pytest_twisted.ensureDeferred
async def test_websocket_close_is_answered(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    assert await events.leave() == 1000


@pytest_twisted.ensureDeferred
async def test_websocket_needs_the_password(backend: AsteriskHarness) -> None:
    with pytest.raises(RefusedError) as refusal:
        await backend.user("asterisk", "wrong").listen("channel-aa")
    assert refusal.value.args == (401, '{"message":"Authentication required"}')


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("query", [{}, {"app": ""}])
async def test_websocket_needs_an_application(
    backend: AsteriskHarness, query: dict[str, str]
) -> None:
    with pytest.raises(RefusedError) as refusal:
        await backend.ari.open(path="/ari/events", **query)
    assert refusal.value.args[0] == 400


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("path", ["/ari/nowhere", "/nowhere"])
async def test_websocket_of_another_path_is_not_found(
    backend: AsteriskHarness, path: str
) -> None:
    with pytest.raises(RefusedError) as refusal:
        await backend.ari.open(path=path, app="channel-aa")
    assert refusal.value.args[0] == 404


@pytest_twisted.ensureDeferred
async def test_stasis_start_and_end_go_to_the_application_only(
    backend: AsteriskHarness,
) -> None:
    everything = await backend.listen_to_everything()
    events = await backend.listen()
    call = await backend.call(events)
    await call.caller.hang_up()
    await events.wait_for_type("StasisEnd", call.id)
    await everything.wait_for_type("ChannelDestroyed", call.id)
    types = set(everything.types(call.id))
    assert {"ChannelCreated", "ChannelHangupRequest"} <= types
    assert not {"StasisStart", "StasisEnd"} & types


@pytest_twisted.ensureDeferred
async def test_application_can_subscribe_to_other_resources(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    other = await backend.listen("other")
    call = await backend.call(events)
    await backend.ari.post("/bridges/the-bridge")
    path = "/applications/other/subscription"
    source = f"channel:{call.id},bridge:the-bridge"
    subscribed = await backend.ari.post(path, eventSource=source)
    assert subscribed.status == 200
    assert subscribed.json["channel_ids"] == [call.id]
    assert subscribed.json["bridge_ids"] == ["the-bridge"]
    await call.caller.press("5")
    await other.wait_for_type("ChannelDtmfReceived", call.id)
    unsubscribed = await backend.ari.delete(path, eventSource=source)
    assert unsubscribed.json["channel_ids"] == unsubscribed.json["bridge_ids"] == []
    await backend.ari.delete("/bridges/the-bridge")
    await call.caller.hang_up()
    await events.wait_for_type("StasisEnd", call.id)
    assert other.types(call.id, "the-bridge") == ["ChannelDtmfReceived"]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("channel:none", (422, "Event source does not exist")),
        ("bridge:none", (422, "Event source does not exist")),
        ("nonsense", (400, "Invalid event source URI scheme")),
        ("", (400, "Missing parameter eventSource")),
    ],
)
async def test_subscription_to_a_missing_resource_is_refused(
    backend: AsteriskHarness, source: str, error: tuple[int, str]
) -> None:
    await backend.listen("other")
    given = {"eventSource": source} if source else {}
    path = "/applications/other/subscription"
    assert (await backend.ari.post(path, **given)).error == error
