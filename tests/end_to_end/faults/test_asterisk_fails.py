"""Calls on an Asterisk that stops or dies, and is started again."""

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
async def test_asterisk_started_again_is_served_and_old_calls_leave_nothing(
    drill: FaultHarness, end: Callable[[Asterisk], Awaitable[None]]
) -> None:
    old = await drill.callers()
    connections = drill.connections
    await end(drill.asterisk)
    await drill.asterisk.boot()
    since = await drill.reconnected(connections)
    await drill.watch()
    calls = await drill.crowd.place(CALLS)
    await drill.nobody_is_lost(f"Asterisk, {end.__name__}", calls, since=since)
    assert all(call.is_served for call in calls)
    for call in old:
        await drill.daemon.prints(f"{call.name} has left the application")
    await drill.is_empty()
