"""Phones dialled by an application: its events and requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.sounds import PRESS_1

if TYPE_CHECKING:
    from real_asterisk.raw_ari import Events
    from tests.support.asterisk_harness import AsteriskHarness

PHONE = "the-telephone"
TYPES = frozenset(
    {
        *("StasisStart", "StasisEnd", "ChannelStateChange"),
        *("ChannelHangupRequest", "ChannelDestroyed"),
    }
)
NO_ANSWER, REJECTED, NORMAL, ANSWERED_ELSEWHERE = 19, 21, 16, 26


def dialled(events: Events) -> list[str]:
    """List the statuses of the ``Dial`` events of a phone."""
    return [
        event.json["dialstatus"]
        for event in events.all
        if event.type == "Dial" and event.is_about(PHONE)
    ]


async def until_dialled(events: Events, times: int) -> None:
    """Wait for a number of ``Dial`` events, which may be late; return the statuses."""
    await events.wait_for(lambda _: len(dialled(events)) >= times)


def summary(events: Events) -> list[str]:
    """Return the types of the events about the phone's channel.

    Their order relative to ``Dial`` events is not fixed.
    """
    return [
        f"{event.type} {event.json['channel']['state']}"
        if event.type == "ChannelStateChange"
        else event.type
        for event in events.all
        if event.is_about(PHONE) and event.type in TYPES
    ]


@pytest_twisted.ensureDeferred
async def test_answered_phone_enters_the_application(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    language = {"variable": "CHANNEL(language)", "value": "fr"}
    await backend.ari.post(f"/channels/{call.id}/variable", **language)
    await backend.ring(
        "answers",
        PHONE,
        appArgs="dialled,two",
        callerId='"Sales: Ada" <0123>',
        originator=call.id,
    )
    start = await events.wait_for_type("StasisStart", PHONE)
    await until_dialled(events, 2)
    assert summary(events) == ["ChannelStateChange Up", "StasisStart"]
    assert dialled(events) == ["", "ANSWER"]
    assert start.json["args"] == ["dialled", "two"]
    channel = start.json["channel"]
    assert channel["state"] == "Up"
    assert channel["name"].startswith("Local/answers@phones-")
    # The phone shows the caller id; its language is the caller's.
    assert channel["caller"] == {"name": "Sales: Ada", "number": "0123"}
    assert channel["connected"] == channel["caller"]
    assert channel["language"] == "fr"
    assert channel["dialplan"]["app_name"] == "Stasis"
    assert channel["dialplan"]["app_data"] == "channel-aa,dialled,two"


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({}, ("Ada", "0123")),
        ({"CONNECTEDLINE(name,i)": "Sales: Ada"}, ("Sales: Ada", "0123")),
        (
            {"CONNECTEDLINE(name,i)": "", "CONNECTEDLINE(num,i)": "+44", "A": "b"},
            ("", "+44"),
        ),
    ],
)
async def test_phone_shows_the_originators_caller_id_unless_it_is_changed(
    backend: AsteriskHarness, variables: dict[str, str], shown: tuple[str, str]
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    caller = {"variable": "CALLERID(all)", "value": '"Ada" <0123>'}
    await backend.ari.post(f"/channels/{call.id}/variable", **caller)
    await events.wait_for_type("ChannelCallerId", call.id)
    body = {"variables": variables}
    await backend.ring("rings", PHONE, originator=call.id, body=body)
    await events.wait_for(lambda _: "RINGING" in dialled(events))
    connected = (await backend.ari.get(f"/channels/{PHONE}")).json["connected"]
    assert (connected["name"], connected["number"]) == shown


@pytest_twisted.ensureDeferred
async def test_dial_without_an_id_gets_one(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    dialled_phone = await backend.ari.post(
        "/channels", endpoint="Local/rings@phones", app="channel-aa", formats="ulaw"
    )
    assert dialled_phone.json["state"] == "Down"
    await events.wait_for(
        lambda it: (
            it.type == "Dial"
            and it.json["peer"]["id"] == dialled_phone.json["id"]
            and it.json["dialstring"] == "rings@phones"
        )
    )


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("phone", "statuses", "expected"),
    [
        ("busy", ["", "BUSY"], []),
        ("congested", ["", "CONGESTION"], []),
        (
            "declines",
            ["", "RINGING", "NOANSWER"],
            ["ChannelStateChange Ringing", "ChannelHangupRequest"],
        ),
        # There is no such phone.
        ("nobody", [], []),
    ],
)
async def test_failed_dial_reports_status_and_cause(
    backend: AsteriskHarness, phone: str, statuses: list[str], expected: list[str]
) -> None:
    events = await backend.listen()
    await backend.ring(phone, PHONE)
    end = await events.wait_for_type("ChannelDestroyed", PHONE)
    await until_dialled(events, len(statuses))
    assert summary(events) == [*expected, "ChannelDestroyed"]
    assert dialled(events) == statuses
    assert end.json["cause"] == (REJECTED if phone == "declines" else 0)
    assert (await backend.ari.get(f"/channels/{PHONE}")).status == 404


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("phone", "statuses", "expected"),
    [
        ("rings", ["", "RINGING"], ["ChannelStateChange Ringing"]),
        ("silent", [""], []),
    ],
)
async def test_dial_ends_after_its_timeout(
    backend: AsteriskHarness, phone: str, statuses: list[str], expected: list[str]
) -> None:
    events = await backend.listen()
    await backend.ring(phone, PHONE, timeout=1)
    end = await events.wait_for_type("ChannelDestroyed", PHONE)
    await until_dialled(events, len(statuses))
    assert summary(events) == [*expected, "ChannelDestroyed"]
    # There is no Dial event for its end, only the cause.
    assert dialled(events) == statuses
    assert end.json["cause"] == NO_ANSWER


@pytest_twisted.ensureDeferred
async def test_ringing_phone_can_be_hung_up(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    await backend.ring("rings", PHONE)
    await events.wait_for_type("ChannelStateChange", PHONE)
    await events.wait_for(lambda it: it.json.get("dialstatus") == "RINGING")
    assert (await backend.ari.delete(f"/channels/{PHONE}")).status == 204
    end = await events.wait_for_type("ChannelDestroyed", PHONE)
    assert summary(events)[-2:] == ["ChannelHangupRequest", "ChannelDestroyed"]
    await until_dialled(events, 3)
    assert dialled(events) == ["", "RINGING", "NOANSWER"]
    assert end.json["cause"] == NORMAL


@pytest_twisted.ensureDeferred
async def test_ringing_phone_is_hung_up_for_a_reason(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    await backend.ring("rings", PHONE)
    await events.wait_for_type("ChannelStateChange", PHONE)
    phone = f"/channels/{PHONE}"
    reason = "answered_elsewhere"
    assert (await backend.ari.delete(phone, reason=reason)).status == 204
    end = await events.wait_for_type("ChannelDestroyed", PHONE)
    assert end.json["cause"] == ANSWERED_ELSEWHERE


@pytest_twisted.ensureDeferred
async def test_answered_phone_that_hangs_up_leaves_the_application(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    await backend.ring("hangs-up", PHONE)
    await events.wait_for_type("StasisStart", PHONE)
    # The application also gets its ChannelDestroyed, since it has dialled it.
    await events.wait_for_type("ChannelDestroyed", PHONE)
    assert summary(events)[-3:] == [
        "ChannelHangupRequest",
        "StasisEnd",
        "ChannelDestroyed",
    ]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("path", "error"),
    [
        (
            "/channels/{}/play?media=sound:or",
            (409, "Channel not in Stasis application"),
        ),
        ("/channels/{}/answer", (409, "Channel not in Stasis application")),
        (
            "/bridges/the-bridge/addChannel?channel={}",
            (422, "Channel not in Stasis application"),
        ),
        (
            "/channels/{}?endpoint=Local/rings@phones&app=channel-aa",
            (409, "Channel with given unique ID already exists"),
        ),
    ],
)
async def test_ringing_phone_is_not_in_the_application(
    backend: AsteriskHarness, path: str, error: tuple[int, str]
) -> None:
    events = await backend.listen()
    await backend.ari.post("/bridges/the-bridge")
    await backend.ring("rings", PHONE)
    await events.wait_for_type("ChannelStateChange", PHONE)
    assert (await backend.ari.post(path.format(PHONE))).error == error


@pytest_twisted.ensureDeferred
async def test_phone_rings_on_when_the_caller_hangs_up(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await backend.ring("rings", PHONE, originator=call.id)
    await events.wait_for_type("ChannelStateChange", PHONE)
    await call.caller.hang_up()
    await events.wait_for_type("StasisEnd", call.id)
    assert (await backend.ari.get(f"/channels/{PHONE}")).json["state"] == "Ringing"


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"endpoint": "Local"}, (400, "Invalid endpoint specified")),
        ({}, (400, "Endpoint must be specified")),
        (
            {"endpoint": "Local/answers@phones", "app": ""},
            (400, "Application or extension must be specified"),
        ),
        (
            {"endpoint": "Local/answers@phones", "originator": "none"},
            (400, "Provided originator channel was not found"),
        ),
    ],
)
async def test_invalid_dial_is_refused(
    backend: AsteriskHarness, query: dict[str, str], error: tuple[int, str]
) -> None:
    answer = await backend.ari.post("/channels", **{"app": "channel-aa", **query})
    assert answer.error == error


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("endpoint", ["PJSIP/410", "PJSIP/unknown", "Nonsense/410"])
async def test_unknown_or_unregistered_endpoint_is_refused(
    backend: AsteriskHarness, endpoint: str
) -> None:
    answer = await backend.ari.post("/channels", endpoint=endpoint, app="channel-aa")
    # Elsewhere the key is "message".
    assert (answer.status, answer.json) == (500, {"error": "Allocation failed"})


@pytest_twisted.ensureDeferred
async def test_formats_come_from_the_originator_or_the_request(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    answer = await backend.ari.post(
        "/channels",
        endpoint="Local/answers@phones",
        app="channel-aa",
        originator=call.id,
        formats="ulaw",
    )
    both = "Originator and formats can't both be specified"
    assert answer.error == (400, both)


@pytest_twisted.ensureDeferred
async def test_variables_of_the_request_are_set_on_the_phones_channel(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    await backend.ring("answers", PHONE, body={"variables": {"FOO": "bar"}})
    await events.wait_for_type("StasisStart", PHONE)
    read = await backend.ari.get(f"/channels/{PHONE}/variable", variable="FOO")
    assert read.json == {"value": "bar"}


@pytest_twisted.ensureDeferred
async def test_inherited_variable_is_read_without_its_underscores(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    await backend.ring("answers", PHONE, body={"variables": {"__FOO": "a>b@c,d"}})
    await events.wait_for_type("StasisStart", PHONE)
    path = f"/channels/{PHONE}/variable"
    assert (await backend.ari.get(path, variable="FOO")).json == {"value": "a>b@c,d"}
    assert (await backend.ari.get(path, variable="__FOO")).status == 404


@pytest_twisted.ensureDeferred
async def test_ringing_phone_stays_when_the_websocket_is_lost(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    await backend.ring("rings", PHONE)
    await events.wait_for_type("ChannelStateChange", PHONE)
    await events.leave()
    known = await backend.ari.get("/applications/channel-aa")
    assert PHONE in known.json["channel_ids"]
    again = await backend.listen()
    await backend.ari.delete(f"/channels/{PHONE}")
    await again.wait_for_type("ChannelDestroyed", PHONE)


@pytest_twisted.ensureDeferred
async def test_answered_phone_hears_sounds_and_presses_keys(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    await backend.ring("presses-keys", PHONE)
    await events.wait_for_type("StasisStart", PHONE)
    await events.wait_for(
        lambda it: it.type == "ChannelDtmfReceived" and it.json["digit"] == "#"
    )
    play = f"/channels/{PHONE}/play/one"
    played = await backend.ari.post(play, media=f"sound:{PRESS_1}")
    assert (played.status, played.json["target_uri"]) == (201, f"channel:{PHONE}")
    end = await events.wait_for(lambda it: it.type == "PlaybackFinished")
    assert end.json["playback"]["state"] == "done"


@pytest_twisted.ensureDeferred
async def test_phone_answered_without_a_websocket_is_hung_up(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    everything = await backend.listen_to_everything()
    await backend.ring("answers-later", PHONE)
    await events.wait_for_type("ChannelStateChange", PHONE)
    await events.leave()
    await everything.wait_for_type("ChannelDestroyed", PHONE)
    await everything.wait_for(lambda _: "ANSWER" in dialled(everything))
    assert "ANSWER" in dialled(everything)
