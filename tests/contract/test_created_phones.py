"""Phones whose channel is created in an application first, and dialled then.

They can be in a bridge before they are answered: their early media is heard there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

if TYPE_CHECKING:
    from real_asterisk.raw_ari import Events
    from tests.support.asterisk_harness import AsteriskHarness

PHONE = "the-telephone"
TYPES = frozenset(
    {
        *("StasisStart", "StasisEnd", "ChannelHangupRequest", "ChannelDestroyed"),
        *("ChannelEnteredBridge", "ChannelLeftBridge"),
    }
)


async def create(backend: AsteriskHarness, events: Events, phone: str) -> None:
    """Create a phone's channel, and wait until it has entered."""
    created = await backend.ari.post(
        "/channels/create",
        endpoint=f"Local/{phone}@phones",
        app="channel-aa",
        appArgs="one,two",
        channelId=PHONE,
        formats="ulaw",
        body={"variables": {"__FOO": "bar"}},
    )
    assert (created.status, created.json["state"]) == (200, "Down")
    start = await events.wait_for_type("StasisStart", PHONE)
    assert start.json["args"] == ["one", "two"]
    assert start.json["channel"]["state"] == "Down"


async def dial(backend: AsteriskHarness, **query: object) -> None:
    """Dial the phone."""
    dialled = await backend.ari.post(f"/channels/{PHONE}/dial", **query)
    assert dialled.status == 204


def summary(events: Events) -> list[str]:
    """List the types of the phone's events, in order."""
    return [it.type for it in events.all if it.is_about(PHONE) and it.type in TYPES]


def statuses(events: Events) -> set[str]:
    """Return the statuses of the phone's ``Dial`` events, whose order varies."""
    return {
        it.json["dialstatus"]
        for it in events.all
        if it.type == "Dial" and it.is_about(PHONE)
    }


async def until_status(events: Events, status: str) -> None:
    """Wait for a ``Dial`` event of the phone."""
    await events.wait_for(lambda _: status in statuses(events))


@pytest_twisted.ensureDeferred
async def test_created_phone_is_in_the_application_and_is_answered_there(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    await create(backend, events, "answers-later")
    variable = await backend.ari.get(f"/channels/{PHONE}/variable", variable="FOO")
    assert variable.json == {"value": "bar"}
    await dial(backend, timeout=10)
    await until_status(events, "ANSWER")
    # The two have no fixed order.
    await events.wait_for(
        lambda it: (
            it.type == "ChannelStateChange" and it.json["channel"]["state"] == "Up"
        )
    )
    assert statuses(events) == {"", "RINGING", "ANSWER"}
    assert summary(events) == ["StasisStart"]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("phone", "expected", "cause"),
    [
        ("busy", {"", "BUSY"}, 17),
        ("congested", {"", "CONGESTION"}, 34),
        ("declines", {"", "RINGING"}, 21),
        ("rings", {"", "RINGING"}, 19),
        ("announces", {"", "PROGRESS"}, 21),
    ],
)
async def test_cause_of_a_failed_dial_follows_the_end_in_the_application(
    backend: AsteriskHarness, phone: str, expected: set[str], cause: int
) -> None:
    events = await backend.listen()
    await create(backend, events, phone)
    await dial(backend, timeout=2)
    end = await events.wait_for_type("ChannelDestroyed", PHONE)
    assert end.json["cause"] == cause
    assert summary(events)[-3:] == [
        "ChannelHangupRequest",
        "StasisEnd",
        "ChannelDestroyed",
    ]
    await events.wait_for(lambda _: statuses(events) == expected)


@pytest_twisted.ensureDeferred
async def test_unknown_local_phone_ends_without_a_dial(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    await create(backend, events, "nobody")
    await dial(backend)
    end = await events.wait_for_type("ChannelDestroyed", PHONE)
    assert (statuses(events), end.json["cause"]) == (set(), 16)


@pytest_twisted.ensureDeferred
async def test_phone_with_early_media_can_be_in_a_bridge(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await create(backend, events, "announces")
    await dial(backend)
    await until_status(events, "PROGRESS")
    await backend.ari.post("/bridges/early", type="mixing")
    added = await backend.ari.post(
        "/bridges/early/addChannel", channel=f"{call.id},{PHONE}"
    )
    assert added.status == 204
    await events.wait_for_type("ChannelDestroyed", PHONE)
    assert summary(events)[1:] == [
        "ChannelEnteredBridge",
        "ChannelHangupRequest",
        "ChannelLeftBridge",
        "StasisEnd",
        "ChannelDestroyed",
    ]
    bridge = await backend.ari.get("/bridges/early")
    assert bridge.json["channels"] == [call.id]


@pytest_twisted.ensureDeferred
async def test_hangup_while_it_rings_tells_the_cause_and_no_dial_status(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    await create(backend, events, "rings")
    await dial(backend)
    await until_status(events, "RINGING")
    await backend.ari.delete(f"/channels/{PHONE}", reason="answered_elsewhere")
    end = await events.wait_for_type("ChannelDestroyed", PHONE)
    assert end.json["cause"] == 26
    assert statuses(events) == {"", "RINGING"}


@pytest_twisted.ensureDeferred
async def test_ringing_phone_cannot_be_dialled_again(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    await create(backend, events, "rings")
    await dial(backend)
    await events.wait_for_type("ChannelStateChange", PHONE)
    again = await backend.ari.post(f"/channels/{PHONE}/dial")
    assert again.error == (409, "Channel is not in the 'Down' state")


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("endpoint", ["PJSIP/410", "PJSIP/unknown", "Nonsense/410"])
async def test_unknown_or_unregistered_endpoint_is_refused(
    backend: AsteriskHarness, endpoint: str
) -> None:
    answer = await backend.ari.post(
        "/channels/create", endpoint=endpoint, app="channel-aa"
    )
    assert (answer.status, answer.json) == (500, {"error": "Allocation failed"})


@pytest_twisted.ensureDeferred
async def test_unknown_channel_cannot_be_dialled(backend: AsteriskHarness) -> None:
    answer = await backend.ari.post("/channels/none/dial")
    assert answer.error == (404, "Channel not found")
