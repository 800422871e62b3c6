"""More calls than ``max_calls``."""

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
async def test_calls_above_the_limit_continue_in_the_dialplan(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    harness = await FaultHarness.open(reactor, installation, max_calls=CALLS)
    try:
        calls = await harness.load.place(2 * CALLS)
        await harness.load.until(
            lambda: sum(call.has_left for call in calls) == CALLS, "half to go on"
        )
        refused = [call for call in calls if call.has_left]
        await harness.load.have_left(refused)
        reasons = {call.variables["CHANNEL_AA_REASON"] for call in refused}
        assert reasons == {"overload"}
        await harness.load.all_hear(calls, 0.0, "press-1")
        await harness.assert_keys_answered(calls)
        status = await harness.status()
        assert (status.calls.now, status.calls.refused) == (CALLS, CALLS)
        # Not a line for each call.
        assert harness.daemon.output.count("max_calls") <= 2
        await harness.hang_up_all()
    finally:
        await harness.close()
