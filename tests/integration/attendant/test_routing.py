"""Calls whose requests use one transport, the other, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import gatherResults

from channel_aa.ari import Transport
from channel_aa.ari.wire import routing
from channel_aa.menus.actions import Play
from channel_aa.menus.sounds import prompt_of
from real_asterisk.sounds import LONG, QUIET
from tests.support.attendant_harness import AttendantHarness
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    from channel_aa.ari.wire.requests import Request
    from tests.support.asterisk_harness import AsteriskHarness

STOP_OVER_HTTP = ("DELETE", "playbacks")
PLAY_OVER_HTTP = ("POST", "channels")


def only_over_http(method: str, resource: str) -> Callable[[Request], bool]:
    """Select requests with a method and a resource for HTTP."""
    return lambda request: (request.method, request.path[0]) == (method, resource)


def record_requests(
    harness: AttendantHarness, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str]]:
    """Record plays and stops: ``("POST", playback)`` and ``("DELETE", playback)``."""
    requests: list[tuple[str, str]] = []
    send = harness.client.requests.send

    def record(request: Request) -> Deferred[bytes]:
        if "play" in request.path or "playbacks" in request.path:
            requests.append((request.method, request.path[-1]))
        return send(request)

    monkeypatch.setattr(harness.client.requests, "send", record)
    return requests


@pytest_twisted.ensureDeferred
async def test_request_that_waits_for_a_sound_delays_no_other_call(
    backend: AsteriskHarness, transport: Transport
) -> None:
    harness = await AttendantHarness.open(backend, transport=transport, prompt=(LONG,))
    try:
        _, listener = await harness.call()
        presser, monitor = await harness.call()
        await listener.hears(LONG)
        await monitor.hears(LONG)
        path = ("channels", listener.channel_id)
        waiting = [
            harness.client.request("POST", *path, "answer"),
            harness.client.request(
                "POST", *path, "variable", query={"variable": "X", "value": "1"}
            ),
        ]
        _, newcomer = await harness.call()
        await newcomer.hears(LONG)
        for key in "12":
            await presser.press(key)
            await monitor.hears("you-entered", f"digits/{key}", LONG)
        assert [sound.ended for sound in listener.sounds] == [""]
        assert not any(each.called for each in waiting)
        playing = next(iter(harness.client.channels[listener.channel_id].playbacks))
        playing.stop()
        await gatherResults(waiting)
        assert harness.client.requests.in_use is transport
        assert harness.warnings == []
    finally:
        await harness.close()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("over_http", [STOP_OVER_HTTP, PLAY_OVER_HTTP])
async def test_sound_is_stopped_before_the_next_over_mixed_transports(
    backend: AsteriskHarness,
    over_http: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = await AttendantHarness.with_default_menu(
        backend,
        Transport.WEBSOCKET,
        prompt=prompt_of(LONG),
        nomatch=(prompt_of(LONG),),
        options={
            "1": Play(play=prompt_of(QUIET)),
            "2": Play(play=prompt_of("you-entered", "digits:{digits}")),
        },
    )
    try:
        monkeypatch.setattr(routing, "must_go_over_http", only_over_http(*over_http))
        requests = record_requests(harness, monkeypatch)
        caller, monitor = await harness.call()
        await monitor.hears(LONG)
        await caller.press("1")
        await monitor.hears(QUIET)
        await caller.press("9")
        await monitor.hears(LONG)
        await caller.press("2")
        await monitor.hears("you-entered", "digits/2", LONG)
        await caller.hang_up()
        await harness.until_idle()
        await until(
            backend.reactor,
            lambda: all(sound.ended for sound in monitor.sounds),
            "the end of the last sound",
        )
        monitor.assert_no_overlap()
        played_ids = [played for method, played in requests if method == "POST"]
        first, second, third = played_ids[:3]
        assert [each for each in requests if each[1] in played_ids[:4]] == [
            ("POST", first),
            ("DELETE", first),
            ("POST", second),
            ("DELETE", second),
            ("POST", third),
            ("DELETE", third),
            ("POST", played_ids[3]),
        ]
        assert harness.warnings == []
    finally:
        await harness.close()
