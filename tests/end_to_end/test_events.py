"""Subscriptions of a program to events, on the real Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from channel_aa.ari import Transport
from channel_aa.ari.api import events
from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import APP, RealAsteriskHarness
from tests.support.client_harness import ClientHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk

DEVICE = "Stasis:lamp"


@pytest.fixture
def asterisk(
    reactor: PosixReactorBase, installation: Installation
) -> Iterator[Asterisk]:
    """Run an Asterisk of this test's own: it loads another module."""
    starting = Asterisk.start(reactor, installation=installation)
    started: Asterisk = pytest_twisted.blockon(ensureDeferred(starting))
    yield started
    pytest_twisted.blockon(ensureDeferred(started.stop()))


@pytest.fixture(params=[Transport.HTTP, Transport.WEBSOCKET])
def harness(
    request: pytest.FixtureRequest, backend: RealAsteriskHarness
) -> Iterator[ClientHarness]:
    opening = ClientHarness.open(backend, request.param)
    opened: ClientHarness = pytest_twisted.blockon(ensureDeferred(opening))
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))


@pytest_twisted.ensureDeferred
async def test_device_state_before_and_after_a_reconnect(
    harness: ClientHarness,
) -> None:
    client = harness.client
    seen: list[str] = []
    subscription = client.events.on(
        events.DeviceStateChanged,
        lambda event: seen.append(event.device_state.state),
        source=f"deviceState:{DEVICE}",
    )
    await client.events.settled()
    update = client.api.device_states.update
    await update(device_name="Stasis:other", device_state="BUSY")
    await update(device_name=DEVICE, device_state="INUSE")
    await harness.until(lambda: seen == ["INUSE"], "the first state")

    await harness.cut()
    await client.when_connected()
    await update(device_name=DEVICE, device_state="RINGING")
    await harness.until(lambda: seen == ["INUSE", "RINGING"], "the second state")

    subscription.cancel()
    await client.events.settled()
    application = await client.api.applications.get(application_name=APP)
    assert application.device_names == ()
    allowed = {each["type"] for each in application.events_allowed}
    assert "DeviceStateChanged" not in allowed
    for device in (DEVICE, "Stasis:other"):
        await client.api.device_states.delete(device_name=device)


@pytest_twisted.ensureDeferred
async def test_events_of_a_channel_until_its_end(harness: ClientHarness) -> None:
    call = await harness.call()
    channel_events: list[str] = []
    call.channel.on(
        events.Event, lambda event: channel_events.append(type(event).__name__)
    )
    await harness.client.events.settled()
    stream = harness.client.events.stream(events.StasisEnd)
    await call.channel.play("sound:press-1").finished
    await call.channel.hang_up()
    end = await anext(stream)
    assert end.channel.id == call.channel.id
    stream.close()
    assert channel_events[-1] == "StasisEnd"
    assert {"PlaybackStarted", "PlaybackFinished", "ChannelHangupRequest"} < set(
        channel_events
    )
