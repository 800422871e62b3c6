"""Random sequences of events and faults: one sound at a time, and nothing left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channel_aa.ari import Transport
from channel_aa.menus.actions import BACK, HANGUP, REPEAT, Dial, GoTo, Play, Record
from channel_aa.menus.flow import CallFlow
from channel_aa.menus.menu import Menu
from channel_aa.menus.sounds import prompt_of
from tests.support.random_calls_harness import RandomCallsHarness

if TYPE_CHECKING:
    from collections.abc import Callable

SEQUENCES = int(os.environ.get("CHANNEL_AA_SEQUENCES", "300"))
"""The number of sequences; CHANNEL_AA_SEQUENCES changes it."""

MAX_CALL_SECONDS = 90.0
CALM_SECONDS = 300.0
"""The seconds without faults after which no call is left: the longest call, and several
timeouts of requests and playbacks."""

FLOW = CallFlow(
    max_call_seconds=MAX_CALL_SECONDS,
    menus={
        "main": Menu(
            greeting=prompt_of("welcome"),
            prompt=prompt_of("press-1", "missing", "press-2"),
            timeout=5.0,
            max_noinput=3,
            max_nomatch=5,
            options={
                "1": Play(play=prompt_of("you-entered", "digits:{digits}")),
                "2": GoTo(menu="sub"),
                "3": Dial(dial=("PJSIP/410",), ring=5, then=REPEAT),
                "4": Record(record="{channel}", max_seconds=5, max_silence=2),
                "9": HANGUP,
                "55": Play(play=prompt_of("digits:{digits}")),
            },
        ),
        "sub": Menu(prompt=prompt_of("or"), options={"*": BACK}, max_noinput=2),
    },
)

REQUESTS = ("POST */answer", "POST */play/*", "DELETE /playbacks/*", "POST *", "*")
EVENTS = (
    "PlaybackStarted",
    "PlaybackFinished",
    "StasisStart",
    "StasisEnd",
    "ChannelHangupRequest",
    "ChannelDtmfReceived",
    "RESTResponse",
)

who = st.integers(0, 2)
request = st.sampled_from(REQUESTS)
step: st.SearchStrategy[tuple[Any, ...]] = st.one_of(
    st.just(("call",)),
    st.tuples(st.just("press"), who, st.sampled_from("123459*#55")),
    st.tuples(st.just("press"), who, st.text("0123459*#A", min_size=2, max_size=4)),
    st.tuples(
        st.just("wait"), st.sampled_from([0.0, 0.001, 0.02, 0.3, 1.0, 1.5, 4.0, 15.0])
    ),
    st.tuples(st.just("wait"), st.floats(0, 8)),
    st.tuples(st.just("hang up"), who),
    st.sampled_from([("drop",), ("cut",), ("mend",), ("kill",), ("forget",)]),
    st.tuples(st.just("refuse"), request, st.sampled_from([409, 412, 500, 503])),
    st.tuples(st.just("delay"), request, st.sampled_from([0.5, 3.0, 12.0])),
    st.tuples(st.sampled_from(["lose request", "lose answer"]), request),
    st.tuples(st.just("lose event"), st.sampled_from(EVENTS)),
    st.just(("ignore",)),
)


def perform(harness: RandomCallsHarness, what: str, *details: Any) -> None:  # noqa: ANN401 - any step
    """Perform a step."""
    faults = harness.simulator.faults
    happenings: dict[str, Callable[..., object]] = {
        "call": harness.call,
        "press": harness.press,
        "wait": harness.wait,
        "hang up": harness.hang_up,
        "drop": harness.daemon.link.drop,
        "cut": harness.daemon.link.cut,
        "mend": harness.daemon.link.mend,
        "kill": harness.kill,
        "forget": harness.simulator.forget,
        "refuse": faults.answer,
        "delay": faults.delay,
        "lose request": faults.lose_request,
        "lose answer": faults.lose_answer,
        "lose event": faults.drop_event,
        "ignore": lambda: faults.ignore_over_websocket(times=1),
    }
    happenings[what](*details)
    harness.check()


@settings(
    max_examples=SEQUENCES,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(
    steps=st.lists(step, max_size=25),
    transport=st.sampled_from(Transport),
    seed=st.integers(0, 2**32),
    is_hung_up=st.booleans(),
)
def test_random_interleavings_leave_nothing(
    steps: list[tuple[Any, ...]],
    transport: Transport,
    seed: int,
    is_hung_up: bool,  # noqa: FBT001 - hypothesis names it
) -> None:
    harness = RandomCallsHarness(FLOW, transport=transport, seed=seed)
    harness.call()
    for each in steps:
        perform(harness, *each)
    harness.end_faults()
    if is_hung_up:
        for caller in harness.callers:
            if not caller.is_over:
                caller.hang_up()
    harness.wait_for_the_end(CALM_SECONDS)
    assert [caller.outcome for caller in harness.callers if not caller.is_over] == []
    assert harness.daemon.leftovers == {}
    assert harness.simulator.live_channels == 0
    assert harness.simulator.live_playbacks == 0
    assert harness.simulator.state.bridges == {}
    harness.stop()
    assert harness.clock.getDelayedCalls() == []
