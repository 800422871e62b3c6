"""Outbound channels and their conversations, on both Asterisks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError

from channel_aa.interfaces import ChannelGoneError, DialOutcome
from tests.support.waiting import until

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
async def test_dial_outcomes_are_distinguished(harness: ClientHarness) -> None:
    call = await harness.call()
    found = {}
    for endpoint in OUTCOMES:
        phone = call.channel.dial(endpoint, ring_seconds=1)
        found[endpoint] = await phone.outcome
        phone.hang_up()
    assert found == OUTCOMES
    await harness.until_no_phones()
    assert harness.log(call) == []


@pytest_twisted.ensureDeferred
async def test_phone_shows_the_label_and_the_caller(harness: ClientHarness) -> None:
    call = await harness.call()
    phone = call.channel.dial("Local/rings@phones", ring_seconds=9, label='Sa"les')
    await harness.until(lambda: phone._is_dialed, "the phone to ring")
    shown = (await harness.rest(f"/channels/{phone.id}"))["connected"]
    assert shown["name"].startswith("Sa les")
    assert shown["number"] == call.channel.caller_number
    phone.hang_up()
    assert await phone.outcome is DialOutcome.NO_ANSWER
    await harness.until_no_phones()


async def _begin_conversation(
    harness: ClientHarness,
) -> tuple[ConnectedCall, Deferred[None], str]:
    call, phone, over = await harness.connect()

    async def both_speak() -> bool:
        bridges = await harness.rest("/bridges")
        members = [set(bridge["channels"]) for bridge in bridges]
        return members == [{call.channel.id, phone.id}]

    await until(harness.backend.reactor, both_speak)
    assert not over.called
    return call, over, phone.id


@pytest_twisted.ensureDeferred
async def test_caller_remains_when_the_phone_is_hung_up(
    harness: ClientHarness,
) -> None:
    call, over, phone_id = await _begin_conversation(harness)
    await harness.backend.ari.delete(f"/channels/{phone_id}")
    await over
    await harness.until_no_phones()
    assert harness.log(call) == []
    await call.channel.play("sound:press-1").finished


@pytest_twisted.ensureDeferred
async def test_hangup_of_the_phone_ends_the_conversation(
    harness: ClientHarness,
) -> None:
    call, _, over = await harness.connect("hangs-up")
    await over
    await harness.until_no_phones()
    assert harness.log(call) == []


@pytest_twisted.ensureDeferred
async def test_hangup_of_the_caller_ends_the_conversation(
    harness: ClientHarness,
) -> None:
    call, over, _ = await _begin_conversation(harness)
    await call.caller.hang_up()
    with pytest.raises(ChannelGoneError):
        await over
    await harness.until_no_phones()
    assert harness.log(call) == ["hung up", "left"]


@pytest_twisted.ensureDeferred
async def test_removal_of_the_caller_from_the_bridge_ends_the_conversation(
    harness: ClientHarness,
) -> None:
    call, over, _ = await _begin_conversation(harness)
    [bridge] = await harness.rest("/bridges")
    await harness.backend.ari.post(
        f"/bridges/{bridge['id']}/removeChannel", channel=call.channel.id
    )
    await over
    await harness.until_no_phones()
    assert harness.log(call) == []


@pytest_twisted.ensureDeferred
async def test_cancelled_conversation_hangs_up_the_phone(
    harness: ClientHarness,
) -> None:
    call, over, _ = await _begin_conversation(harness)
    over.cancel()
    with pytest.raises(CancelledError):
        await over
    await harness.until_no_phones()
    assert harness.log(call) == []


MOMENTS = ("before the answer", "ringing", "answered", "connecting")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest_twisted.ensureDeferred
async def test_hangup_of_the_caller_leaves_nothing(
    harness: ClientHarness, moment: str
) -> None:
    call = await harness.call()
    rings = moment in {"before the answer", "ringing"}
    kind = "rings" if rings else "answers"
    phone = call.channel.dial(f"Local/{kind}@phones", ring_seconds=9)
    if moment == "ringing":
        await harness.until(lambda: phone._is_dialed, "the phone to ring")
    if not rings:
        await phone.outcome
    over = phone.connect() if moment == "connecting" else None
    await call.caller.hang_up()
    await harness.until(lambda: harness.log(call) == ["hung up", "left"], "the hangup")
    if rings:
        assert await phone.outcome is not DialOutcome.ANSWERED
    with pytest.raises(ChannelGoneError):
        await (over or phone.connect())
    await harness.until_no_phones()


@pytest_twisted.ensureDeferred
async def test_dial_cancelled_at_once_leaves_nothing(
    harness: ClientHarness,
) -> None:
    call = await harness.call()
    for kind in ("answers", "rings", "busy", "nobody"):
        phone = call.channel.dial(f"Local/{kind}@phones", ring_seconds=9)
        phone.outcome.cancel()
        with pytest.raises(CancelledError):
            await phone.outcome
    await harness.until_no_phones()
    assert harness.log(call) == []


@pytest_twisted.ensureDeferred
async def test_stop_of_the_client_hangs_up_ringing_phones(
    harness: ClientHarness,
) -> None:
    call = await harness.call()
    phone = call.channel.dial("Local/rings@phones", ring_seconds=9)
    await harness.until(lambda: phone._is_dialed, "the phone to ring")
    await harness.client.stopService()
    assert await phone.outcome is DialOutcome.NO_ANSWER
    await harness.until_no_phones()
