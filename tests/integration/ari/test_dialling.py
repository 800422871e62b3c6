"""Phones that are rung, answered or not, and conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError

from channel_aa.interfaces import ChannelGoneError, DialOutcome

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from tests.support.client_harness import ClientHarness, ConnectedCall

OUTCOMES = {
    "Local/answers@phones": DialOutcome.ANSWERED,
    "Local/busy@phones": DialOutcome.BUSY,
    "Local/congested@phones": DialOutcome.CONGESTION,
    "Local/declines@phones": DialOutcome.NO_ANSWER,
    "Local/rings@phones": DialOutcome.NO_ANSWER,
    "Local/silent@phones": DialOutcome.NO_ANSWER,
    "Local/nobody@phones": DialOutcome.UNAVAILABLE,
    "PJSIP/410": DialOutcome.UNAVAILABLE,
    "Bogus/410": DialOutcome.UNAVAILABLE,
    "410": DialOutcome.UNAVAILABLE,
}


@pytest_twisted.ensureDeferred
async def test_each_outcome_is_told_apart(party: ClientHarness) -> None:
    guest = await party.call()
    found = {}
    for endpoint in OUTCOMES:
        phone = guest.channel.dial(endpoint, ring_seconds=1)
        found[endpoint] = await phone.outcome
        phone.hang_up()
    assert found == OUTCOMES
    await party.has_no_phones()
    assert party.log(guest) == []


@pytest_twisted.ensureDeferred
async def test_the_phone_shows_the_label_and_who_calls(party: ClientHarness) -> None:
    guest = await party.call()
    phone = guest.channel.dial("Local/rings@phones", ring_seconds=9, label='Sa"les')
    await party.until(lambda: phone._is_dialed, "the phone to ring")
    shown = (await party.rest(f"/channels/{phone.id}"))["connected"]
    assert shown["name"].startswith("Sa les")
    assert shown["number"] == guest.channel.caller_number
    phone.hang_up()
    assert await phone.outcome is DialOutcome.NO_ANSWER
    await party.has_no_phones()


async def _in_conversation(
    party: ClientHarness,
) -> tuple[ConnectedCall, Deferred[None], str]:
    guest = await party.call()
    phone = guest.channel.dial("Local/answers@phones", ring_seconds=9)
    assert await phone.outcome is DialOutcome.ANSWERED
    over = phone.connect()

    async def both_speak() -> bool:
        bridges = await party.rest("/bridges")
        members = [set(bridge["channels"]) for bridge in bridges]
        return members == [{guest.channel.id, phone.id}]

    await party.stage.until(both_speak)
    assert not over.called
    return guest, over, phone.id


@pytest_twisted.ensureDeferred
async def test_the_caller_is_alone_again_when_the_phone_is_hung_up(
    party: ClientHarness,
) -> None:
    guest, over, phone_id = await _in_conversation(party)
    await party.stage.ari.delete(f"/channels/{phone_id}")
    await over
    await party.has_no_phones()
    assert party.log(guest) == []
    await guest.channel.play("sound:press-1").finished


@pytest_twisted.ensureDeferred
async def test_a_phone_that_hangs_up_ends_the_conversation(
    party: ClientHarness,
) -> None:
    guest = await party.call()
    phone = guest.channel.dial("Local/hangs-up@phones", ring_seconds=9)
    assert await phone.outcome is DialOutcome.ANSWERED
    await phone.connect()
    await party.has_no_phones()
    assert party.log(guest) == []


@pytest_twisted.ensureDeferred
async def test_a_caller_who_hangs_up_ends_the_conversation(
    party: ClientHarness,
) -> None:
    guest, over, _ = await _in_conversation(party)
    await guest.caller.hang_up()
    with pytest.raises(ChannelGoneError):
        await over
    await party.has_no_phones()
    assert party.log(guest) == ["hung up", "left"]


@pytest_twisted.ensureDeferred
async def test_a_caller_taken_out_of_the_bridge_ends_the_conversation(
    party: ClientHarness,
) -> None:
    guest, over, _ = await _in_conversation(party)
    [bridge] = await party.rest("/bridges")
    await party.stage.ari.post(
        f"/bridges/{bridge['id']}/removeChannel", channel=guest.channel.id
    )
    await over
    await party.has_no_phones()
    assert party.log(guest) == []


@pytest_twisted.ensureDeferred
async def test_giving_a_conversation_up_hangs_the_phone_up(
    party: ClientHarness,
) -> None:
    guest, over, _ = await _in_conversation(party)
    over.cancel()
    with pytest.raises(CancelledError):
        await over
    await party.has_no_phones()
    assert party.log(guest) == []


MOMENTS = ("before the answer", "ringing", "answered", "connecting")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest_twisted.ensureDeferred
async def test_a_caller_who_hangs_up_leaves_nothing_behind(
    party: ClientHarness, moment: str
) -> None:
    guest = await party.call()
    rings = moment in {"before the answer", "ringing"}
    kind = "rings" if rings else "answers"
    phone = guest.channel.dial(f"Local/{kind}@phones", ring_seconds=9)
    if moment == "ringing":
        await party.until(lambda: phone._is_dialed, "the phone to ring")
    if not rings:
        await phone.outcome
    over = phone.connect() if moment == "connecting" else None
    await guest.caller.hang_up()
    await party.until(lambda: party.log(guest) == ["hung up", "left"], "the hangup")
    if rings:
        assert await phone.outcome is not DialOutcome.ANSWERED
    with pytest.raises(ChannelGoneError):
        await (over or phone.connect())
    await party.has_no_phones()


@pytest_twisted.ensureDeferred
async def test_giving_a_phone_up_at_once_leaves_nothing_behind(
    party: ClientHarness,
) -> None:
    guest = await party.call()
    for kind in ("answers", "rings", "busy", "nobody"):
        phone = guest.channel.dial(f"Local/{kind}@phones", ring_seconds=9)
        phone.outcome.cancel()
        with pytest.raises(CancelledError):
            await phone.outcome
    await party.has_no_phones()
    assert party.log(guest) == []


@pytest_twisted.ensureDeferred
async def test_stopping_hangs_up_phones_that_ring(party: ClientHarness) -> None:
    guest = await party.call()
    phone = guest.channel.dial("Local/rings@phones", ring_seconds=9)
    await party.until(lambda: phone._is_dialed, "the phone to ring")
    await party.client.stopService()
    assert await phone.outcome is DialOutcome.NO_ANSWER
    await party.has_no_phones()
