"""Events that are repeated, late or reordered, and moved channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.proxy import event

if TYPE_CHECKING:
    from tests.support.fault_harness import FaultHarness

pytestmark = pytest.mark.asterisk


@pytest_twisted.ensureDeferred
async def test_repeated_late_and_reordered_events(harness: FaultHarness) -> None:
    connections = harness.connections
    harness.proxy.repeat(event())
    calls = await harness.place_calls()
    pressed = harness.load.press("1", calls)
    seconds = await harness.load.all_hear(calls, pressed, "you-entered")
    harness.report("every event twice", seconds)
    harness.proxy.heal()
    await harness.assert_keys_answered(calls)

    for kind in ("PlaybackFinished", "ChannelDtmfReceived"):
        late = harness.proxy.delay(event(kind), 0.3)
        pressed = harness.load.press("1", calls)
        seconds = await harness.load.all_hear(calls, pressed, "you-entered")
        harness.report(f"{kind} late, out of order", seconds)
        assert late.count
        harness.proxy.heal()
        await harness.assert_keys_answered(calls)
    assert harness.connections == connections
    await harness.hang_up_all()


@pytest_twisted.ensureDeferred
async def test_channels_moved_to_another_application(
    harness: FaultHarness,
) -> None:
    calls = await harness.place_calls()
    moved, calls = calls[:10], calls[10:]
    other = await harness.backend.ari.listen("other")
    for call in moved:
        await harness.backend.ari.post(f"/channels/{call.id}/move", app="other")
        await other.wait_for_type("StasisStart", call.id)
    await harness.assert_keys_answered(calls)
    for call in moved:
        await harness.daemon.prints(f"{call.name} has left the application")
        assert not call.is_gone
    await harness.hang_up_all()
