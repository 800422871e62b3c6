"""Calls that outlive their connection, and the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_twisted
from twisted.internet.defer import ensureDeferred, gatherResults

from channel_aa.ari.bridge import BRIDGE_PREFIX
from channel_aa.ari.outbound import OUTBOUND_PREFIX
from channel_aa.interfaces import DialOutcome, PlaybackEnd

if TYPE_CHECKING:
    from tests.support.client_harness import ClientHarness


@pytest_twisted.ensureDeferred
async def test_a_connection_says_when_it_was_made_and_to_whom(
    party: ClientHarness,
) -> None:
    client = party.client
    assert client.asterisk_version[0].isdigit()
    assert client.connected_since is not None
    await party.cut()
    assert client.connected_since is None


@pytest_twisted.ensureDeferred
async def test_calls_go_on_or_have_left_when_it_is_back(party: ClientHarness) -> None:
    stays, leaves = await party.call(), await party.call()
    # Long enough for the hangup to be over before.
    await party.cut(gap=2.0)
    await leaves.caller.hang_up()
    await party.is_connected()
    assert party.log(leaves) == ["left"]
    assert party.log(stays) == ["reconnected"]
    assert await stays.channel.play("sound:press-1").finished is PlaybackEnd.DONE
    assert party.application.entries == 2


@pytest_twisted.ensureDeferred
async def test_what_is_asked_in_the_gap_is_done_afterwards(
    party: ClientHarness,
) -> None:
    channel = (await party.call()).channel
    await party.cut()
    played = channel.play("sound:press-1")
    variable = channel.set_variable("A", "1")
    taken_back = channel.play("sound:press-2")
    taken_back.stop()
    assert await taken_back.finished is PlaybackEnd.DONE
    assert not party.client.is_connected
    assert await played.finished is PlaybackEnd.DONE
    await variable


@pytest_twisted.ensureDeferred
async def test_a_sound_that_ends_in_the_gap_is_over(party: ClientHarness) -> None:
    channel = (await party.call()).channel
    played = channel.play("sound:press-1")
    await party.until(lambda: played._is_accepted, "the sound to be accepted")
    await party.cut()
    await played.finished


@pytest_twisted.ensureDeferred
async def test_a_conversation_goes_on(party: ClientHarness) -> None:
    guest = await party.call()
    phone = guest.channel.dial("Local/answers@phones", ring_seconds=9)
    assert await phone.outcome is DialOutcome.ANSWERED
    over = phone.connect()
    await party.until(
        lambda: phone.id in party.client.bridge_members, "the conversation"
    )
    await party.cut()
    await party.is_connected()
    assert not over.called
    await party.stage.ari.delete(f"/channels/{phone.id}")
    await over
    await party.has_no_phones()
    assert party.log(guest) == ["reconnected"]


@pytest_twisted.ensureDeferred
async def test_a_conversation_that_ended_in_the_gap_is_over(
    party: ClientHarness,
) -> None:
    guest = await party.call()
    phone = guest.channel.dial("Local/answers@phones", ring_seconds=9)
    assert await phone.outcome is DialOutcome.ANSWERED
    over = phone.connect()
    await party.cut()
    await party.stage.ari.delete(f"/channels/{phone.id}")
    await over
    await party.has_no_phones()
    assert party.log(guest) == ["reconnected"]


@pytest_twisted.ensureDeferred
async def test_phones_rung_in_the_gap_go_on_ringing(party: ClientHarness) -> None:
    channel = (await party.call()).channel
    rings = channel.dial("Local/rings@phones", ring_seconds=9)
    ends = channel.dial("Local/rings@phones", ring_seconds=9)
    for phone in (rings, ends):
        await party.until(lambda it=phone: it._is_dialed, "the phone to ring")  # type: ignore[misc]
    await party.cut()
    await party.stage.ari.delete(f"/channels/{ends.id}")
    assert await ends.outcome is DialOutcome.NO_ANSWER
    assert not rings.outcome.called
    rings.hang_up()
    await party.has_no_phones()


@pytest_twisted.ensureDeferred
async def test_the_next_run_adopts_every_call(party: ClientHarness) -> None:
    guests = await gatherResults(
        [ensureDeferred(party.call(extension)) for extension in ("1000", "1001") * 5]
    )
    await party.client.stopService()
    await party.start_another()
    listeners = party.application.listeners
    assert set(listeners) == {guest.channel.id for guest in guests}
    assert all(listener.is_adopted for listener in listeners.values())
    found = sorted(listener.arguments for listener in listeners.values())
    assert found == [()] * 5 + [("one", "two")] * 5
    assert party.application.entries == len(guests)
    for guest in guests:
        adopted = party.client.channels[guest.channel.id]
        assert (adopted.name, adopted.dialled) == (
            guest.channel.name,
            guest.channel.dialled,
        )
    await guests[0].caller.press("5")
    await party.until(lambda: party.log(guests[0]) == ["dtmf 5"], "the key")


@pytest_twisted.ensureDeferred
async def test_a_conversation_outlives_the_program(party: ClientHarness) -> None:
    guest = await party.call()
    phone = guest.channel.dial("Local/answers@phones", ring_seconds=9)
    assert await phone.outcome is DialOutcome.ANSWERED
    over = phone.connect()
    await party.stage.until(lambda: _speak(party))
    await party.client.stopService()
    over.addErrback(lambda _: None).cancel()
    assert await _speak(party)
    await party.start_another()
    assert await _speak(party)
    assert party.application.listeners == {}
    assert set(party.client.bridge_members) == {guest.channel.id, phone.id}
    await party.stage.ari.delete(f"/channels/{phone.id}")
    await party.has_no_phones()

    async def is_hung_up() -> bool:
        answer = await party.stage.ari.get(f"/channels/{guest.channel.id}")
        return answer.status == 404

    await party.stage.until(is_hung_up)


@pytest_twisted.ensureDeferred
async def test_phones_and_bridges_of_a_dead_run_are_removed(
    party: ClientHarness,
) -> None:
    guest = await party.call()
    ari = party.stage.ari
    client = party.client
    phone = client._context.ids.new(OUTBOUND_PREFIX)
    await party.stage.ring("rings", phone)
    bridge_id = client._context.ids.new(BRIDGE_PREFIX)
    await ari.post(
        f"/bridges/{bridge_id}", type="mixing", name=client._context.bridge_name
    )
    await ari.post("/bridges/someone-elses", type="mixing", name="channel-aa")
    await client.stopService()
    await party.start_another()
    assert [bridge["id"] for bridge in await party.rest("/bridges")] == [
        "someone-elses"
    ]
    await ari.delete("/bridges/someone-elses")
    await party.has_no_phones()
    assert list(party.application.listeners) == [guest.channel.id]


@pytest_twisted.ensureDeferred
async def test_another_program_of_the_name_keeps_it(party: ClientHarness) -> None:
    guest = await party.call()
    first, application = party.client, party.application
    await party.start_another()
    await party.until(lambda: not first.is_connected, "the first to stay away")
    assert first.is_replaced
    assert application.times_replaced == 1
    assert application.listeners[guest.channel.id].log == ["left"]
    assert first.channels == {}
    assert party.application.listeners[guest.channel.id].is_adopted
    assert await _answers(party, guest.channel.id)


async def _answers(party: ClientHarness, channel_id: str) -> bool:
    return (await party.stage.ari.get(f"/channels/{channel_id}")).status == 200


async def _speak(party: ClientHarness) -> bool:
    bridges = await party.rest("/bridges")
    return [len(bridge["channels"]) for bridge in bridges] == [2]
