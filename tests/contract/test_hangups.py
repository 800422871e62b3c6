"""The events at the end of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from real_asterisk.sounds import LONG

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from real_asterisk.raw_ari import Event, Events
    from tests.support.asterisk_harness import AsteriskHarness, StasisCall

    HangUp = Callable[[AsteriskHarness, StasisCall], Awaitable[None]]


async def by_the_caller(backend: AsteriskHarness, call: StasisCall) -> None:
    await call.caller.hang_up()


async def by_the_application(backend: AsteriskHarness, call: StasisCall) -> None:
    assert (await backend.ari.delete(f"/channels/{call.id}")).status == 204


either_way = pytest.mark.parametrize("hang_up", [by_the_caller, by_the_application])


async def play(
    backend: AsteriskHarness, call: StasisCall, playback_id: str, media: str
) -> None:
    path = f"/channels/{call.id}/play/{playback_id}"
    assert (await backend.ari.post(path, media=media)).status == 201


async def events_of_hangup(events: Events) -> list[Event]:
    """Return the events from the hangup request to ``StasisEnd``."""
    await events.wait_for(lambda it: it.type == "StasisEnd")
    types = [event.type for event in events.all]
    return events.all[types.index("ChannelHangupRequest") :]


def summary(events: list[Event]) -> list[str]:
    """Return the type of each event, and a playback's state."""
    return [
        " ".join([it.type, it.json.get("playback", {}).get("state", "")]).strip()
        for it in events
    ]


@pytest_twisted.ensureDeferred
@either_way
async def test_hangup_request_precedes_the_failures_of_sounds(
    backend: AsteriskHarness, hang_up: HangUp
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "current", f"sound:{LONG}")
    await play(backend, call, "queued", f"sound:{LONG}")
    await events.wait_for_type("PlaybackStarted", "current")
    await hang_up(backend, call)
    ending = await events_of_hangup(events)
    assert summary(ending) == [
        "ChannelHangupRequest",
        "PlaybackFinished failed",
        "PlaybackStarted playing",
        "PlaybackFinished failed",
        "StasisEnd",
    ]
    assert [event.json["playback"]["id"] for event in ending[1:4]] == [
        "current",
        "queued",
        "queued",
    ]


@pytest_twisted.ensureDeferred
@either_way
async def test_spoken_media_fails_at_a_hangup(
    backend: AsteriskHarness, hang_up: HangUp
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "spelt", "digits:1234567890")
    await events.wait_for_type("PlaybackStarted", "spelt")
    await hang_up(backend, call)
    assert summary(await events_of_hangup(events)) == [
        "ChannelHangupRequest",
        "PlaybackFinished failed",
        "StasisEnd",
    ]


@pytest_twisted.ensureDeferred
@either_way
async def test_silent_call_ends_with_two_events(
    backend: AsteriskHarness, hang_up: HangUp
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await hang_up(backend, call)
    ending = await events_of_hangup(events)
    assert summary(ending) == ["ChannelHangupRequest", "StasisEnd"]
    assert all(event.is_about(call.id) for event in ending)


@pytest_twisted.ensureDeferred
@either_way
async def test_unanswered_call_ends_with_two_events(
    backend: AsteriskHarness, hang_up: HangUp
) -> None:
    events = await backend.listen()
    call = await backend.call(events, answer=False)
    await hang_up(backend, call)
    ending = await events_of_hangup(events)
    assert summary(ending) == ["ChannelHangupRequest", "StasisEnd"]


@pytest_twisted.ensureDeferred
async def test_hangup_request_tells_who_hung_up(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    normal_clearing = 16
    call = await backend.call(events)
    await call.caller.hang_up()
    hangup = await events.wait_for_type("ChannelHangupRequest", call.id)
    assert (hangup.json["cause"], hangup.json.get("soft")) == (normal_clearing, None)

    soft_hangup = 32
    call = await backend.call(events)
    await backend.ari.delete(f"/channels/{call.id}")
    hangup = await events.wait_for_type("ChannelHangupRequest", call.id)
    assert (hangup.json["cause"], hangup.json.get("soft")) == (soft_hangup, True)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "", "Channel not found"),
        ("DELETE", "", "Channel not found"),
        ("POST", "/answer", "Channel not found"),
        ("POST", "/ring", "Channel not found"),
        ("DELETE", "/ring", "Channel not found"),
        ("POST", "/continue", "Channel not found"),
        ("POST", "/play/late?media=sound:or", "Channel not found"),
        ("POST", "/variable?variable=LATE&value=1", "Channel not found"),
        ("GET", "/variable?variable=LATE", "Provided channel was not found"),
    ],
)
async def test_gone_channel_is_not_found(
    backend: AsteriskHarness, method: str, path: str, message: str
) -> None:
    events = await backend.listen()
    everything = await backend.listen_to_everything()
    call = await backend.call(events)
    await call.caller.hang_up()
    await everything.wait_for_type("ChannelDestroyed", call.id)
    answer = await backend.ari.request(method, f"/channels/{call.id}{path}")
    assert answer.error == (404, message)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("path", "status"),
    [("/answer", 500), ("/variable?variable=LATE&value=1", 204)],
)
async def test_request_that_waits_for_a_sound_is_answered_at_a_hangup(
    backend: AsteriskHarness, path: str, status: int
) -> None:
    events = await backend.listen()
    for seconds in (0.1, 1.0, 3.0):
        call = await backend.call(events)
        playback_id = f"for-{seconds}"
        await play(backend, call, playback_id, f"sound:{LONG}")
        await events.wait_for_type("PlaybackStarted", playback_id)
        waiting = Deferred.fromCoroutine(backend.ari.post(f"/channels/{call.id}{path}"))
        await deferLater(backend.reactor, seconds)
        await call.caller.hang_up()
        answer = await waiting
        # On a busy machine the hangup may overtake the request.
        if answer.status != 404:
            break
    assert answer.status == status
    if status == 500:
        assert answer.json == {"message": "Failed to answer channel"}


@pytest_twisted.ensureDeferred
async def test_unknown_hangup_reason_is_refused(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    channel = f"/channels/{call.id}"
    assert (await backend.ari.delete(channel, reason="nonsense")).status == 400
    assert (await backend.ari.delete(channel, reason="busy")).status == 204


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("busy", 17),
        ("congestion", 34),
        ("normal", 16),
        ("no_answer", 19),
        ("answered_elsewhere", 26),
    ],
)
async def test_hangup_reason_sets_the_cause(
    backend: AsteriskHarness, reason: str, cause: int
) -> None:
    events = await backend.listen()
    everything = await backend.listen_to_everything()
    call = await backend.call(events)
    await backend.ari.delete(f"/channels/{call.id}", reason=reason)
    end = await everything.wait_for_type("ChannelDestroyed", call.id)
    assert end.json["cause"] == cause
