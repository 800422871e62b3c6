"""The programs of examples/ari whose operations the simulator has, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from channel_aa.ari import AriClient
from tests.support.ari_programs import Program, address_of, example
from tests.support.waiting import until

if TYPE_CHECKING:
    from real_asterisk.raw_ari import Event, Events
    from tests.support.asterisk_harness import AsteriskHarness


@pytest_twisted.ensureDeferred
async def test_simple_media(
    backend: AsteriskHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    simple_media = example("simple_media")
    async with Program.running(backend, simple_media.call) as program:
        await backend.place_call("1000")
        await program.hears("demo-thanks", "digits:42", "tone:busy;tonezone=us")
        await program.is_over()
    assert capsys.readouterr().out == ""


@pytest_twisted.ensureDeferred
async def test_channel_state(
    backend: AsteriskHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    channel_state = example("channel_state")
    channel_state.SECONDS = 0.2
    async with Program.running(backend, channel_state.call) as program:
        events = await backend.listen_to_everything()
        caller = await backend.place_call("1000")

        def is_destroyed(event: Event) -> bool:
            return (
                event.type == "ChannelDestroyed"
                and event.json["channel"]["name"] == caller.name
            )

        destroyed = await events.wait_for(is_destroyed)
        assert destroyed.json["cause"] == 16
        await program.is_over()
    assert f"{caller.name} is Up\n" in capsys.readouterr().out


async def begun(events: Events, count: int) -> None:
    """Wait until so many recordings have begun."""

    def started() -> int:
        return sum(each.type == "RecordingStarted" for each in events.all)

    await events.wait_for(lambda _: started() >= count)


@pytest_twisted.ensureDeferred
async def test_message_is_left_and_heard(backend: AsteriskHarness) -> None:
    voicemail, mailbox = example("voicemail"), example("mailbox")
    async with Program.running(backend, voicemail.call) as program:
        events = await backend.listen_to_everything()
        caller = await backend.place_call("7410")
        for count in (1, 2):  # the second recording replaces the first one
            await begun(events, count)
            await caller.keep_talking()
            await deferLater(backend.reactor, 0.5)  # after the beep
            await caller.press("#")
            await program.hears("vm-review")
            program.heard.clear()
            await caller.press("32"[count - 1])
        await until(backend.reactor, lambda: len(program.heard) == 2)
        await program.hears("vm-review")
        heard = program.heard[0]
        await caller.press("1")
        await program.hears("vm-msgsaved", "vm-goodbye")
        await program.is_over()
    [stored] = (await backend.ari.get("/recordings/stored")).json
    assert stored["name"].startswith("voicemail/410/")
    assert heard == f"recording:{stored['name']}"

    box = mailbox.Mailbox(address_of(backend))
    async with Program.running(backend, box.client) as program:
        caller = await backend.place_call("7410")
        await program.hears(f"recording:{stored['name']}")
        await caller.press("7")
        await program.hears("vm-deleted", "vm-nomore", "vm-goodbye")
        await program.is_over()
    assert program.heard[:3] == ["vm-youhave", "digits/1", "vm-messages"]
    assert (await backend.ari.get("/recordings/stored")).json == []


@pytest.mark.parametrize(
    ("second", "printed"),
    [("hangs-up", ""), ("busy", "Local/busy@phones: BUSY\n")],
)
@pytest_twisted.ensureDeferred
async def test_originate(
    backend: AsteriskHarness,
    capsys: pytest.CaptureFixture[str],
    second: str,
    printed: str,
) -> None:
    originate = example("originate")
    originate.FIRST = "Local/answers@phones"
    originate.SECOND = f"Local/{second}@phones"
    client = AriClient(address_of(backend), reactor=backend.reactor)
    async with Program.running(backend, client) as program:
        events = await backend.listen_to_everything()
        await originate.connect(client)
        await program.is_over()
        bridged = [each for each in events.all if each.type == "ChannelEnteredBridge"]
        assert (len(bridged) == 2) is (second == "hangs-up")
        assert ("vm-isonphone" in program.heard) is (second == "busy")
    assert capsys.readouterr().out == printed


@pytest_twisted.ensureDeferred
async def test_originate_to_a_phone_that_does_not_answer(
    backend: AsteriskHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    originate = example("originate")
    originate.FIRST = "Local/busy@phones"
    client = AriClient(address_of(backend), reactor=backend.reactor)
    async with Program.running(backend, client):
        await originate.connect(client)
    assert "Local/busy@phones did not answer: BUSY" in capsys.readouterr().out
