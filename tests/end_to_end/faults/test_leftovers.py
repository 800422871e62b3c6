"""Many lost connections leave nothing in the attendant's process."""

from __future__ import annotations

import gc
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.logger import globalLogBeginner

from channel_aa.ari import Channel, Playback
from channel_aa.ari.wire import connection
from channel_aa.attendant.call import Call
from channel_aa.service import AttendantService
from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import settings_for
from tests.support.call_load import CallLoad
from tests.support.proxy import Proxy, answer, event
from tests.support.waiting import leftover_timers, until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk


def count_call_objects() -> Counter[type]:
    """Count the objects of calls, channels and playbacks."""
    # Without a log observer, Twisted buffers events, which refer to objects.
    globalLogBeginner._initialBuffer._buffer.clear()
    gc.collect()
    kinds = (Call, Channel, Playback)
    return Counter(type(each) for each in gc.get_objects() if isinstance(each, kinds))


@pytest_twisted.ensureDeferred
async def test_ten_lost_connections_leave_no_timer_and_no_object(
    reactor: PosixReactorBase,
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Connections that are cut at once are not made again with ever longer delays.
    monkeypatch.setattr(connection, "STABLE_SECONDS", 0.0)
    before = count_call_objects()
    async with Asterisk.running(reactor, installation=installation) as asterisk:
        proxy = Proxy(reactor, asterisk.port)
        backend = await RealAsteriskHarness.open(reactor, asterisk)
        load = CallLoad(backend, await backend.listen_to_everything())
        service = AttendantService(settings_for(proxy.url), reactor=reactor)
        service.startService()
        await until(reactor, lambda: service.is_connected, "a connection")
        calls = await load.place(20)
        await load.all_hear(calls, 0.0)
        for which in (event("PlaybackFinished"), answer("/play/")) * 5:
            connections = len(proxy.opened)
            cut = proxy.cut_at(which, nth=5)
            load.press("1", calls)
            await cut
            await load.all_hear(calls, await proxy.opens(connections))
        assert all(call.is_served for call in calls)
        assert service.live["calls"] == len(calls)
        load.hang_up(calls)
        await until(reactor, lambda: not any(service.live.values()), "their end")
        await service.stopService()
        assert not (timers := leftover_timers(reactor)), timers
        await backend.close()
        await proxy.close()
    await until(reactor, lambda: count_call_objects() <= before, "no object to be left")
