"""What a menu has a channel do, besides playing to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError

from channel_aa.interfaces import ChannelGoneError, PlaybackEnd, RecordingEnd

if TYPE_CHECKING:
    from channel_aa.ari.recording import Recording
    from tests.support.client_harness import ClientHarness, ConnectedCall


@pytest_twisted.ensureDeferred
async def test_who_calls_and_what_was_dialled_is_known(party: ClientHarness) -> None:
    guest = await party.call("1001")
    channel = guest.channel
    assert channel.dialled == "1001"
    assert channel.language == "en"
    assert isinstance(channel.caller_name, str)
    assert isinstance(channel.caller_number, str)
    assert party.application.listeners[channel.id].arguments == ("one", "two")


@pytest_twisted.ensureDeferred
async def test_variables_are_set_and_read(party: ClientHarness) -> None:
    channel = (await party.call()).channel
    assert await channel.get_variable("CHANNEL_AA_REASON") == ""
    for name, value in (
        ("CHANNEL_AA_REASON", "a & b = c, ü"),
        ("CHANNEL(language)", "de"),
    ):
        await channel.set_variable(name, value)

        # Asterisk 16 answers before it is set.
        async def is_set(name: str = name, value: str = value) -> bool:
            return await channel.get_variable(name) == value

        await party.stage.until(is_set)


@pytest_twisted.ensureDeferred
async def test_the_ring_tone_and_music_start_and_stop(party: ClientHarness) -> None:
    channel = (await party.call()).channel
    await channel.start_ringing()
    await channel.stop_ringing()
    await channel.start_music("default")
    await channel.stop_music()
    assert await channel.play("sound:press-1").finished is PlaybackEnd.DONE


@pytest.mark.parametrize(
    ("context", "extension", "priority", "place"),
    [
        ("elsewhere", "6001", 1, ("elsewhere", "6001", 1)),
        ("elsewhere", "s", 2, ("elsewhere", "s", 2)),
    ],
)
@pytest_twisted.ensureDeferred
async def test_it_goes_on_where_it_is_sent(
    party: ClientHarness,
    context: str,
    extension: str,
    priority: int,
    place: tuple[str, str, int],
) -> None:
    guest = await party.call()
    await guest.channel.continue_in_dialplan(
        context=context, extension=extension, priority=priority
    )
    await party.until(lambda: party.log(guest) == ["left"], "it to leave")

    async def is_there() -> bool:
        dialplan = (await party.rest(f"/channels/{guest.channel.id}"))["dialplan"]
        return (
            dialplan["context"],
            dialplan["exten"],
            dialplan["priority"],
        ) == place

    await party.stage.until(is_there)


@pytest_twisted.ensureDeferred
async def test_a_channel_that_has_left_is_gone(party: ClientHarness) -> None:
    guest = await party.call()
    channel = guest.channel
    await guest.caller.hang_up()
    await party.until(lambda: party.log(guest) == ["hung up", "left"], "the hangup")
    for command in (
        channel.set_variable("A", "1"),
        channel.get_variable("A"),
        channel.start_ringing(),
        channel.start_music("default"),
        channel.continue_in_dialplan(context="elsewhere"),
    ):
        with pytest.raises(ChannelGoneError):
            await command
    recording = _record(guest)
    assert await recording.finished is RecordingEnd.FAILED


def _record(guest: ConnectedCall, name: str = "a/message", **limits: int) -> Recording:
    return guest.channel.record(
        name,
        max_seconds=limits.get("max_seconds", 30),
        max_silence_seconds=limits.get("max_silence_seconds", 0),
        terminator="#",
        beep=False,
    )


async def _is_under_way(party: ClientHarness, name: str = "a%2Fmessage") -> None:
    async def under_way() -> bool:
        answer = await party.stage.ari.get(f"/recordings/live/{name}")
        return answer.status == 200 and answer.json["state"] == "recording"

    await party.stage.until(under_way)


async def _is_stored(party: ClientHarness, name: str = "a%2Fmessage") -> bool:
    return (await party.stage.ari.get(f"/recordings/stored/{name}")).status == 200


@pytest_twisted.ensureDeferred
async def test_a_key_ends_a_recording_which_can_be_heard_and_deleted(
    party: ClientHarness,
) -> None:
    guest = await party.call()
    recording = _record(guest)
    await _is_under_way(party)
    await guest.caller.speak()
    await guest.caller.press("#")
    assert await recording.finished is RecordingEnd.DONE
    assert await _is_stored(party)
    heard = guest.channel.play("recording:a/message")
    assert await heard.finished is PlaybackEnd.DONE
    await recording.discard()
    assert not await _is_stored(party)
    await recording.discard()


@pytest_twisted.ensureDeferred
async def test_its_time_ends_a_recording(party: ClientHarness) -> None:
    guest = await party.call()
    recording = _record(guest, max_seconds=1)
    await guest.caller.keep_talking()
    assert await recording.finished is RecordingEnd.DONE
    assert await _is_stored(party)


@pytest_twisted.ensureDeferred
async def test_a_recording_given_up_is_kept_and_one_discarded_is_not(
    party: ClientHarness,
) -> None:
    guest = await party.call()
    recording = _record(guest)
    await _is_under_way(party)
    recording.finished.cancel()
    with pytest.raises(CancelledError):
        await recording.finished
    await party.until(lambda: not party.client.recordings, "its end")
    assert await _is_stored(party)
    again = _record(guest)
    await _is_under_way(party)
    await again.discard()
    assert await again.finished is RecordingEnd.DONE
    assert not await _is_stored(party)


@pytest_twisted.ensureDeferred
async def test_a_recording_of_one_who_hangs_up_is_kept(party: ClientHarness) -> None:
    guest = await party.call()
    recording = _record(guest)
    await _is_under_way(party)
    await guest.caller.hang_up()
    assert await recording.finished is RecordingEnd.DONE
    assert await _is_stored(party)


@pytest_twisted.ensureDeferred
async def test_a_name_that_leads_elsewhere_is_refused(party: ClientHarness) -> None:
    guest = await party.call()
    for name in ("../x", "a/../../x", "", "/etc/x", "a//b", ".."):
        recording = _record(guest, name)
        assert await recording.finished is RecordingEnd.FAILED
        assert "not the name" in recording.problem
