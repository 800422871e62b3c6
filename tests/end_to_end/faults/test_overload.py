"""More calls at once than the daemon is to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.fault_harness import CALLS, FaultHarness

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk


@pytest_twisted.ensureDeferred
async def test_calls_above_the_limit_go_on_in_the_dialplan(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    drill = await FaultHarness.open(reactor, installation, max_calls=CALLS)
    try:
        calls = await drill.crowd.place(2 * CALLS)
        await drill.crowd.until(
            lambda: sum(call.has_left for call in calls) == CALLS, "half to go on"
        )
        refused = [call for call in calls if call.has_left]
        await drill.crowd.have_left(refused)
        reasons = {call.variables["CHANNEL_AA_REASON"] for call in refused}
        assert reasons == {"overload"}
        await drill.crowd.all_hear(calls, 0.0, "press-1")
        await drill.everybody_is_heard(calls)
        status = await drill.status()
        assert (status.calls.now, status.calls.refused) == (CALLS, CALLS)
        # Not one line a call.
        assert drill.daemon.said.count("max_calls") <= 2
        await drill.is_empty()
    finally:
        await drill.close()
