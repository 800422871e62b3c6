"""The actions of menus, on both Asterisks."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from channel_aa.settings import Settings
from tests.support.attendant_harness import AttendantHarness
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.ari import Transport
    from tests.support.asterisk_harness import AsteriskHarness, Caller
    from tests.support.attendant_harness import ChannelMonitor

MENUS = """
[attendant]
drain_timeout = 0
cdr_userfield = true
[menus.main]
prompt = ["press-1"]
timeout = 30
interdigit_timeout = 5
[menus.main.options]
1 = { dial = "Local/answers@phones", label = "Sales", then = "thanks" }
2 = { dial = "Local/hangs-up@phones", then = "thanks" }
3 = { dial = ["Local/busy@phones", "Local/rings@phones"], ring = 1 }
4 = { dial = "Local/rings@phones", else = { menu = "other" } }
5 = { dial = ["Local/rings@phones", "Local/hangs-up@phones"], strategy = "ringall" }
6 = { record = "said/{channel}", max_silence = 1, beep = false, then = "play-it" }
7 = { continue = { context = "elsewhere", extension = "6001" } }
8 = { menu = "other" }
90 = { record = "welcome", review = true, max_seconds = 2, beep = false }
91 = { set = { CHOSEN = "{digits}" }, then = { language = "fr" } }
[menus.other]
prompt = ["press-2"]
timeout = 30
options = { "*" = "back", "9" = "hangup" }
[actions]
thanks = { play = ["option-is-invalid"], then = "hangup" }
play-it = { play = ["you-entered", "recording:{recording}"] }
"""


@pytest.fixture
def harness(
    backend: AsteriskHarness, transport: Transport
) -> Iterator[AttendantHarness]:
    """Run an attendant with the menus above."""
    document = tomllib.loads(MENUS)
    asterisk = {"url": backend.url, "transport": transport.value}
    settings = Settings(**{"asterisk": asterisk, **document})
    opening = AttendantHarness.open(backend, transport=transport, settings=settings)
    opened: AttendantHarness = pytest_twisted.blockon(ensureDeferred(opening))
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))


async def channels_of(harness: AttendantHarness) -> list[str]:
    """List the channels in the application."""
    answer = await harness.backend.ari.get("/applications/channel-aa")
    found: list[str] = answer.json["channel_ids"]
    return found


async def until_alone(harness: AttendantHarness, monitor: ChannelMonitor) -> None:
    """Wait until only the caller is in the application, and no bridge is left."""

    async def is_true() -> bool:
        bridges = (await harness.backend.ari.get("/bridges")).json
        return not bridges and await channels_of(harness) == [monitor.channel_id]

    await until(harness.backend.reactor, is_true)


async def until_ringing(harness: AttendantHarness) -> None:
    """Wait until a phone rings."""

    async def is_true() -> bool:
        found = (await harness.backend.ari.get("/channels")).json
        return any(each["name"].startswith("Local/rings@") for each in found)

    await until(harness.backend.reactor, is_true)


async def until_conversation(harness: AttendantHarness) -> None:
    """Wait for a conversation."""
    await until(
        harness.backend.reactor,
        lambda: harness.service._attendant.conversations == 1,
        "a conversation",
    )
    # A phone may hang up before Asterisk's bridges could be read.
    await harness.events.wait_for(
        lambda it: (
            it.type == "ChannelEnteredBridge"
            and len(it.json["bridge"]["channels"]) == 2
        )
    )


async def until_nothing_left(harness: AttendantHarness) -> None:
    """Wait until no call, channel or bridge is left."""
    await harness.until_idle()

    async def is_empty() -> bool:
        ari = harness.backend.ari
        bridges = (await ari.get("/bridges")).json
        return not bridges and not (await ari.get("/channels")).json

    await until(harness.backend.reactor, is_empty)
    assert harness.warnings == []


@pytest_twisted.ensureDeferred
async def test_caller_is_connected_and_hangs_up(
    harness: AttendantHarness,
) -> None:
    caller, monitor = await harness.call()
    await monitor.hears("press-1")
    await caller.press("1")
    await until_conversation(harness)
    await caller.hang_up()
    await until_nothing_left(harness)


@pytest_twisted.ensureDeferred
async def test_caller_continues_when_the_phone_hangs_up_first(
    harness: AttendantHarness,
) -> None:
    caller, monitor = await harness.call()
    await monitor.hears("press-1")
    await caller.press("2")
    await monitor.hears("option-is-invalid")
    await until_alone(harness, monitor)
    await until_nothing_left(harness)


@pytest_twisted.ensureDeferred
async def test_failed_dial_plays_the_reason_and_the_menu(
    harness: AttendantHarness,
) -> None:
    caller, monitor = await harness.call()
    await monitor.hears("press-1")
    await caller.press("3")
    await monitor.hears("number-not-answering", "press-1")
    await until_alone(harness, monitor)
    assert [
        line.rpartition(" ")[2] for line in harness.call_log if "dialled" in line
    ] == [
        "BUSY",
        "NOANSWER",
    ]


@pytest_twisted.ensureDeferred
async def test_hangup_while_dialling_hangs_up_the_phones(
    harness: AttendantHarness,
) -> None:
    for key in "34":
        caller, monitor = await harness.call()
        await monitor.hears("press-1")
        await caller.press(key)
        await until_ringing(harness)
        await caller.hang_up()
        await until_nothing_left(harness)


@pytest_twisted.ensureDeferred
async def test_first_phone_to_answer_gets_the_caller(
    harness: AttendantHarness,
) -> None:
    caller, monitor = await harness.call()
    await monitor.hears("press-1")
    await caller.press("5")
    await until_conversation(harness)
    await until_nothing_left(harness)
    assert harness.call_log[-2:][0].endswith("dialled Local/hangs-up@phones: ANSWER")


@pytest_twisted.ensureDeferred
async def test_recording_is_played_back(harness: AttendantHarness) -> None:
    caller, monitor = await harness.call()
    await monitor.hears("press-1")
    await caller.press("6")
    await harness.events.wait_for(lambda it: it.type == "RecordingStarted")
    await caller.speak()
    await caller.press("#")
    recording = f"said/{monitor.channel_id.replace('.', '_')}"
    await monitor.hears("you-entered", f"recording:{recording}", "press-1")
    stored = await harness.backend.ari.get("/recordings/stored")
    assert [each["name"] for each in stored.json] == [recording]
    deleted = f"/recordings/stored/{recording.replace('/', '%2F')}"
    await harness.backend.ari.request("DELETE", deleted)
    await caller.hang_up()
    await until_nothing_left(harness)


@pytest_twisted.ensureDeferred
async def test_recording_that_is_kept_stays_until_another_is_kept(
    harness: AttendantHarness,
) -> None:
    caller, monitor = await harness.call()
    for count, key in enumerate(("1", "*")):
        await monitor.hears("press-1")
        await caller.press("90")
        await review_begun(harness, monitor, caller, count=count)
        await caller.press(key)
        if key == "1":
            await monitor.hears("vm-msgsaved")
        assert await stored_recordings(harness) == ["welcome"]
    await monitor.hears("press-1")
    await harness.backend.ari.request("DELETE", "/recordings/stored/welcome")
    await caller.hang_up()
    await until_nothing_left(harness)


@pytest_twisted.ensureDeferred
async def test_caller_who_hangs_up_during_the_review_leaves_no_recording(
    harness: AttendantHarness,
) -> None:
    caller, monitor = await harness.call()
    await monitor.hears("press-1")
    await caller.press("90")
    await review_begun(harness, monitor, caller)
    await caller.hang_up()
    await until_nothing_left(harness)

    async def is_gone() -> bool:
        return not (await harness.backend.ari.get("/recordings/stored")).json

    await until(harness.backend.reactor, is_gone)


async def review_begun(
    harness: AttendantHarness,
    monitor: ChannelMonitor,
    caller: Caller,
    *,
    count: int = 0,
) -> None:
    """Talk until the recording has ended, and hear it.

    Args:
        harness: the attendant.
        monitor: what the caller hears.
        caller: the caller.
        count: how many recordings the test has made before.
    """
    names: list[str] = []

    def is_begun() -> bool:
        names[:] = [
            event.json["recording"]["name"]
            for event in harness.events.all
            if event.type == "RecordingStarted"
        ]
        return len(names) > count

    await until(harness.backend.reactor, is_begun, "a recording")
    assert names[count].startswith("welcome-review-")
    await caller.keep_talking()
    heard = (f"recording:{names[count]}", "vm-review", "vm-star-cancel")
    await monitor.hears(*heard)


async def stored_recordings(harness: AttendantHarness) -> list[str]:
    """List the recordings, once none is left that a review has made."""
    names: list[str] = []

    async def is_over() -> bool:
        stored = (await harness.backend.ari.get("/recordings/stored")).json
        names[:] = [each["name"] for each in stored]
        return not any("-review-" in each for each in names)

    await until(harness.backend.reactor, is_over)
    return names


@pytest_twisted.ensureDeferred
async def test_continue_action_leaves_for_the_dialplan(
    harness: AttendantHarness,
) -> None:
    caller, monitor = await harness.call()
    await monitor.hears("press-1")
    await caller.press("7")
    await harness.until_idle()

    async def is_there() -> bool:
        path = f"/channels/{monitor.channel_id}"
        place = (await harness.backend.ari.get(path)).json["dialplan"]
        return (place["context"], place["exten"]) == ("elsewhere", "6001")

    await until(harness.backend.reactor, is_there)
    for name in ("CHANNEL_AA_PATH", "CDR(userfield)"):
        path = f"/channels/{monitor.channel_id}/variable"
        answer = await harness.backend.ari.get(path, variable=name)
        assert answer.json["value"] == "main:7"
    await caller.hang_up()


@pytest_twisted.ensureDeferred
async def test_back_two_digit_options_variables_and_language(
    harness: AttendantHarness,
) -> None:
    caller, monitor = await harness.call()
    await monitor.hears("press-1")
    await caller.press("8")
    await monitor.hears("press-2")
    await caller.press("*")
    await monitor.hears("press-1")
    await caller.press("9")
    await caller.press("1")
    await monitor.hears("press-1")
    path = f"/channels/{monitor.channel_id}/variable"
    for name, value in (("CHOSEN", "91"), ("CHANNEL(language)", "fr")):
        answer = await harness.backend.ari.get(path, variable=name)
        assert answer.json["value"] == value
    await caller.press("8")
    await monitor.hears("press-2")
    await caller.press("9")
    await until_nothing_left(harness)


@pytest_twisted.ensureDeferred
async def test_conversation_survives_a_stop_of_the_attendant(
    harness: AttendantHarness,
) -> None:
    caller, monitor = await harness.call()
    await monitor.hears("press-1")
    await caller.press("1")
    await until_conversation(harness)
    await harness.close()
    bridges = (await harness.backend.ari.get("/bridges")).json
    assert [len(bridge["channels"]) for bridge in bridges] == [2]
    assert monitor.channel_id in bridges[0]["channels"]
