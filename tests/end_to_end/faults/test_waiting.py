"""Faults that are noticed by waiting: many at once, since all they do is wait."""

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

AT_ONCE = 4
"""How many drills there are at the same time: they take turns on the cores."""

HUNG_SECONDS = 5.0
FEW = 15


def at_once(scenario: Scenario) -> Callable[..., Any]:
    """Make a scenario a test that is under way together with others here."""

    async def wait(under_way: Mapping[Scenario, Deferred[None]]) -> None:
        await under_way[scenario]

    wait.__name__ = scenario.__name__
    test: Callable[..., Any] = pytest_twisted.ensureDeferred(wait)
    test.scenario = scenario  # type: ignore[attr-defined] # for the fixture below
    return test


@pytest.fixture(scope="module")
def under_way(
    request: pytest.FixtureRequest,
    reactor: PosixReactorBase,
    installation: Installation,
) -> Iterator[Mapping[Scenario, Deferred[None]]]:
    """Begin all scenarios of this module."""

    turns = DeferredSemaphore(AT_ONCE)

    async def play(scenario: Scenario) -> None:
        async with turns:
            drill = await FaultHarness.open(reactor, installation)
            try:
                await scenario(drill)
            finally:
                await drill.close()

    scenarios = [
        test.scenario
        for test in vars(request.module).values()
        if hasattr(test, "scenario")
    ]
    begun = {each: Deferred.fromCoroutine(play(each)) for each in scenarios}
    yield begun
    # Those that no test has waited for.
    pytest_twisted.blockon(DeferredList(list(begun.values()), consumeErrors=True))


def flip_the_middle(data: bytes) -> bytes:
    """Spoil what is said, not how long it is."""
    middle = len(data) // 2
    return data[:middle] + flip(data[middle : middle + 4]) + data[middle + 4 :]


def claim_to_be_longer(data: bytes) -> bytes:
    """Have a frame go on to the next ones, as far as it says."""
    return data[:2] + b"\xff\x00" + data[4:]


@at_once
async def test_all_packets_lost_is_noticed_and_no_call_is_lost(
    drill: FaultHarness,
) -> None:
    calls = await drill.callers()
    connections = drill.connections
    drill.proxy.freeze()
    drill.crowd.press("1", calls)
    await drill.daemon.prints("Trying again in")
    drill.proxy.heal()
    since = await drill.reconnected(connections)
    await drill.nobody_is_lost("all packets lost", calls, since=since)
    assert all(call.is_served for call in calls)
    await drill.is_empty()


@at_once
async def test_stream_that_cannot_be_read_any_more_is_noticed(
    drill: FaultHarness,
) -> None:
    calls = await drill.callers()
    spoilt = drill.proxy.spoil(event("PlaybackFinished"), claim_to_be_longer)
    drill.crowd.press("1", calls)
    await spoilt.happened
    await drill.daemon.prints("Trying again in")
    since = await drill.reconnected(1)
    await drill.nobody_is_lost("a frame's length spoilt", calls, since=since)
    assert all(call.is_served for call in calls)
    await drill.is_empty()


