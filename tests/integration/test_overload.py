"""Overload: many calls, a slow Asterisk, and one that does not read."""

from __future__ import annotations

import json
from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest_twisted
from twisted.internet.defer import gatherResults

from tests.support.daemon_harness import exit_reason
from tests.support.waiting import until

if TYPE_CHECKING:
    from channel_aa.simulator import SimulatedCaller
    from tests.support.daemon_harness import DaemonHarness

PATIENCE = 300.0
"""The seconds within which a caller hears a sound, on any machine."""

KIB_FOR_A_CALL = 64
"""Far more than a call uses; docs/operation.md has measurements."""


async def all_hear(callers: list[SimulatedCaller], what: str) -> None:
    """Wait until each caller has heard a sound."""
    await gatherResults(
        [caller.run(f"hear {what}", patience=PATIENCE) for caller in callers]
    )


def stop_reading(harness: DaemonHarness) -> None:
    """Make the simulator stop reading its websockets; it still writes."""
    for websocket in harness.simulator._events.sockets:
        transport: Any = websocket.transport
        transport.pauseProducing()


async def hang_up(harness: DaemonHarness, callers: list[SimulatedCaller]) -> None:
    """Hang up, and wait until the daemon has no call left."""
    for caller in callers:
        caller.hang_up()

    status = await harness.status()
    while status["calls"]["now"] or status["requests"]["pending"]:
        status = await harness.status()


@pytest_twisted.ensureDeferred
async def test_calls_above_the_limit_in_a_burst_of_1000_are_refused(
    harness: DaemonHarness,
) -> None:
    harness.write_file(max_calls=100)
    async with harness.daemon() as daemon:
        await daemon.prints("Requests go over the websocket")
        before = daemon.memory_kib
        callers = [harness.simulator.call() for _ in range(1000)]
        # The others continue in the dialplan.
        await until(
            harness.reactor, lambda: sum(caller.is_over for caller in callers) == 900
        )
        attended = [caller for caller in callers if not caller.is_over]
        await all_hear(attended, "press-1")
        reasons = Counter(exit_reason(caller) for caller in callers)
        assert reasons == {"overload": 900, "": 100}
        status = await harness.status()
        assert status["calls"]["now"] == 100
        assert status["calls"]["refused"] == 900
        assert daemon.memory_kib - before < 1000 * KIB_FOR_A_CALL
        await hang_up(harness, attended)
    warnings = [line for line in daemon.lines if "Too many calls" in line]
    assert 1 <= len(warnings) <= 2
    assert not [line for line in daemon.lines if "Traceback" in line]


@pytest_twisted.ensureDeferred
async def test_1000_calls_at_once_are_served_without_a_limit(
    harness: DaemonHarness,
) -> None:
    async with harness.daemon() as daemon:
        await harness.simulator.listening()
        before = daemon.memory_kib
        callers = [harness.simulator.call() for _ in range(1000)]
        await all_hear(callers, "press-1")
        assert daemon.memory_kib - before < 1000 * KIB_FOR_A_CALL
        await hang_up(harness, callers)
    assert not [line for line in daemon.lines if "Traceback" in line]


@pytest_twisted.ensureDeferred
async def test_calls_survive_an_asterisk_that_answers_two_seconds_late(
    harness: DaemonHarness,
) -> None:
    async with harness.daemon() as daemon:
        await harness.simulator.listening()
        harness.simulator.faults.delay("*", 2.0, times=None)
        before = daemon.memory_kib
        callers = [harness.simulator.call() for _ in range(200)]
        await all_hear(callers, "press-1, hear or")
        assert not any(caller.is_over for caller in callers)
        status = await harness.status()
        assert status["requests"]["pending"] <= 2 * len(callers)
        assert daemon.memory_kib - before < 200 * KIB_FOR_A_CALL
        harness.simulator.faults.clear()
        await hang_up(harness, callers)
    assert not [line for line in daemon.lines if "Traceback" in line]


@pytest_twisted.ensureDeferred
async def test_requests_go_over_http_when_asterisk_stops_reading(
    harness: DaemonHarness,
) -> None:
    async with harness.daemon() as daemon:
        await harness.simulator.listening()
        await daemon.prints("Requests go over the websocket")
        before = daemon.memory_kib
        stop_reading(harness)
        callers = [harness.simulator.call() for _ in range(200)]
        await all_hear(callers, "press-1, hear or")
        await daemon.prints("no longer answers requests over the websocket")
        assert daemon.memory_kib - before < 200 * KIB_FOR_A_CALL
        await hang_up(harness, callers)
    assert not [line for line in daemon.lines if "Traceback" in line]


@pytest_twisted.ensureDeferred
async def test_keys_work_during_a_flood_of_channels(harness: DaemonHarness) -> None:
    """20,000 channels enter that do not exist; Asterisk refuses their requests."""
    harness.write_file(max_calls=100)
    async with harness.daemon() as daemon:
        await daemon.prints("Requests go over the websocket")
        callers = [harness.simulator.call() for _ in range(100)]
        await all_hear(callers, "press-1")
        before = daemon.memory_kib
        (websocket,) = harness.simulator._events.sockets
        for number in range(20_000):
            event = {
                "type": "StasisStart",
                "application": "channel-aa",
                "channel": {"id": f"flood-{number}", "name": f"PJSIP/x-{number}"},
                "args": [],
            }
            websocket.send_event(json.dumps(event).encode())
        for caller in callers:
            caller.press("1")
        began = perf_counter()
        await all_hear(callers, "you-entered")
        growth = daemon.memory_kib - before
        print(  # noqa: T201 - a measurement
            f"\n100 callers hear their keys {perf_counter() - began:.2f} s after 20,000"
            f" events; memory: {growth} KiB"
        )
        assert growth < 1000 * KIB_FOR_A_CALL
        status = await harness.status()
        assert status["calls"]["now"] == 100
        await hang_up(harness, callers)
    assert not [line for line in daemon.lines if "Traceback" in line]
