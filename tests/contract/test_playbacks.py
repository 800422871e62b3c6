"""Playbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.sounds import LONG
from tests.support.waiting import until

if TYPE_CHECKING:
    from real_asterisk.raw_ari import Events, Response
    from tests.support.asterisk_harness import AsteriskHarness, StasisCall

GONE = (404, "Playback not found")


async def play(
    backend: AsteriskHarness, call: StasisCall, playback_id: str, *media: str
) -> Response:
    answer = await backend.ari.post(
        f"/channels/{call.id}/play/{playback_id}", media=",".join(media)
    )
    assert answer.status == 201, answer.json
    return answer


async def until_gone(backend: AsteriskHarness, playback_id: str) -> None:
    """Wait until a playback is removed: its last event comes shortly before."""

    async def is_gone() -> bool:
        return (await backend.ari.get(f"/playbacks/{playback_id}")).status == 404

    await until(backend.reactor, is_gone)


async def finished(events: Events, playback_id: str) -> str:
    event = await events.wait_for_type("PlaybackFinished", playback_id)
    state: str = event.json["playback"]["state"]
    return state


@pytest_twisted.ensureDeferred
async def test_playback_has_the_id_of_its_request(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    answer = await play(backend, call, "chosen", "sound:press-1")
    # The state may be newer than the response.
    assert answer.json.pop("state") in {"queued", "playing"}
    described = {
        "id": "chosen",
        "media_uri": "sound:press-1",
        "target_uri": f"channel:{call.id}",
        "language": "en",
    }
    assert answer.json == described
    assert await finished(events, "chosen") == "done"
    assert events.types("chosen") == ["PlaybackStarted", "PlaybackFinished"]
    started = await events.wait_for_type("PlaybackStarted", "chosen")
    assert started.json["playback"] == {**described, "state": "playing"}
    assert started.json["application"] == "channel-aa"


@pytest_twisted.ensureDeferred
async def test_playback_without_an_id_gets_one(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    answer = await backend.ari.post(f"/channels/{call.id}/play", media="sound:or")
    assert answer.status == 201
    assert await finished(events, answer.json["id"]) == "done"


@pytest_twisted.ensureDeferred
async def test_sound_plays_for_its_length(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "one", f"sound:{LONG}")
    assert await finished(events, "one") == "done"
    first, last = [event for event in events.all if event.is_about("one")]
    assert last.received - first.received > backend.sounds[LONG] / 2


@pytest_twisted.ensureDeferred
async def test_sound_plays_before_the_call_is_answered(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events, answer=False)
    await play(backend, call, "early", "sound:or")
    assert await finished(events, "early") == "done"


@pytest_twisted.ensureDeferred
async def test_sounds_are_queued(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "first", f"sound:{LONG}")
    await play(backend, call, "second", "sound:or")
    state = (await backend.ari.get("/playbacks/second")).json["state"]
    assert state == "queued"
    assert await finished(events, "second") == "done"
    assert [
        (event.type, event.json["playback"]["id"])
        for event in events.all
        if event.is_about("first") or event.is_about("second")
    ] == [
        ("PlaybackStarted", "first"),
        ("PlaybackFinished", "first"),
        ("PlaybackStarted", "second"),
        ("PlaybackFinished", "second"),
    ]


@pytest_twisted.ensureDeferred
async def test_playback_of_several_sounds(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    answer = await play(backend, call, "both", "sound:press-1", "sound:or")
    assert answer.json["next_media_uri"] == "sound:or"
    assert await finished(events, "both") == "done"
    assert [
        (event.type, event.json["playback"]["media_uri"])
        for event in events.all
        if event.is_about("both")
    ] == [
        ("PlaybackStarted", "sound:press-1"),
        ("PlaybackContinuing", "sound:press-1"),
        ("PlaybackStarted", "sound:or"),
        ("PlaybackFinished", "sound:or"),
    ]


@pytest_twisted.ensureDeferred
async def test_playback_exists_until_it_is_finished(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "known", f"sound:{LONG}")
    await events.wait_for_type("PlaybackStarted", "known")
    known = await backend.ari.get("/playbacks/known")
    assert (known.status, known.json["state"]) == (200, "playing")
    await finished(events, "known")
    await until_gone(backend, "known")
    assert (await backend.ari.get("/playbacks/known")).error == GONE
    assert (await backend.ari.delete("/playbacks/known")).error == GONE


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("media", [f"sound:{LONG}", "tone:ring"])
async def test_stopped_playback_finishes_at_once(
    backend: AsteriskHarness, media: str
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "stopped", media)
    await play(backend, call, "next", "sound:or")
    await events.wait_for_type("PlaybackStarted", "stopped")
    assert (await backend.ari.delete("/playbacks/stopped")).status == 204
    assert await finished(events, "stopped") == "done"
    assert await finished(events, "next") == "done"
    assert events.types("stopped", "next") == [
        "PlaybackStarted",
        "PlaybackFinished",
        "PlaybackStarted",
        "PlaybackFinished",
    ]


@pytest_twisted.ensureDeferred
async def test_digit_played_as_a_sound_can_be_stopped(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    for playback_id in ("said", "again", "and-again"):
        await play(backend, call, playback_id, "sound:digits/1", f"sound:{LONG}")
        await events.wait_for_type("PlaybackStarted", playback_id)
        assert (await backend.ari.delete(f"/playbacks/{playback_id}")).status == 204
        assert await finished(events, playback_id) == "done"
        # On a busy machine the digit may have ended already.
        if "PlaybackContinuing" not in events.types(playback_id):
            break
    assert events.types(playback_id) == ["PlaybackStarted", "PlaybackFinished"]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    "media", ["digits:1234567890", "number:20", "characters:1234567890"]
)
async def test_spoken_media_cannot_be_stopped(
    backend: AsteriskHarness, media: str
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "spelt", media)
    await events.wait_for_type("PlaybackStarted", "spelt")
    stopped = await backend.ari.delete("/playbacks/spelt")
    assert stopped.error == (500, "Could not stop playback")
    assert (await backend.ari.get("/playbacks/spelt")).json["state"] == "playing"
    assert await finished(events, "spelt") == "done"


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("media", ["sound:or", "digits:1"])
async def test_playback_stopped_in_the_queue_never_starts(
    backend: AsteriskHarness, media: str
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "heard", f"sound:{LONG}")
    await play(backend, call, "passed-over", media)
    assert (await backend.ari.delete("/playbacks/passed-over")).status == 204
    # It stays in the queue.
    kept = await backend.ari.get("/playbacks/passed-over")
    assert (kept.status, kept.json["state"]) == (200, "done")
    assert (await backend.ari.delete("/playbacks/passed-over")).status == 204
    await events.wait_for_type("PlaybackStarted", "heard")
    assert (await backend.ari.delete("/playbacks/heard")).status == 204
    assert await finished(events, "passed-over") == "done"
    assert events.types("heard", "passed-over") == [
        "PlaybackStarted",
        "PlaybackFinished",
        "PlaybackFinished",
    ]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("media", ["sound:nonexistent", "sound:"])
async def test_missing_sound_fails_at_once(
    backend: AsteriskHarness, media: str
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "missing", media)
    assert await finished(events, "missing") == "failed"
    assert events.types("missing") == ["PlaybackStarted", "PlaybackFinished"]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("media", ["bogus:xx", "press-1", "recording:none"])
async def test_invalid_media_starts_and_never_finishes(
    backend: AsteriskHarness, media: str
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "before", f"sound:{LONG}")
    await play(backend, call, "lost", media)
    queued = await backend.ari.get("/playbacks/lost")
    assert (queued.status, queued.json["state"]) == (200, "queued")
    await events.wait_for_type("PlaybackStarted", "before")
    assert (await backend.ari.delete("/playbacks/before")).status == 204
    await events.wait_for_type("PlaybackStarted", "lost")
    await until_gone(backend, "lost")
    assert (await backend.ari.get("/playbacks/lost")).error == GONE
    assert (await backend.ari.delete("/playbacks/lost")).error == GONE
    await play(backend, call, "after", "sound:or")
    assert await finished(events, "after") == "done"
    assert events.types("lost") == ["PlaybackStarted"]


@pytest_twisted.ensureDeferred
async def test_play_without_media_is_refused(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    answer = await backend.ari.post(f"/channels/{call.id}/play/empty")
    assert answer.error == (500, "Failed to queue media for playback")


@pytest_twisted.ensureDeferred
async def test_used_playback_id_is_accepted_and_both_play(
    backend: AsteriskHarness,
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "twice", "sound:press-1")
    await play(backend, call, "twice", "sound:press-2")
    await play(backend, call, "after", "sound:or")
    assert await finished(events, "after") == "done"
    assert [
        (event.type, event.json["playback"]["media_uri"])
        for event in events.all
        if event.is_about("twice")
    ] == [
        ("PlaybackStarted", "sound:press-1"),
        ("PlaybackFinished", "sound:press-1"),
        ("PlaybackStarted", "sound:press-2"),
        ("PlaybackFinished", "sound:press-2"),
    ]


@pytest_twisted.ensureDeferred
async def test_tone_plays_until_it_is_stopped(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "tone", "tone:ring")
    await play(backend, call, "after", "sound:or")
    await events.wait_for_type("PlaybackStarted", "tone")
    await call.caller.press("5")
    await events.wait_for_type("ChannelDtmfReceived", call.id)
    assert (await backend.ari.get("/playbacks/tone")).json["state"] == "playing"
    assert (await backend.ari.delete("/playbacks/tone")).status == 204
    assert await finished(events, "tone") == "done"
    assert await finished(events, "after") == "done"


@pytest_twisted.ensureDeferred
async def test_tone_fails_at_a_hangup(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "tone", "tone:ring")
    await events.wait_for_type("PlaybackStarted", "tone")
    await call.caller.hang_up()
    assert await finished(events, "tone") == "failed"


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("media", ["tone:nonsense", "number:-5"])
async def test_media_without_a_sound_file_fails_at_once(
    backend: AsteriskHarness, media: str
) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "none", media)
    assert await finished(events, "none") == "failed"
    assert events.types("none") == ["PlaybackStarted", "PlaybackFinished"]


@pytest_twisted.ensureDeferred
async def test_invalid_number_never_finishes(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    await play(backend, call, "no-number", "number:abc")
    await play(backend, call, "after", "sound:or")
    assert await finished(events, "after") == "done"
    assert events.types("no-number") == ["PlaybackStarted"]


@pytest_twisted.ensureDeferred
async def test_digits_without_a_sound_are_skipped(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    for number, media in enumerate(("digits:", "digits:x")):
        await play(backend, call, str(number), media)
        assert await finished(events, str(number)) == "done"


@pytest_twisted.ensureDeferred
async def test_playback_has_the_channels_language(backend: AsteriskHarness) -> None:
    events = await backend.listen()
    call = await backend.call(events)
    language = {"variable": "CHANNEL(language)", "value": "fr"}
    await backend.ari.post(f"/channels/{call.id}/variable", **language)
    answer = await play(backend, call, "french", "sound:or")
    assert answer.json["language"] == "fr"
    # A sound missing in a language is played in another.
    assert await finished(events, "french") == "done"