@at_once
async def test_requests_that_asterisk_cannot_read_any_more(drill: FaultHarness) -> None:
    calls = await drill.callers()
    spoilt = drill.proxy.spoil(request("/play/"), flip, nth=CALLS // 2)
    drill.crowd.press("1", calls)
    await spoilt.happened
    # It waits for the rest of what it takes for a long frame, and says nothing.
    await drill.daemon.prints("Trying again in")
    since = await drill.reconnected(1)
    await drill.nobody_is_lost("a request's bytes spoilt", calls, since=since)
    assert all(call.is_served for call in calls)
    await drill.is_empty()


@at_once
async def test_asterisk_that_hangs_for_five_seconds(drill: FaultHarness) -> None:
    calls = await drill.callers()
    drill.crowd.press("1", calls)
    drill.asterisk._transport.signalProcess(SIGSTOP)
    await deferLater(drill.reactor, HUNG_SECONDS)
    drill.asterisk._transport.signalProcess(SIGCONT)
    since = drill.crowd.press("1", calls)
    await drill.nobody_is_lost("Asterisk hangs for 5 s", calls, since=since)
    assert all(call.is_served for call in calls)
    await drill.is_empty()


@at_once
async def test_daemon_that_hangs_for_five_seconds(drill: FaultHarness) -> None:
    calls = await drill.callers()
    drill.daemon.signal("STOP")
    drill.crowd.press("1", calls)
    gone = calls[: CALLS // 2]
    drill.crowd.hang_up(gone)
    await deferLater(drill.reactor, HUNG_SECONDS)
    drill.daemon.signal("CONT")
    since = drill.reactor.seconds()
    await drill.nobody_is_lost("the daemon hangs for 5 s", calls, since=since)
    assert all(call.is_served for call in calls if call not in gone)
    await drill.is_empty()


@at_once
async def test_requests_that_are_not_answered_and_sounds_that_do_not_end(
    drill: FaultHarness,
) -> None:
    lost = [
        drill.proxy.swallow(which, times=FEW)
        for which in (answer("/answer"), answer("/play/"), event("PlaybackFinished"))
    ]
    calls = await drill.crowd.place(CALLS)
    await drill.crowd.until(
        lambda: all(rule.count == FEW for rule in lost), "all that is to be lost"
    )
    since = drill.reactor.seconds()
    seconds = await drill.crowd.all_hear(calls, since)
    drill.tell("answers and PlaybackFinished lost", seconds)
    assert all(call.is_served for call in calls)
    await drill.everybody_is_heard(calls)
    assert drill.connections == 1
    await drill.is_empty()


@at_once
async def test_packets_lost_for_two_seconds_then_few_then_late(
    drill: FaultHarness,
) -> None:
    calls = await drill.callers()
    drill.proxy.freeze()
    drill.crowd.press("1", calls)
    await deferLater(drill.reactor, 2.0)
    drill.proxy.heal()
    since = drill.reactor.seconds()
    await drill.nobody_is_lost("packets lost for 2 s", calls, since=since)

    drill.proxy.bytes_a_second = 40_000
    since = drill.crowd.press("1", calls)
    await drill.nobody_is_lost("40 kB a second", calls, since=since)
    drill.proxy.heal()

    drill.proxy.latency = 0.3
    since = drill.crowd.press("1", calls)
    await drill.nobody_is_lost("0.3 s each way", calls, since=since)
    drill.proxy.heal()
    assert drill.connections == 1
    assert all(call.is_served for call in calls)
    await drill.is_empty()


@at_once
async def test_every_answer_and_event_two_seconds_late(drill: FaultHarness) -> None:
    calls = await drill.callers()
    for kind in (event(), answer()):
        drill.proxy.delay(kind, 2.0)
    pressed = drill.crowd.press("1", calls)
    seconds = await drill.crowd.all_hear(calls, pressed, "you-entered")
    drill.proxy.heal()
    drill.tell("every answer and event 2 s late", seconds)
    await drill.everybody_is_heard(calls)
    assert drill.connections == 1
    assert all(call.is_served for call in calls)
    await drill.is_empty()


@at_once
async def test_text_spoilt_in_either_direction(drill: FaultHarness) -> None:
    first = drill.proxy.spoil(event("StasisStart"), flip_the_middle, nth=CALLS // 2)
    since = drill.reactor.seconds()
    calls = await drill.crowd.place(CALLS)
    await first.happened
    seconds = await drill.crowd.all_hear(calls, since)
    drill.tell("text of StasisStart spoilt", seconds)
    for which in (event("PlaybackFinished"), answer("/play/"), request("/play/")):
        spoilt = drill.proxy.spoil(which, flip_the_middle, nth=CALLS // 2)
        drill.crowd.press("1", calls)
        await spoilt.happened
        drill.proxy.heal()
        seconds = await drill.crowd.all_hear(calls, drill.reactor.seconds())
        drill.tell(f"text of {which.kind.value} spoilt: {which.name}", seconds)
        await drill.everybody_is_heard(calls)
    assert all(call.is_served for call in calls)
    await drill.is_empty()
