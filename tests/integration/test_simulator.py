"""The simulator on sockets, where tests/contract cannot test Asterisk."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import pytest_twisted
import treq
from autobahn.twisted.websocket import WebSocketClientFactory
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutput
from twisted.web.client import HTTPConnectionPool, ResponseNeverReceived

from real_asterisk.raw_ari import SECONDS, Events, RefusedError
from tests.support.asterisk_harness import APP, ari_of, running_simulator
from tests.support.waiting import until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase
    from twisted.web.iweb import IResponse

    from channel_aa.simulator import Simulator

    Reactor: TypeAlias = PosixReactorBase


class EventsFactory(WebSocketClientFactory):
    """Makes one `Events`."""

    noisy = False

    def __init__(self, events: Events, url: str, **options: Any) -> None:  # noqa: ANN401 - autobahn's
        super().__init__(url, **options)
        self._events = events

    def buildProtocol(self, addr: object) -> Events:  # noqa: N802 - Twisted's name
        self._events.factory = self
        return self._events


async def ask(
    reactor: Reactor,
    simulator: Simulator,
    method: str,
    path: str,
    **options: Any,  # noqa: ANN401 - those of treq
) -> tuple[int, Any]:
    """Send a request; return the status and the decoded body."""
    pool = HTTPConnectionPool(reactor, persistent=False)
    response: IResponse = await treq.request(
        method,
        f"{simulator.url}{path}",
        pool=pool,
        timeout=SECONDS,
        **{"auth": ("asterisk", "asterisk"), **options},
    )
    body = await treq.content(response)
    return response.code, json.loads(body) if body else None


async def open_websocket(
    reactor: Reactor, simulator: Simulator, query: str, protocols: list[str]
) -> Events:
    """Open a websocket with any query and subprotocols."""
    events = Events(reactor)
    factory = EventsFactory(
        events,
        f"ws://127.0.0.1:{simulator.port}/ari/events?{query}",
        protocols=protocols,
        reactor=reactor,
    )
    endpoint = HostnameEndpoint(reactor, b"127.0.0.1", simulator.port)
    await endpoint.connect(factory)
    await events.opened.addTimeout(SECONDS, reactor)
    return events


@pytest_twisted.ensureDeferred
async def test_simulator_import_installs_no_reactor(reactor: Reactor) -> None:
    code = (
        "import sys, channel_aa.simulator;"
        "print('twisted.internet.reactor' in sys.modules)"
    )
    output = await getProcessOutput(
        sys.executable, ["-c", code], env=os.environ, errortoo=True, reactor=reactor
    )
    assert output == b"False\n"


@pytest_twisted.ensureDeferred
async def test_stop_during_calls_leaves_nothing(
    reactor: Reactor,
) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        events = await ari.listen(APP)
        caller = simulator.call(dialplan_seconds=100)
        elsewhere = simulator.call(app="nobody", dialplan_seconds=100)
        channel = f"/channels/{caller.channel.id}"
        await ari.post(f"{channel}/play/a", media="tone:ring")
        await ari.post(f"{channel}/play/b", media="sound:or")
        waiting = Deferred.fromCoroutine(ari.post(f"{channel}/answer"))
        script = caller.run("wait 1000, hangup")
        served = simulator.requests
        await until(reactor, lambda: simulator.requests > served)
        assert simulator.open_connections == 2
        assert simulator.open_websockets == 1
        assert simulator.live_channels == 2
        assert simulator.live_playbacks == 2
    with pytest.raises(ResponseNeverReceived):
        await waiting
    await script
    assert await events.closed == 1006
    assert caller.outcome == elsewhere.outcome == "forgotten by Asterisk"


@pytest_twisted.ensureDeferred
async def test_restart_has_the_same_port_and_no_state(
    reactor: Reactor,
) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        await ari.listen(APP)
        simulator.call()
        before = simulator.url
        await simulator.stop()
        await simulator.start()
        assert simulator.url == before
        assert (await ari.get("/channels")).json == []
        assert (await ari.get("/applications")).json == []


@pytest_twisted.ensureDeferred
async def test_booting_simulator_answers_503(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        simulator.faults.is_booting = True
        assert (await ari.get("/asterisk/info")).status == 503
        with pytest.raises(RefusedError) as refusal:
            await ari.listen(APP)
        assert refusal.value.args[0] == 503
        simulator.faults.is_booting = False
        assert (await ari.get("/asterisk/info")).status == 200


@pytest_twisted.ensureDeferred
async def test_credentials_may_be_in_a_header_or_the_query(reactor: Reactor) -> None:
    async with running_simulator(
        reactor, username="me", password="s:cret"
    ) as simulator:
        for status, options in (
            (200, {"auth": ("me", "s:cret")}),
            (200, {"auth": None, "params": {"api_key": "me:s:cret"}}),
            (401, {"auth": None, "params": {"api_key": "me"}}),
            (401, {"auth": ("me", "wrong")}),
            (401, {"auth": None}),
            (401, {"auth": None, "headers": {"Authorization": "Basic ?"}}),
            (401, {"auth": None, "headers": {"Authorization": "Bearer x"}}),
        ):
            answer = await ask(reactor, simulator, "GET", "/ari/channels", **options)
            assert answer[0] == status, options


@pytest_twisted.ensureDeferred
async def test_websocket_credentials_may_be_in_the_query(
    reactor: Reactor,
) -> None:
    async with running_simulator(reactor) as simulator:
        query = f"api_key=asterisk:asterisk&app={APP}"
        events = await open_websocket(reactor, simulator, query, [])
        simulator.call()
        await events.wait_for(lambda it: it.type == "StasisStart")


@pytest_twisted.ensureDeferred
async def test_websocket_with_another_subprotocol_is_refused(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        query = f"api_key=asterisk:asterisk&app={APP}"
        with pytest.raises(RefusedError) as refusal:
            await open_websocket(reactor, simulator, query, ["other"])
        assert refusal.value.args[0] == 400


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    "options",
    [
        {"json": {"media": ["sound:or"]}},
        {"json": {"media": "sound:or"}},
        {"data": {"media": "sound:or"}},
        {"params": {"media": "sound:press-1"}, "json": {"media": "sound:or"}},
    ],
)
async def test_parameters_may_be_in_the_body(
    reactor: Reactor, options: dict[str, Any]
) -> None:
    async with running_simulator(reactor) as simulator:
        await ari_of(simulator, reactor).listen(APP)
        path = f"/ari/channels/{simulator.call().channel.id}/play"
        status, playback = await ask(reactor, simulator, "POST", path, **options)
        assert (status, playback["media_uri"]) == (201, "sound:or")


@pytest_twisted.ensureDeferred
async def test_body_that_is_not_json_is_refused(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        answer = await ask(
            reactor,
            simulator,
            "POST",
            "/ari/channels/1/play",
            data=b'{"media":',
            headers={"Content-Type": "application/json"},
        )
        assert answer == (400, {"message": "Error parsing request body"})


@pytest_twisted.ensureDeferred
async def test_path_with_trailing_slash_is_refused_with_a_hint(
    reactor: Reactor,
) -> None:
    async with running_simulator(reactor) as simulator:
        answer = await ask(reactor, simulator, "GET", "/ari/channels/")
        hint = "ARI URLs do not end with a slash. Try /ari/channels"
        assert answer == (404, {"message": hint})
        assert (await ask(reactor, simulator, "GET", "/elsewhere"))[0] == 404


@pytest_twisted.ensureDeferred
async def test_id_may_have_any_characters(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        await ari_of(simulator, reactor).listen(APP)
        path = f"/ari/channels/{simulator.call().channel.id}/play/a%2Fb%20c"
        query = {"media": "tone:ring"}
        _, playback = await ask(reactor, simulator, "POST", path, params=query)
        assert playback["id"] == "a/b c"
        path = "/ari/playbacks/a%2Fb%20c"
        assert (await ask(reactor, simulator, "GET", path))[0] == 200


@pytest_twisted.ensureDeferred
async def test_api_docs_have_the_host_of_the_request(
    reactor: Reactor,
) -> None:
    async with running_simulator(reactor) as simulator:
        path = "/ari/api-docs"
        _, listing = await ask(reactor, simulator, "GET", f"{path}/resources.json")
        assert listing["basePath"] == f"{simulator.url}/ari"
        for each in listing["apis"]:
            named = each["path"].format(format="json")
            status, document = await ask(reactor, simulator, "GET", f"/ari{named}")
            assert (status, document["resourcePath"]) == (200, each["path"])
        status, _ = await ask(reactor, simulator, "GET", f"{path}/nothing.json")
        assert status == 404


@pytest_twisted.ensureDeferred
async def test_playback_started_overtakes_the_answer(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        events = await ari.listen(APP)
        channel = simulator.call().channel.id
        answer = await ari.post(f"/channels/{channel}/play/a", media="sound:or")
        started = await events.wait_for_type("PlaybackStarted", "a")
        assert started.received <= answer.received
        assert answer.json["state"] == "queued"


@pytest_twisted.ensureDeferred
async def test_websocket_may_subscribe_to_several_applications(
    reactor: Reactor,
) -> None:
    async with running_simulator(reactor) as simulator:
        events = await ari_of(simulator, reactor).listen("first,second")
        for app in ("second", "first"):
            simulator.call(app=app)
        await events.wait_for(lambda it: it.json["application"] == "first")
        assert [it.json["application"] for it in events.all] == ["second", "first"]


@pytest_twisted.ensureDeferred
async def test_subscribe_all_excludes_stasis_start_and_end(
    reactor: Reactor,
) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        events = await ari.listen("monitor", subscribeAll="true")
        await ari.listen(APP)
        simulator.call().hang_up()
        await events.wait_for(lambda it: it.type == "ChannelDestroyed")
        assert [event.type for event in events.all] == [
            "ChannelCreated",
            "ChannelDialplan",
            "ChannelVarset",
            "ChannelHangupRequest",
            "ChannelVarset",
            "ChannelDestroyed",
        ]


@pytest_twisted.ensureDeferred
async def test_websockets_are_closed_with_a_code(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        events = await ari.listen(APP)
        simulator.close_websockets(1001)
        assert await events.closed == 1001
        await until(reactor, lambda: simulator.open_websockets == 0)
        assert (await ari.get("/applications")).json == []


@pytest_twisted.ensureDeferred
async def test_dropped_connections_keep_calls(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        events = await ari.listen(APP)
        caller = simulator.call()
        simulator.drop_connections()
        assert await events.closed == 1006
        (application,) = (await ari.get("/applications")).json
        assert application["channel_ids"] == [caller.channel.id]
        assert not caller.is_over


@pytest_twisted.ensureDeferred
async def test_fault_answers_with_an_error(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        simulator.faults.answer("GET /channels", 500, message="Out of order")
        refusal = (500, {"message": "Out of order"})
        assert await ask(reactor, simulator, "GET", "/ari/channels") == refusal
        assert await ask(reactor, simulator, "GET", "/ari/channels") == (200, [])


@pytest_twisted.ensureDeferred
async def test_fault_refuses_a_websocket(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        simulator.faults.answer("GET /events", 500)
        with pytest.raises(RefusedError) as refusal:
            await ari_of(simulator, reactor).listen(APP)
        assert refusal.value.args[0] == 500


@pytest_twisted.ensureDeferred
async def test_fault_delays_the_answer_but_not_the_effect(reactor: Reactor) -> None:
    async with running_simulator(reactor, speed=10) as simulator:
        ari = ari_of(simulator, reactor)
        events = await ari.listen(APP)
        channel = simulator.call().channel.id
        simulator.faults.delay("POST /channels/*/answer", 20)
        answer = await ari.post(f"/channels/{channel}/answer")
        up = await events.wait_for_type("ChannelStateChange", channel)
        assert answer.status == 204
        assert answer.received - up.received > 0.05


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("is_served", [False, True])
async def test_fault_loses_the_request_or_its_answer(
    reactor: Reactor, *, is_served: bool
) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        await ari.listen(APP)
        caller = simulator.call()
        faults = simulator.faults
        lose = faults.lose_answer if is_served else faults.lose_request
        lose("DELETE /channels/*")
        with pytest.raises(ResponseNeverReceived):
            await ari.delete(f"/channels/{caller.channel.id}")
        assert caller.is_over is is_served


@pytest_twisted.ensureDeferred
async def test_client_may_disconnect_before_the_answer(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        events = await ari.listen(APP)
        channel = f"/channels/{simulator.call().channel.id}"
        await ari.post(f"{channel}/play/a", media="sound:or")
        served = simulator.requests
        waiting = Deferred.fromCoroutine(ari.post(f"{channel}/answer"))
        await until(reactor, lambda: simulator.requests > served)
        waiting.addErrback(lambda _: None)
        waiting.cancel()
        await until(reactor, lambda: simulator.open_connections == 1)
        await events.wait_for(lambda it: it.type == "ChannelStateChange")


@pytest_twisted.ensureDeferred
async def test_concurrent_calls_complete_their_sessions(reactor: Reactor) -> None:
    async with running_simulator(reactor, speed=10) as simulator:
        ari = ari_of(simulator, reactor)
        await ari.listen(APP)
        callers = [simulator.call() for _ in range(100)]
        assert simulator.live_channels == 100
        scripts = [
            caller.run("press 1, hear or, hangup", patience=600) for caller in callers
        ]
        for caller in callers:
            path = f"/channels/{caller.channel.id}/play"
            assert (await ari.post(path, media="sound:or")).status == 201
        for script in scripts:
            await script
        await deferLater(reactor, 0)
        assert {caller.outcome for caller in callers} == {"hung up by caller"}
        assert len({caller.name for caller in callers}) == 100
