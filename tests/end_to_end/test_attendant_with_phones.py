"""The attendant connects SIP phones: who hears whom is measured in their audio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from real_asterisk.phones.call import Call
from real_asterisk.phones.phone import until_speaking
from real_asterisk.phones.tones import ASTERISK
from tests.support.phones_harness import PhonesHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.harness import Asterisk
    from real_asterisk.phones.phone import SipPhone

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


@pytest.fixture
def harness(reactor: PosixReactorBase, asterisk: Asterisk) -> Iterator[PhonesHarness]:
    """Run an attendant with the settings above."""
    opening = PhonesHarness.open(reactor, asterisk, SETTINGS)
    started: PhonesHarness = pytest_twisted.blockon(ensureDeferred(opening))
    yield started
    pytest_twisted.blockon(ensureDeferred(started.close()))


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("side", ["caller", "dialled phone"])
async def test_caller_and_dialled_phone_speak_until_one_hangs_up(
    harness: PhonesHarness, phones: list[SipPhone], side: str
) -> None:
    alice, bob, _ = phones
    bob.on_call = Call.answer
    placed = alice.dial("1000")
    await alice.until_hears(ASTERISK)
    await placed.press("1")
    received = await bob.until_called()
    await until_speaking(alice, bob)
    await (placed if side == "caller" else received).hang_up()
    await placed.until_ended()
    await received.until_ended()
    await harness.until_nothing_left()
    assert harness.warnings == []
