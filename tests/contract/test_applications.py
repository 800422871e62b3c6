"""An application, from its first websocket to its last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.raw_ari import RefusedError

if TYPE_CHECKING:
    from tests.support.asterisk_harness import AsteriskHarness

NO_APPLICATION = (404, "Application not found")


async def channels_of(stage: AsteriskHarness) -> list[str]:
    answer = await stage.ari.get("/applications/channel-aa")
    assert answer.status == 200
    channels: list[str] = answer.json["channel_ids"]
    return channels


@pytest_twisted.ensureDeferred
async def test_an_application_is_known_while_it_is_listened_to(
    stage: AsteriskHarness,
) -> None:
    unknown = await stage.ari.get("/applications/channel-aa")
    assert unknown.error == NO_APPLICATION
    events = await stage.listen()
    assert await channels_of(stage) == []
    await events.leave()
    await stage.until(stage.has_no_application)


@pytest_twisted.ensureDeferred
async def test_an_application_knows_its_channels(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    first = await stage.call(events)
    second = await stage.call(events)
    assert await channels_of(stage) == [first.id, second.id]
    await first.caller.hang_up()
    await events.wait_for_type("StasisEnd", first.id)

    async def has_one() -> bool:
        return await channels_of(stage) == [second.id]

    # Asterisk forgets the other one a moment after it has told.
    await stage.until(has_one)


@pytest_twisted.ensureDeferred
async def test_calls_stay_when_the_websocket_is_lost(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    other = await stage.call(events)
    await events.leave()
    assert await channels_of(stage) == [call.id, other.id]
    played = await stage.ari.post(f"/channels/{call.id}/play/missed", media="sound:or")
    assert played.status == 201

    # What happened meanwhile is not told, and there is no second StasisStart.
    again = await stage.listen()
    await other.caller.hang_up()
    await again.wait_for_type("StasisEnd", other.id)
    await stage.ari.post(f"/channels/{call.id}/play/heard", media="sound:or")
    await again.wait_for_type("PlaybackFinished", "heard")
    await call.caller.press("7")
    await again.wait_for_type("ChannelDtmfReceived", call.id)
    assert "StasisStart" not in again.types(call.id, other.id)


@pytest_twisted.ensureDeferred
async def test_a_call_that_ended_meanwhile_is_not_told_of(
    stage: AsteriskHarness,
) -> None:
    everything = await stage.listen_to_everything()
    events = await stage.listen()
    call = await stage.call(events)
    await events.leave()
    await call.caller.hang_up()
    await everything.wait_for_type("ChannelDestroyed", call.id)
    await stage.until(stage.has_no_application)
    again = await stage.listen()
    assert await channels_of(stage) == []
    await stage.call(again)
    assert again.types(call.id) == []


@pytest_twisted.ensureDeferred
async def test_a_second_websocket_takes_the_application_over(
    stage: AsteriskHarness,
) -> None:
    first = await stage.listen()
    call = await stage.call(first)
    second = await stage.listen()
    replaced = await first.wait_for(lambda it: it.type == "ApplicationReplaced")
    assert replaced.json["application"] == "channel-aa"
    await stage.ari.post(f"/channels/{call.id}/play/one", media="sound:or")
    await second.wait_for_type("PlaybackFinished", "one")
    assert first.all[-1] is replaced
    # The first one may leave without taking the application with it.
    assert not first.closed.called
    assert await first.leave() == 1000
    await stage.ari.post(f"/channels/{call.id}/play/two", media="sound:or")
    await second.wait_for_type("PlaybackFinished", "two")
    assert await channels_of(stage) == [call.id]


@pytest_twisted.ensureDeferred
async def test_a_websocket_is_closed_in_order(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    assert await events.leave() == 1000


@pytest_twisted.ensureDeferred
async def test_a_websocket_needs_the_password(stage: AsteriskHarness) -> None:
    with pytest.raises(RefusedError) as refusal:
        await stage.user("asterisk", "wrong").listen("channel-aa")
    assert refusal.value.args == (401, '{"message":"Authentication required"}')


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("query", [{}, {"app": ""}])
async def test_a_websocket_needs_an_application(
    stage: AsteriskHarness, query: dict[str, str]
) -> None:
    with pytest.raises(RefusedError) as refusal:
        await stage.ari.open(path="/ari/events", **query)
    assert refusal.value.args[0] == 400


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("path", ["/ari/nowhere", "/nowhere"])
async def test_a_websocket_elsewhere_is_not_found(
    stage: AsteriskHarness, path: str
) -> None:
    with pytest.raises(RefusedError) as refusal:
        await stage.ari.open(path=path, app="channel-aa")
    assert refusal.value.args[0] == 404


@pytest_twisted.ensureDeferred
async def test_who_enters_and_leaves_is_told_to_the_application_alone(
    stage: AsteriskHarness,
) -> None:
    everything = await stage.listen_to_everything()
    events = await stage.listen()
    call = await stage.call(events)
    await call.caller.hang_up()
    await events.wait_for_type("StasisEnd", call.id)
    await everything.wait_for_type("ChannelDestroyed", call.id)
    told = set(everything.types(call.id))
    assert {"ChannelCreated", "ChannelHangupRequest"} <= told
    assert not {"StasisStart", "StasisEnd"} & told


@pytest_twisted.ensureDeferred
async def test_an_application_may_hear_of_more(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    other = await stage.listen("other")
    call = await stage.call(events)
    await stage.ari.post("/bridges/the-bridge")
    path = "/applications/other/subscription"
    source = f"channel:{call.id},bridge:the-bridge"
    subscribed = await stage.ari.post(path, eventSource=source)
    assert subscribed.status == 200
    assert subscribed.json["channel_ids"] == [call.id]
    assert subscribed.json["bridge_ids"] == ["the-bridge"]
    await call.caller.press("5")
    await other.wait_for_type("ChannelDtmfReceived", call.id)
    unsubscribed = await stage.ari.delete(path, eventSource=source)
    assert unsubscribed.json["channel_ids"] == unsubscribed.json["bridge_ids"] == []
    await stage.ari.delete("/bridges/the-bridge")
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
async def test_what_is_not_there_cannot_be_heard(
    stage: AsteriskHarness, source: str, error: tuple[int, str]
) -> None:
    await stage.listen("other")
    given = {"eventSource": source} if source else {}
    path = "/applications/other/subscription"
    assert (await stage.ari.post(path, **given)).error == error
