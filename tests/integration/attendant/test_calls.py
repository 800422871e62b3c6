"""Calls to the default menu, on both Asterisks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.task import deferLater

from channel_aa.menus.actions import Play
from channel_aa.menus.sounds import prompt_of
from real_asterisk.sounds import LONG, QUIET
from tests.support.attendant_harness import PROMPT, AttendantHarness
from tests.support.waiting import until

if TYPE_CHECKING:
    from channel_aa.ari import Transport
    from tests.support.asterisk_harness import AsteriskHarness


@pytest_twisted.ensureDeferred
async def test_seed_session_has_its_sounds_and_log(
    harness: AttendantHarness,
) -> None:
    await harness.go_through_seed_session()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("heard", [1, 2, 3])
async def test_key_interrupts_each_sound_of_the_prompt(
    backend: AsteriskHarness, transport: Transport, heard: int
) -> None:
    # The interrupted sound is long, since the machine may be busy.
    prompt = (*PROMPT[: heard - 1], LONG, *PROMPT[heard:])
    harness = await AttendantHarness.with_default_menu(
        backend, transport, prompt=prompt_of(*prompt)
    )
    try:
        caller, monitor = await harness.call()
        await monitor.hears(*prompt[:heard])
        await caller.press("2")
        await monitor.hears("you-entered", "digits/2", prompt[0])
        monitor.assert_no_overlap()
    finally:
        await harness.close()


@pytest_twisted.ensureDeferred
async def test_key_interrupts_feedback_nomatch_and_noinput_prompts(
    backend: AsteriskHarness, transport: Transport
) -> None:
    harness = await AttendantHarness.with_default_menu(
        backend,
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
        caller, monitor = await harness.call()
        await monitor.hears("press-1")
        await caller.press("1")
        await monitor.hears(LONG)
        await caller.press("2")
        await monitor.hears("you-entered", QUIET)
        await caller.press("9")
        await monitor.hears("option-is-invalid", LONG)
        await caller.press("3")
        await monitor.hears("you-entered", "digits/3", "press-1")
        await monitor.hears("are-you-still-there", QUIET)
        await caller.press("2")
        await monitor.hears("you-entered", QUIET)
        monitor.assert_no_overlap()
    finally:
        await harness.close()


@pytest_twisted.ensureDeferred
async def test_all_keys_are_accepted(
    backend: AsteriskHarness, transport: Transport
) -> None:
    harness = await AttendantHarness.with_default_menu(
        backend, transport, prompt=prompt_of(QUIET), nomatch=(prompt_of(LONG),)
    )
    try:
        caller, monitor = await harness.call()
        await monitor.hears(QUIET)
        for key in "034567890*#ABCD":
            await caller.press(key)
            await monitor.hears(LONG)
        assert harness.keys_entered == "034567890*#ABCD"
    finally:
        await harness.close()


@pytest_twisted.ensureDeferred
async def test_keys_in_quick_succession_are_handled_in_order(
    harness: AttendantHarness,
) -> None:
    caller, monitor = await harness.call()
    await monitor.hears("press-1")
    for key in "128":
        await caller.press(key)
    await until(
        harness.backend.reactor,
        lambda: "option-is-invalid" in monitor.heard,
        "the complaint about the last key",
    )
    assert harness.keys_entered == "128"
    monitor.assert_no_overlap()


@pytest_twisted.ensureDeferred
async def test_hangup_at_any_moment_leaves_nothing(harness: AttendantHarness) -> None:
    early, _ = await harness.call()
    await early.hang_up()

    in_a_sound, monitor = await harness.call()
    await monitor.hears("press-1")
    await in_a_sound.hang_up()

    after_a_key, monitor = await harness.call()
    await monitor.hears("press-1")
    await after_a_key.press("1")
    await after_a_key.hang_up()

    in_silence, monitor = await harness.call()
    await monitor.hears(*PROMPT)
    await until(
        harness.backend.reactor,
        lambda: all(sound.ended for sound in monitor.sounds),
        "the end of the prompt",
    )
    await in_silence.hang_up()
    await harness.until_idle()
    entered = [line for line in harness.call_log if "has entered" in line]
    left = [line for line in harness.call_log if "has left" in line]
    # The first call may have ended before it entered the application.
    assert len(entered) == len(left) >= 3
    assert harness.warnings == []


async def make_call(
    harness: AttendantHarness, number: int, turns: DeferredSemaphore
) -> None:
    """Call, press three keys at times that depend on the number, and hang up."""
    reactor = harness.backend.reactor
    await deferLater(reactor, number * 0.01)
    async with turns:
        caller, _ = await harness.call()
    for key in ("1", "2", "8"):
        await deferLater(reactor, 0.1 + (number * 37 % 100) * 0.005)
        async with turns:
            await caller.press(key)
    last = f"Channel {caller.name} entered 8"
    await until(reactor, lambda: last in harness.call_log, last)
    await deferLater(reactor, (number * 53 % 100) * 0.005)
    async with turns:
        await caller.hang_up()


@pytest_twisted.ensureDeferred
async def test_100_concurrent_calls_leave_nothing(harness: AttendantHarness) -> None:
    # Asterisk accepts 100 connections, the attendant's included.
    turns = DeferredSemaphore(20)
    callers = [
        Deferred.fromCoroutine(make_call(harness, number, turns))
        for number in range(100)
    ]
    most = 0
    while not all(caller.called for caller in callers):
        most = max(most, harness.service.live["calls"])
        await deferLater(harness.backend.reactor, 0.02)
    await gatherResults(callers)
    await harness.until_idle()
    assert most > 50
    assert len([line for line in harness.call_log if "has left" in line]) == 100

    async def has_no_channels() -> bool:
        return not (await harness.backend.ari.get("/channels")).json

    # The channels end shortly after they have left the application.
    await until(harness.backend.reactor, has_no_channels)
    assert (await harness.backend.ari.get("/channels")).json == []
    assert harness.warnings == []
