"""What becomes of a sound that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.sounds import LONG

if TYPE_CHECKING:
    from tests.support.asterisk_harness import AsteriskHarness, Call
    from tests.support.raw_ari import Answer, Events

GONE = (404, "Playback not found")


async def play(
    stage: AsteriskHarness, call: Call, playback_id: str, *media: str
) -> Answer:
    answer = await stage.ari.post(
        f"/channels/{call.id}/play/{playback_id}", media=",".join(media)
    )
    assert answer.status == 201, answer.json
    return answer


async def until_it_is_gone(stage: AsteriskHarness, playback_id: str) -> None:
    """Wait until a playback is not known: its last event comes a moment before."""

    async def is_gone() -> bool:
        return (await stage.ari.get(f"/playbacks/{playback_id}")).status == 404

    await stage.until(is_gone)


async def finished(events: Events, playback_id: str) -> str:
    event = await events.wait_for_type("PlaybackFinished", playback_id)
    state: str = event.json["playback"]["state"]
    return state


@pytest_twisted.ensureDeferred
async def test_a_playback_has_the_id_that_its_request_chose(
    stage: AsteriskHarness,
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    answer = await play(stage, call, "chosen", "sound:press-1")
    # Asterisk may be ahead of its own answer.
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
async def test_a_playback_with_no_chosen_id_gets_one(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    answer = await stage.ari.post(f"/channels/{call.id}/play", media="sound:or")
    assert answer.status == 201
    assert await finished(events, answer.json["id"]) == "done"


@pytest_twisted.ensureDeferred
async def test_a_sound_is_heard_for_its_length(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "one", f"sound:{LONG}")
    assert await finished(events, "one") == "done"
    first, last = [event for event in events.all if event.is_about("one")]
    assert last.received - first.received > stage.sounds[LONG] / 2


@pytest_twisted.ensureDeferred
async def test_a_sound_is_heard_before_the_call_is_answered(
    stage: AsteriskHarness,
) -> None:
    events = await stage.listen()
    call = await stage.call(events, answer=False)
    await play(stage, call, "early", "sound:or")
    assert await finished(events, "early") == "done"


@pytest_twisted.ensureDeferred
async def test_sounds_are_heard_one_after_the_other(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "first", f"sound:{LONG}")
    await play(stage, call, "second", "sound:or")
    state = (await stage.ari.get("/playbacks/second")).json["state"]
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
async def test_one_playback_says_several_sounds(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    answer = await play(stage, call, "both", "sound:press-1", "sound:or")
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
async def test_a_playback_is_known_until_it_is_over(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "known", f"sound:{LONG}")
    await events.wait_for_type("PlaybackStarted", "known")
    known = await stage.ari.get("/playbacks/known")
    assert (known.status, known.json["state"]) == (200, "playing")
    await finished(events, "known")
    await until_it_is_gone(stage, "known")
    assert (await stage.ari.get("/playbacks/known")).error == GONE
    assert (await stage.ari.delete("/playbacks/known")).error == GONE


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("media", [f"sound:{LONG}", "tone:ring"])
async def test_a_stopped_playback_is_done_at_once(
    stage: AsteriskHarness, media: str
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "stopped", media)
    await play(stage, call, "next", "sound:or")
    await events.wait_for_type("PlaybackStarted", "stopped")
    assert (await stage.ari.delete("/playbacks/stopped")).status == 204
    assert await finished(events, "stopped") == "done"
    assert await finished(events, "next") == "done"
    assert events.types("stopped", "next") == [
        "PlaybackStarted",
        "PlaybackFinished",
        "PlaybackStarted",
        "PlaybackFinished",
    ]


@pytest_twisted.ensureDeferred
async def test_a_digit_said_as_a_sound_can_be_stopped(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    for said in ("said", "again", "and-again"):
        await play(stage, call, said, "sound:digits/1", f"sound:{LONG}")
        await events.wait_for_type("PlaybackStarted", said)
        assert (await stage.ari.delete(f"/playbacks/{said}")).status == 204
        assert await finished(events, said) == "done"
        # On a busy machine the digit may have ended before.
        if "PlaybackContinuing" not in events.types(said):
            break
    assert events.types(said) == ["PlaybackStarted", "PlaybackFinished"]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    "media", ["digits:1234567890", "number:20", "characters:1234567890"]
)
async def test_what_asterisk_spells_cannot_be_stopped(
    stage: AsteriskHarness, media: str
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "spelt", media)
    await events.wait_for_type("PlaybackStarted", "spelt")
    stopped = await stage.ari.delete("/playbacks/spelt")
    assert stopped.error == (500, "Could not stop playback")
    assert (await stage.ari.get("/playbacks/spelt")).json["state"] == "playing"
    assert await finished(events, "spelt") == "done"


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("media", ["sound:or", "digits:1"])
async def test_a_playback_stopped_while_queued_never_starts(
    stage: AsteriskHarness, media: str
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "heard", f"sound:{LONG}")
    await play(stage, call, "passed-over", media)
    assert (await stage.ari.delete("/playbacks/passed-over")).status == 204
    # It keeps its place in the queue.
    kept = await stage.ari.get("/playbacks/passed-over")
    assert (kept.status, kept.json["state"]) == (200, "done")
    assert (await stage.ari.delete("/playbacks/passed-over")).status == 204
    await events.wait_for_type("PlaybackStarted", "heard")
    assert (await stage.ari.delete("/playbacks/heard")).status == 204
    assert await finished(events, "passed-over") == "done"
    assert events.types("heard", "passed-over") == [
        "PlaybackStarted",
        "PlaybackFinished",
        "PlaybackFinished",
    ]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("media", ["sound:nonexistent", "sound:"])
async def test_a_missing_sound_fails_at_once(
    stage: AsteriskHarness, media: str
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "missing", media)
    assert await finished(events, "missing") == "failed"
    assert events.types("missing") == ["PlaybackStarted", "PlaybackFinished"]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("media", ["bogus:xx", "press-1", "recording:none"])
async def test_what_asterisk_cannot_make_out_starts_and_is_never_heard_of_again(
    stage: AsteriskHarness, media: str
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "before", f"sound:{LONG}")
    await play(stage, call, "lost", media)
    queued = await stage.ari.get("/playbacks/lost")
    assert (queued.status, queued.json["state"]) == (200, "queued")
    await events.wait_for_type("PlaybackStarted", "before")
    assert (await stage.ari.delete("/playbacks/before")).status == 204
    await events.wait_for_type("PlaybackStarted", "lost")
    await until_it_is_gone(stage, "lost")
    assert (await stage.ari.get("/playbacks/lost")).error == GONE
    assert (await stage.ari.delete("/playbacks/lost")).error == GONE
    await play(stage, call, "after", "sound:or")
    assert await finished(events, "after") == "done"
    assert events.types("lost") == ["PlaybackStarted"]


@pytest_twisted.ensureDeferred
async def test_no_media_is_refused(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    answer = await stage.ari.post(f"/channels/{call.id}/play/empty")
    assert answer.error == (500, "Failed to queue media for playback")


@pytest_twisted.ensureDeferred
async def test_a_used_id_is_not_refused_and_both_are_heard(
    stage: AsteriskHarness,
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "twice", "sound:press-1")
    await play(stage, call, "twice", "sound:press-2")
    await play(stage, call, "after", "sound:or")
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
async def test_a_tone_is_heard_until_it_is_stopped(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "tone", "tone:ring")
    await play(stage, call, "after", "sound:or")
    await events.wait_for_type("PlaybackStarted", "tone")
    await call.caller.press("5")
    await events.wait_for_type("ChannelDtmfReceived", call.id)
    assert (await stage.ari.get("/playbacks/tone")).json["state"] == "playing"
    assert (await stage.ari.delete("/playbacks/tone")).status == 204
    assert await finished(events, "tone") == "done"
    assert await finished(events, "after") == "done"


@pytest_twisted.ensureDeferred
async def test_a_tone_fails_at_the_hangup(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "tone", "tone:ring")
    await events.wait_for_type("PlaybackStarted", "tone")
    await call.caller.hang_up()
    assert await finished(events, "tone") == "failed"


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("media", ["tone:nonsense", "number:-5"])
async def test_what_has_no_sound_fails_at_once(
    stage: AsteriskHarness, media: str
) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "none", media)
    assert await finished(events, "none") == "failed"
    assert events.types("none") == ["PlaybackStarted", "PlaybackFinished"]


@pytest_twisted.ensureDeferred
async def test_what_is_no_number_is_never_over(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    await play(stage, call, "no-number", "number:abc")
    await play(stage, call, "after", "sound:or")
    assert await finished(events, "after") == "done"
    assert events.types("no-number") == ["PlaybackStarted"]


@pytest_twisted.ensureDeferred
async def test_digits_without_a_sound_are_passed_over(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    for number, media in enumerate(("digits:", "digits:x")):
        await play(stage, call, str(number), media)
        assert await finished(events, str(number)) == "done"


@pytest_twisted.ensureDeferred
async def test_a_playbacks_language_is_the_channels(stage: AsteriskHarness) -> None:
    events = await stage.listen()
    call = await stage.call(events)
    language = {"variable": "CHANNEL(language)", "value": "fr"}
    await stage.ari.post(f"/channels/{call.id}/variable", **language)
    answer = await play(stage, call, "french", "sound:or")
    assert answer.json["language"] == "fr"
    # Where a language lacks a sound, it is heard in another.
    assert await finished(events, "french") == "done"
