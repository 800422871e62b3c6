"""`real_asterisk.phones`: the phones, in the dialplan of Asterisk alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.harness import Asterisk
from real_asterisk.phones.call import Call, State
from real_asterisk.phones.phone import registered_phones, until_speaking
from real_asterisk.phones.tones import ASTERISK
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.waiting import nothing_left, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation
    from real_asterisk.phones.phone import SipPhone

pytestmark = pytest.mark.asterisk


async def conversation(caller: SipPhone, called: SipPhone) -> tuple[Call, Call]:
    """Connect two phones, and return the calls of both.

    Asterisk refuses a transfer, with 400, until the phones hear each other.
    """
    placed = caller.dial(called.name)
    received = await called.until_called()
    received.answer()
    await until_speaking(caller, called)
    return placed, received


async def call_of_alice(alice: SipPhone, bob: SipPhone, side: str) -> Call:
    """Connect alice and bob, with alice as the caller or as the called phone."""
    if side == "caller":
        return (await conversation(alice, bob))[0]
    return (await conversation(bob, alice))[1]


@pytest_twisted.ensureDeferred
async def test_phones_in_a_call_hear_each_other(phones: list[SipPhone]) -> None:
    alice, bob, carol = phones
    placed = alice.dial("bob")
    received = await bob.until_called()
    await placed.until_ringing()
    assert alice.hears == bob.hears == set()
    received.answer()
    await until_speaking(alice, bob)
    assert carol.hears == set()
    await placed.hang_up()
    await received.until_ended()
    assert received.reasons == ["Q.850;cause=16"]
    assert alice.hears == bob.hears == set()


@pytest_twisted.ensureDeferred
async def test_called_phone_hangs_up(phones: list[SipPhone]) -> None:
    alice, bob, _ = phones
    placed, received = await conversation(alice, bob)
    await received.hang_up()
    await placed.until_ended()
    assert placed.reasons == ["Q.850;cause=16"]
    assert received.end is None


@pytest_twisted.ensureDeferred
async def test_caller_hangs_up_before_the_answer(phones: list[SipPhone]) -> None:
    alice, bob, _ = phones
    placed = alice.dial("bob")
    received = await bob.until_called()
    await placed.hang_up()
    await received.until_ended()
    assert placed.status == received.status == 487
    assert received.end is not None
    assert received.end.cseq_method == "CANCEL"


@pytest_twisted.ensureDeferred
async def test_caller_hangs_up_at_once(phones: list[SipPhone]) -> None:
    alice, *_ = phones
    placed = alice.dial("bob")
    await placed.hang_up()
    assert placed.state is State.ENDED


@pytest_twisted.ensureDeferred
async def test_phone_hangs_up_before_its_answer_is_acknowledged(
    phones: list[SipPhone],
) -> None:
    alice, bob, _ = phones
    placed = alice.dial("bob")
    received = await bob.until_called()
    received.answer()
    await received.hang_up()
    await placed.until_ended()
    assert placed.status == 200


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("on_call", "status", "reason"),
    [
        (Call.reject, 486, "Q.850;cause=17"),
        # Asterisk itself translates cause 21 to 403.
        (partial(Call.reject, status=603), 403, "Q.850;cause=21"),
        (partial(Call.reject, status=480), 480, "Q.850;cause=19"),
    ],
)
async def test_rejected_call_tells_the_caller_why(
    phones: list[SipPhone],
    on_call: Callable[[Call], object],
    status: int,
    reason: str,
) -> None:
    alice, bob, _ = phones
    bob.on_call = on_call
    placed = alice.dial("bob")
    await placed.until_ended()
    assert (placed.status, placed.reasons) == (status, [reason])


@pytest_twisted.ensureDeferred
async def test_unregistered_phone_is_not_called(phones: list[SipPhone]) -> None:
    alice, *_ = phones
    placed = alice.dial("dave")
    await placed.until_ended()
    assert placed.status == 404


@pytest_twisted.ensureDeferred
async def test_redirected_call_reaches_the_other_phone(
    phones: list[SipPhone],
) -> None:
    alice, bob, carol = phones
    bob.on_call = partial(Call.redirect, extension="carol")
    carol.on_call = Call.answer
    alice.dial("bob")
    await until_speaking(alice, carol)
    assert carol.calls[0].invite.address("Diversion").user == "bob"


@pytest_twisted.ensureDeferred
async def test_early_media_is_heard_before_the_answer(
    phones: list[SipPhone],
) -> None:
    alice, bob, _ = phones
    bob.on_call = Call.send_early_media
    placed = alice.dial("bob")
    await alice.until_hears("bob")
    assert (placed.state, placed.status) == (State.RINGING, 183)
    assert bob.hears == set()
    (await bob.until_called()).answer()
    await until_speaking(alice, bob)


@pytest_twisted.ensureDeferred
async def test_hold_plays_music_until_the_call_is_resumed(
    phones: list[SipPhone],
) -> None:
    alice, bob, _ = phones
    calls = await conversation(alice, bob)
    for call, holder, other in zip(calls, (alice, bob), (bob, alice), strict=True):
        await call.hold()
        await other.until_hears(ASTERISK)
        await holder.until_hears()
        await call.resume()
        await until_speaking(alice, bob)


@pytest_twisted.ensureDeferred
async def test_keys_arrive_at_the_other_phone(
    phones: list[SipPhone], reactor: PosixReactorBase
) -> None:
    alice, bob, _ = phones
    placed, received = await conversation(alice, bob)
    await placed.press("12#")
    await received.press("*0")
    await until(reactor, lambda: (received.keys, placed.keys) == ("12#", "*0"))
    await until_speaking(alice, bob)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("side", ["caller", "called"])
async def test_blind_transfer_connects_the_other_two(
    phones: list[SipPhone], reactor: PosixReactorBase, side: str
) -> None:
    alice, bob, carol = phones
    carol.on_call = Call.answer
    mine = await call_of_alice(alice, bob, side)
    assert await mine.blind_transfer("carol") == 200
    await until_speaking(bob, carol)
    assert alice.hears == set()
    assert mine.state is State.ENDED
    assert carol.calls[0].remote_party.name == "Bob"
    await until(reactor, lambda: bob.calls[0].remote_party.name == "Carol")


@pytest_twisted.ensureDeferred
async def test_blind_transfer_to_an_unknown_extension_fails(
    phones: list[SipPhone],
) -> None:
    alice, bob, _ = phones
    placed, _received = await conversation(alice, bob)
    assert await placed.blind_transfer("5") == 404
    await until_speaking(alice, bob)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("side", ["caller", "called"])
async def test_attended_transfer_connects_the_other_two(
    phones: list[SipPhone], side: str
) -> None:
    alice, bob, carol = phones
    mine = await call_of_alice(alice, bob, side)
    await mine.hold()
    consultation, _ = await conversation(alice, carol)
    assert await mine.attended_transfer(consultation) == 200
    await until_speaking(bob, carol)
    assert mine.state is consultation.state is State.ENDED


@pytest_twisted.ensureDeferred
async def test_pickup_ends_the_ringing_as_answered_elsewhere(
    phones: list[SipPhone], reactor: PosixReactorBase
) -> None:
    alice, bob, carol = phones
    placed = alice.dial("bob")
    ringing = await bob.until_called()
    carol.dial("*8bob")
    await until_speaking(alice, carol)
    await ringing.until_ended()
    assert ringing.reasons == [
        'SIP;cause=200;text="Call completed elsewhere"',
        "Q.850;cause=26",
    ]
    await until(reactor, lambda: placed.remote_party.name == "Carol")


@pytest_twisted.ensureDeferred
async def test_phone_that_is_referred_calls_the_target(
    phones: list[SipPhone],
) -> None:
    alice, bob, _ = phones
    bob.on_call = Call.answer
    referred = alice.dial("*7bob")
    await until_speaking(alice, bob)
    await referred.until_ended()


@pytest_twisted.ensureDeferred
async def test_called_phone_is_shown_the_callers_name_and_number(
    phones: list[SipPhone],
) -> None:
    alice, bob, _ = phones
    alice.dial("bob", name="Ada Byron", number="0123")
    shown = (await bob.until_called()).remote_party
    assert (shown.name, shown.user) == ("Ada Byron", "0123")


@pytest_twisted.ensureDeferred
async def test_withheld_number_is_not_shown(phones: list[SipPhone]) -> None:
    alice, bob, _ = phones
    alice.dial("bob", number="0123", is_withheld=True)
    invite = (await bob.until_called()).invite
    assert invite.address("From").user == "anonymous"
    assert invite.get("Privacy") == "id"
    assert invite.address("P-Asserted-Identity").user == "0123"


@pytest_twisted.ensureDeferred
async def test_diverted_call_names_the_first_number(phones: list[SipPhone]) -> None:
    alice, bob, _ = phones
    alice.dial("bob", diverted_from="0456")
    invite = (await bob.until_called()).invite
    assert invite.address("Diversion").user == "0456"
    assert "reason=unconditional" in invite.get("Diversion")


@pytest_twisted.ensureDeferred
async def test_three_phones_in_a_bridge_hear_one_another(
    phones: list[SipPhone], reactor: PosixReactorBase, asterisk: Asterisk
) -> None:
    backend = await RealAsteriskHarness.open(reactor, asterisk)
    events = await backend.listen()
    await backend.ari.post("/bridges/conference", type="mixing")
    for phone in phones:
        phone.dial("1000")
        start = await events.wait_for(
            lambda it: (
                it.type == "StasisStart"
                and it.json["channel"]["name"].startswith(f"PJSIP/{phone.name}-")  # noqa: B023
            )
        )
        channel = start.json["channel"]["id"]
        await backend.ari.post(f"/channels/{channel}/answer")
        await backend.ari.post("/bridges/conference/addChannel", channel=channel)
    await until_speaking(*phones)
    await phones[0].calls[0].hang_up()
    await until_speaking(*phones[1:])
    await backend.close()


@pytest_twisted.ensureDeferred
async def test_closed_phones_leave_nothing(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> None:
    async with (
        nothing_left(reactor),
        registered_phones(reactor, asterisk.sip_port, "alice", "bob", "carol") as all_,
    ):
        alice, bob, carol = all_
        placed, _received = await conversation(alice, bob)
        await placed.hold()
        alice.dial("carol")
        await carol.until_called()
        carol.dial("5")
        bob.dial("alice")
    calls = [call for phone in all_ for call in phone.calls]
    assert {call.state for call in calls} == {State.ENDED}


@pytest_twisted.ensureDeferred
async def test_phones_of_a_killed_asterisk_leave_nothing(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    async with (
        nothing_left(reactor),
        Asterisk.running(reactor, installation=installation) as asterisk,
        registered_phones(reactor, asterisk.sip_port, "alice", "bob") as (alice, bob),
    ):
        await conversation(alice, bob)
        await asterisk.kill()
        await alice.until_hears()


@pytest_twisted.ensureDeferred
async def test_registrations_survive_a_restart_of_asterisk(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    async with (
        Asterisk.running(reactor, installation=installation) as asterisk,
        registered_phones(reactor, asterisk.sip_port, "alice", "bob") as (alice, bob),
    ):
        await asterisk.halt()
        await asterisk.boot()
        await conversation(alice, bob)
        assert "WARNING" not in asterisk.log()
