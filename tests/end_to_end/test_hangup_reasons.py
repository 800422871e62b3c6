"""What SIP phones are told when they stop ringing, and callers when they are hung up.

The same is tried with Dial() in the dialplan (the extension ``both``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.phones.phone import until_speaking

if TYPE_CHECKING:
    from real_asterisk.phones.call import Call
    from real_asterisk.phones.phone import SipPhone
    from tests.support.phones_harness import PhonesHarness

pytestmark = pytest.mark.asterisk

SETTINGS = """
[attendant]
drain_timeout = 0
[menus.main]
prompt = ["press-1"]
timeout = 30
[actions]
both = { dial = ["PJSIP/bob", "PJSIP/carol"], strategy = "ringall", ring = 2, else = "hangup" }
[menus.main.options]
1 = "both"
2 = { dial = ["Local/bob@sip-phones", "Local/carol@sip-phones"], strategy = "ringall", ring = 2 }
3 = { dial = "PJSIP/bob", else = "hangup" }
"""  # noqa: E501 - a table of TOML has one line

NORMAL = ["Q.850;cause=16"]
ELSEWHERE = ['SIP;cause=200;text="Call completed elsewhere"', "Q.850;cause=26"]

DIALPLAN = ""
"""Instead of the key of an option: Dial() in the dialplan."""


async def ring_both(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> tuple[Call, Call, Call]:
    """Let alice ring bob and carol, through an option or in the dialplan."""
    alice, bob, carol = phones
    if key == DIALPLAN:
        placed = alice.dial("both")
        await placed.until_up()
    else:
        placed = await harness.choose(alice, key)
    return placed, await bob.until_called(), await carol.until_called()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", [DIALPLAN, "1", "2"])
async def test_phone_that_loses_is_told_that_the_call_was_answered_elsewhere(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> None:
    alice, _, carol = phones
    placed, loser, winner = await ring_both(harness, phones, key)
    winner.answer()
    await loser.until_ended()
    assert loser.reasons == ELSEWHERE
    await until_speaking(alice, carol)
    await winner.hang_up()
    await placed.until_ended()
    assert placed.reasons == NORMAL
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", [DIALPLAN, "1", "2"])
async def test_phones_are_told_that_the_caller_has_hung_up(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> None:
    placed, *ringing = await ring_both(harness, phones, key)
    await placed.hang_up()
    for each in ringing:
        await each.until_ended()
        assert each.reasons == NORMAL
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("key", "reasons"),
    # The dialplan tells no cause.
    [(DIALPLAN, ["Q.850;cause=0"]), ("1", ["Q.850;cause=19"])],
)
async def test_phones_that_ring_for_their_time_are_told_no_answer(
    harness: PhonesHarness, phones: list[SipPhone], key: str, reasons: list[str]
) -> None:
    _, *ringing = await ring_both(harness, phones, key)
    for each in ringing:
        await each.until_ended()
        assert each.reasons == reasons
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", [DIALPLAN, "1"])
async def test_decline_leaves_the_other_phone_ringing(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> None:
    alice, _, carol = phones
    _, declines, answers = await ring_both(harness, phones, key)
    declines.reject(603)
    answers.answer()
    await until_speaking(alice, carol)
    assert declines.end is None
    await answers.hang_up()
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("status", "reasons"),
    [(486, ["Q.850;cause=17"]), (503, ["Q.850;cause=34"]), (603, NORMAL)],
)
async def test_caller_is_hung_up_with_the_outcome_of_the_dial(
    harness: PhonesHarness, phones: list[SipPhone], status: int, reasons: list[str]
) -> None:
    alice, bob, _ = phones
    placed = await harness.choose(alice, "3")
    (await bob.until_called()).reject(status)
    await placed.until_ended()
    assert placed.reasons == reasons
    await harness.until_nothing_left()
