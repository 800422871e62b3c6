"""Programs whose coroutines are calls: the dialogue, and examples/ari/bank.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from channel_aa.ari import DialOutcome, NotAnsweredError
from real_asterisk.sounds import LONG
from tests.support.ari_programs import Program, example
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.ari import Channel
    from tests.support.asterisk_harness import AsteriskHarness

PROMPT = ("vm-press", "digits/1", "vm-press", "digits/2")
BALANCE = (
    *("vm-youhave", "digits/3", "digits/hundred", "digits/50", "digits/dollars"),
    *("vm-and", "digits/20"),
)


@pytest_twisted.ensureDeferred
async def test_bank(backend: AsteriskHarness) -> None:
    bank = example("bank")
    bank.CLERK = "Local/hangs-up@phones"
    async with Program.running(backend, bank.call) as program:
        caller = await backend.place_call("1000")
        await program.hears("vm-password")
        for key in "9999":
            await caller.press(key)
        await program.hears("vm-incorrect", "vm-password")
        for key in "1234":
            await caller.press(key)
        await program.hears(*PROMPT)
        await caller.press("1")
        await program.hears(*BALANCE)
        await program.hears(*PROMPT)
        before = len(program.heard)
        await caller.press("2")  # the clerk answers, and hangs up after a second
        await until(backend.reactor, lambda: len(program.heard) > before)
        await program.hears(*PROMPT)
        await caller.hang_up()
        await program.is_over()


@pytest_twisted.ensureDeferred
async def test_key_stops_a_sound_and_the_end_hangs_up(backend: AsteriskHarness) -> None:
    keys: list[str | None] = []

    async def call(channel: Channel, _arguments: Sequence[str]) -> None:
        await channel.answer()
        await channel.dialogue.play(LONG, "or")
        keys.append(await channel.dialogue.next_key(0))

    async with Program.running(backend, call) as program:
        caller = await backend.place_call("1000")
        await program.hears(LONG)
        await caller.press("7")
        await program.is_over()
        assert keys == ["7"]
        assert program.heard == [LONG]


@pytest_twisted.ensureDeferred
async def test_recording_is_heard(backend: AsteriskHarness) -> None:
    async def call(channel: Channel, _arguments: Sequence[str]) -> None:
        await channel.answer()
        recording = await channel.dialogue.record(
            "dialogue-note", max_seconds=1, beep=False, overwrite=True
        )
        await channel.dialogue.play(f"recording:{recording.name}")

    async with Program.running(backend, call) as program:
        caller = await backend.place_call("1000")
        await caller.keep_talking()
        await program.hears("recording:dialogue-note")
        await program.is_over()


@pytest_twisted.ensureDeferred
async def test_call_that_continues_in_the_dialplan_is_not_hung_up(
    backend: AsteriskHarness,
) -> None:
    async def call(channel: Channel, _arguments: Sequence[str]) -> None:
        await channel.answer()
        await channel.continue_in_dialplan()

    async with Program.running(backend, call) as program:
        events = await backend.listen_to_everything()
        caller = await backend.place_call("1000")
        status = await events.wait_for(
            lambda it: (
                it.type == "ChannelVarset"
                and it.json["channel"]["name"] == caller.name
                and it.json["variable"] == "STASISSTATUS"
                and it.json["value"] != ""
            )
        )
        assert status.json["value"] == "SUCCESS"
        await program.is_over()


@pytest_twisted.ensureDeferred
async def test_program_calls_phones(backend: AsteriskHarness) -> None:
    async def call(channel: Channel, _arguments: Sequence[str]) -> None:
        raise AssertionError(channel)

    async with Program.running(backend, call) as program:
        prepare = program.client.prepare_call
        channel = await prepare("Local/answers-later@phones").originate()
        await channel.dialogue.play("or")
        await channel.hang_up()
        for phone, outcome in {
            "busy": DialOutcome.BUSY,
            "declines": DialOutcome.NO_ANSWER,
            "congested": DialOutcome.CONGESTION,
            "nobody": DialOutcome.UNAVAILABLE,
        }.items():
            with pytest.raises(NotAnsweredError) as raised:
                await prepare(f"Local/{phone}@phones", ring_seconds=5).originate()
            assert (phone, raised.value.outcome) == (phone, outcome)
        created = prepare("Local/answers-later@phones")
        channel = await created.create()
        assert await created.dial() is channel
        await channel.hang_up()
        await program.is_over()


@pytest_twisted.ensureDeferred
async def test_program_learns_the_cause_of_a_hangup(backend: AsteriskHarness) -> None:
    causes: list[int] = []

    async def call(channel: Channel, _arguments: Sequence[str]) -> None:
        await channel.answer()
        try:
            await channel.dialogue.play(LONG)
        finally:
            causes.append(channel.hangup_cause)

    async with Program.running(backend, call) as program:
        caller = await backend.place_call("1000")
        await program.hears(LONG)
        await caller.hang_up()
        await program.is_over()
        assert causes == [16]
