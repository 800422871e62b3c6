"""Callers who speak with somebody, or wait for it, when something breaks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.proxy import answer, request

if TYPE_CHECKING:
    from tests.support.fault_harness import FaultHarness

pytestmark = pytest.mark.asterisk

CALLS = 20
FEW = 5


@pytest_twisted.ensureDeferred
async def test_conversations_outlive_the_connection_and_the_daemon(
    drill: FaultHarness,
) -> None:
    calls = await drill.callers(CALLS)
    drill.crowd.press("3", calls)
    await drill.has_conversations(CALLS)

    before = drill.connections
    drill.proxy.cut()
    await drill.reconnected(before)
    await drill.has_conversations(CALLS)
    # Whose caller hangs up loses the phone, whose phone does gets the menu again.
    over, calls = calls[:FEW], calls[FEW:]
    drill.crowd.hang_up(over)
    await drill.has_conversations(CALLS - FEW)
    await drill.has_phones(CALLS - FEW)

    await drill.daemon.kill()
    await drill.start_daemon()
    await drill.crowd.until(
        lambda: drill.daemon.said.count("Adopted the conversation") == CALLS - FEW,
        "all conversations to be adopted",
    )
    await drill.has_conversations(CALLS - FEW)
    over, calls = calls[:FEW], calls[FEW:]
    drill.crowd.hang_up(over)
    await drill.has_conversations(CALLS - 2 * FEW)
    await drill.has_phones(CALLS - 2 * FEW)
    # Of one that was adopted both sides leave together.
    for phone in (await drill.phones())[:FEW]:
        await drill.stage.ari.delete(f"/channels/{phone}")
    await drill.has_conversations(CALLS - 3 * FEW)
    await drill.crowd.until(
        lambda: sum(call.is_gone for call in calls) == FEW, "their callers to leave"
    )
    await drill.is_empty()


async def knows_of(drill: FaultHarness, conversations: int) -> bool:
    """Say whether the daemon knows of so many conversations."""
    return (await drill.status()).calls.conversations == conversations


@pytest_twisted.ensureDeferred
async def test_conversations_that_begin_when_the_connection_is_cut(
    drill: FaultHarness,
) -> None:
    for step in (answer("?type=mixing"), answer("/addChannel")):
        calls = await drill.callers(CALLS)
        before = drill.connections
        cut = drill.proxy.cut_at(step, nth=CALLS // 2)
        drill.crowd.press("3", calls)
        await cut
        await drill.reconnected(before)
        begun = len(await drill.heard_in_the_end("3", calls))
        assert begun >= CALLS // 2
        await drill.has_conversations(begun)
        # Nor does anybody end one afterwards.
        drill.proxy.cut()
        await drill.reconnected(before + 1)
        await drill.has_conversations(begun)
        await drill.stage.until(partial(knows_of, drill, begun))
        assert not await drill.lost(calls)
        await drill.is_empty()


@pytest_twisted.ensureDeferred
async def test_phones_that_ring_when_the_connection_is_cut(drill: FaultHarness) -> None:
    for step in (request("POST channels?"), answer("POST channels?")):
        calls = await drill.callers(CALLS)
        before = drill.connections
        cut = drill.proxy.cut_at(step, nth=CALLS // 2)
        drill.crowd.press("4", calls)
        await cut
        await drill.reconnected(before)
        # Each is rung once, whether its request was lost or the answer to it.
        ringing = await drill.heard_in_the_end("4", calls)
        assert len(ringing) >= CALLS // 2
        await drill.has_phones(len(ringing))
        assert not await drill.lost(calls)
        drill.crowd.hang_up(ringing[:FEW])
        await drill.has_phones(len(ringing) - FEW)
        await drill.is_empty()
        assert not await drill.phones()


@pytest_twisted.ensureDeferred
async def test_phones_that_ring_when_the_daemon_is_killed(drill: FaultHarness) -> None:
    calls = await drill.callers(CALLS)
    drill.crowd.press("4", calls)
    await drill.has_phones(CALLS)
    connections = drill.connections
    await drill.daemon.kill()
    await drill.start_daemon()
    since = drill.proxy.opened[connections]
    await drill.nobody_is_lost("kill -9 while phones ring", calls, since=since)
    # Nobody is there any more whom they could be for.
    await drill.has_phones(0)
    await drill.is_empty()
