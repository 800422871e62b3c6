"""Calls on a connection that is cut or spoilt, at every step of a call."""

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
"""Seconds in which nothing arrives any more before the connection is cut: Asterisk goes
on handing calls to a daemon that does not hear of them."""


@pytest_twisted.ensureDeferred
async def test_cut_while_calls_come_in(drill: FaultHarness) -> None:
    for step in (
        event("StasisStart"),
        request("/answer"),
        answer("/answer"),
        request("/play/"),
        answer("/play/"),
        event("PlaybackFinished"),
    ):
        before = drill.connections
        cut = drill.proxy.cut_at(step, nth=HALF, dying=DYING)
        calls = await drill.crowd.place(CALLS)
        await cut
        since = await drill.reconnected(before)
        what = f"cut at the {step.kind.value} {step.name.strip('/')}"
        await drill.nobody_is_lost(what, calls, since=since)
        # Whoever called when Asterisk had nobody to hand the call to went on.
        unattended = [c for c in calls if c.variables.get("STASISSTATUS") == "FAILED"]
        assert all(call.is_served for call in calls if call not in unattended)
        assert len(unattended) < HALF
        await drill.is_empty()


@pytest_twisted.ensureDeferred
async def test_cut_in_a_sound_at_a_key_at_the_stop_and_in_the_silence(
    drill: FaultHarness,
) -> None:
    calls = await drill.callers()

    for which, delivered in (
        (event("ChannelDtmfReceived"), True),
        (request("DELETE playbacks"), False),
        (request("DELETE playbacks"), True),
        (answer("DELETE playbacks"), False),
        (event("PlaybackFinished"), True),
    ):
        before = drill.connections
        cut = drill.proxy.cut_at(which, nth=HALF, delivered=delivered)
        drill.crowd.press("1", calls)
        await cut
        since = await drill.reconnected(before)
        what = f"cut {'after' if delivered else 'before'} the {which.name}"
        await drill.nobody_is_lost(what, calls, since=since)
        assert all(call.is_served for call in calls)

    await drill.crowd.until(lambda: all(call.is_silent for call in calls), "silence")
    before = drill.connections
    drill.proxy.cut(with_reset=False)
    since = await drill.reconnected(before)
    await drill.nobody_is_lost("cut in the silence", calls, since=since)
    await drill.is_empty()


@pytest_twisted.ensureDeferred
async def test_cut_while_calls_leave(drill: FaultHarness) -> None:
    calls = await drill.callers()
    for which in (request("/continue"), answer("/continue"), event("StasisEnd")):
        leaving, calls = calls[:10], calls[10:]
        before = drill.connections
        cut = drill.proxy.cut_at(which, nth=5)
        drill.crowd.press("9", leaving)
        await cut
        since = await drill.reconnected(before)
        await drill.nobody_is_lost(f"cut at the {which.name}", calls, since=since)
        heard = drill.heard("9", leaving)
        assert len(heard) >= 5
        await drill.crowd.have_left(heard)
    assert all(call.is_served for call in calls)
    await drill.is_empty()


@pytest_twisted.ensureDeferred
async def test_keys_and_hangups_in_the_gap(drill: FaultHarness) -> None:
    calls = await drill.callers()
    before = drill.connections
    await drill.proxy.refuse()
    drill.proxy.cut()
    drill.crowd.press("1", calls)
    gone = calls[:HALF]
    drill.crowd.hang_up(gone)
    await drill.crowd.until(lambda: all(call.is_gone for call in gone), "their end")
    await deferLater(drill.reactor, 1.0)
    drill.proxy.listen()
    since = await drill.reconnected(before)
    await drill.nobody_is_lost("keys and hangups in the gap", calls, since=since)
    assert all(call.is_served for call in calls[HALF:])
    await drill.is_empty()


@pytest_twisted.ensureDeferred
async def test_bytes_of_events_and_answers_spoilt(drill: FaultHarness) -> None:
    calls = await drill.callers()
    for which in (event("ChannelDtmfReceived"), answer("/play/")):
        connections = drill.connections
        spoilt = drill.proxy.spoil(which, flip, nth=CALLS // 2)
        drill.crowd.press("1", calls)
        await spoilt.happened
        since = await drill.reconnected(connections)
        what = f"{which.kind.value} spoilt: {which.name or 'key'}"
        await drill.nobody_is_lost(what, calls, since=since)
        drill.proxy.heal()
    assert all(call.is_served for call in calls)
    await drill.is_empty()
