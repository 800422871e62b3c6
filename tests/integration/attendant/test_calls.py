"""What callers of the default menu experience, on each of the two Asterisks."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.task import deferLater

from channel_aa.menus.actions import Play
from channel_aa.menus.sounds import prompt_of
from real_asterisk.sounds import LONG, QUIET
from tests.support.attendant_harness import AttendantHarness, settings_for, until

if TYPE_CHECKING:
    from channel_aa.ari import Transport
    from tests.support.asterisk_harness import AsteriskHarness
    from tests.support.attendant_harness import Witness

PROMPT = ("press-1", "or", "press-2")


async def scene_with(
    stage: AsteriskHarness, transport: Transport, **changed: object
) -> AttendantHarness:
    """Let an attendant offer the default menu, but for what is changed of it."""
    settings = settings_for(stage.url, transport=transport)
    menu = settings.menus["main"].replace(**changed)
    settings = settings.replace(menus={"main": menu})
    return await AttendantHarness.open(stage, transport=transport, settings=settings)


def assert_one_after_the_other(witness: Witness) -> None:
    """Check that no sound began before the one before it had ended."""
    sounds = witness.sounds
    for earlier, later in pairwise(sounds):
        assert earlier.ended, f"{earlier.name} did not end before {later.name}"
        assert earlier.ended <= later.started, f"{later.name} over {earlier.name}"


async def go_through_the_seed_session(scene: AttendantHarness) -> None:
    """Press what the seed's caller pressed, and check the sounds and the log."""
    caller, witness = await scene.call()
    await witness.hears("press-1", "or")
    await caller.press("1")
    await witness.hears("you-entered", "digits/1", *PROMPT)
    await caller.press("2")
    await witness.hears("you-entered", "digits/2", "press-1")
    await caller.press("8")
    await witness.hears("option-is-invalid", *PROMPT, "are-you-still-there", "press-1")
    await caller.hang_up()
    await scene.is_idle()
    assert_one_after_the_other(witness)
    assert scene.log == [
        f"Channel {caller.name} has entered the application",
        f"Channel {caller.name} entered 1",
        f"Channel {caller.name} entered 2",
        f"Channel {caller.name} entered 8",
        f"Channel {caller.name} entered an invalid option!",
        f"Channel {caller.name} stopped paying attention...",
        f"{caller.name} has left the application",
    ]
    assert scene.complaints == []


@pytest_twisted.ensureDeferred
async def test_seed_session_has_its_sounds_and_its_log(scene: AttendantHarness) -> None:
    await go_through_the_seed_session(scene)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("heard", [1, 2, 3])
async def test_key_interrupts_each_sound_of_the_prompt(
    stage: AsteriskHarness, transport: Transport, heard: int
) -> None:
    # The one that is interrupted lasts until then on a busy machine, too.
    prompt = (*PROMPT[: heard - 1], LONG, *PROMPT[heard:])
    scene = await scene_with(stage, transport, prompt=prompt_of(*prompt))
    try:
        caller, witness = await scene.call()
        await witness.hears(*prompt[:heard])
        await caller.press("2")
        await witness.hears("you-entered", "digits/2", prompt[0])
        assert_one_after_the_other(witness)
    finally:
        await scene.close()


@pytest_twisted.ensureDeferred
async def test_key_interrupts_feedback_complaint_and_question(
    stage: AsteriskHarness, transport: Transport
) -> None:
    scene = await scene_with(
        stage,
        transport,
        prompt=prompt_of("press-1"),
        timeout=2.0,
        noinput=(prompt_of("are-you-still-there", QUIET),),
        nomatch=(prompt_of("option-is-invalid", LONG),),
        options={
            "1": Play(play=prompt_of(LONG, "digits:{digits}")),
            "2": Play(play=prompt_of("you-entered", QUIET)),
            "3": Play(play=prompt_of("you-entered", "digits:{digits}")),
        },
    )
    try:
        caller, witness = await scene.call()
        await witness.hears("press-1")
        await caller.press("1")
        await witness.hears(LONG)
        await caller.press("2")
        await witness.hears("you-entered", QUIET)
        await caller.press("9")
        await witness.hears("option-is-invalid", LONG)
        await caller.press("3")
        await witness.hears("you-entered", "digits/3", "press-1")
        await witness.hears("are-you-still-there", QUIET)
        await caller.press("2")
        await witness.hears("you-entered", QUIET)
        assert_one_after_the_other(witness)
    finally:
        await scene.close()


