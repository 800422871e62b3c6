"""Calls on a daemon that dies, hangs, is stopped, or is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.fault_harness import CALLS
from tests.support.proxy import answer

if TYPE_CHECKING:
    from tests.support.fault_harness import FaultHarness

pytestmark = pytest.mark.asterisk


@pytest_twisted.ensureDeferred
async def test_killed_and_started_again_it_adopts_every_one_of_100_calls(
    drill: FaultHarness,
) -> None:
    calls = await drill.callers(2 * CALLS)
    connections = drill.connections
    await drill.daemon.kill()
    await drill.start_daemon()
    since = drill.proxy.opened[connections]
    await drill.nobody_is_lost("the daemon, kill -9", calls, since=since)
    assert all(call.is_served for call in calls)
    await drill.is_empty()


@pytest_twisted.ensureDeferred
async def test_sigterm_lets_calls_finish_and_go_on_in_the_dialplan(
    drill: FaultHarness,
) -> None:
    calls = await drill.callers()
    drill.daemon.signal("TERM")
    await drill.daemon.prints("SIGTERM")
    late = await drill.crowd.place(CALLS // 2)
    await drill.crowd.have_left(late)
    # They need not wait for the others.
    assert not any(call.has_left for call in calls)
    await drill.crowd.have_left(calls)
    reasons = {call.variables["CHANNEL_AA_REASON"] for call in (*calls, *late)}
    assert reasons == {"stopping"}
    assert not any(call.is_gone for call in (*calls, *late))
    await drill.daemon.ended()
    await drill.is_empty()


@pytest_twisted.ensureDeferred
async def test_second_sigterm_ends_it_at_once(drill: FaultHarness) -> None:
    calls = await drill.callers()
    drill.daemon.signal("TERM")
    await drill.daemon.prints("SIGTERM")
    drill.daemon.signal("TERM")
    await drill.daemon.ended()
    await drill.start_daemon()
    since = drill.proxy.opened[-1]
    await drill.nobody_is_lost("SIGTERM twice", calls, since=since)
    # Had they been waited for, they would be in the dialplan now.
    assert all(call.is_served for call in calls)
    await drill.is_empty()


@pytest_twisted.ensureDeferred
async def test_another_program_of_the_name_takes_the_calls(drill: FaultHarness) -> None:
    calls = await drill.callers()
    connections = drill.connections
    first = drill.daemon
    await drill.start_daemon()
    since = drill.proxy.opened[-1]
    await first.prints("Another program has taken")
    await drill.nobody_is_lost("another program takes the name", calls, since=since)
    assert all(call.is_served for call in calls)
    newcomers = await drill.callers(5)
    for call in newcomers:
        await drill.daemon.prints(call.name)
    assert not any(call.name in first.said for call in newcomers)
    # They do not fight for it.
    assert drill.connections == connections + 1
    # What the first one does in the end touches no call.
    await first.stop()
    await drill.everybody_is_heard((*calls, *newcomers))
    await drill.is_empty()


@pytest_twisted.ensureDeferred
async def test_killed_before_the_answer_to_its_requests(drill: FaultHarness) -> None:
    for which in (answer("/answer"), answer("/play/")):
        dying = drill.proxy.cut_at(which, nth=CALLS // 2)
        calls = await drill.crowd.place(CALLS)
        await dying
        await drill.daemon.kill()
        await drill.start_daemon()
        since = drill.proxy.opened[-1]
        await drill.nobody_is_lost(f"kill -9 at the {which.name}", calls, since=since)
        await drill.is_empty()
