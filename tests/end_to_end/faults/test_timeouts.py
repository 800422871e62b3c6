"""Faults that are noticed by timeouts; they run concurrently to save time."""

from __future__ import annotations

from signal import SIGCONT, SIGSTOP
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, DeferredList, DeferredSemaphore
from twisted.internet.task import deferLater

from tests.support.fault_harness import CALLS, FaultHarness
from tests.support.proxy import answer, event, flip, request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from typing import TypeAlias

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

    Scenario: TypeAlias = Callable[[FaultHarness], Awaitable[None]]

pytestmark = pytest.mark.asterisk

CONCURRENT = 4
"""The number of harnesses at the same time."""

HUNG_SECONDS = 5.0
FEW = 15


def concurrent(scenario: Scenario) -> Callable[..., Any]:
    """Make a test of a scenario that runs concurrently with the others."""

    async def wait(running_scenarios: Mapping[Scenario, Deferred[None]]) -> None:
        await running_scenarios[scenario]

    wait.__name__ = scenario.__name__
    test: Callable[..., Any] = pytest_twisted.ensureDeferred(wait)
    test.scenario = scenario  # type: ignore[attr-defined] # for the fixture below
    return test


@pytest.fixture(scope="module")
def running_scenarios(
    request: pytest.FixtureRequest,
    reactor: PosixReactorBase,
    installation: Installation,
) -> Iterator[Mapping[Scenario, Deferred[None]]]:
    """Start all scenarios of this module."""

    turns = DeferredSemaphore(CONCURRENT)

    async def run(scenario: Scenario) -> None:
        async with turns:
            harness = await FaultHarness.open(reactor, installation)
            try:
                await scenario(harness)
            finally:
                await harness.close()

    scenarios = [
        test.scenario
        for test in vars(request.module).values()
        if hasattr(test, "scenario")
    ]
    begun = {each: Deferred.fromCoroutine(run(each)) for each in scenarios}
    yield begun
    # Wait for the scenarios whose tests were not selected.
    pytest_twisted.blockon(DeferredList(list(begun.values()), consumeErrors=True))


def corrupt_middle(data: bytes) -> bytes:
    """Corrupt four bytes in the middle."""
    middle = len(data) // 2
    return data[:middle] + flip(data[middle : middle + 4]) + data[middle + 4 :]


def increase_length(data: bytes) -> bytes:
    """Increase a frame's length, so that it includes the next ones."""
    return data[:2] + b"\xff\x00" + data[4:]


@concurrent
async def test_loss_of_all_packets_loses_no_call(
    harness: FaultHarness,
) -> None:
    calls = await harness.place_calls()
    connections = harness.connections
    harness.proxy.freeze()
    harness.load.press("1", calls)
    await harness.daemon.prints("Trying again in")
    harness.proxy.heal()
    since = await harness.until_reconnected(connections)
    await harness.assert_no_call_lost("all packets lost", calls, since=since)
    assert all(call.is_served for call in calls)
    await harness.hang_up_all()


@concurrent
async def test_unreadable_stream_to_the_daemon_loses_no_call(
    harness: FaultHarness,
) -> None:
    calls = await harness.place_calls()
    corrupted = harness.proxy.corrupt(event("PlaybackFinished"), increase_length)
    harness.load.press("1", calls)
    await corrupted.happened
    await harness.daemon.prints("Trying again in")
    since = await harness.until_reconnected(1)
    await harness.assert_no_call_lost("a frame's length spoilt", calls, since=since)
    assert all(call.is_served for call in calls)
    await harness.hang_up_all()


