"""SIP phones that take a call by pressing 1, or do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from channel_aa.attendant import confirmation
from real_asterisk.phones.call import Call, State
from real_asterisk.phones.phone import until_speaking
from real_asterisk.phones.tones import ASTERISK

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
1 = { dial = "PJSIP/bob", confirm = true, else = "hangup" }
2 = { dial = "Local/bob@sip-phones", confirm = true, else = "hangup" }
3 = { dial = ["PJSIP/bob", "PJSIP/carol"], ring = 2, confirm = ["demo-congrats"] }
4 = { dial = ["PJSIP/bob", "PJSIP/carol"], strategy = "ringall", confirm = true }
"""

ELSEWHERE = ['SIP;cause=200;text="Call completed elsewhere"', "Q.850;cause=26"]


async def answered(phone: SipPhone) -> Call:
    """Answer a phone's next call, and wait until it hears the prompt."""
    received = await phone.until_called()
    received.answer()
    await phone.until_hears(ASTERISK)
    return received


async def end(harness: PhonesHarness, first: Call, *others: Call) -> None:
    """Hang up: the others are hung up, and nothing is left behind."""
    if first.state is not State.ENDED:
        await first.hang_up()
    for call in others:
        await call.until_ended()
    await harness.until_nothing_left()
    assert harness.warnings == []


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", ["1", "2"])
async def test_phone_takes_the_call_with_1(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> None:
    alice, bob, _ = phones
    placed = await harness.choose(alice, key)
    received = await answered(bob)
    # The caller hears the ring tone.
    await alice.until_hears(ASTERISK)
    assert placed.state is received.state is State.UP
    await received.press("1")
    await until_speaking(alice, bob)
    await end(harness, placed, received)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", ["1", "2"])
@pytest.mark.parametrize("how", ["other key", "silence", "hangup"])
async def test_phone_that_does_not_press_1_does_not_take_the_call(
    harness: PhonesHarness,
    phones: list[SipPhone],
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    how: str,
) -> None:
    alice, bob, _ = phones
    placed = await harness.choose(alice, key)
    if how == "silence":
        monkeypatch.setattr(confirmation, "CONFIRM_SECONDS", 0.1)
    received = await answered(bob)
    if how == "other key":
        await received.press("2")
    elif how == "hangup":
        await received.hang_up()
    await placed.until_ended()
    assert "bob" not in alice.hears
    await end(harness, received)


@pytest_twisted.ensureDeferred
async def test_ring_time_does_not_end_the_prompt(
    harness: PhonesHarness, phones: list[SipPhone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next phone does not ring meanwhile."""
    monkeypatch.setattr(confirmation, "CONFIRM_SECONDS", 0.1)
    alice, bob, carol = phones
    placed = await harness.choose(alice, "3")
    received = await answered(bob)
    # The sound is longer than the ring time.
    await harness.until_played("demo-congrats", times=2)
    assert carol.calls == []
    await received.press("1")
    await until_speaking(alice, bob)
    await end(harness, received, placed)


@pytest_twisted.ensureDeferred
async def test_next_phone_rings_after_a_refusal(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, bob, carol = phones
    placed = await harness.choose(alice, "3")
    refuses = await answered(bob)
    await refuses.press("2")
    takes = await answered(carol)
    await refuses.until_ended()
    await takes.press("1")
    await until_speaking(alice, carol)
    await end(harness, placed, takes)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("loser_answers", [True, False])
async def test_first_that_presses_1_wins_a_ringall(
    harness: PhonesHarness, phones: list[SipPhone], *, loser_answers: bool
) -> None:
    alice, bob, carol = phones
    placed = await harness.choose(alice, "4")
    if loser_answers:
        loser = await answered(bob)
    else:
        loser = await bob.until_called()
    winner = await answered(carol)
    assert loser.state is (State.UP if loser_answers else State.RINGING)
    await winner.press("1")
    await until_speaking(alice, carol)
    await loser.until_ended()
    assert loser.reasons == ELSEWHERE
    await end(harness, winner, placed)


@pytest_twisted.ensureDeferred
async def test_callers_hangup_ends_the_prompt(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, bob, carol = phones
    placed = await harness.choose(alice, "4")
    hears, rings = await answered(bob), await carol.until_called()
    await end(harness, placed, hears, rings)


@pytest_twisted.ensureDeferred
async def test_phone_takes_the_call_after_a_lost_connection(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, bob, _ = phones
    placed = await harness.choose(alice, "3")
    received = await answered(bob)
    await harness.lose_connection()
    await received.press("1")
    await until_speaking(alice, bob)
    await placed.hang_up()
    await received.until_ended()
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
async def test_restart_hangs_up_the_phone_that_hears_the_prompt(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, bob, _ = phones
    placed = await harness.choose(alice, "1")
    received = await answered(bob)
    await harness.restart()
    await received.until_ended()
    await placed.hang_up()
    await harness.until_nothing_left()
