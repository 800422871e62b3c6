"""Faults during conversations and while phones are dialled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.proxy import answer, request
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.fault_harness import FaultHarness

pytestmark = pytest.mark.asterisk

CALLS = 20
FEW = 5


@pytest_twisted.ensureDeferred
async def test_conversations_survive_a_reconnect_and_a_restart(
    harness: FaultHarness,
) -> None:
    calls = await harness.place_calls(CALLS)
    harness.load.press("3", calls)
    await harness.until_conversations(CALLS)

    before = harness.connections
    harness.proxy.cut()
    await harness.until_reconnected(before)
    await harness.until_conversations(CALLS)
    # The hangup of a caller ends the phone's channel, too.
    over, calls = calls[:FEW], calls[FEW:]
    harness.load.hang_up(over)
    await harness.until_conversations(CALLS - FEW)
    await harness.until_phones(CALLS - FEW)

    await harness.daemon.kill()
    await harness.start_daemon()
    await harness.load.until(
        lambda: harness.daemon.output.count("Adopted the conversation") == CALLS - FEW,
        "all conversations to be adopted",
    )
    await harness.until_conversations(CALLS - FEW)
    over, calls = calls[:FEW], calls[FEW:]
    harness.load.hang_up(over)
    await harness.until_conversations(CALLS - 2 * FEW)
    await harness.until_phones(CALLS - 2 * FEW)
    # In an adopted conversation, the hangup of one side ends both.
    for phone in (await harness.phones())[:FEW]:
        await harness.backend.ari.delete(f"/channels/{phone}")
    await harness.until_conversations(CALLS - 3 * FEW)
    await harness.load.until(
        lambda: sum(call.is_gone for call in calls) == FEW, "their callers to leave"
    )
    await harness.hang_up_all()


async def has_conversations(harness: FaultHarness, conversations: int) -> bool:
    """Say whether the daemon has this number of conversations."""
    return (await harness.status()).calls.conversations == conversations


@pytest_twisted.ensureDeferred
async def test_connection_cut_while_conversations_begin(
    harness: FaultHarness,
) -> None:
    for step in (answer("?type=mixing"), answer("/addChannel")):
        calls = await harness.place_calls(CALLS)
        before = harness.connections
        cut = harness.proxy.cut_at(step, nth=CALLS // 2)
        harness.load.press("3", calls)
        await cut
        await harness.until_reconnected(before)
        begun = len(await harness.received_in_the_end("3", calls))
        assert begun >= CALLS // 2
        await harness.until_conversations(begun)
        # A second reconnect ends none, either.
        harness.proxy.cut()
        await harness.until_reconnected(before + 1)
        await harness.until_conversations(begun)
        await until(harness.backend.reactor, partial(has_conversations, harness, begun))
        assert not await harness.lost(calls)
        await harness.hang_up_all()


@pytest_twisted.ensureDeferred
async def test_connection_cut_while_phones_are_dialled(
    harness: FaultHarness,
) -> None:
    for step in (request("POST channels?"), answer("POST channels?")):
        calls = await harness.place_calls(CALLS)
        before = harness.connections
        cut = harness.proxy.cut_at(step, nth=CALLS // 2)
        harness.load.press("4", calls)
        await cut
        await harness.until_reconnected(before)
        # Each phone is dialled once, whether the request or its answer was lost.
        ringing = await harness.received_in_the_end("4", calls)
        assert len(ringing) >= CALLS // 2
        await harness.until_phones(len(ringing))
        assert not await harness.lost(calls)
        harness.load.hang_up(ringing[:FEW])
        await harness.until_phones(len(ringing) - FEW)
        await harness.hang_up_all()
        assert not await harness.phones()


@pytest_twisted.ensureDeferred
async def test_daemon_killed_while_phones_ring(
    harness: FaultHarness,
) -> None:
    calls = await harness.place_calls(CALLS)
    harness.load.press("4", calls)
    await harness.until_phones(CALLS)
    connections = harness.connections
    await harness.daemon.kill()
    await harness.start_daemon()
    since = harness.proxy.opened[connections]
    await harness.assert_no_call_lost("kill -9 while phones ring", calls, since=since)
    # The new run does not know the callers of these phones.
    await harness.until_phones(0)
    await harness.hang_up_all()
