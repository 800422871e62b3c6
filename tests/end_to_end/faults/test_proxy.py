"""The faulty network does what it is told to, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.web.client import ResponseNeverReceived

from real_asterisk.sounds import LONG
from tests.support.asterisk_harness import SimulatorHarness
from tests.support.attendant_harness import until
from tests.support.proxy import HANDSHAKE, Proxy, answer, event, request
from tests.support.raw_ari import Ari

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase


class Road:
    """A simulated Asterisk, and a faulty network on the way there."""

    def __init__(self, stage: SimulatorHarness) -> None:
        self.stage = stage
        self.reactor = stage.reactor
        self.proxy = Proxy(stage.reactor, urlsplit(stage.url).port or 0)
        self.ari = Ari(
            stage.reactor,
            self.proxy.url,
            username=stage.username,
            password=stage.password,
        )

    async def close(self) -> None:
        await self.proxy.close()
        await self.ari.close()
        await self.stage.close()


@pytest.fixture
def road(reactor: PosixReactorBase) -> Iterator[Road]:
    stage = pytest_twisted.blockon(ensureDeferred(SimulatorHarness.open(reactor)))
    opened = Road(stage)
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))


@pytest_twisted.ensureDeferred
async def test_left_alone_it_passes_everything_on(road: Road) -> None:
    events = await road.ari.listen("channel-aa")
    call = await road.stage.call(events)
    played = await road.ari.post(f"/channels/{call.id}/play/x", media="sound:or")
    assert played.status == 201
    await events.wait_for_type("PlaybackFinished", "x")
    assert (await events.ask("GET", f"channels/{call.id}")).json["status_code"] == 200
    assert (await road.ari.get("/channels/nobody")).status == 404
    assert len(road.proxy.opened) == 1
    assert await events.leave() == 1000
    await until(lambda: not road.proxy.links, road.reactor, "the end of all links")


@pytest_twisted.ensureDeferred
async def test_connections_are_cut_when_the_chosen_event_passes(road: Road) -> None:
    for is_delivered in (False, True):
        events = await road.ari.listen("channel-aa")
        second = road.proxy.cut_at(event("StasisStart"), nth=2, delivered=is_delivered)
        first = await road.stage.call(events)
        assert not events.closed.called
        caller = await road.stage.place_call("1000")
        await second
        assert await events.closed == 1006
        entered = [it for it in events.all if it.type == "StasisStart"]
        assert len(entered) == 1 + is_delivered
        await first.caller.hang_up()
        await caller.hang_up()
        # New connections are taken.
        assert (await road.ari.get("/asterisk/ping")).status == 200


@pytest_twisted.ensureDeferred
async def test_request_that_cuts_the_connection_arrives_or_does_not(
    road: Road,
) -> None:
    for is_delivered in (False, True):
        events = await road.ari.listen("channel-aa")
        call = await road.stage.call(events)
        path = f"/channels/{call.id}/play/x"
        cut = road.proxy.cut_at(request("/play/"), delivered=is_delivered)
        with pytest.raises(ResponseNeverReceived):
            await road.ari.post(path, media=f"sound:{LONG}")
        await cut
        sounds = await road.stage.ari.get("/playbacks/x")
        assert sounds.status == (200 if is_delivered else 404)
        await call.caller.hang_up()


@pytest_twisted.ensureDeferred
async def test_events_are_lost_repeated_late_and_spoilt(road: Road) -> None:
    events = await road.ari.listen("channel-aa")
    call = await road.stage.call(events)
    lost = road.proxy.swallow(event("ChannelDtmfReceived"), times=1)
    await call.caller.press("1")
    await call.caller.press("2")
    await events.wait_for(lambda it: it.json.get("digit") == "2")
    assert lost.count == 1

    road.proxy.heal()
    road.proxy.repeat(event("ChannelDtmfReceived"))
    await call.caller.press("3")
    await until(
        lambda: [it.json.get("digit") for it in events.all].count("3") == 2,
        road.reactor,
        "the key twice",
    )

    road.proxy.heal()
    road.proxy.delay(event("ChannelDtmfReceived", '"4"'), 0.5)
    await call.caller.press("4")
    await call.caller.press("5")
    await events.wait_for(lambda it: it.json.get("digit") == "4")
    assert [it.json["digit"] for it in events.all if it.type == "ChannelDtmfReceived"][
        -2:
    ] == ["5", "4"]

    road.proxy.heal()
    road.proxy.spoil(event("ChannelDtmfReceived"), lambda it: it.replace(b"6", b"7"))
    await call.caller.press("6")
    await events.wait_for(lambda it: it.json.get("digit") == "7")


@pytest_twisted.ensureDeferred
async def test_frozen_it_answers_nobody_until_it_thaws(road: Road) -> None:
    events = await road.ari.listen("channel-aa")
    call = await road.stage.call(events)
    road.proxy.freeze()
    asking = Deferred.fromCoroutine(road.ari.get("/asterisk/ping"))
    await call.caller.press("1")
    await deferLater(road.reactor, 0.1)
    assert not asking.called
    assert events.types(call.id)[-1] != "ChannelDtmfReceived"
    road.proxy.heal()
    assert (await asking).status == 200
    await events.wait_for_type("ChannelDtmfReceived", call.id)


@pytest_twisted.ensureDeferred
async def test_latency_and_a_narrow_line_take_their_time(road: Road) -> None:
    road.proxy.latency = 0.1
    assert (await road.ari.get("/asterisk/ping")).seconds >= 0.2
    road.proxy.heal()
    road.proxy.bytes_a_second = 2000
    # Request and answer have more than 100 bytes each.
    assert (await road.ari.get("/asterisk/ping")).seconds >= 0.1


@pytest_twisted.ensureDeferred
async def test_answers_may_be_lost_and_connections_refused(road: Road) -> None:
    lost = road.proxy.swallow(answer("GET asterisk/ping"), times=1)
    with pytest.raises(ResponseNeverReceived):
        await road.ari.get("/asterisk/ping")
    assert lost.count == 1
    await road.proxy.refuse()
    with pytest.raises(Exception, match="refused"):
        await road.ari.get("/asterisk/ping")
    road.proxy.listen()
    assert (await road.ari.get("/asterisk/ping")).status == 200


@pytest_twisted.ensureDeferred
async def test_it_tells_when_a_websocket_was_opened(road: Road) -> None:
    cut = road.proxy.cut_at(HANDSHAKE, delivered=True)
    events = await road.ari.listen("channel-aa")
    await cut
    await events.closed
    assert len(road.proxy.opened) == 1
