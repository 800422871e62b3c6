"""A connection that is cut or corrupted, at each step of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from tests.support.fault_harness import CALLS
from tests.support.proxy import answer, event, flip, request

if TYPE_CHECKING:
    from tests.support.fault_harness import FaultHarness

pytestmark = pytest.mark.asterisk

HALF = CALLS // 2

DYING = 1.5
"""The seconds before the cut in which nothing is forwarded: Asterisk still gives calls
to the daemon, which gets no events of them."""


@pytest_twisted.ensureDeferred
async def test_connection_cut_while_calls_enter(harness: FaultHarness) -> None:
    for step in (
        event("StasisStart"),
        request("/answer"),
        answer("/answer"),
        request("/play/"),
        answer("/play/"),
        event("PlaybackFinished"),
    ):
        before = harness.connections
        cut = harness.proxy.cut_at(step, nth=HALF, dying=DYING)
        calls = await harness.load.place(CALLS)
        await cut
        since = await harness.until_reconnected(before)
        what = f"cut at the {step.kind.value} {step.name.strip('/')}"
        await harness.assert_no_call_lost(what, calls, since=since)
        # Calls without a connected application have continued in the dialplan.
        unattended = [c for c in calls if c.variables.get("STASISSTATUS") == "FAILED"]
        assert all(call.is_served for call in calls if call not in unattended)
        assert len(unattended) < HALF
        await harness.hang_up_all()


@pytest_twisted.ensureDeferred
async def test_connection_cut_during_sounds_keys_stops_and_silence(
    harness: FaultHarness,
) -> None:
    calls = await harness.place_calls()

    for which, delivered in (
        (event("ChannelDtmfReceived"), True),
        (request("DELETE playbacks"), False),
        (request("DELETE playbacks"), True),
        (answer("DELETE playbacks"), False),
        (event("PlaybackFinished"), True),
    ):
        before = harness.connections
        cut = harness.proxy.cut_at(which, nth=HALF, delivered=delivered)
        harness.load.press("1", calls)
        await cut
        since = await harness.until_reconnected(before)
        what = f"cut {'after' if delivered else 'before'} the {which.name}"
        await harness.assert_no_call_lost(what, calls, since=since)
        assert all(call.is_served for call in calls)

    await harness.load.until(lambda: all(call.is_silent for call in calls), "silence")
    before = harness.connections
    harness.proxy.cut(with_reset=False)
    since = await harness.until_reconnected(before)
    await harness.assert_no_call_lost("cut in the silence", calls, since=since)
    await harness.hang_up_all()


@pytest_twisted.ensureDeferred
async def test_connection_cut_while_calls_leave(harness: FaultHarness) -> None:
    calls = await harness.place_calls()
    for which in (request("/continue"), answer("/continue"), event("StasisEnd")):
        leaving, calls = calls[:10], calls[10:]
        before = harness.connections
        cut = harness.proxy.cut_at(which, nth=5)
        harness.load.press("9", leaving)
        await cut
        since = await harness.until_reconnected(before)
        await harness.assert_no_call_lost(
            f"cut at the {which.name}", calls, since=since, or_silence=True
        )
        received = harness.received("9", leaving)
        assert len(received) >= 5
        await harness.load.have_left(received)
    assert all(call.is_served for call in calls)
    await harness.hang_up_all()


@pytest_twisted.ensureDeferred
async def test_keys_and_hangups_without_a_connection(harness: FaultHarness) -> None:
    calls = await harness.place_calls()
    before = harness.connections
    await harness.proxy.refuse()
    harness.proxy.cut()
    harness.load.press("1", calls)
    hung_up = calls[:HALF]
    harness.load.hang_up(hung_up)
    await harness.load.until(lambda: all(call.is_gone for call in hung_up), "their end")
    await deferLater(harness.reactor, 1.0)
    harness.proxy.listen()
    since = await harness.until_reconnected(before)
    await harness.assert_no_call_lost("keys and hangups in the gap", calls, since=since)
    assert all(call.is_served for call in calls[HALF:])
    await harness.hang_up_all()


@pytest_twisted.ensureDeferred
async def test_corrupted_bytes_of_events_and_answers(harness: FaultHarness) -> None:
    calls = await harness.place_calls()
    for which in (event("ChannelDtmfReceived"), answer("/play/")):
        connections = harness.connections
        corrupted = harness.proxy.corrupt(which, flip, nth=CALLS // 2)
        harness.load.press("1", calls)
        await corrupted.happened
        since = await harness.until_reconnected(connections)
        what = f"{which.kind.value} spoilt: {which.name or 'key'}"
        await harness.assert_no_call_lost(what, calls, since=since)
        harness.proxy.heal()
    assert all(call.is_served for call in calls)
    await harness.hang_up_all()
