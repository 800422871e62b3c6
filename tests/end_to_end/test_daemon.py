"""``twistd channel-aa`` on a real Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from channel_aa.service import AttendantService
from channel_aa.service.lag import ReactorDelay
from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import Witness, settings_for, until
from tests.support.program import TWISTD, Program

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk

ATTENDANT = "channel_aa.attendant"


@pytest_twisted.ensureDeferred
async def test_seed_session_with_the_defaults(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> None:
    stage = await RealAsteriskHarness.open(reactor, asterisk)
    events = await stage.ari.listen("onlooker", subscribeAll="true")
    daemon = (*TWISTD, "channel-aa", "--url", asterisk.url)
    async with Program.running(reactor, *daemon) as program:
        await program.prints("Connected to")
        caller = await stage.place_call("1000")
        entered = await events.wait_for(
            lambda event: event.json.get("channel", {}).get("name") == caller.name
        )
        witness = Witness(events, entered.json["channel"]["id"])
        # In the last sound, or in the long silence after it.
        await witness.hears("press-1", "or", "press-2")
        await caller.press("1")
        await witness.hears("you-entered", "digits/1", "press-1", "or", "press-2")
        await caller.press("2")
        await witness.hears("you-entered", "digits/2", "press-1", "or", "press-2")
        await caller.press("8")
        await witness.hears("option-is-invalid", "press-1", "or", "press-2")
        await program.prints("stopped paying attention")
        await witness.hears("are-you-still-there")
        await caller.hang_up()
        await program.prints("has left the application")
    assert program.texts(ATTENDANT) == [
        f"Channel {caller.name} has entered the application",
        f"Channel {caller.name} entered 1",
        f"Channel {caller.name} entered 2",
        f"Channel {caller.name} entered 8",
        f"Channel {caller.name} entered an invalid option!",
        f"Channel {caller.name} stopped paying attention...",
        f"{caller.name} has left the application",
    ]
    warnings = [line for line in program.lines if "#warn]" in line or "rror" in line]
    # That the machine is busy is the other tests' doing.
    assert not [line for line in warnings if ReactorDelay.__module__ not in line]
    await stage.close()


@pytest_twisted.ensureDeferred
async def test_daemon_stopped_in_a_call_sends_it_on(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> None:
    stage = await RealAsteriskHarness.open(reactor, asterisk)
    events = await stage.ari.listen("onlooker", subscribeAll="true")
    daemon = (*TWISTD, "channel-aa", "--url", asterisk.url)
    async with Program.running(reactor, *daemon) as program:
        await program.prints("Connected to")
        await stage.place_call("1000")
        await events.wait_for(lambda event: event.type == "PlaybackStarted")
    status = await events.wait_for(
        lambda event: (
            event.type == "ChannelVarset"
            and event.json["variable"] == "STASISSTATUS"
            and event.json["value"] != ""
        )
    )
    assert status.json["value"] == "SUCCESS"
    assert any("Server Shut Down" in line for line in program.lines)
    await stage.close()


@pytest_twisted.ensureDeferred
async def test_wrong_password_is_explained_and_not_shown(
    reactor: PosixReactorBase, asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANNEL_AA_PASSWORD", "hunter2")
    daemon = (*TWISTD, "channel-aa", "--url", asterisk.url)
    async with Program.running(reactor, *daemon) as program:
        await program.prints("refused the user 'asterisk' or the password")
    assert "hunter2" not in "".join(program.lines)


@pytest_twisted.ensureDeferred
async def test_daemon_may_be_started_before_asterisk(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    asterisk = Asterisk(reactor, installation=installation)
    service = AttendantService(settings_for(asterisk.url), reactor=reactor)
    service.startService()
    try:
        await asterisk.boot()
        await until(lambda: service.is_connected, reactor, "a connection")
        stage = await RealAsteriskHarness.open(reactor, asterisk)
        await stage.place_call("1000")
        await until(lambda: service.live["playbacks"] == 1, reactor, "a sound")
    finally:
        await service.stopService()
        await asterisk.stop()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("end", [Asterisk.halt, Asterisk.kill])
async def test_attendant_serves_an_asterisk_that_was_restarted(
    reactor: PosixReactorBase,
    installation: Installation,
    end: Callable[[Asterisk], Awaitable[None]],
) -> None:
    async with Asterisk.running(reactor, installation=installation) as asterisk:
        service = AttendantService(settings_for(asterisk.url), reactor=reactor)
        service.startService()
        try:
            await until(lambda: service.is_connected, reactor, "a connection")
            stage = await RealAsteriskHarness.open(reactor, asterisk)
            await stage.place_call("1000")
            await until(lambda: service.live["playbacks"] == 1, reactor, "a sound")
            await end(asterisk)
            await until(lambda: not service.is_connected, reactor, "the loss")
            await asterisk.boot()
            await until(lambda: service.is_connected, reactor, "a new connection")
            await until(
                lambda: not any(service.live.values()), reactor, "the old call's end"
            )
            stage = await RealAsteriskHarness.open(reactor, asterisk)
            await stage.place_call("1000")
            await until(lambda: service.live["playbacks"] == 1, reactor, "a new sound")
        finally:
            await service.stopService()
