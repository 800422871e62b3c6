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
from tests.support.random_calls_harness import RandomCallsHarness

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


def cut(harness: RandomCallsHarness) -> None:
    harness.daemon.link.cut()
    harness.wait(GAP_SECONDS)
    harness.daemon.link.mend()


def kill(harness: RandomCallsHarness) -> None:
    harness.kill()


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
    harness: RandomCallsHarness,
) -> str:
    """Let a call's connection end at a moment of it.

    Returns:
        What the caller heard, where that was nothing in the time that is promised.
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
    is_well = hears(caller, connected, connected + PROMISED_SECONDS)
    caller.hang_up()
    harness.wait_for_the_end(60)
    harness.stop()
    return "" if is_well else f"{moment:.2f} s: {caller.heard}"


@pytest.mark.parametrize("transport", [Transport.HTTP, Transport.WEBSOCKET])
@pytest.mark.parametrize(
    ("end", "slowest"),
    # A new run asks for three things one after the other before it knows a call.
    [(cut, 0.3), (kill, 0.02)],
)
def test_callers_hear_a_sound_soon_after_any_interruption(
    end: Callable[[RandomCallsHarness], None], slowest: float, transport: Transport
) -> None:
    silent = [
        heard(
            end,
            moment=number * STEP_SECONDS,
            harness=RandomCallsHarness(
                FLOW, transport=transport, seed=number, slowest=slowest
            ),
        )
        for number in range(int(END / STEP_SECONDS))
    ]
    assert not any(silent), "\n".join(filter(None, silent))
