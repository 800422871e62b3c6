"""Callers who hear what a phone's network sends before the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

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
1 = { dial = "PJSIP/bob", early_media = true, label = "Sales" }
2 = { dial = "Local/bob@sip-phones", early_media = true, label = "Sales" }
3 = { dial = ["PJSIP/bob", "PJSIP/carol"], early_media = true }
4 = { dial = "PJSIP/bob", early_media = true, ring = 1 }
"""

KINDS = pytest.mark.parametrize("key", ["1", "2"])


async def early(harness: PhonesHarness, phones: list[SipPhone], key: str) -> Call:
    """Let alice dial bob, and hear his early media; return bob's call."""
    alice, bob, _ = phones
    bob.on_call = Call.send_early_media
    await harness.choose(alice, key)
    received = await bob.until_called()
    await alice.until_hears("bob")
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
@KINDS
@pytest.mark.parametrize("ends", ["caller", "phone"])
async def test_early_media_is_heard_and_the_phone_answers(
    harness: PhonesHarness, phones: list[SipPhone], key: str, ends: str
) -> None:
    alice, bob, _ = phones
    received = await early(harness, phones, key)
    shown = received.invite.address("From")
    assert (shown.name, shown.user) == ("Sales: Alice", "alice")
    received.answer()
    await until_speaking(alice, bob)
    both = alice.calls[0], received
    await end(harness, *(both if ends == "caller" else reversed(both)))


@pytest_twisted.ensureDeferred
@KINDS
async def test_ring_tone_is_heard_until_there_is_early_media(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> None:
    alice, bob, _ = phones
    placed = await harness.choose(alice, key)
    received = await bob.until_called()
    await alice.until_hears(ASTERISK)
    received.send_early_media()
    await alice.until_hears("bob")
    received.answer()
    await until_speaking(alice, bob)
    await end(harness, placed, received)


@pytest_twisted.ensureDeferred
@KINDS
async def test_phone_answers_without_early_media(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> None:
    alice, bob, _ = phones
    bob.on_call = Call.answer
    placed = await harness.choose(alice, key)
    await until_speaking(alice, bob)
    await end(harness, bob.calls[0], placed)


@pytest_twisted.ensureDeferred
@KINDS
@pytest.mark.parametrize(
    ("status", "sound"),
    [
        (486, "vm-isonphone"),
        (503, "all-circuits-busy-now"),
        (603, "number-not-answering"),
    ],
)
@pytest.mark.parametrize("has_media", [True, False])
async def test_outcome_is_told_after_early_media(
    harness: PhonesHarness,
    phones: list[SipPhone],
    key: str,
    status: int,
    sound: str,
    *,
    has_media: bool,
) -> None:
    alice, bob, _ = phones
    if has_media:
        received = await early(harness, phones, key)
    else:
        await harness.choose(alice, key)
        received = await bob.until_called()
    received.reject(status)
    await harness.until_played(sound, times=1)
    await harness.until_played("press-1", times=2)
    await alice.until_hears(ASTERISK)
    await end(harness, alice.calls[0])


@pytest_twisted.ensureDeferred
async def test_ring_time_ends_early_media(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, *_ = phones
    received = await early(harness, phones, "4")
    await received.until_ended()
    assert received.reasons == ["Q.850;cause=19"]
    await harness.until_played("number-not-answering", times=1)
    await end(harness, alice.calls[0])


@pytest_twisted.ensureDeferred
@KINDS
async def test_callers_hangup_ends_early_media(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> None:
    alice, *_ = phones
    received = await early(harness, phones, key)
    await end(harness, alice.calls[0], received)
    assert received.reasons == ["Q.850;cause=16"]


@pytest_twisted.ensureDeferred
async def test_next_phone_rings_after_early_media(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, _, carol = phones
    received = await early(harness, phones, "3")
    received.reject(486)
    second = await carol.until_called()
    await alice.until_hears(ASTERISK)
    second.answer()
    await until_speaking(alice, carol)
    await end(harness, second, alice.calls[0])


@pytest_twisted.ensureDeferred
@KINDS
@pytest.mark.parametrize("has_media", [True, False])
async def test_phone_is_picked_up(
    harness: PhonesHarness, phones: list[SipPhone], key: str, *, has_media: bool
) -> None:
    alice, bob, carol = phones
    placed = await harness.choose(alice, key)
    received = await bob.until_called()
    if has_media:
        received.send_early_media()
        await alice.until_hears("bob")
    carol.dial("*8bob")
    await until_speaking(alice, carol)
    await received.until_ended()
    await end(harness, placed, carol.calls[0])


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("by", ["phone", "caller"])
async def test_conversation_after_early_media_is_transferred(
    harness: PhonesHarness, phones: list[SipPhone], by: str
) -> None:
    alice, bob, carol = phones
    received = await early(harness, phones, "1")
    received.answer()
    await until_speaking(alice, bob)
    carol.on_call = Call.answer
    if by == "phone":
        await received.blind_transfer("carol")
        await until_speaking(alice, carol)
        await end(harness, alice.calls[0], carol.calls[0])
    else:
        await alice.calls[0].blind_transfer("carol")
        await until_speaking(bob, carol)
        await end(harness, received, carol.calls[0])


@pytest_twisted.ensureDeferred
@KINDS
@pytest.mark.parametrize("answers", [True, False])
async def test_early_media_outlasts_a_lost_connection(
    harness: PhonesHarness, phones: list[SipPhone], key: str, *, answers: bool
) -> None:
    """The answer comes while there is no connection, or after that."""
    alice, bob, _ = phones
    received = await early(harness, phones, key)
    if answers:
        harness.proxy.freeze()
        received.answer()
        await received.until_up()
    await harness.lose_connection()
    if not answers:
        received.answer()
    await until_speaking(alice, bob)
    await received.hang_up()
    await alice.calls[0].until_ended()
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
async def test_end_of_early_media_is_noticed_after_a_lost_connection(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, *_ = phones
    received = await early(harness, phones, "1")
    harness.proxy.freeze()
    received.reject(486)
    await harness.lose_connection()
    await harness.until_played("number-not-answering", times=1)
    await alice.calls[0].hang_up()
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
async def test_stop_ends_early_media(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    received = await early(harness, phones, "1")
    await harness.restart()
    await received.until_ended()
    await phones[0].calls[0].hang_up()
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
async def test_phone_is_hung_up_after_a_crash_and_its_caller_hears_the_menu(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, *_ = phones
    received = await early(harness, phones, "1")
    # Nothing that is sent while it stops arrives.
    harness.proxy.freeze()
    await harness.attendant.service.stopService()
    harness.proxy.cut()
    harness.proxy.heal()
    assert received.state is State.RINGING
    harness.attendant.service.startService()
    await harness.until_reconciled()
    await received.until_ended()
    await harness.until_played("press-1", times=2)
    await alice.until_hears(ASTERISK)
    await alice.calls[0].hang_up()
    await harness.until_nothing_left()
