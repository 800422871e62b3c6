"""Calls on an Asterisk that tells too little, too much, too late, or out of order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.proxy import event

if TYPE_CHECKING:
    from tests.support.fault_harness import FaultHarness

pytestmark = pytest.mark.asterisk


@pytest_twisted.ensureDeferred
async def test_events_twice_late_and_out_of_order(drill: FaultHarness) -> None:
    connections = drill.connections
    drill.proxy.repeat(event())
    calls = await drill.callers()
    pressed = drill.crowd.press("1", calls)
    seconds = await drill.crowd.all_hear(calls, pressed, "you-entered")
    drill.tell("every event twice", seconds)
    drill.proxy.heal()
    await drill.everybody_is_heard(calls)

    for kind in ("PlaybackFinished", "ChannelDtmfReceived"):
        late = drill.proxy.delay(event(kind), 0.3)
        pressed = drill.crowd.press("1", calls)
        seconds = await drill.crowd.all_hear(calls, pressed, "you-entered")
        drill.tell(f"{kind} late, out of order", seconds)
        assert late.count
        drill.proxy.heal()
        await drill.everybody_is_heard(calls)
    assert drill.connections == connections
    await drill.is_empty()


@pytest_twisted.ensureDeferred
async def test_channels_that_are_moved_to_another_application(
    drill: FaultHarness,
) -> None:
    calls = await drill.callers()
    moved, calls = calls[:10], calls[10:]
    other = await drill.stage.ari.listen("other")
    for call in moved:
        await drill.stage.ari.post(f"/channels/{call.id}/move", app="other")
        await other.wait_for_type("StasisStart", call.id)
    await drill.everybody_is_heard(calls)
    for call in moved:
        await drill.daemon.prints(f"{call.name} has left the application")
        assert not call.is_gone
    await drill.is_empty()
