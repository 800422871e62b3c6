"""The continuation of calls in the dialplan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.sounds import LONG
from tests.support.asterisk_harness import stasis_status
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.asterisk_harness import AsteriskHarness


@pytest_twisted.ensureDeferred
async def test_continue_leaves_with_status_success(
    backend: AsteriskHarness,
) -> None:
    everything = await backend.listen_to_everything()
    events = await backend.listen()
    call = await backend.call(events)
    sent_on = await backend.ari.post(f"/channels/{call.id}/continue")
    assert (sent_on.status, sent_on.json) == (204, None)
    end = await events.wait_for_type("StasisEnd", call.id)
    assert end.json["channel"]["state"] == "Up"
    assert await stasis_status(everything, call.caller.name) == "SUCCESS"
    assert "ChannelHangupRequest" not in events.types(call.id)


@pytest_twisted.ensureDeferred
async def test_unanswered_call_may_continue(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events, answer=False)
    assert (await backend.ari.post(f"/channels/{call.id}/continue")).status == 204
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
async def test_call_in_the_dialplan_refuses_commands(
    backend: AsteriskHarness, method: str, path: str
) -> None:
    everything = await backend.listen_to_everything()
    events = await backend.listen()
    call = await backend.call(events)
    await backend.ari.post(f"/channels/{call.id}/continue")
    await events.wait_for_type("StasisEnd", call.id)
    # StasisEnd comes shortly before.
    await stasis_status(everything, call.caller.name)
    refused = await backend.ari.request(method, f"/channels/{call.id}{path}")
    assert refused.error == (409, "Channel not in Stasis application")


@pytest_twisted.ensureDeferred
async def test_call_in_the_dialplan_can_be_read_and_hung_up(
    backend: AsteriskHarness,
) -> None:
    everything = await backend.listen_to_everything()
    events = await backend.listen()
    call = await backend.call(events)
    await backend.ari.post(f"/channels/{call.id}/continue")
    await events.wait_for_type("StasisEnd", call.id)
    # It is set only afterwards.
    await stasis_status(everything, call.caller.name)
    path = f"/channels/{call.id}"
    status = await backend.ari.get(f"{path}/variable", variable="STASISSTATUS")
    assert status.json == {"value": "SUCCESS"}
    assert (await backend.ari.get(path)).status == 200
    assert (await backend.ari.delete(path)).status == 204
    await everything.wait_for_type("ChannelDestroyed", call.id)
    # The application gets no more events of it.
    assert events.types(call.id)[-1] == "StasisEnd"


@pytest_twisted.ensureDeferred
async def test_continue_waits_for_all_sounds(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    play = f"/channels/{call.id}/play"
    await backend.ari.post(f"{play}/current", media=f"sound:{LONG}")
    await backend.ari.post(f"{play}/queued", media="sound:or")
    await events.wait_for_type("PlaybackStarted", "current")
    assert (await backend.ari.post(f"/channels/{call.id}/continue")).status == 204
    # Until then it accepts commands.
    late = await backend.ari.post(f"{play}/late", media="sound:press-2")
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
async def test_continue_follows_a_stopped_sound(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await backend.ari.post(f"/channels/{call.id}/play/long", media=f"sound:{LONG}")
    started = await events.wait_for_type("PlaybackStarted", "long")
    assert (await backend.ari.post(f"/channels/{call.id}/continue")).status == 204
    assert (await backend.ari.delete("/playbacks/long")).status == 204
    end = await events.wait_for_type("StasisEnd", call.id)
    assert end.received - started.received < backend.sounds[LONG] / 2
    assert events.types(call.id, "long")[-2:] == ["PlaybackFinished", "StasisEnd"]


@pytest_twisted.ensureDeferred
async def test_hangup_overtakes_a_waiting_continue(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await backend.ari.post(f"/channels/{call.id}/play/long", media=f"sound:{LONG}")
    await events.wait_for_type("PlaybackStarted", "long")
    assert (await backend.ari.post(f"/channels/{call.id}/continue")).status == 204
    await call.caller.hang_up()
    await events.wait_for_type("StasisEnd", call.id)
    assert events.types(call.id, "long")[-3:] == [
        "ChannelHangupRequest",
        "PlaybackFinished",
        "StasisEnd",
    ]


@pytest_twisted.ensureDeferred
async def test_call_without_an_application_continues_in_the_dialplan(
    backend: AsteriskHarness,
) -> None:
    everything = await backend.listen_to_everything()
    caller = await backend.place_call("1000")
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
async def test_call_continues_at_the_given_location(
    backend: AsteriskHarness, query: dict[str, str], place: tuple[str, str, int]
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    sent_on = await backend.ari.post(f"/channels/{call.id}/continue", **query)
    assert sent_on.status == 204
    await events.wait_for_type("StasisEnd", call.id)

    async def is_there() -> bool:
        channel = (await backend.ari.get(f"/channels/{call.id}")).json
        keys = ("context", "exten", "priority")
        return tuple(channel["dialplan"][key] for key in keys) == place

    await until(backend.reactor, is_there)


@pytest_twisted.ensureDeferred
async def test_continue_to_a_missing_label_is_refused(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    nowhere = {"context": "elsewhere", "extension": "s", "label": "nowhere"}
    answer = await backend.ari.post(f"/channels/{call.id}/continue", **nowhere)
    assert answer.error == (404, "Requested label can not be found")
