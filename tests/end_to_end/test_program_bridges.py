"""Bridges of programs, with sounds, music and recordings, on the real Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from channel_aa.ari import Address, AriClient, PlaybackEnd, RecordingEnd
from real_asterisk.sounds import LONG, SLOW
from tests.support.asterisk_harness import APP
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from channel_aa.ari import Bridge, Channel
    from tests.support.asterisk_harness import RealAsteriskHarness

pytestmark = pytest.mark.asterisk


class Conference:
    """A client whose callers all enter one bridge."""

    def __init__(self, backend: RealAsteriskHarness) -> None:
        self.backend = backend
        address = Address(
            url=backend.url,
            username=backend.username,
            password=backend.password,
            app=APP,
        )
        self.client = AriClient(address, on_call=self.call, reactor=backend.reactor)
        self.bridge: Bridge
        self.client.startService()

    async def open(self, kind: str) -> None:
        await self.client.when_connected()
        self.bridge = self.client.prepare_bridge(kind=kind, name="conference")
        await self.bridge.create()

    async def call(self, channel: Channel, _arguments: Sequence[str]) -> None:
        await channel.answer()
        await self.bridge.add(channel)
        await Deferred()

    async def has(self, count: int) -> None:
        """Wait until the bridge has so many channels."""
        await until(
            self.backend.reactor,
            lambda: len(self.bridge.channels) == count,
            f"{count} channels in the bridge",
        )

    async def close(self) -> None:
        await self.bridge.destroy()
        await self.client.stopService()


@pytest.fixture
def conference(backend: RealAsteriskHarness) -> Iterator[Conference]:
    opened = Conference(backend)
    yield opened
    pytest_twisted.blockon(Deferred.fromCoroutine(opened.close()))


@pytest_twisted.ensureDeferred
async def test_callers_hear_sounds_and_are_recorded(conference: Conference) -> None:
    backend = conference.backend
    await conference.open("mixing")
    bridge = conference.bridge
    callers = [await backend.place_call("1000") for _ in range(3)]
    await conference.has(3)

    began = backend.reactor.seconds()
    assert await bridge.play(f"sound:{SLOW}").finished is PlaybackEnd.DONE
    assert backend.reactor.seconds() - began > 1

    paused = bridge.play(f"sound:{LONG}")
    await deferLater(backend.reactor, 0.5)
    await paused.pause()
    await paused.resume()
    await paused.skip_back()
    await paused.skip_forward()
    await paused.restart()
    paused.stop()
    assert await paused.finished is PlaybackEnd.DONE

    recording = bridge.record("conference-note", overwrite=True)
    await deferLater(backend.reactor, 0.5)
    await recording.pause()
    await recording.resume()
    await recording.mute()
    await recording.unmute()
    recording.stop()
    assert await recording.finished is RecordingEnd.DONE
    await recording.discard()

    await callers[0].hang_up()
    await conference.has(2)
    await bridge.remove(*bridge.channels)
    await conference.has(0)
    for caller in callers[1:]:
        await caller.hang_up()


@pytest_twisted.ensureDeferred
async def test_callers_wait_with_music(conference: Conference) -> None:
    await conference.open("holding")
    bridge = conference.bridge
    caller = await conference.backend.place_call("1000")
    await conference.has(1)
    await bridge.start_music()
    await bridge.stop_music()
    found = await conference.client.api.bridges.get(bridge_id=bridge.id)
    assert (found.bridge_type, found.name) == ("holding", "conference")
    await caller.hang_up()
    await conference.has(0)
