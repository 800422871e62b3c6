"""Reconciliation of calls after a reconnect and after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_twisted
from twisted.internet.defer import ensureDeferred, gatherResults

from channel_aa.ari.outbound import OUTBOUND_PREFIX
from channel_aa.ari.two_party_bridge import BRIDGE_PREFIX
from channel_aa.interfaces import DialOutcome, PlaybackEnd
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.client_harness import ClientHarness


@pytest_twisted.ensureDeferred
async def test_client_knows_the_version_and_the_time_of_the_connection(
    harness: ClientHarness,
) -> None:
    client = harness.client
    assert client.asterisk_version[0].isdigit()
    assert client.connected_since is not None
    await harness.cut()
    assert client.connected_since is None


@pytest_twisted.ensureDeferred
async def test_calls_are_reconciled_after_a_reconnect(harness: ClientHarness) -> None:
    stays, leaves = await harness.call(), await harness.call()
    # Long enough for the hangup to be over.
    await harness.cut(gap=2.0)
    await leaves.caller.hang_up()
    await harness.until_connected()
    assert harness.log(leaves) == ["left"]
    assert harness.log(stays) == ["reconnected"]
    assert await stays.channel.play("sound:press-1").finished is PlaybackEnd.DONE
    assert len(harness.application.entered) == 2


@pytest_twisted.ensureDeferred
async def test_requests_without_a_connection_are_sent_after_the_reconnect(
    harness: ClientHarness,
) -> None:
    channel = (await harness.call()).channel
    await harness.cut()
    played = channel.play("sound:press-1")
    variable = channel.set_variable("A", "1")
    taken_back = channel.play("sound:press-2")
    taken_back.stop()
    assert await taken_back.finished is PlaybackEnd.DONE
    assert not harness.client.is_connected
    assert await played.finished is PlaybackEnd.DONE
    await variable


@pytest_twisted.ensureDeferred
async def test_playback_that_ends_without_a_connection_is_finished(
    harness: ClientHarness,
) -> None:
    channel = (await harness.call()).channel
    played = channel.play("sound:press-1")
    await harness.until(lambda: played._is_accepted, "the sound to be accepted")
    await harness.cut()
    await played.finished


@pytest_twisted.ensureDeferred
async def test_conversation_survives_a_reconnect(harness: ClientHarness) -> None:
    call, phone, over = await harness.connect()
    await harness.until(
        lambda: phone.id in harness.client.bridge_members, "the conversation"
    )
    await harness.cut()
    await harness.until_connected()
    assert not over.called
    await harness.backend.ari.delete(f"/channels/{phone.id}")
    await over
    await harness.until_no_phones()
    assert harness.log(call) == ["reconnected"]


@pytest_twisted.ensureDeferred
async def test_conversation_that_ends_without_a_connection_is_over(
    harness: ClientHarness,
) -> None:
    call, phone, over = await harness.connect()
    await harness.cut()
    await harness.backend.ari.delete(f"/channels/{phone.id}")
    await over
    await harness.until_no_phones()
    assert harness.log(call) == ["reconnected"]


@pytest_twisted.ensureDeferred
async def test_ringing_phones_are_reconciled_after_a_reconnect(
    harness: ClientHarness,
) -> None:
    channel = (await harness.call()).channel
    rings = channel.dial("Local/rings@phones", ring_seconds=9)
    ends = channel.dial("Local/rings@phones", ring_seconds=9)
    for phone in (rings, ends):
        await harness.until(lambda it=phone: it._is_dialed, "the phone to ring")  # type: ignore[misc]
    await harness.cut()
    await harness.backend.ari.delete(f"/channels/{ends.id}")
    assert await ends.outcome is DialOutcome.NO_ANSWER
    assert not rings.outcome.called
    rings.hang_up()
    await harness.until_no_phones()


@pytest_twisted.ensureDeferred
async def test_next_client_adopts_all_calls(harness: ClientHarness) -> None:
    calls = await gatherResults(
        [ensureDeferred(harness.call(extension)) for extension in ("1000", "1001") * 5]
    )
    await harness.client.stopService()
    await harness.start_another()
    listeners = harness.application.listeners
    assert set(listeners) == {call.channel.id for call in calls}
    assert all(listener.is_adopted for listener in listeners.values())
    found = sorted(listener.arguments for listener in listeners.values())
    assert found == [()] * 5 + [("one", "two")] * 5
    assert len(harness.application.entered) == len(calls)
    for call in calls:
        adopted = harness.client.channels[call.channel.id]
        assert (adopted.name, adopted.dialled) == (
            call.channel.name,
            call.channel.dialled,
        )
    await calls[0].caller.press("5")
    await harness.until(lambda: harness.log(calls[0]) == ["dtmf 5"], "the key")


@pytest_twisted.ensureDeferred
async def test_conversation_survives_a_restart_of_the_client(
    harness: ClientHarness,
) -> None:
    call, phone, over = await harness.connect()
    await until(harness.backend.reactor, lambda: _is_in_conversation(harness))
    await harness.client.stopService()
    over.addErrback(lambda _: None).cancel()
    assert await _is_in_conversation(harness)
    await harness.start_another()
    assert await _is_in_conversation(harness)
    assert harness.application.listeners == {}
    assert set(harness.client.bridge_members) == {call.channel.id, phone.id}
    await harness.backend.ari.delete(f"/channels/{phone.id}")
    await harness.until_no_phones()

    async def is_hung_up() -> bool:
        answer = await harness.backend.ari.get(f"/channels/{call.channel.id}")
        return answer.status == 404

    await until(harness.backend.reactor, is_hung_up)


@pytest_twisted.ensureDeferred
async def test_phones_and_bridges_of_an_earlier_run_are_removed(
    harness: ClientHarness,
) -> None:
    call = await harness.call()
    ari = harness.backend.ari
    client = harness.client
    phone = client._context.ids.new(OUTBOUND_PREFIX)
    await harness.backend.ring("rings", phone)
    await ari.post(
        f"/bridges/{client._context.ids.new(BRIDGE_PREFIX)}",
        type="mixing",
        name=client._context.bridge_name,
    )
    await ari.post("/bridges/someone-elses", type="mixing", name="channel-aa")
    await client.stopService()
    await harness.start_another()

    async def is_removed() -> bool:
        bridges = await harness.rest("/bridges")
        return [bridge["id"] for bridge in bridges] == ["someone-elses"]

    await until(harness.backend.reactor, is_removed, "the removal of the bridge")
    await ari.delete("/bridges/someone-elses")
    await harness.until_no_phones()
    assert list(harness.application.listeners) == [call.channel.id]


@pytest_twisted.ensureDeferred
async def test_replaced_client_lets_go_of_its_calls(harness: ClientHarness) -> None:
    call = await harness.call()
    first, application = harness.client, harness.application
    await harness.start_another()
    await harness.until(lambda: not first.is_connected, "the first to stay away")
    assert first.is_replaced
    assert application.times_replaced == 1
    assert application.listeners[call.channel.id].log == ["left"]
    assert first.channels == {}
    assert harness.application.listeners[call.channel.id].is_adopted
    assert await _exists(harness, call.channel.id)


async def _exists(harness: ClientHarness, channel_id: str) -> bool:
    return (await harness.backend.ari.get(f"/channels/{channel_id}")).status == 200


async def _is_in_conversation(harness: ClientHarness) -> bool:
    bridges = await harness.rest("/bridges")
    return [len(bridge["channels"]) for bridge in bridges] == [2]