@pytest_twisted.ensureDeferred
async def test_every_key_of_a_telephone_is_understood(
    stage: AsteriskHarness, transport: Transport
) -> None:
    scene = await scene_with(
        stage, transport, prompt=prompt_of(QUIET), nomatch=(prompt_of(LONG),)
    )
    try:
        caller, witness = await scene.call()
        await witness.hears(QUIET)
        for key in "034567890*#ABCD":
            await caller.press(key)
            await witness.hears(LONG)
        assert scene.keys_entered == "034567890*#ABCD"
    finally:
        await scene.close()


@pytest_twisted.ensureDeferred
async def test_keys_pressed_in_a_row_are_all_taken_in_order(
    scene: AttendantHarness,
) -> None:
    caller, witness = await scene.call()
    await witness.hears("press-1")
    for key in "128":
        await caller.press(key)
    await until(
        lambda: "option-is-invalid" in witness.heard,
        scene.stage.reactor,
        "the complaint about the last key",
    )
    assert scene.keys_entered == "128"
    assert_one_after_the_other(witness)


@pytest_twisted.ensureDeferred
async def test_hangup_at_any_moment_leaves_nothing(scene: AttendantHarness) -> None:
    early, _ = await scene.call()
    await early.hang_up()

    in_a_sound, witness = await scene.call()
    await witness.hears("press-1")
    await in_a_sound.hang_up()

    after_a_key, witness = await scene.call()
    await witness.hears("press-1")
    await after_a_key.press("1")
    await after_a_key.hang_up()

    in_silence, witness = await scene.call()
    await witness.hears(*PROMPT)
    await until(
        lambda: all(sound.ended for sound in witness.sounds),
        scene.stage.reactor,
        "the end of the prompt",
    )
    await in_silence.hang_up()
    await scene.is_idle()
    entered = [line for line in scene.log if "has entered" in line]
    left = [line for line in scene.log if "has left" in line]
    # The first caller may have hung up on the way to the application.
    assert len(entered) == len(left) >= 3
    assert scene.complaints == []


async def one_of_many(
    scene: AttendantHarness, number: int, turns: DeferredSemaphore
) -> None:
    """Call, press three keys at times of one's own, and hang up."""
    reactor = scene.stage.reactor
    await deferLater(reactor, number * 0.01)
    async with turns:
        caller, _ = await scene.call()
    for key in ("1", "2", "8"):
        await deferLater(reactor, 0.1 + (number * 37 % 100) * 0.005)
        async with turns:
            await caller.press(key)
    last = f"Channel {caller.name} entered 8"
    await until(lambda: last in scene.log, reactor, last)
    await deferLater(reactor, (number * 53 % 100) * 0.005)
    async with turns:
        await caller.hang_up()


@pytest_twisted.ensureDeferred
async def test_hundred_calls_at_once_leave_nothing(scene: AttendantHarness) -> None:
    # Asterisk takes 100 connections at once, the attendant's among them.
    turns = DeferredSemaphore(20)
    callers = [
        Deferred.fromCoroutine(one_of_many(scene, number, turns))
        for number in range(100)
    ]
    most = 0
    while not all(caller.called for caller in callers):
        most = max(most, scene.service.live["calls"])
        await deferLater(scene.stage.reactor, 0.02)
    await gatherResults(callers)
    await scene.is_idle()
    assert most > 50
    assert len([line for line in scene.log if "has left" in line]) == 100

    async def has_no_channels() -> bool:
        return not (await scene.stage.ari.get("/channels")).json

    # Their channels end a moment after they have left.
    await scene.stage.until(has_no_channels)
    assert (await scene.stage.ari.get("/channels")).json == []
    assert scene.complaints == []
