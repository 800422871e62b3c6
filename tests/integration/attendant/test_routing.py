"""Calls whose requests take one way, the other, or both."""

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

STOP_BY_HTTP = ("DELETE", "playbacks")
PLAY_BY_HTTP = ("POST", "channels")


def one_way_only(method: str, resource: str) -> Callable[[Request], bool]:
    """Send by HTTP what has this method and resource, and nothing else."""
    return lambda request: (request.method, request.path[0]) == (method, resource)


def spy_on_requests(
    harness: AttendantHarness, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str]]:
    """Note the stops and the plays: ``("DELETE", playback)`` and ``("POST", …)``."""
    asked: list[tuple[str, str]] = []
    send = harness.client.requests.send

    def spy(request: Request) -> Deferred[bytes]:
        if "play" in request.path or "playbacks" in request.path:
            asked.append((request.method, request.path[-1]))
        return send(request)

    monkeypatch.setattr(harness.client.requests, "send", spy)
    return asked


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
@pytest.mark.parametrize("by_http", [STOP_BY_HTTP, PLAY_BY_HTTP])
async def test_sound_is_stopped_before_the_next_over_mixed_transports(
    backend: AsteriskHarness, by_http: tuple[str, str], monkeypatch: pytest.MonkeyPatch
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
        monkeypatch.setattr(routing, "must_go_over_http", one_way_only(*by_http))
        asked = spy_on_requests(harness, monkeypatch)
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
        heard = [played for method, played in asked if method == "POST"]
        first, second, third = heard[:3]
        assert [each for each in asked if each[1] in heard[:4]] == [
            ("POST", first),
            ("DELETE", first),
            ("POST", second),
            ("DELETE", second),
            ("POST", third),
            ("DELETE", third),
            ("POST", heard[3]),
        ]
        assert harness.warnings == []
    finally:
        await harness.close()
