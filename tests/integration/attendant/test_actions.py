"""What actions do for callers, on each of the two Asterisks."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from channel_aa.config import Settings
from tests.support.attendant_harness import AttendantHarness, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.ari import Transport
    from tests.support.asterisk_harness import AsteriskHarness
    from tests.support.attendant_harness import Witness

MENUS = """
[attendant]
drain_timeout = 0
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
def scene(stage: AsteriskHarness, transport: Transport) -> Iterator[AttendantHarness]:
    """Let an attendant offer the menus above."""
    document = tomllib.loads(MENUS)
    asterisk = {"url": stage.url, "transport": transport.value}
    settings = Settings(**{"asterisk": asterisk, **document})
    opening = AttendantHarness.open(stage, transport=transport, settings=settings)
    opened: AttendantHarness = pytest_twisted.blockon(ensureDeferred(opening))
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))


async def channels(scene: AttendantHarness) -> list[str]:
    """List the channels that Asterisk has in our application."""
    answer = await scene.stage.ari.get("/applications/channel-aa")
    found: list[str] = answer.json["channel_ids"]
    return found


async def is_alone(scene: AttendantHarness, witness: Witness) -> None:
    """Wait until nothing but the caller is in the application."""

    async def so() -> bool:
        bridges = (await scene.stage.ari.get("/bridges")).json
        return not bridges and await channels(scene) == [witness.channel_id]

    await scene.stage.until(so)


async def rings(scene: AttendantHarness) -> None:
    """Wait until a phone rings."""

    async def so() -> bool:
        found = (await scene.stage.ari.get("/channels")).json
        return any(each["name"].startswith("Local/rings@") for each in found)

    await scene.stage.until(so)


async def speaks(scene: AttendantHarness) -> None:
    """Wait until a caller speaks with somebody."""
    await until(
        lambda: scene.service._attendant.conversations == 1,
        scene.stage.reactor,
        "a conversation",
    )
    # Some hang up so soon that Asterisk need not be asked.
    await scene.events.wait_for(
        lambda it: (
            it.type == "ChannelEnteredBridge"
            and len(it.json["bridge"]["channels"]) == 2
        )
    )


async def leaves_nothing(scene: AttendantHarness) -> None:
    """Wait until no call, channel or bridge is left."""
    await scene.is_idle()

    async def nothing() -> bool:
        ari = scene.stage.ari
        bridges = (await ari.get("/bridges")).json
        return not bridges and not (await ari.get("/channels")).json

    await scene.stage.until(nothing)
    assert scene.complaints == []


@pytest_twisted.ensureDeferred
async def test_caller_speaks_with_who_answers_and_hangs_up(
    scene: AttendantHarness,
) -> None:
    caller, witness = await scene.call()
    await witness.hears("press-1")
    await caller.press("1")
    await speaks(scene)
    await caller.hang_up()
    await leaves_nothing(scene)


@pytest_twisted.ensureDeferred
async def test_caller_goes_on_when_the_other_hangs_up_first(
    scene: AttendantHarness,
) -> None:
    caller, witness = await scene.call()
    await witness.hears("press-1")
    await caller.press("2")
    await witness.hears("option-is-invalid")
    await is_alone(scene, witness)
    await leaves_nothing(scene)


@pytest_twisted.ensureDeferred
async def test_caller_hears_why_nobody_answers_and_the_menu_again(
    scene: AttendantHarness,
) -> None:
    caller, witness = await scene.call()
    await witness.hears("press-1")
    await caller.press("3")
    await witness.hears("number-not-answering", "press-1")
    await is_alone(scene, witness)
    assert [line.rpartition(" ")[2] for line in scene.log if "dialled" in line] == [
        "BUSY",
        "NOANSWER",
    ]


@pytest_twisted.ensureDeferred
async def test_caller_who_hangs_up_while_it_rings_leaves_no_phone_ringing(
    scene: AttendantHarness,
) -> None:
    for key in "34":
        caller, witness = await scene.call()
        await witness.hears("press-1")
        await caller.press(key)
        await rings(scene)
        await caller.hang_up()
        await leaves_nothing(scene)


@pytest_twisted.ensureDeferred
async def test_first_of_several_phones_that_answers_has_the_caller(
    scene: AttendantHarness,
) -> None:
    caller, witness = await scene.call()
    await witness.hears("press-1")
    await caller.press("5")
    await speaks(scene)
    await leaves_nothing(scene)
    assert scene.log[-2:][0].endswith("dialled Local/hangs-up@phones: ANSWER")


@pytest_twisted.ensureDeferred
async def test_caller_hears_what_was_recorded(scene: AttendantHarness) -> None:
    caller, witness = await scene.call()
    await witness.hears("press-1")
    await caller.press("6")
    await scene.events.wait_for(lambda it: it.type == "RecordingStarted")
    await caller.speak()
    await caller.press("#")
    recording = f"said/{witness.channel_id.replace('.', '_')}"
    await witness.hears("you-entered", f"recording:{recording}", "press-1")
    stored = await scene.stage.ari.get("/recordings/stored")
    assert [each["name"] for each in stored.json] == [recording]
    deleted = f"/recordings/stored/{recording.replace('/', '%2F')}"
    await scene.stage.ari.request("DELETE", deleted)
    await caller.hang_up()
    await leaves_nothing(scene)


@pytest_twisted.ensureDeferred
async def test_caller_goes_on_at_the_place_in_the_dialplan(
    scene: AttendantHarness,
) -> None:
    caller, witness = await scene.call()
    await witness.hears("press-1")
    await caller.press("7")
    await scene.is_idle()

    async def is_there() -> bool:
        path = f"/channels/{witness.channel_id}"
        place = (await scene.stage.ari.get(path)).json["dialplan"]
        return (place["context"], place["exten"]) == ("elsewhere", "6001")

    await scene.stage.until(is_there)
    await caller.hang_up()


@pytest_twisted.ensureDeferred
async def test_back_keys_of_two_digits_variables_and_the_language(
    scene: AttendantHarness,
) -> None:
    caller, witness = await scene.call()
    await witness.hears("press-1")
    await caller.press("8")
    await witness.hears("press-2")
    await caller.press("*")
    await witness.hears("press-1")
    await caller.press("9")
    await caller.press("1")
    await witness.hears("press-1")
    path = f"/channels/{witness.channel_id}/variable"
    for name, value in (("CHOSEN", "91"), ("CHANNEL(language)", "fr")):
        answer = await scene.stage.ari.get(path, variable=name)
        assert answer.json["value"] == value
    await caller.press("8")
    await witness.hears("press-2")
    await caller.press("9")
    await leaves_nothing(scene)


@pytest_twisted.ensureDeferred
async def test_conversation_stays_when_the_attendant_stops(
    scene: AttendantHarness,
) -> None:
    caller, witness = await scene.call()
    await witness.hears("press-1")
    await caller.press("1")
    await speaks(scene)
    await scene.close()
    bridges = (await scene.stage.ari.get("/bridges")).json
    assert [len(bridge["channels"]) for bridge in bridges] == [2]
    assert witness.channel_id in bridges[0]["channels"]
