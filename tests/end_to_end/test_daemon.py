"""``twistd channel-aa`` on a real Asterisk."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.utils import getProcessOutputAndValue
from twisted.logger import LogLevel

from channel_aa.ari.wire.backoff import Backoff
from channel_aa.service import AttendantService
from channel_aa.service.lag import ReactorDelay
from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import (
    ChannelMonitor,
    running_service,
    seed_session_log,
    settings_for,
)
from tests.support.process import DaemonProcess
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk


@pytest_twisted.ensureDeferred
async def test_seed_session_with_the_defaults(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> None:
    backend = await RealAsteriskHarness.open(reactor, asterisk)
    events = await backend.listen_to_everything()
    async with DaemonProcess.running(reactor, "--url", asterisk.url) as program:
        await program.prints("Connected to")
        caller = await backend.place_call("1000")
        entered = await events.wait_for(
            lambda event: event.json.get("channel", {}).get("name") == caller.name
        )
        monitor = ChannelMonitor(events, entered.json["channel"]["id"])
        # In the last sound, or in the long silence after it.
        await monitor.hears("press-1", "or", "press-2")
        await caller.press("1")
        await monitor.hears("you-entered", "digits/1", "press-1", "or", "press-2")
        await caller.press("2")
        await monitor.hears("you-entered", "digits/2", "press-1", "or", "press-2")
        await caller.press("8")
        await monitor.hears("option-is-invalid", "press-1", "or", "press-2")
        await program.prints("stopped paying attention")
        await monitor.hears("are-you-still-there")
        await caller.hang_up()
        await program.prints("has left the application")
    assert program.texts("channel_aa.attendant") == seed_session_log(caller.name)
    warnings = [line for line in program.lines if "#warn]" in line or "rror" in line]
    # Reactor delays come from other tests on the same machine.
    assert not [line for line in warnings if ReactorDelay.__module__ not in line]
    await backend.close()


@pytest_twisted.ensureDeferred
async def test_stopped_daemon_continues_its_call_in_the_dialplan(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> None:
    backend = await RealAsteriskHarness.open(reactor, asterisk)
    events = await backend.listen_to_everything()
    async with DaemonProcess.running(reactor, "--url", asterisk.url) as program:
        await program.prints("Connected to")
        await backend.place_call("1000")
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
    await backend.close()


@pytest_twisted.ensureDeferred
async def test_wrong_password_is_reported_and_not_logged(
    reactor: PosixReactorBase, asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANNEL_AA_PASSWORD", "hunter2")
    async with DaemonProcess.running(reactor, "--url", asterisk.url) as program:
        await program.prints("refused the user 'asterisk' or the password")
    assert "hunter2" not in "".join(program.lines)


@pytest_twisted.ensureDeferred
async def test_daemon_may_be_started_before_asterisk(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    asterisk = Asterisk(reactor, installation=installation)
    try:
        async with running_service(reactor, settings_for(asterisk.url)) as (service, _):
            await asterisk.boot()
            await until(reactor, lambda: service.is_connected, "a connection")
            backend = await RealAsteriskHarness.open(reactor, asterisk)
            await backend.place_call("1000")
            await until(reactor, lambda: service.live["playbacks"] == 1, "a sound")
    finally:
        await asterisk.stop()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("end", [Asterisk.halt, Asterisk.kill])
async def test_restarted_asterisk_is_served(
    reactor: PosixReactorBase,
    installation: Installation,
    end: Callable[[Asterisk], Awaitable[None]],
) -> None:
    async with Asterisk.running(reactor, installation=installation) as asterisk:
        service = AttendantService(settings_for(asterisk.url), reactor=reactor)
        service.startService()
        try:
            await until(reactor, lambda: service.is_connected, "a connection")
            backend = await RealAsteriskHarness.open(reactor, asterisk)
            await backend.place_call("1000")
            await until(reactor, lambda: service.live["playbacks"] == 1, "a sound")
            await end(asterisk)
            await until(reactor, lambda: not service.is_connected, "the loss")
            await asterisk.boot()
            await until(reactor, lambda: service.is_connected, "a new connection")
            await until(
                reactor, lambda: not any(service.live.values()), "the old call's end"
            )
            backend = await RealAsteriskHarness.open(reactor, asterisk)
            await backend.place_call("1000")
            await until(reactor, lambda: service.live["playbacks"] == 1, "a new sound")
        finally:
            await service.stopService()


@pytest_twisted.ensureDeferred
async def test_connections_that_are_cut_soon_are_logged_once(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> None:
    async with running_service(reactor, settings_for(asterisk.url)) as (service, log):
        connection = service.client._connection
        connection._backoff = backoff = Backoff(initial=0.001, jitter=0.0)
        for _ in range(6):
            await until(reactor, lambda: service.is_connected, "a connection")
            assert connection._protocol is not None
            connection._protocol.dropConnection(abort=True)
            await until(reactor, lambda: not service.is_connected, "the loss")
        await until(reactor, lambda: service.is_connected, "a connection")
        lines = log.texts(level=LogLevel.info)
        assert len([line for line in lines if "Connected to" in line]) == 1
        [line] = log.texts(level=LogLevel.error)
        assert "The connection to Asterisk ended" in line
        # The delay has doubled each time.
        assert backoff.next_delay() == pytest.approx(0.064)


@pytest_twisted.ensureDeferred
async def test_status_is_printed_although_the_file_has_an_error_now(
    reactor: PosixReactorBase, asterisk: Asterisk, tmp_path: Path
) -> None:
    file = tmp_path / "twistd.conf"
    listen = f"unix:{tmp_path}/status"
    file.write_text(
        f'[asterisk]\nurl = "{asterisk.url}"\n[status]\nlisten = "{listen}"\n'
    )
    async with DaemonProcess.running(reactor, "--config", str(file)) as program:
        await program.prints("Connected to")
        with file.open("a") as opened:
            opened.write("[menus.main\n")
        out, err, code = await getProcessOutputAndValue(
            sys.executable,
            ("-m", "channel_aa.commands", "status", str(file)),
            reactor=reactor,
        )
    assert json.loads(out)["serving"] is True
    assert err.decode().startswith(f"{file}: has errors, so a reload or a restart")
    assert code == 0
