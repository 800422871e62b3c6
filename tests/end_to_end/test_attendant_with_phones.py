"""The attendant connects SIP phones: who hears whom is measured in their audio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.phones.call import Call
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
1 = { dial = "PJSIP/bob", then = "hangup" }
"""


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("side", ["caller", "dialled phone"])
async def test_caller_and_dialled_phone_speak_until_one_hangs_up(
    harness: PhonesHarness, phones: list[SipPhone], side: str
) -> None:
    alice, bob, _ = phones
    bob.on_call = Call.answer
    placed = await harness.choose(alice, "1")
    received = await bob.until_called()
    await until_speaking(alice, bob)
    await (placed if side == "caller" else received).hang_up()
    await placed.until_ended()
    await received.until_ended()
    await harness.until_nothing_left()
    assert harness.warnings == []
