"""Whatever happens, in whatever order: one sound at a time, and nothing left."""

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
from tests.support.random_calls import RandomCallsHarness

if TYPE_CHECKING:
    from collections.abc import Callable

SEQUENCES = int(os.environ.get("CHANNEL_AA_SEQUENCES", "300"))
"""How many sequences are tried; more in the environment variable of that name."""

MAX_CALL_SECONDS = 90.0
CALM_SECONDS = 300.0
"""After so many seconds without trouble no call is left, whatever was before: the
longest call, and a request's time and a watchdog's more than once."""

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


def perform(life: RandomCallsHarness, what: str, *details: Any) -> None:  # noqa: ANN401 - any step
    """Let one thing happen."""
    faults = life.simulator.faults
    happenings: dict[str, Callable[..., object]] = {
        "call": life.call,
        "press": life.press,
        "wait": life.wait,
        "hang up": life.hang_up,
        "drop": life.daemon.line.drop,
        "cut": life.daemon.line.cut,
        "mend": life.daemon.line.mend,
        "kill": life.kill,
        "forget": life.simulator.forget,
        "refuse": faults.answer,
        "delay": faults.delay,
        "lose request": faults.lose_request,
        "lose answer": faults.lose_answer,
        "lose event": faults.drop_event,
        "ignore": lambda: faults.ignore_over_websocket(times=1),
    }
    happenings[what](*details)
    life.check()


@settings(
    max_examples=SEQUENCES,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(
    steps=st.lists(step, max_size=25),
    transport=st.sampled_from(Transport),
    seed=st.integers(0, 2**32),
    is_hung_up=st.booleans(),
)
def test_whatever_happens_nothing_is_left(
    steps: list[tuple[Any, ...]],
    transport: Transport,
    seed: int,
    is_hung_up: bool,  # noqa: FBT001 - hypothesis names it
) -> None:
    life = RandomCallsHarness(FLOW, transport=transport, seed=seed)
    life.call()
    for each in steps:
        perform(life, *each)
    life.calm()
    if is_hung_up:
        for caller in life.callers:
            if not caller.is_over:
                caller.hang_up()
    life.wait_for_the_end(CALM_SECONDS)
    assert [caller.outcome for caller in life.callers if not caller.is_over] == []
    assert life.daemon.leftovers == {}
    assert life.simulator.live_channels == 0
    assert life.simulator.live_playbacks == 0
    assert life.simulator.state.bridges == {}
    life.stop()
    assert life.clock.getDelayedCalls() == []
