"""SIP phones that transfer, pick up and redirect calls of the attendant.

The tests check the tones in the audio that each phone receives.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pytest
import pytest_twisted

from real_asterisk.phones.call import Call, State
from real_asterisk.phones.phone import until_speaking
from real_asterisk.phones.tones import ASTERISK

if TYPE_CHECKING:
    from real_asterisk.harness import Asterisk
    from real_asterisk.phones.phone import SipPhone
    from tests.support.phones_harness import PhonesHarness

pytestmark = pytest.mark.asterisk

SETTINGS = """
[attendant]
entry = "main"
drain_timeout = 0
[menus.main]
prompt = ["press-1"]
timeout = 30
[menus.main.options]
1 = { dial = "PJSIP/bob", then = "hangup", else = "hangup" }
2 = { dial = "Local/bob@sip-phones", then = "hangup" }
[menus.shop]
prompt = ["press-2"]
timeout = 30
[menus.shop.options]
2 = "hangup"
[[routes]]
argument = "one"
to = "shop"
[[routes]]
did = "+441632960001"
to = "shop"
"""


class Conversation(NamedTuple):
    """A conversation of alice, who has called the attendant, with bob."""

    placed: Call
    received: Call


async def conversation(
    harness: PhonesHarness, alice: SipPhone, bob: SipPhone, *, key: str = "1"
) -> Conversation:
    """Let alice call the attendant, which connects her with bob."""
    bob.on_call = Call.answer
    placed = await harness.choose(alice, key)
    received = await bob.until_called()
    await until_speaking(alice, bob)
    return Conversation(placed, received)


async def transfer(call: Call, by: SipPhone, to: SipPhone, kind: str) -> None:
    """Transfer the other party of a call to a phone, which answers."""
    to.on_call = Call.answer
    if kind == "blind":
        await call.blind_transfer(to.name)
        return
    await call.hold()
    consultation = by.dial(to.name)
    await until_speaking(by, to)
    await call.attended_transfer(consultation)


async def end(
    first: SipPhone,
    second: SipPhone,
    harness: PhonesHarness,
    *,
    warnings: int = 0,
) -> None:
    """Have a phone hang up: the other is hung up, and nothing is left behind."""
    for call in first.calls:
        if call.state is not State.ENDED:
            await call.hang_up()
    for call in second.calls:
        await call.until_ended()
    await harness.until_nothing_left()
    assert len(harness.warnings) == warnings, harness.warnings


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("ends", ["caller", "other phone"])
@pytest.mark.parametrize("kind", ["blind", "attended"])
async def test_dialled_phone_transfers_the_caller(
    harness: PhonesHarness, phones: list[SipPhone], kind: str, ends: str
) -> None:
    alice, bob, carol = phones
    _, received = await conversation(harness, alice, bob)
    await transfer(received, bob, carol, kind)
    await until_speaking(alice, carol)
    await received.until_ended()
    if ends == "caller":
        await end(alice, carol, harness)
    else:
        await end(carol, alice, harness)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("ends", ["dialled phone", "other phone"])
@pytest.mark.parametrize("kind", ["blind", "attended"])
async def test_caller_transfers_the_dialled_phone(
    harness: PhonesHarness, phones: list[SipPhone], kind: str, ends: str
) -> None:
    alice, bob, carol = phones
    placed, _ = await conversation(harness, alice, bob)
    await transfer(placed, alice, carol, kind)
    await until_speaking(bob, carol)
    await placed.until_ended()
    if ends == "dialled phone":
        await end(bob, carol, harness)
    else:
        await end(carol, bob, harness)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", ["1", "2"])
@pytest.mark.parametrize("ends", ["caller", "other phone"])
async def test_ringing_phone_is_picked_up(
    harness: PhonesHarness, phones: list[SipPhone], ends: str, key: str
) -> None:
    alice, bob, carol = phones
    await harness.choose(alice, key)
    received = await bob.until_called()
    carol.dial("*8bob")
    await until_speaking(alice, carol)
    await received.until_ended()
    if ends == "caller":
        await end(alice, carol, harness)
    else:
        await end(carol, alice, harness)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("by", ["dialled phone", "caller"])
@pytest.mark.parametrize("kind", ["blind", "attended"])
async def test_party_of_a_dialled_number_transfers(
    harness: PhonesHarness, phones: list[SipPhone], kind: str, by: str
) -> None:
    alice, bob, carol = phones
    placed, received = await conversation(harness, alice, bob, key="2")
    if by == "caller":
        await transfer(placed, alice, carol, kind)
        stays = bob
    else:
        await transfer(received, bob, carol, kind)
        stays = alice
    await until_speaking(stays, carol)
    await end(carol, stays, harness)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(("key", "speaks"), [("1", False), ("2", True)])
async def test_forwarding_needs_a_dialled_number(
    harness: PhonesHarness, phones: list[SipPhone], key: str, *, speaks: bool
) -> None:
    alice, bob, carol = phones
    bob.on_call = partial(Call.redirect, extension="carol")
    carol.on_call = Call.answer
    placed = await harness.choose(alice, key)
    if speaks:
        await until_speaking(alice, carol)
    else:
        await placed.until_ended()
    await end(alice, carol, harness)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", ["1", "2"])
async def test_early_media_is_not_heard(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> None:
    alice, bob, _ = phones
    bob.on_call = Call.send_early_media
    await harness.choose(alice, key)
    received = await bob.until_called()
    await alice.until_hears(ASTERISK)
    received.answer()
    await until_speaking(alice, bob)
    await end(alice, bob, harness)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", ["1", "2"])
async def test_hold_plays_music_to_the_other(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> None:
    alice, bob, _ = phones
    _, received = await conversation(harness, alice, bob, key=key)
    await received.hold()
    await alice.until_hears(ASTERISK)
    await received.resume()
    await until_speaking(alice, bob)
    await end(alice, bob, harness)


@pytest_twisted.ensureDeferred
async def test_transferred_conversation_is_transferred_again(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, bob, carol = phones
    _, received = await conversation(harness, alice, bob)
    await transfer(received, bob, carol, "blind")
    await until_speaking(alice, carol)
    await transfer(carol.calls[0], carol, bob, "attended")
    await until_speaking(alice, bob)
    await end(bob, alice, harness)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("extension", ["1001", "+441632960001"])
async def test_caller_is_transferred_to_the_attendant(
    harness: PhonesHarness, phones: list[SipPhone], extension: str
) -> None:
    alice, bob, _ = phones
    bob.on_call = Call.answer
    placed = alice.dial("bob")
    received = await bob.until_called()
    await until_speaking(alice, bob)
    await received.hold()
    consultation = bob.dial(extension)
    await bob.until_hears(ASTERISK)
    await received.attended_transfer(consultation)
    await harness.until_played("press-2", times=2)
    # Only the menu of the route has this option.
    await placed.press("2")
    await placed.until_ended()
    await end(alice, bob, harness)


@pytest_twisted.ensureDeferred
async def test_caller_of_a_conversation_is_transferred_to_the_attendant(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, bob, _ = phones
    placed, received = await conversation(harness, alice, bob)
    await received.hold()
    consultation = bob.dial("1001")
    await bob.until_hears(ASTERISK)
    await received.attended_transfer(consultation)
    await received.until_ended()
    await harness.until_played("press-2", times=2)
    # Only the menu of the route has this option.
    await placed.press("2")
    await placed.until_ended()
    await end(alice, bob, harness)


@pytest_twisted.ensureDeferred
async def test_redirected_phone_is_left_alone(
    harness: PhonesHarness, phones: list[SipPhone], asterisk: Asterisk
) -> None:
    alice, bob, _ = phones
    placed, received = await conversation(harness, alice, bob)
    name = await harness.channel_name("bob")
    await asterisk.cli(f"channel redirect {name} phones,speaks,1")
    await placed.until_ended()
    await harness.attendant.until_idle()
    # Asterisk goes on to list the phone's channel as one of the application.
    await harness.lose_connection()
    await bob.until_hears(ASTERISK)
    assert received.state is not State.ENDED
    await end(bob, alice, harness, warnings=1)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("by", ["dialled phone", "caller"])
async def test_transfer_whose_events_are_lost_is_followed(
    harness: PhonesHarness, phones: list[SipPhone], by: str
) -> None:
    alice, bob, carol = phones
    placed, received = await conversation(harness, alice, bob)
    # Asterisk takes the connection for open: without one, it refuses a transfer.
    harness.proxy.freeze()
    if by == "caller":
        await transfer(placed, alice, carol, "blind")
        stays = bob
    else:
        await transfer(received, bob, carol, "blind")
        stays = alice
    await until_speaking(stays, carol)
    await harness.lose_connection()
    await until_speaking(stays, carol)
    # A line for the lost connection, and one for the calls that wait for another.
    await end(carol, stays, harness, warnings=2)


@pytest_twisted.ensureDeferred
async def test_pickup_whose_events_are_lost_is_an_answer(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, bob, carol = phones
    await harness.choose(alice, "1")
    await bob.until_called()
    harness.proxy.freeze()
    carol.dial("*8bob")
    await harness.until_entered("carol")
    await harness.lose_connection()
    await until_speaking(alice, carol)
    await end(alice, carol, harness, warnings=2)


@pytest_twisted.ensureDeferred
async def test_transferred_conversation_outlasts_a_lost_connection(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, bob, carol = phones
    placed, _ = await conversation(harness, alice, bob)
    await transfer(placed, alice, carol, "attended")
    await until_speaking(bob, carol)
    await harness.lose_connection()
    await until_speaking(bob, carol)
    await end(bob, carol, harness, warnings=2)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("ends", ["caller", "other phone"])
async def test_next_run_adopts_a_transferred_conversation(
    harness: PhonesHarness, phones: list[SipPhone], ends: str
) -> None:
    alice, bob, carol = phones
    _, received = await conversation(harness, alice, bob)
    await transfer(received, bob, carol, "blind")
    await until_speaking(alice, carol)
    await harness.restart()
    await until_speaking(alice, carol)
    if ends == "caller":
        await end(alice, carol, harness)
    else:
        await end(carol, alice, harness)
