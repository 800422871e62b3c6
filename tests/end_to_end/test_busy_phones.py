"""Dialled SIP phones that are in a call, or do not want to be disturbed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.phones.call import Call, State
from real_asterisk.phones.phone import until_speaking

if TYPE_CHECKING:
    from real_asterisk.phones.phone import SipPhone
    from tests.support.phones_harness import PhonesHarness

pytestmark = pytest.mark.asterisk

SETTINGS = """
[attendant]
drain_timeout = 0
[menus.main]
prompt = ["press-1"]
timeout = 30
[menus.main.options]
1 = { dial = "PJSIP/bob" }
2 = { dial = "Local/bob@sip-phones" }
"""

BUSY, NOT_ANSWERED = "vm-isonphone", "number-not-answering"


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", ["1", "2"])
async def test_phone_with_call_waiting_rings_during_a_call(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> None:
    alice, bob, carol = phones
    bob.on_call = Call.answer
    carol.dial("bob")
    first = await bob.until_called()
    await until_speaking(bob, carol)
    bob.on_call = Call.ring
    placed = await harness.choose(alice, key)
    second = await bob.until_called()
    await first.hold()
    second.answer()
    await until_speaking(alice, bob)
    await second.hang_up()
    await placed.until_ended()
    assert first.state is State.UP
    await first.hang_up()
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("key", "status", "sound"),
    [
        ("1", 486, BUSY),
        ("1", 600, BUSY),
        ("1", 480, NOT_ANSWERED),
        ("1", 603, NOT_ANSWERED),
        ("2", 486, BUSY),
        ("2", 603, NOT_ANSWERED),
    ],
)
async def test_caller_is_told_that_a_phone_is_busy_or_not_answered(
    harness: PhonesHarness,
    phones: list[SipPhone],
    key: str,
    status: int,
    sound: str,
) -> None:
    alice, bob, _ = phones
    bob.on_call = partial(Call.reject, status=status)
    placed = await harness.choose(alice, key)
    await harness.until_played(sound, times=1)
    await placed.hang_up()
    await harness.until_nothing_left()
