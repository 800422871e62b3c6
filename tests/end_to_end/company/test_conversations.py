"""Callers of the company speak with its people, or try to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.attendant_harness import until

if TYPE_CHECKING:
    from tests.support.attendant_harness import Witness
    from tests.support.company_harness import CompanyHarness

pytestmark = pytest.mark.asterisk

CALLER = '"Ada Byron" <+441632960123>'


async def speaks(company: CompanyHarness, witness: Witness) -> str:
    """Wait until the caller speaks with a phone; give the name of its channel."""

    names: list[str] = []

    async def are_two() -> bool:
        bridges = (await company.stage.ari.get("/bridges")).json
        names[:] = [
            phone["name"]
            for phone in await company.phones()
            for bridge in bridges
            if {witness.channel_id, phone["id"]} <= set(bridge["channels"])
        ]
        return len(names) == 1

    await company.stage.until(are_two)
    return names[0]


async def rings(company: CompanyHarness, *numbers: str) -> None:
    """Wait until these phones ring, and no other is left."""
    wanted = sorted(f"Local/{number}@phones" for number in numbers)

    async def do() -> bool:
        phones = await company.phones()
        return sorted(each["name"].rpartition("-")[0] for each in phones) == wanted

    await company.stage.until(do)


@pytest_twisted.ensureDeferred
async def test_both_hear_each_other_until_the_caller_hangs_up(
    company: CompanyHarness,
) -> None:
    await company.set_phone("410", "echoes")
    caller, witness = await company.call()
    await witness.hears("acme/welcome", "acme/main-menu")
    await caller.press("1")
    await witness.hears("acme/sales-menu")
    await caller.press("1")
    telephone = (await speaks(company, witness))[:-1] + "2"
    # Before, it hears nothing: Answer() takes half a second.
    await company.event("ChannelDialplan", channel=telephone, dialplan_app="Echo")
    # Neither of these keys is for the attendant any more.
    for key in "4*":
        await caller.press(key)
        for hearer in (telephone, caller.name[:-1] + "1"):
            await company.event("ChannelDtmfReceived", channel=hearer, digit=key)
    assert witness.heard[-1] == "acme/sales-menu"
    await caller.hang_up()
    await company.have_nothing_left()
    await company.set_phone("410")


@pytest_twisted.ensureDeferred
async def test_the_phone_shows_who_calls_and_what_for(company: CompanyHarness) -> None:
    await company.set_phone("410", "rings")
    caller, _ = await company.call(callerId=CALLER)
    for key in "11":
        await caller.press(key)
    await rings(company, "410")
    [phone] = await company.phones()
    assert phone["connected"] == {
        "name": "Sales: Ada Byron",
        "number": "+441632960123",
    }
    await caller.hang_up()
    await company.set_phone("410")


@pytest_twisted.ensureDeferred
async def test_callee_who_hangs_up_first_ends_the_call(company: CompanyHarness) -> None:
    caller, witness = await company.call()
    for key in "414":
        await caller.press(key)
    # The phone hangs up too soon for it to be seen there.
    await company.events.wait_for(
        lambda it: (
            it.type == "ChannelEnteredBridge"
            and witness.channel_id in it.json["bridge"]["channels"]
            and len(it.json["bridge"]["channels"]) == 2
        )
    )
    await company.event("ChannelDestroyed", channel=caller.name)
    await company.have_nothing_left()
    assert witness.heard == ["acme/welcome"]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("keys", "numbers"), [("412", ["412"]), ("12", ["412", "415"])]
)
async def test_caller_who_hangs_up_while_it_rings_leaves_no_phone_ringing(
    company: CompanyHarness, keys: str, numbers: list[str]
) -> None:
    await company.set_phone("415", "rings")
    caller, _ = await company.call()
    for key in keys:
        await caller.press(key)
    await rings(company, *numbers)
    await caller.hang_up()
    await company.have_nothing_left()
    await company.set_phone("415")


@pytest_twisted.ensureDeferred
async def test_of_all_that_ring_one_answers_and_the_others_fall_silent(
    company: CompanyHarness,
) -> None:
    caller, witness = await company.call()
    for key in "12":
        await caller.press(key)
    await rings(company, "412", "415")
    await speaks(company, witness)
    await rings(company, "415")
    music = "music on hold, class 'default', on channel '{}'"
    started = f"Started {music.format(caller.name)}"
    stopped = (
        f"Stopped {music.format(caller.name)}",
        f"Stopped music on hold on {caller.name}",
    )

    def is_over() -> bool:
        log = company.asterisk.log()
        return started in log and any(each in log for each in stopped)

    await until(is_over, company.reactor, "music, and its end")
    await caller.hang_up()
