"""Requests over the simulator's websocket, where Asterisk cannot be tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from twisted.internet.posixbase import PosixReactorBase

from tests.support.asterisk_harness import APP, ari_of, running_simulator
from tests.support.waiting import until

if TYPE_CHECKING:
    from channel_aa.simulator.responses import Response

Reactor = PosixReactorBase


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(("serves", "version"), [(True, "22.10.1"), (False, "20.13.0")])
async def test_version_depends_on_rest_over_websocket(
    reactor: Reactor, *, serves: bool, version: str
) -> None:
    async with running_simulator(
        reactor, serves_requests_over_websocket=serves
    ) as simulator:
        answer = await ari_of(simulator, reactor).get("/asterisk/info")
        assert answer.json["system"]["version"] == version


@pytest_twisted.ensureDeferred
async def test_old_version_ignores_requests_over_the_websocket(
    reactor: Reactor,
) -> None:
    async with running_simulator(
        reactor, serves_requests_over_websocket=False
    ) as simulator:
        events = await ari_of(simulator, reactor).listen(APP)
        events.request("GET", "channels")
        events.sendMessage(b"{bad")
        simulator.call()
        await events.wait_for(lambda it: it.type == "StasisStart")
        assert [event.type for event in events.all] == ["StasisStart"]
        assert not events.closed.called
        assert simulator.requests == 1


@pytest_twisted.ensureDeferred
async def test_requests_are_counted_over_both_transports(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        events = await ari_of(simulator, reactor).listen(APP)
        before = simulator.requests
        await events.ask("GET", "channels")
        await ari_of(simulator, reactor).get("/channels")
        assert simulator.requests == before + 2


@pytest_twisted.ensureDeferred
async def test_fault_answers_with_an_error(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        events = await ari_of(simulator, reactor).listen(APP)
        simulator.faults.answer("GET /channels", 503)
        first = await events.ask("GET", "channels?all=true")
        assert first.json["status_code"] == 503
        assert first.json["reason_phrase"] == "Service Unavailable"
        assert (await events.ask("GET", "channels")).json["status_code"] == 200


@pytest_twisted.ensureDeferred
async def test_delayed_answer_delays_its_websocket(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        events = await ari.listen(APP)
        other = await ari.listen("other")
        caller = simulator.call()
        simulator.faults.delay("DELETE /channels/*", 2.0)
        sent = [
            events.request("DELETE", f"channels/{caller.channel.id}"),
            events.request("GET", "channels"),
        ]
        # The effect is not delayed.
        await until(reactor, lambda: caller.is_over)
        await other.ask("GET", "channels")
        assert events.answered == []
        await events.response(sent[-1])
        assert events.answered == sent


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("is_served", [False, True])
async def test_fault_drops_the_websocket_instead_of_an_answer(
    reactor: Reactor, *, is_served: bool
) -> None:
    async with running_simulator(reactor) as simulator:
        events = await ari_of(simulator, reactor).listen(APP)
        caller = simulator.call()
        faults = simulator.faults
        lose = faults.lose_answer if is_served else faults.lose_request
        lose("DELETE /channels/*")
        events.request("DELETE", f"channels/{caller.channel.id}")
        events.request("GET", "channels")
        assert await events.closed == 1006
        assert caller.is_over is is_served
        assert events.answered == []


@pytest_twisted.ensureDeferred
async def test_fault_ignores_requests_over_the_websocket(
    reactor: Reactor,
) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        events = await ari.listen(APP)
        simulator.faults.ignore_over_websocket("GET /sounds", times=1)
        unanswered = [events.request("GET", "sounds")]
        assert (await events.ask("GET", "sounds")).json["status_code"] == 200
        simulator.faults.ignore_over_websocket()
        unanswered += [events.request("GET", "sounds") for _ in range(3)]
        # HTTP requests and events still work.
        assert (await ari.get("/sounds")).status == 200
        simulator.call()
        await events.wait_for(lambda it: it.type == "StasisStart")
        assert len(events.answered) == 1
        simulator.faults.clear()
        await events.ask("GET", "sounds")
        assert not set(unanswered) & set(events.answered)


@pytest_twisted.ensureDeferred
async def test_fault_drops_a_response_like_an_event(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        events = await ari_of(simulator, reactor).listen(APP)
        simulator.faults.drop_event("RESTResponse")
        lost = events.request("GET", "sounds")
        await events.ask("GET", "sounds")
        assert lost not in events.answered


@pytest_twisted.ensureDeferred
async def test_websocket_may_close_while_a_request_waits(reactor: Reactor) -> None:
    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        events = await ari.listen(APP)
        caller = simulator.call()
        channel = f"channels/{caller.channel.id}"
        await events.ask("POST", f"{channel}/play/a?media=tone:ring")
        before = simulator.requests
        events.request("POST", f"{channel}/answer")
        events.request("GET", "sounds")
        await until(reactor, lambda: simulator.requests > before)
        await events.leave()
        assert (await ari.delete("/playbacks/a")).status == 204
        await until(reactor, lambda: caller.channel.state == "Up")


@pytest_twisted.ensureDeferred
async def test_1000_requests_at_once_are_answered_in_order(
    reactor: Reactor,
) -> None:
    async with running_simulator(reactor) as simulator:
        events = await ari_of(simulator, reactor).listen(APP)
        channel = f"channels/{simulator.call().channel.id}"
        uris = (f"{channel}/answer", f"{channel}/variable?variable=X&value=1")
        sent = [events.request("POST", uris[each % 2]) for each in range(1000)]
        await events.response(sent[-1])
        assert events.answered == sent


@pytest_twisted.ensureDeferred
async def test_failing_handler_is_answered_with_500_or_a_closed_websocket(
    reactor: Reactor,
    monkeypatch: pytest.MonkeyPatch,
    logged_failures: Any,  # noqa: ANN401 - tests do not import conftest
) -> None:
    def fail(*_arguments: object) -> Response:
        raise ZeroDivisionError

    async with running_simulator(reactor) as simulator:
        ari = ari_of(simulator, reactor)
        events = await ari.listen(APP)
        monkeypatch.setattr(simulator.api, "dispatch", fail)
        # A response to HEAD has no body, which would be HTML.
        assert (await ari.request("HEAD", "/channels")).status == 500
        events.request("GET", "channels")
        await events.closed
    assert len(logged_failures.flush(ZeroDivisionError)) == 2
