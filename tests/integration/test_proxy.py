"""The tests' proxy between the daemon and Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.web.client import ResponseNeverReceived

from real_asterisk.raw_ari import Ari
from real_asterisk.sounds import LONG
from tests.support.asterisk_harness import SimulatorHarness
from tests.support.proxy import HANDSHAKE, Proxy, answer, event, request
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase


class ProxyHarness:
    """A simulated Asterisk, and a client that reaches it through a proxy."""

    def __init__(self, backend: SimulatorHarness) -> None:
        self.backend = backend
        self.reactor = backend.reactor
        self.proxy = Proxy(backend.reactor, urlsplit(backend.url).port or 0)
        self.ari = Ari(
            backend.reactor,
            self.proxy.url,
            username=backend.username,
            password=backend.password,
        )

    async def close(self) -> None:
        await self.proxy.close()
        await self.ari.close()
        await self.backend.close()


@pytest.fixture
def harness(reactor: PosixReactorBase) -> Iterator[ProxyHarness]:
    backend = pytest_twisted.blockon(ensureDeferred(SimulatorHarness.open(reactor)))
    opened = ProxyHarness(backend)
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))


@pytest_twisted.ensureDeferred
async def test_proxy_forwards_everything_by_default(harness: ProxyHarness) -> None:
    events = await harness.ari.listen("channel-aa")
    call = await harness.backend.call(events)
    played = await harness.ari.post(f"/channels/{call.id}/play/x", media="sound:or")
    assert played.status == 201
    await events.wait_for_type("PlaybackFinished", "x")
    assert (await events.ask("GET", f"channels/{call.id}")).json["status_code"] == 200
    assert (await harness.ari.get("/channels/nobody")).status == 404
    assert len(harness.proxy.opened) == 1
    assert await events.leave() == 1000
    await until(
        harness.reactor, lambda: not harness.proxy.connections, "the end of all links"
    )


@pytest_twisted.ensureDeferred
async def test_cut_at_an_event(
    harness: ProxyHarness,
) -> None:
    for is_delivered in (False, True):
        events = await harness.ari.listen("channel-aa")
        second = harness.proxy.cut_at(
            event("StasisStart"), nth=2, delivered=is_delivered
        )
        first = await harness.backend.call(events)
        assert not events.closed.called
        caller = await harness.backend.place_call("1000")
        await second
        assert await events.closed == 1006
        entered = [it for it in events.all if it.type == "StasisStart"]
        assert len(entered) == 1 + is_delivered
        await first.caller.hang_up()
        await caller.hang_up()
        # New connections are accepted.
        assert (await harness.ari.get("/asterisk/ping")).status == 200


@pytest_twisted.ensureDeferred
async def test_cut_at_a_request_with_and_without_delivery(
    harness: ProxyHarness,
) -> None:
    for is_delivered in (False, True):
        events = await harness.ari.listen("channel-aa")
        call = await harness.backend.call(events)
        path = f"/channels/{call.id}/play/x"
        cut = harness.proxy.cut_at(request("/play/"), delivered=is_delivered)
        with pytest.raises(ResponseNeverReceived):
            await harness.ari.post(path, media=f"sound:{LONG}")
        await cut
        sounds = await harness.backend.ari.get("/playbacks/x")
        assert sounds.status == (200 if is_delivered else 404)
        await call.caller.hang_up()


@pytest_twisted.ensureDeferred
async def test_events_are_lost_repeated_delayed_and_corrupted(
    harness: ProxyHarness,
) -> None:
    events = await harness.ari.listen("channel-aa")
    call = await harness.backend.call(events)
    lost = harness.proxy.swallow(event("ChannelDtmfReceived"), times=1)
    await call.caller.press("1")
    await call.caller.press("2")
    await events.wait_for(lambda it: it.json.get("digit") == "2")
    assert lost.count == 1

    harness.proxy.heal()
    harness.proxy.repeat(event("ChannelDtmfReceived"))
    await call.caller.press("3")
    await until(
        harness.reactor,
        lambda: [it.json.get("digit") for it in events.all].count("3") == 2,
        "the key twice",
    )

    harness.proxy.heal()
    harness.proxy.delay(event("ChannelDtmfReceived", '"4"'), 0.5)
    await call.caller.press("4")
    await call.caller.press("5")
    await events.wait_for(lambda it: it.json.get("digit") == "4")
    assert [it.json["digit"] for it in events.all if it.type == "ChannelDtmfReceived"][
        -2:
    ] == ["5", "4"]

    harness.proxy.heal()
    harness.proxy.corrupt(
        event("ChannelDtmfReceived"), lambda it: it.replace(b"6", b"7")
    )
    await call.caller.press("6")
    await events.wait_for(lambda it: it.json.get("digit") == "7")


@pytest_twisted.ensureDeferred
async def test_frozen_proxy_forwards_nothing_until_it_thaws(
    harness: ProxyHarness,
) -> None:
    events = await harness.ari.listen("channel-aa")
    call = await harness.backend.call(events)
    harness.proxy.freeze()
    asking = Deferred.fromCoroutine(harness.ari.get("/asterisk/ping"))
    await call.caller.press("1")
    await deferLater(harness.reactor, 0.1)
    assert not asking.called
    assert events.types(call.id)[-1] != "ChannelDtmfReceived"
    harness.proxy.heal()
    assert (await asking).status == 200
    await events.wait_for_type("ChannelDtmfReceived", call.id)


@pytest_twisted.ensureDeferred
async def test_latency_and_bandwidth_delay_answers(harness: ProxyHarness) -> None:
    harness.proxy.latency = 0.1
    assert (await harness.ari.get("/asterisk/ping")).seconds >= 0.2
    harness.proxy.heal()
    harness.proxy.bytes_a_second = 2000
    # Request and answer have more than 100 bytes each.
    assert (await harness.ari.get("/asterisk/ping")).seconds >= 0.1


@pytest_twisted.ensureDeferred
async def test_answers_are_lost_and_connections_refused(
    harness: ProxyHarness,
) -> None:
    lost = harness.proxy.swallow(answer("GET asterisk/ping"), times=1)
    with pytest.raises(ResponseNeverReceived):
        await harness.ari.get("/asterisk/ping")
    assert lost.count == 1
    await harness.proxy.refuse()
    with pytest.raises(Exception, match="refused"):
        await harness.ari.get("/asterisk/ping")
    harness.proxy.listen()
    assert (await harness.ari.get("/asterisk/ping")).status == 200


@pytest_twisted.ensureDeferred
async def test_time_of_the_websocket_handshake_is_recorded(
    harness: ProxyHarness,
) -> None:
    cut = harness.proxy.cut_at(HANDSHAKE, delivered=True)
    events = await harness.ari.listen("channel-aa")
    await cut
    await events.closed
    assert len(harness.proxy.opened) == 1
