"""How a call comes back to the dialplan, and what it finds there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.sounds import LONG
from tests.support.asterisk_harness import stasis_status

if TYPE_CHECKING:
    from tests.support.asterisk_harness import AsteriskHarness


@pytest_twisted.ensureDeferred
async def test_a_call_that_continues_leaves_with_success(
    stage: AsteriskHarness,
) -> None:
    everything = await stage.listen_to_everything()
    events = await stage.listen()
    call = await stage.call(events)
    sent_on = await stage.ari.post(f"/channels/{call.id}/continue")
    assert (sent_on.status, sent_on.json) == (204, None)
    end = await events.wait_for_type("StasisEnd", call.id)
    assert end.json["channel"]["state"] == "Up"
    assert await stasis_status(everything, call.caller.name) == "SUCCESS"
    assert "ChannelHangupRequest" not in events.types(call.id)


@pytest_twisted.ensureDeferred
async def test_a_call_may_continue_unanswered(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events, answer=False)
    assert (await stage.ari.post(f"/channels/{call.id}/continue")).status == 204
    end = await events.wait_for_type("StasisEnd", call.id)
    assert end.json["channel"]["state"] == "Ring"


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/answer"),
        ("POST", "/ring"),
        ("DELETE", "/ring"),
        ("POST", "/continue"),
        ("POST", "/play/late?media=sound:or"),
        ("POST", "/variable?variable=LATE&value=1"),
    ],
)
async def test_a_call_in_the_dialplan_takes_no_commands(
    stage: AsteriskHarness, method: str, path: str
) -> None:
    everything = await stage.listen_to_everything()
    events = await stage.listen()
    call = await stage.call(events)
    await stage.ari.post(f"/channels/{call.id}/continue")
    await events.wait_for_type("StasisEnd", call.id)
    # Asterisk tells of the end a moment before.
    await stasis_status(everything, call.caller.name)
    refused = await stage.ari.request(method, f"/channels/{call.id}{path}")
    assert refused.error == (409, "Channel not in Stasis application")


@pytest_twisted.ensureDeferred
async def test_a_call_in_the_dialplan_may_be_looked_at_and_hung_up(
    stage: AsteriskHarness,
) -> None:
    everything = await stage.listen_to_everything()
    events = await stage.listen()
    call = await stage.call(events)
    await stage.ari.post(f"/channels/{call.id}/continue")
    await events.wait_for_type("StasisEnd", call.id)
    # It is set only after that.
    await stasis_status(everything, call.caller.name)
    path = f"/channels/{call.id}"
    status = await stage.ari.get(f"{path}/variable", variable="STASISSTATUS")
    assert status.json == {"value": "SUCCESS"}
    assert (await stage.ari.get(path)).status == 200
    assert (await stage.ari.delete(path)).status == 204
    await everything.wait_for_type("ChannelDestroyed", call.id)
    # It is no concern of the application any more.
    assert events.types(call.id)[-1] == "StasisEnd"


@pytest_twisted.ensureDeferred
async def test_a_call_continues_only_when_all_its_sounds_were_heard(
    stage: AsteriskHarness,
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    play = f"/channels/{call.id}/play"
    await stage.ari.post(f"{play}/current", media=f"sound:{LONG}")
    await stage.ari.post(f"{play}/queued", media="sound:or")
    await events.wait_for_type("PlaybackStarted", "current")
    assert (await stage.ari.post(f"/channels/{call.id}/continue")).status == 204
    # Until then it goes on taking commands.
    late = await stage.ari.post(f"{play}/late", media="sound:press-2")
    assert late.status == 201
    await events.wait_for_type("StasisEnd", call.id)
    sounds = ("current", "queued", "late")
    assert events.types(call.id, *sounds)[-7:] == [
        *("PlaybackStarted", "PlaybackFinished") * 3,
        "StasisEnd",
    ]
    for sound in sounds:
        end = await events.wait_for_type("PlaybackFinished", sound)
        assert end.json["playback"]["state"] == "done"


@pytest_twisted.ensureDeferred
async def test_stopping_the_sound_lets_the_call_continue(
    stage: AsteriskHarness,
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await stage.ari.post(f"/channels/{call.id}/play/long", media=f"sound:{LONG}")
    started = await events.wait_for_type("PlaybackStarted", "long")
    assert (await stage.ari.post(f"/channels/{call.id}/continue")).status == 204
    assert (await stage.ari.delete("/playbacks/long")).status == 204
    end = await events.wait_for_type("StasisEnd", call.id)
    assert end.received - started.received < stage.sounds[LONG] / 2
    assert events.types(call.id, "long")[-2:] == ["PlaybackFinished", "StasisEnd"]


@pytest_twisted.ensureDeferred
async def test_a_hangup_overtakes_the_continuation(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await stage.ari.post(f"/channels/{call.id}/play/long", media=f"sound:{LONG}")
    await events.wait_for_type("PlaybackStarted", "long")
    assert (await stage.ari.post(f"/channels/{call.id}/continue")).status == 204
    await call.caller.hang_up()
    await events.wait_for_type("StasisEnd", call.id)
    assert events.types(call.id, "long")[-3:] == [
        "ChannelHangupRequest",
        "PlaybackFinished",
        "StasisEnd",
    ]


@pytest_twisted.ensureDeferred
async def test_a_call_with_no_application_goes_on_in_the_dialplan(
    stage: AsteriskHarness,
) -> None:
    everything = await stage.listen_to_everything()
    caller = await stage.place_call("1000")
    assert await stasis_status(everything, caller.name) == "FAILED"
    await everything.wait_for(
        lambda it: (
            it.type == "ChannelDestroyed" and it.json["channel"]["name"] == caller.name
        )
    )


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"context": "elsewhere"}, ("elsewhere", "s", 1)),
        (
            {"context": "elsewhere", "extension": "6001", "priority": "1"},
            ("elsewhere", "6001", 1),
        ),
        (
            {"context": "elsewhere", "extension": "s", "priority": "2"},
            ("elsewhere", "s", 2),
        ),
    ],
)
async def test_a_call_continues_where_it_is_sent(
    stage: AsteriskHarness, query: dict[str, str], place: tuple[str, str, int]
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    sent_on = await stage.ari.post(f"/channels/{call.id}/continue", **query)
    assert sent_on.status == 204
    await events.wait_for_type("StasisEnd", call.id)

    async def is_there() -> bool:
        channel = (await stage.ari.get(f"/channels/{call.id}")).json
        keys = ("context", "exten", "priority")
        return tuple(channel["dialplan"][key] for key in keys) == place

    await stage.until(is_there)


@pytest_twisted.ensureDeferred
async def test_a_call_is_not_sent_to_a_label_that_is_not_there(
    stage: AsteriskHarness,
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    nowhere = {"context": "elsewhere", "extension": "s", "label": "nowhere"}
    answer = await stage.ari.post(f"/channels/{call.id}/continue", **nowhere)
    assert answer.error == (404, "Requested label can not be found")
