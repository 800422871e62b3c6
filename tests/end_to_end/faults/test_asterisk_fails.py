"""An Asterisk that is stopped or killed during calls, and started again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.harness import Asterisk
from tests.support.fault_harness import CALLS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.fault_harness import FaultHarness

pytestmark = pytest.mark.asterisk


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("end", [Asterisk.halt, Asterisk.kill])
async def test_restarted_asterisk_is_served_and_old_calls_leave_nothing(
    harness: FaultHarness, end: Callable[[Asterisk], Awaitable[None]]
) -> None:
    old = await harness.place_calls()
    connections = harness.connections
    await end(harness.asterisk)
    await harness.asterisk.boot()
    since = await harness.until_reconnected(connections)
    await harness.open_websockets()
    calls = await harness.load.place(CALLS)
    await harness.assert_no_call_lost(f"Asterisk, {end.__name__}", calls, since=since)
    assert all(call.is_served for call in calls)
    for call in old:
        await harness.daemon.prints(f"{call.name} has left the application")
    await harness.hang_up_all()
