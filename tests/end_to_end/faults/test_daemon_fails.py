"""A daemon that is killed, stopped or replaced during calls."""

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
async def test_restarted_daemon_adopts_100_calls(
    harness: FaultHarness,
) -> None:
    calls = await harness.place_calls(2 * CALLS)
    connections = harness.connections
    await harness.daemon.kill()
    await harness.start_daemon()
    since = harness.proxy.opened[connections]
    await harness.assert_no_call_lost("the daemon, kill -9", calls, since=since)
    assert all(call.is_served for call in calls)
    await harness.hang_up_all()


@pytest_twisted.ensureDeferred
async def test_sigterm_drains_calls(
    harness: FaultHarness,
) -> None:
    calls = await harness.place_calls()
    harness.daemon.send_signal("TERM")
    await harness.daemon.prints("SIGTERM")
    late = await harness.load.place(CALLS // 2)
    await harness.load.have_left(late)
    # New calls need not wait for the drain timeout.
    assert not any(call.has_left for call in calls)
    await harness.load.have_left(calls)
    reasons = {call.variables["CHANNEL_AA_REASON"] for call in (*calls, *late)}
    assert reasons == {"stopping"}
    assert not any(call.is_gone for call in (*calls, *late))
    await harness.daemon.end()
    await harness.hang_up_all()


@pytest_twisted.ensureDeferred
async def test_second_sigterm_ends_the_daemon_at_once(harness: FaultHarness) -> None:
    calls = await harness.place_calls()
    harness.daemon.send_signal("TERM")
    await harness.daemon.prints("SIGTERM")
    harness.daemon.send_signal("TERM")
    await harness.daemon.end()
    await harness.start_daemon()
    since = harness.proxy.opened[-1]
    await harness.assert_no_call_lost("SIGTERM twice", calls, since=since)
    # After a drain, they would be in the dialplan.
    assert all(call.is_served for call in calls)
    await harness.hang_up_all()


@pytest_twisted.ensureDeferred
async def test_replacing_program_adopts_the_calls(
    harness: FaultHarness,
) -> None:
    calls = await harness.place_calls()
    connections = harness.connections
    first = harness.daemon
    await harness.start_daemon()
    since = harness.proxy.opened[-1]
    await first.prints("Another program has registered")
    await harness.assert_no_call_lost(
        "another program takes the name", calls, since=since
    )
    assert all(call.is_served for call in calls)
    newcomers = await harness.place_calls(5)
    for call in newcomers:
        await harness.daemon.prints(call.name)
    assert not any(call.name in first.output for call in newcomers)
    # The first one does not take the name back.
    assert harness.connections == connections + 1
    # The end of the first one affects no call.
    await first.stop()
    await harness.assert_keys_answered((*calls, *newcomers))
    await harness.hang_up_all()


@pytest_twisted.ensureDeferred
async def test_daemon_killed_while_requests_are_pending(harness: FaultHarness) -> None:
    for which in (answer("/answer"), answer("/play/")):
        dying = harness.proxy.cut_at(which, nth=CALLS // 2)
        calls = await harness.load.place(CALLS)
        await dying
        await harness.daemon.kill()
        await harness.start_daemon()
        since = harness.proxy.opened[-1]
        await harness.assert_no_call_lost(
            f"kill -9 at the {which.name}", calls, since=since
        )
        await harness.hang_up_all()
