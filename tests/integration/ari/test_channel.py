"""The commands of a channel, on both Asterisks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError

from channel_aa.interfaces import ChannelGoneError, PlaybackEnd, RecordingEnd
from tests.support.waiting import until

if TYPE_CHECKING:
    from channel_aa.ari.recording import Recording
    from tests.support.client_harness import ClientHarness, ConnectedCall


@pytest_twisted.ensureDeferred
async def test_channel_has_caller_id_and_dialled_number(harness: ClientHarness) -> None:
    call = await harness.call("1001")
    channel = call.channel
    assert channel.dialled == "1001"
    assert channel.language == "en"
    assert isinstance(channel.caller_name, str)
    assert isinstance(channel.caller_number, str)
    assert harness.application.listeners[channel.id].arguments == ("one", "two")


@pytest_twisted.ensureDeferred
async def test_variables_are_set_and_read(harness: ClientHarness) -> None:
    channel = (await harness.call()).channel
    assert await channel.get_variable("CHANNEL_AA_REASON") == ""
    for name, value in (
        ("CHANNEL_AA_REASON", "a & b = c, ü"),
        ("CHANNEL(language)", "de"),
    ):
        await channel.set_variable(name, value)

        # Asterisk 16 answers before the variable is set.
        async def is_set(name: str = name, value: str = value) -> bool:
            return await channel.get_variable(name) == value

        await until(harness.backend.reactor, is_set)


@pytest_twisted.ensureDeferred
async def test_ringing_and_music_start_and_stop(harness: ClientHarness) -> None:
    channel = (await harness.call()).channel
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
async def test_channel_continues_at_the_given_location(
    harness: ClientHarness,
    context: str,
    extension: str,
    priority: int,
    place: tuple[str, str, int],
) -> None:
    call = await harness.call()
    await call.channel.continue_in_dialplan(
        context=context, extension=extension, priority=priority
    )
    await harness.until(lambda: harness.log(call) == ["left"], "it to leave")

    async def is_there() -> bool:
        dialplan = (await harness.rest(f"/channels/{call.channel.id}"))["dialplan"]
        return (
            dialplan["context"],
            dialplan["exten"],
            dialplan["priority"],
        ) == place

    await until(harness.backend.reactor, is_there)


@pytest_twisted.ensureDeferred
async def test_commands_to_a_gone_channel_fail(harness: ClientHarness) -> None:
    call = await harness.call()
    channel = call.channel
    await call.caller.hang_up()
    await harness.until(lambda: harness.log(call) == ["hung up", "left"], "the hangup")
    for command in (
        channel.set_variable("A", "1"),
        channel.get_variable("A"),
        channel.start_ringing(),
        channel.start_music("default"),
        channel.continue_in_dialplan(context="elsewhere"),
    ):
        with pytest.raises(ChannelGoneError):
            await command
    recording = _record(call)
    assert await recording.finished is RecordingEnd.FAILED


def _record(
    call: ConnectedCall,
    name: str = "a/message",
    *,
    overwrite: bool = True,
    **limits: int,
) -> Recording:
    return call.channel.record(
        name,
        overwrite=overwrite,
        max_seconds=limits.get("max_seconds", 30),
        max_silence_seconds=limits.get("max_silence_seconds", 0),
        terminator="#",
        beep=False,
    )


async def _until_recording(harness: ClientHarness, name: str = "a%2Fmessage") -> None:
    async def under_way() -> bool:
        answer = await harness.backend.ari.get(f"/recordings/live/{name}")
        return answer.status == 200 and answer.json["state"] == "recording"

    await until(harness.backend.reactor, under_way)


async def _is_stored(harness: ClientHarness, name: str = "a%2Fmessage") -> bool:
    return (await harness.backend.ari.get(f"/recordings/stored/{name}")).status == 200


@pytest_twisted.ensureDeferred
async def test_recording_ended_by_a_key_can_be_played_and_deleted(
    harness: ClientHarness,
) -> None:
    call = await harness.call()
    recording = _record(call)
    await _until_recording(harness)
    await call.caller.speak()
    await call.caller.press("#")
    assert await recording.finished is RecordingEnd.DONE
    assert await _is_stored(harness)
    heard = call.channel.play("recording:a/message")
    assert await heard.finished is PlaybackEnd.DONE
    await recording.discard()
    assert not await _is_stored(harness)
    await recording.discard()


@pytest_twisted.ensureDeferred
async def test_recording_ends_at_its_maximum_duration(harness: ClientHarness) -> None:
    call = await harness.call()
    recording = _record(call, max_seconds=1)
    await call.caller.keep_talking()
    assert await recording.finished is RecordingEnd.DONE
    assert await _is_stored(harness)


@pytest_twisted.ensureDeferred
async def test_cancelled_recording_is_kept_and_discarded_one_is_not(
    harness: ClientHarness,
) -> None:
    call = await harness.call()
    recording = _record(call)
    await _until_recording(harness)
    recording.finished.cancel()
    with pytest.raises(CancelledError):
        await recording.finished
    await harness.until(lambda: not harness.client.recordings, "its end")
    assert await _is_stored(harness)
    again = _record(call)
    await _until_recording(harness)
    await again.discard()
    assert await again.finished is RecordingEnd.DONE
    assert not await _is_stored(harness)


@pytest_twisted.ensureDeferred
async def test_recording_of_an_existing_name_gets_another(
    harness: ClientHarness,
) -> None:
    call = await harness.call()
    first = _record(call, max_seconds=1)
    await call.caller.keep_talking()
    assert await first.finished is RecordingEnd.DONE
    before = (await harness.backend.ari.get("/recordings/stored/a%2Fmessage")).json
    second = _record(call, max_seconds=1, overwrite=False)
    assert await second.finished is RecordingEnd.DONE
    assert second.name.startswith("a/message-")
    assert await _is_stored(harness, second.name.replace("/", "%2F"))
    after = (await harness.backend.ari.get("/recordings/stored/a%2Fmessage")).json
    assert after == before
    await first.discard()
    await second.discard()


@pytest_twisted.ensureDeferred
async def test_recording_replaces_one_of_another_name(harness: ClientHarness) -> None:
    call = await harness.call()
    first = _record(call, max_seconds=1)
    await call.caller.keep_talking()
    assert await first.finished is RecordingEnd.DONE
    for _ in range(2):  # the first time there is none of the name
        recording = _record(call, max_seconds=1, overwrite=False)
        assert await recording.finished is RecordingEnd.DONE
        old = recording.name.replace("/", "%2F")
        await recording.replace("b/final")
        assert recording.name == "b/final"
        assert await _is_stored(harness, "b%2Ffinal")
        assert not await _is_stored(harness, old)
    await recording.discard()
    assert not await _is_stored(harness, "b%2Ffinal")
    await first.discard()


@pytest_twisted.ensureDeferred
async def test_recording_is_kept_at_a_hangup(harness: ClientHarness) -> None:
    call = await harness.call()
    recording = _record(call)
    await _until_recording(harness)
    await call.caller.hang_up()
    assert await recording.finished is RecordingEnd.DONE
    assert await _is_stored(harness)


@pytest_twisted.ensureDeferred
async def test_recording_name_with_path_traversal_is_refused(
    harness: ClientHarness,
) -> None:
    call = await harness.call()
    for name in ("../x", "a/../../x", "", "/etc/x", "a//b", ".."):
        recording = _record(call, name)
        assert await recording.finished is RecordingEnd.FAILED
        assert "invalid name" in recording.problem
