"""`AttendantService` in one process with others, and under ``twist``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_twisted
from twisted.application.service import IService, MultiService
from zope.interface.verify import verifyObject

from channel_aa.service import AttendantService
from channel_aa.settings import AsteriskSettings, Settings
from tests.support.asterisk_harness import running_simulator
from tests.support.process import TWIST, PythonProcess
from tests.support.waiting import until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.simulator import Simulator

SESSION = "hear or, press 2, hear digits/2, hear press-1, hangup"


def serving(simulator: Simulator, reactor: PosixReactorBase) -> AttendantService:
    """Make an attendant for a simulated Asterisk."""
    settings = Settings(asterisk=AsteriskSettings(url=simulator.url))
    return AttendantService(settings, reactor=reactor)


@pytest_twisted.ensureDeferred
async def test_services_in_one_process_serve_separate_asterisks(
    reactor: PosixReactorBase,
) -> None:
    async with (
        running_simulator(reactor, default_sound_seconds=0.2) as one,
        running_simulator(reactor, default_sound_seconds=0.2) as another,
    ):
        services = MultiService()
        for simulator in (one, another):
            service = serving(simulator, reactor)
            verifyObject(IService, service)
            service.setServiceParent(services)
        services.startService()
        for simulator in (one, another):
            await simulator.listening()
            caller = simulator.call()
            await caller.run(SESSION)
            assert await caller.ended == "hung up by caller"
        await services.stopService()
        await until(
            reactor,
            lambda: one.open_connections == another.open_connections == 0,
            "the end of every connection",
        )


@pytest_twisted.ensureDeferred
async def test_twist_runs_the_plugin(reactor: PosixReactorBase) -> None:
    async with running_simulator(reactor, default_sound_seconds=0.2) as simulator:
        arguments = (*TWIST, "channel-aa", "--url", simulator.url)
        async with PythonProcess.running(reactor, *arguments) as program:
            await simulator.listening()
            await simulator.call().run(SESSION)
            await program.prints("has left the application")
