"""How the attendant's service stops, on each of the two Asterisks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_twisted

from channel_aa.service import AttendantService
from tests.support.attendant_harness import settings_for, until

if TYPE_CHECKING:
    from tests.support.attendant_harness import AttendantHarness


@pytest_twisted.ensureDeferred
async def test_calls_go_on_in_the_dialplan_when_it_stops(
    scene: AttendantHarness,
) -> None:
    caller, witness = await scene.call()
    await witness.hears("press-1")
    await scene.service.stopService()
    assert not any(scene.service.live.values())
    assert not scene.service.is_connected
    status = await scene.events.wait_for(
        lambda event: (
            event.type == "ChannelVarset"
            and event.json["variable"] == "STASISSTATUS"
            and event.json["value"] != ""
            and event.json["channel"]["name"] == caller.name
        )
    )
    assert status.json["value"] == "SUCCESS"
    assert scene.log[-1] == f"{caller.name} has left the application"


@pytest_twisted.ensureDeferred
async def test_it_serves_again_when_it_is_started_again(
    scene: AttendantHarness,
) -> None:
    await scene.service.stopService()
    scene.service.startService()
    await until(lambda: scene.service.is_connected, scene.stage.reactor, "a connection")
    _, witness = await scene.call()
    await witness.hears("press-1", "or")


@pytest_twisted.ensureDeferred
async def test_another_program_of_the_same_name_is_reported(
    scene: AttendantHarness,
) -> None:
    other = AttendantService(settings_for(scene.stage.url), reactor=scene.stage.reactor)
    other.startService()
    try:
        await until(
            lambda: any("Another program" in line for line in scene.complaints),
            scene.stage.reactor,
            "a word about the other program",
        )
    finally:
        await other.stopService()
