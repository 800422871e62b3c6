"""The company changes its menus while people call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.support.asterisk_harness import APP
from tests.support.call_load import CallLoad

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.call_load import Call
    from tests.support.company_harness import CompanyHarness

pytestmark = pytest.mark.asterisk

CALLS = 50


@pytest.fixture
def changing(company: CompanyHarness) -> Iterator[CompanyHarness]:
    """Give a test the company, to change its file; it has the first one again.

    Nobody is asked for a key meanwhile, and phones ring as long as they may.
    """
    company.write_file(patient)
    pytest_twisted.blockon(ensureDeferred(company.reload()))
    yield company
    company.write_file()
    pytest_twisted.blockon(ensureDeferred(company.reload()))


def patient(text: str) -> str:
    """Have silences and rings last as long as a test may."""
    dial = 'dial = "Local/{digits}@phones"\n'
    return text.replace("timeout = 5\n", "timeout = 300\n").replace(
        dial, f"{dial}ring = 300\n"
    )


def renamed(text: str) -> str:
    """Give the sales department another prompt."""
    return patient(text).replace("acme/sales-menu", "acme/night-menu")


def broken(text: str) -> str:
    """Let a key lead to nothing."""
    return renamed(text).replace('1 = "sales"', '1 = "sails"')


@pytest_twisted.ensureDeferred
async def test_a_call_finishes_on_the_menus_it_began_with(
    changing: CompanyHarness,
) -> None:
    early, heard_early = await changing.call()
    await heard_early.hears("acme/welcome", "acme/main-menu")
    changing.write_file(renamed)
    await changing.reload()
    late, heard_late = await changing.call()
    await heard_late.hears("acme/welcome", "acme/main-menu")
    for caller in (early, late):
        await caller.press("1")
    await heard_early.hears("acme/sales-menu")
    await heard_late.hears("acme/night-menu")
    for caller in (early, late):
        await caller.hang_up()


@pytest_twisted.ensureDeferred
async def test_a_file_with_a_mistake_changes_nothing(changing: CompanyHarness) -> None:
    loaded = (await changing.status()).configuration.loaded
    changing.write_file(broken)
    await changing.reload("Nothing was changed")
    said = "no menu or action is called 'sails'; did you mean 'sales'?"
    assert f"{changing.file}: menus.main.options.1: {said}" in changing.daemon.said
    configuration = (await changing.status()).configuration
    assert configuration.loaded == loaded
    assert configuration.refused is not None
    caller, witness = await changing.call()
    await caller.press("1")
    await witness.hears("acme/welcome", "acme/sales-menu")
    await caller.hang_up()


@pytest_twisted.ensureDeferred
async def test_a_reload_drops_none_of_50_calls(changing: CompanyHarness) -> None:
    crowd = CallLoad(
        changing.reactor, phones=changing.stage._phones, onlooker=changing.events
    )
    began = changing.reactor.seconds()
    calls = await crowd.place(CALLS)
    await crowd.all_hear(calls, began, "acme/main-menu")
    choosing = calls[20:]
    # The others speak with somebody, or a phone rings.
    for extension, callers in (("410", calls[:10]), ("412", calls[10:20])):
        for key in extension:
            crowd.press(key, callers)
    await changing.stage.until(lambda: are_dialled(changing, 20))
    for change in (renamed, broken, patient, renamed):
        changing.write_file(change)
        await changing.reload(
            "Nothing was changed" if change is broken else "The configuration"
        )
    moment = crowd.press("1", choosing)
    await crowd.all_hear(choosing, moment, "acme/sales-menu")
    await nobody_is_dropped(changing, calls)
    assert (await changing.status()).calls.now == CALLS
    crowd.hang_up(calls)
    await changing.have_nothing_left()


async def are_dialled(company: CompanyHarness, number: int) -> bool:
    """Say whether so many phones ring, or are answered."""
    return len(await company.phones()) == number


async def nobody_is_dropped(company: CompanyHarness, calls: Sequence[Call]) -> None:
    """Check that each is in the application still."""
    served = (await company.stage.ari.get(f"/applications/{APP}")).json["channel_ids"]
    assert {call.id for call in calls} <= set(served)
    assert not any(call.is_gone or call.has_left for call in calls)
