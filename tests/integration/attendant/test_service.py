"""Stop and restart of the attendant's service, on both Asterisks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_twisted

from channel_aa.service import AttendantService
from tests.support.attendant_harness import settings_for
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.attendant_harness import AttendantHarness


@pytest_twisted.ensureDeferred
async def test_stop_continues_calls_in_the_dialplan(
    harness: AttendantHarness,
) -> None:
    caller, monitor = await harness.call()
    await monitor.hears("press-1")
    await harness.service.stopService()
    assert not any(harness.service.live.values())
    assert not harness.service.is_connected
    status = await harness.events.wait_for(
        lambda event: (
            event.type == "ChannelVarset"
            and event.json["variable"] == "STASISSTATUS"
            and event.json["value"] != ""
            and event.json["channel"]["name"] == caller.name
        )
    )
    assert status.json["value"] == "SUCCESS"
    assert harness.call_log[-1] == f"{caller.name} has left the application"


@pytest_twisted.ensureDeferred
async def test_restarted_service_serves_calls(
    harness: AttendantHarness,
) -> None:
    await harness.service.stopService()
    harness.service.startService()
    await until(
        harness.backend.reactor, lambda: harness.service.is_connected, "a connection"
    )
    _, monitor = await harness.call()
    await monitor.hears("press-1", "or")


@pytest_twisted.ensureDeferred
async def test_replacement_by_another_program_is_logged(
    harness: AttendantHarness,
) -> None:
    other = AttendantService(
        settings_for(harness.backend.url), reactor=harness.backend.reactor
    )
    other.startService()
    try:
        await until(
            harness.backend.reactor,
            lambda: any("Another program" in line for line in harness.warnings),
            "a word about the other program",
        )
    finally:
        await other.stopService()
