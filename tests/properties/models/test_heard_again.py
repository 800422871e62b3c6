"""However a connection or a daemon ends: its callers hear something soon after.

In virtual time, where it is the program's own waiting that counts, and not how busy
the machine is that it runs on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channel_aa.ari import Transport
from channel_aa.menus.actions import Play
from channel_aa.menus.flow import CallFlow
from channel_aa.menus.menu import Menu
from channel_aa.menus.sounds import prompt_of
from tests.support.random_calls import RandomCallsHarness

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_aa.simulator import SimulatedCaller

PROMISED_SECONDS = 2.0
GAP_SECONDS = 0.3
STEP_SECONDS = 0.04
"""From one moment at which the connection ends to the next one that is tried."""

FLOW = CallFlow(
    menus={
        "main": Menu(
            prompt=prompt_of("press-1", "or"),
            # Nobody hears anything again just because the time is up.
            timeout=600.0,
            options={"1": Play(play=prompt_of("you-entered", "digits:{digits}"))},
        ),
    },
)

KEY_AT, SECOND_KEY_AT, END = 2.0, 6.0, 12.0
"""When a key stops the prompt, when another stops what answers it, and when the prompt
has been over for a while."""


def cut(life: RandomCallsHarness) -> None:
    life.daemon.line.cut()
    life.wait(GAP_SECONDS)
    life.daemon.line.mend()


def kill(life: RandomCallsHarness) -> None:
    life.kill()


def hears(caller: SimulatedCaller, after: float, before: float) -> bool:
    """Tell whether anything is to be heard between two moments."""
    return any(
        sound.started <= before and (sound.ended is None or sound.ended > after)
        for sound in caller.heard
    )


def heard(
    end: Callable[[RandomCallsHarness], None],
    *,
    moment: float,
    life: RandomCallsHarness,
) -> str:
    """Let a call's connection end at a moment of it.

    Returns:
        What the caller heard, where that was nothing in the time that is promised.
    """
    life.connect()
    began = life.clock.seconds()
    life.call()
    [caller] = life.callers
    for key_at in (KEY_AT, SECOND_KEY_AT):
        life.clock.callLater(key_at, caller.press, "1")
    life.wait(moment)
    end(life)
    life.connect()
    connected = life.clock.seconds() - began
    life.wait(PROMISED_SECONDS)
    assert caller.status == ""
    is_well = hears(caller, connected, connected + PROMISED_SECONDS)
    caller.hang_up()
    life.wait_for_the_end(60)
    life.stop()
    return "" if is_well else f"{moment:.2f} s: {caller.heard}"


@pytest.mark.parametrize("transport", [Transport.HTTP, Transport.WEBSOCKET])
@pytest.mark.parametrize(
    ("end", "slowest"),
    # A new run asks for three things one after the other before it knows a call.
    [(cut, 0.3), (kill, 0.02)],
)
def test_whenever_it_ends_callers_hear_something_soon(
    end: Callable[[RandomCallsHarness], None], slowest: float, transport: Transport
) -> None:
    silent = [
        heard(
            end,
            moment=number * STEP_SECONDS,
            life=RandomCallsHarness(
                FLOW, transport=transport, seed=number, slowest=slowest
            ),
        )
        for number in range(int(END / STEP_SECONDS))
    ]
    assert not any(silent), "\n".join(filter(None, silent))
