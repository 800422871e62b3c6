"""Callers press keys as fast as Asterisk forwards them."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.asterisk_harness import APP
from tests.support.call_load import CallLoad
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.call_load import LoadCall
    from tests.support.company_harness import CompanyHarness

pytestmark = pytest.mark.asterisk

CALLS = 10
KEYS = 60
"""The number of keys of each call; pressing them takes about four seconds."""

GROWTH_KIB = 4096


@pytest_twisted.ensureDeferred
async def test_random_keys_on_10_calls_are_limited(
    harness: CompanyHarness,
) -> None:
    # In a conversation, keys would not reach the attendant.
    for phone in ("410", "operator"):
        await harness.set_phone(phone, "busy")
    load = CallLoad(harness.backend, harness.events)
    began = harness.reactor.seconds()
    calls = await load.place(CALLS)
    await load.all_hear(calls, began, "acme/main-menu")
    lines, memory = len(harness.daemon.lines), harness.daemon.memory_kib
    random = Random(20261122)  # noqa: S311 - the same each time, not secret
    for call in calls:
        keys = "".join(random.choices("0123456789*#ABCD", k=KEYS)).replace("#", "%23")
        load.press(f"{keys}&duration=1&between=1", [call])
    for call in calls:
        # Asterisk answers when all keys are pressed, or the call is over.
        variable = {"variable": "PRESSED", "value": "1"}
        await harness.backend.ari.post(f"/channels/{call.far_id}/variable", **variable)
    await until(
        harness.backend.reactor, lambda: are_accounted_for(harness, load, calls)
    )
    assert len(harness.daemon.lines) - lines < 2 * CALLS * KEYS
    assert harness.daemon.memory_kib - memory < GROWTH_KIB
    # A new call need not wait.
    [new_call] = await load.place(1)
    await load.all_hear([new_call], 0.0, "acme/main-menu")
    await harness.hang_up_all()
    await harness.delete_recordings()
    for phone in ("410", "operator"):
        await harness.set_phone(phone)


async def are_accounted_for(
    harness: CompanyHarness, load: CallLoad, calls: Sequence[LoadCall]
) -> bool:
    """Say whether each call is served, in the dialplan, or over."""
    application = (await harness.backend.ari.get(f"/applications/{APP}")).json
    served = [call for call in calls if call.id in application["channel_ids"]]
    others = [call for call in calls if call not in served]
    now = (await harness.status()).calls.now
    load.read()
    return now == len(served) and all(it.has_left or it.is_gone for it in others)
