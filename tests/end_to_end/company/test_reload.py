"""Reloads of the company's file during calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.support.asterisk_harness import APP
from tests.support.call_load import CallLoad
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.call_load import LoadCall
    from tests.support.company_harness import CompanyHarness

pytestmark = pytest.mark.asterisk

CALLS = 50


@pytest.fixture
def harness(harness: CompanyHarness) -> Iterator[CompanyHarness]:
    """Provide the harness with long timeouts; restore its file afterwards."""
    harness.write_file(with_long_timeouts)
    pytest_twisted.blockon(ensureDeferred(harness.reload()))
    yield harness
    harness.write_file()
    pytest_twisted.blockon(ensureDeferred(harness.reload()))


def with_long_timeouts(text: str) -> str:
    """Lengthen the timeouts of menus and phones."""
    dial = 'dial = "Local/{digits}@phones"\n'
    return text.replace("timeout = 5\n", "timeout = 300\n").replace(
        dial, f"{dial}ring = 300\n"
    )


def with_other_prompt(text: str) -> str:
    """Change the prompt of the sales menu."""
    return with_long_timeouts(text).replace("acme/sales-menu", "acme/night-menu")


def with_error(text: str) -> str:
    """Let a key refer to a missing menu."""
    return with_other_prompt(text).replace('1 = "sales"', '1 = "sails"')


@pytest_twisted.ensureDeferred
async def test_call_keeps_the_menus_it_began_with(
    harness: CompanyHarness,
) -> None:
    early, early_monitor = await harness.call()
    await early_monitor.hears("acme/welcome", "acme/main-menu")
    harness.write_file(with_other_prompt)
    await harness.reload()
    late, late_monitor = await harness.call()
    await late_monitor.hears("acme/welcome", "acme/main-menu")
    for caller in (early, late):
        await caller.press("1")
    await early_monitor.hears("acme/sales-menu")
    await late_monitor.hears("acme/night-menu")
    for caller in (early, late):
        await caller.hang_up()


@pytest_twisted.ensureDeferred
async def test_invalid_file_keeps_the_configuration(
    harness: CompanyHarness,
) -> None:
    loaded = (await harness.status()).configuration.loaded
    harness.write_file(with_error)
    await harness.reload("Reload rejected")
    error = "no menu or action is called 'sails'; did you mean 'sales'?"
    assert f"{harness.file}: menus.main.options.1: {error}" in harness.daemon.output
    configuration = (await harness.status()).configuration
    assert configuration.loaded == loaded
    assert configuration.refused is not None
    caller, monitor = await harness.call()
    await caller.press("1")
    await monitor.hears("acme/welcome", "acme/sales-menu")
    await caller.hang_up()


@pytest_twisted.ensureDeferred
async def test_reload_drops_none_of_50_calls(
    harness: CompanyHarness,
) -> None:
    load = CallLoad(harness.backend, harness.events)
    began = harness.reactor.seconds()
    calls = await load.place(CALLS)
    await load.all_hear(calls, began, "acme/main-menu")
    choosing = calls[20:]
    # The others are in a conversation, or a phone rings.
    for extension, callers in (("410", calls[:10]), ("412", calls[10:20])):
        for key in extension:
            load.press(key, callers)
    await until(harness.backend.reactor, lambda: are_dialled(harness, 20))
    for change in (
        with_other_prompt,
        with_error,
        with_long_timeouts,
        with_other_prompt,
    ):
        harness.write_file(change)
        await harness.reload(
            "Reload rejected" if change is with_error else "Reloaded the"
        )
    moment = load.press("1", choosing)
    await load.all_hear(choosing, moment, "acme/sales-menu")
    await assert_no_call_dropped(harness, calls)
    assert (await harness.status()).calls.now == CALLS
    load.hang_up(calls)
    await harness.until_nothing_left()


async def are_dialled(harness: CompanyHarness, number: int) -> bool:
    """Say whether this number of phones is dialled."""
    return len(await harness.phones()) == number


async def assert_no_call_dropped(
    harness: CompanyHarness, calls: Sequence[LoadCall]
) -> None:
    """Check that all calls are in the application."""
    served = (await harness.backend.ari.get(f"/applications/{APP}")).json["channel_ids"]
    assert {call.id for call in calls} <= set(served)
    assert not any(call.is_gone or call.has_left for call in calls)