@concurrent
async def test_unreadable_stream_to_asterisk_loses_no_call(
    harness: FaultHarness,
) -> None:
    calls = await harness.place_calls()
    corrupted = harness.proxy.corrupt(request("/play/"), flip, nth=CALLS // 2)
    harness.load.press("1", calls)
    await corrupted.happened
    # Asterisk waits for the rest of a long frame, without a response.
    await harness.daemon.prints("Trying again in")
    since = await harness.until_reconnected(1)
    await harness.assert_no_call_lost("a request's bytes spoilt", calls, since=since)
    assert all(call.is_served for call in calls)
    await harness.hang_up_all()


@concurrent
async def test_asterisk_frozen_for_5_seconds(harness: FaultHarness) -> None:
    calls = await harness.place_calls()
    harness.load.press("1", calls)
    harness.asterisk._transport.signalProcess(SIGSTOP)
    await deferLater(harness.reactor, HUNG_SECONDS)
    harness.asterisk._transport.signalProcess(SIGCONT)
    since = harness.load.press("1", calls)
    await harness.assert_no_call_lost("Asterisk hangs for 5 s", calls, since=since)
    assert all(call.is_served for call in calls)
    await harness.hang_up_all()


@concurrent
async def test_daemon_frozen_for_5_seconds(harness: FaultHarness) -> None:
    calls = await harness.place_calls()
    harness.daemon.send_signal("STOP")
    harness.load.press("1", calls)
    hung_up = calls[: CALLS // 2]
    harness.load.hang_up(hung_up)
    await deferLater(harness.reactor, HUNG_SECONDS)
    harness.daemon.send_signal("CONT")
    since = harness.reactor.seconds()
    await harness.assert_no_call_lost("the daemon hangs for 5 s", calls, since=since)
    assert all(call.is_served for call in calls if call not in hung_up)
    await harness.hang_up_all()


@concurrent
async def test_lost_answers_and_playback_finished_events(
    harness: FaultHarness,
) -> None:
    lost = [
        harness.proxy.swallow(which, times=FEW)
        for which in (answer("/answer"), answer("/play/"), event("PlaybackFinished"))
    ]
    calls = await harness.load.place(CALLS)
    await harness.load.until(
        lambda: all(fault.count == FEW for fault in lost), "all that is to be lost"
    )
    since = harness.reactor.seconds()
    seconds = await harness.load.all_hear(calls, since)
    harness.report("answers and PlaybackFinished lost", seconds)
    assert all(call.is_served for call in calls)
    await harness.assert_keys_answered(calls)
    assert harness.connections == 1
    await harness.hang_up_all()


@concurrent
async def test_packet_loss_low_bandwidth_and_latency(
    harness: FaultHarness,
) -> None:
    calls = await harness.place_calls()
    harness.proxy.freeze()
    harness.load.press("1", calls)
    await deferLater(harness.reactor, 2.0)
    harness.proxy.heal()
    since = harness.reactor.seconds()
    await harness.assert_no_call_lost("packets lost for 2 s", calls, since=since)

    harness.proxy.bytes_a_second = 40_000
    since = harness.load.press("1", calls)
    await harness.assert_no_call_lost("40 kB a second", calls, since=since)
    harness.proxy.heal()

    harness.proxy.latency = 0.3
    since = harness.load.press("1", calls)
    await harness.assert_no_call_lost("0.3 s each way", calls, since=since)
    harness.proxy.heal()
    assert harness.connections == 1
    assert all(call.is_served for call in calls)
    await harness.hang_up_all()


@concurrent
async def test_answers_and_events_2_seconds_late(harness: FaultHarness) -> None:
    calls = await harness.place_calls()
    for kind in (event(), answer()):
        harness.proxy.delay(kind, 2.0)
    pressed = harness.load.press("1", calls)
    seconds = await harness.load.all_hear(calls, pressed, "you-entered")
    harness.proxy.heal()
    harness.report("every answer and event 2 s late", seconds)
    await harness.assert_keys_answered(calls)
    assert harness.connections == 1
    assert all(call.is_served for call in calls)
    await harness.hang_up_all()


@concurrent
async def test_corrupted_text_in_both_directions(harness: FaultHarness) -> None:
    first = harness.proxy.corrupt(event("StasisStart"), corrupt_middle, nth=CALLS // 2)
    since = harness.reactor.seconds()
    calls = await harness.load.place(CALLS)
    await first.happened
    seconds = await harness.load.all_hear(calls, since)
    harness.report("text of StasisStart spoilt", seconds)
    for which in (event("PlaybackFinished"), answer("/play/"), request("/play/")):
        corrupted = harness.proxy.corrupt(which, corrupt_middle, nth=CALLS // 2)
        harness.load.press("1", calls)
        await corrupted.happened
        harness.proxy.heal()
        seconds = await harness.load.all_hear(calls, harness.reactor.seconds())
        harness.report(f"text of {which.kind.value} spoilt: {which.name}", seconds)
        await harness.assert_keys_answered(calls)
    assert all(call.is_served for call in calls)
    await harness.hang_up_all()
