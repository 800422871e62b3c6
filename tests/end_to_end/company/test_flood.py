"""Callers press keys as fast as Asterisk passes them on."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.asterisk_harness import APP
from tests.support.call_load import CallLoad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.call_load import Call
    from tests.support.company_harness import CompanyHarness

pytestmark = pytest.mark.asterisk

CALLS = 10
KEYS = 60
"""How many keys each call presses; it takes some four seconds."""

GROWTH_KIB = 4096


@pytest_twisted.ensureDeferred
async def test_random_keys_on_ten_calls_leave_the_daemon_calm(
    company: CompanyHarness,
) -> None:
    # Who speaks with somebody has no keys for the attendant.
    for phone in ("410", "operator"):
        await company.set_phone(phone, "busy")
    crowd = CallLoad(
        company.reactor, phones=company.stage._phones, onlooker=company.events
    )
    began = company.reactor.seconds()
    calls = await crowd.place(CALLS)
    await crowd.all_hear(calls, began, "acme/main-menu")
    lines, memory = len(company.daemon.lines), company.daemon.memory_kib
    random = Random(20261122)  # noqa: S311 - the same each time, not secret
    for call in calls:
        keys = "".join(random.choices("0123456789*#ABCD", k=KEYS)).replace("#", "%23")
        crowd.press(f"{keys}&duration=1&between=1", [call])
    for call in calls:
        # It waits until all keys are pressed; a call that is over has no variables.
        variable = {"variable": "PRESSED", "value": "1"}
        await company.stage.ari.post(f"/channels/{call.far}/variable", **variable)
    await company.stage.until(lambda: all_are_somewhere(company, crowd, calls))
    assert len(company.daemon.lines) - lines < 2 * CALLS * KEYS
    assert company.daemon.memory_kib - memory < GROWTH_KIB
    # Nothing is left that others would have to wait for.
    [newcomer] = await crowd.place(1)
    await crowd.all_hear([newcomer], 0.0, "acme/main-menu")
    await company.hang_up_everybody()
    await company.take_recordings()
    for phone in ("410", "operator"):
        await company.set_phone(phone)


async def all_are_somewhere(
    company: CompanyHarness, crowd: CallLoad, calls: Sequence[Call]
) -> bool:
    """Say whether the daemon attends to each, or it is in the dialplan, or over."""
    application = (await company.stage.ari.get(f"/applications/{APP}")).json
    served = [call for call in calls if call.id in application["channel_ids"]]
    others = [call for call in calls if call not in served]
    now = (await company.status()).calls.now
    crowd.read()
    return now == len(served) and all(it.has_left or it.is_gone for it in others)
