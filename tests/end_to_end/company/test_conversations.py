"""Conversations with the company's phones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.attendant_harness import ChannelMonitor
    from tests.support.company_harness import CompanyHarness

pytestmark = pytest.mark.asterisk

CALLER = '"Ada Byron" <+441632960123>'


async def until_conversation(harness: CompanyHarness, monitor: ChannelMonitor) -> str:
    """Wait for the caller's conversation; return the name of the phone's channel."""

    names: list[str] = []

    async def is_connected() -> bool:
        bridges = (await harness.backend.ari.get("/bridges")).json
        names[:] = [
            phone["name"]
            for phone in await harness.phones()
            for bridge in bridges
            if {monitor.channel_id, phone["id"]} <= set(bridge["channels"])
        ]
        return len(names) == 1

    await until(harness.backend.reactor, is_connected)
    return names[0]


async def until_ringing(harness: CompanyHarness, *numbers: str) -> None:
    """Wait until exactly these phones ring."""
    wanted = sorted(f"Local/{number}@phones" for number in numbers)

    async def are_ringing() -> bool:
        phones = await harness.phones()
        return sorted(each["name"].rpartition("-")[0] for each in phones) == wanted

    await until(harness.backend.reactor, are_ringing)


@pytest_twisted.ensureDeferred
async def test_caller_and_phone_hear_each_other(
    harness: CompanyHarness,
) -> None:
    await harness.set_phone("410", "echoes")
    caller, monitor = await harness.call()
    await monitor.hears("acme/welcome", "acme/main-menu")
    await caller.press("1")
    await monitor.hears("acme/sales-menu")
    await caller.press("1")
    telephone = (await until_conversation(harness, monitor))[:-1] + "2"
    # Answer() takes half a second, in which keys are lost.
    await harness.event("ChannelDialplan", channel=telephone, dialplan_app="Echo")
    # In a conversation, the attendant does not handle keys.
    for key in "4*":
        await caller.press(key)
        for hearer in (telephone, caller.name[:-1] + "1"):
            await harness.event("ChannelDtmfReceived", channel=hearer, digit=key)
    assert monitor.heard[-1] == "acme/sales-menu"
    await caller.hang_up()
    await harness.until_nothing_left()
    await harness.set_phone("410")


@pytest_twisted.ensureDeferred
async def test_phone_shows_caller_and_label(harness: CompanyHarness) -> None:
    await harness.set_phone("410", "rings")
    caller, _ = await harness.call(callerId=CALLER)
    for key in "11":
        await caller.press(key)
    await until_ringing(harness, "410")
    [phone] = await harness.phones()
    assert phone["connected"] == {
        "name": "Sales: Ada Byron",
        "number": "+441632960123",
    }
    await caller.hang_up()
    await harness.set_phone("410")


@pytest_twisted.ensureDeferred
async def test_hangup_of_the_phone_ends_the_call(harness: CompanyHarness) -> None:
    caller, monitor = await harness.call()
    for key in "414":
        await caller.press(key)
    # The phone hangs up before the bridges could be read.
    await harness.events.wait_for(
        lambda it: (
            it.type == "ChannelEnteredBridge"
            and monitor.channel_id in it.json["bridge"]["channels"]
            and len(it.json["bridge"]["channels"]) == 2
        )
    )
    await harness.event("ChannelDestroyed", channel=caller.name)
    await harness.until_nothing_left()
    assert monitor.heard == ["acme/welcome"]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("keys", "numbers"), [("412", ["412"]), ("12", ["412", "415"])]
)
async def test_hangup_while_dialling_hangs_up_the_phones(
    harness: CompanyHarness, keys: str, numbers: list[str]
) -> None:
    await harness.set_phone("415", "rings")
    caller, _ = await harness.call()
    for key in keys:
        await caller.press(key)
    await until_ringing(harness, *numbers)
    await caller.hang_up()
    await harness.until_nothing_left()
    await harness.set_phone("415")


@pytest_twisted.ensureDeferred
async def test_ringall_connects_the_first_phone_and_hangs_up_the_others(
    harness: CompanyHarness,
) -> None:
    caller, monitor = await harness.call()
    for key in "12":
        await caller.press(key)
    await until_ringing(harness, "412", "415")
    await until_conversation(harness, monitor)
    await until_ringing(harness, "415")
    music = "music on hold, class 'default', on channel '{}'"
    started = f"Started {music.format(caller.name)}"
    stopped = (
        f"Stopped {music.format(caller.name)}",
        f"Stopped music on hold on {caller.name}",
    )

    def is_over() -> bool:
        log = harness.asterisk.log()
        return started in log and any(each in log for each in stopped)

    await until(harness.reactor, is_over, "music, and its end")
    await caller.hang_up()
