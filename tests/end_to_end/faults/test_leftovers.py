"""What many lost connections leave in the daemon's process: nothing."""

from __future__ import annotations

import gc
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.logger import globalLogBeginner

from channel_aa.ari import Channel, Playback
from channel_aa.attendant.call import Call
from channel_aa.service import AttendantService
from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import settings_for, timers_of_ours, until
from tests.support.call_load import CallLoad
from tests.support.proxy import Proxy, answer, event

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk


def objects_of_ours() -> Counter[type]:
    """Count what a call is made of."""
    # Where no log is begun, what is logged is kept for one that might be.
    globalLogBeginner._initialBuffer._buffer.clear()
    gc.collect()
    kinds = (Call, Channel, Playback)
    return Counter(type(each) for each in gc.get_objects() if isinstance(each, kinds))


@pytest_twisted.ensureDeferred
async def test_connections_lost_ten_times_leave_no_timer_and_no_object(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    before = objects_of_ours()
    async with Asterisk.running(reactor, installation=installation) as asterisk:
        proxy = Proxy(reactor, asterisk.port)
        stage = await RealAsteriskHarness.open(reactor, asterisk)
        onlooker = await stage.ari.listen("onlooker", subscribeAll="true")
        crowd = CallLoad(reactor, phones=stage._phones, onlooker=onlooker)
        service = AttendantService(settings_for(proxy.url), reactor=reactor)
        service.startService()
        await until(lambda: service.is_connected, reactor, "a connection")
        calls = await crowd.place(20)
        await crowd.all_hear(calls, 0.0)
        for which in (event("PlaybackFinished"), answer("/play/")) * 5:
            connections = len(proxy.opened)
            cut = proxy.cut_at(which, nth=5)
            crowd.press("1", calls)
            await cut
            await crowd.all_hear(calls, await proxy.opens(connections))
        assert all(call.is_served for call in calls)
        assert service.live["calls"] == len(calls)
        crowd.hang_up(calls)
        await until(lambda: not any(service.live.values()), reactor, "their end")
        await service.stopService()
        assert not (timers := timers_of_ours(reactor)), timers
        await stage.close()
        await proxy.close()
    await until(lambda: objects_of_ours() <= before, reactor, "no object to be left")
