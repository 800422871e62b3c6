"""Callers hear a sound soon after a lost connection or a killed attendant.

In virtual time, only the program's own delays count, and not those of the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channel_aa.ari import Transport
from channel_aa.menus.actions import Play
from channel_aa.menus.flow import CallFlow
from channel_aa.menus.menu import Menu
from channel_aa.menus.sounds import prompt_of
from tests.support.random_calls_harness import RandomCallsHarness

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_aa.simulator import SimulatedCaller

PROMISED_SECONDS = 2.0
GAP_SECONDS = 0.3
STEP_SECONDS = 0.04
"""The seconds between the moments of interruption that are tried."""

FLOW = CallFlow(
    menus={
        "main": Menu(
            prompt=prompt_of("press-1", "or"),
            # No prompt is repeated because of a timeout.
            timeout=600.0,
            options={"1": Play(play=prompt_of("you-entered", "digits:{digits}"))},
        ),
    },
)

KEY_AT, SECOND_KEY_AT, END = 2.0, 6.0, 12.0
"""The times of a key during the prompt, of a key during its feedback, and of the end
of the call, when no sound has played for a while."""


def cut(harness: RandomCallsHarness) -> None:
    harness.daemon.link.cut()
    harness.wait(GAP_SECONDS)
    harness.daemon.link.mend()


def kill(harness: RandomCallsHarness) -> None:
    harness.kill()


def hears_between(caller: SimulatedCaller, after: float, before: float) -> bool:
    """Say whether a caller hears a sound between two moments."""
    return any(
        sound.started <= before and (sound.ended is None or sound.ended > after)
        for sound in caller.heard
    )


def interrupt(
    end: Callable[[RandomCallsHarness], None],
    *,
    moment: float,
    harness: RandomCallsHarness,
) -> str:
    """Interrupt a call at a moment.

    Returns:
        Empty if the caller hears a sound in time; else what the caller has heard.
    """
    harness.connect()
    began = harness.clock.seconds()
    harness.call()
    [caller] = harness.callers
    for key_at in (KEY_AT, SECOND_KEY_AT):
        harness.clock.callLater(key_at, caller.press, "1")
    harness.wait(moment)
    end(harness)
    harness.connect()
    connected = harness.clock.seconds() - began
    harness.wait(PROMISED_SECONDS)
    assert caller.status == ""
    is_well = hears_between(caller, connected, connected + PROMISED_SECONDS)
    caller.hang_up()
    harness.wait_for_the_end(60)
    harness.stop()
    return "" if is_well else f"{moment:.2f} s: {caller.heard}"


@pytest.mark.parametrize("transport", [Transport.HTTP, Transport.WEBSOCKET])
@pytest.mark.parametrize(
    ("end", "slowest"),
    # A new run makes three requests, one after another, before it adopts a call.
    [(cut, 0.3), (kill, 0.02)],
)
def test_callers_hear_a_sound_soon_after_any_interruption(
    end: Callable[[RandomCallsHarness], None], slowest: float, transport: Transport
) -> None:
    silent = [
        interrupt(
            end,
            moment=number * STEP_SECONDS,
            harness=RandomCallsHarness(
                FLOW, transport=transport, seed=number, slowest=slowest
            ),
        )
        for number in range(int(END / STEP_SECONDS))
    ]
    assert not any(silent), "\n".join(filter(None, silent))
