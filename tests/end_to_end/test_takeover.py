"""Another program takes the application, and ends."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.logger import LogLevel

from channel_aa.ari import takeover
from channel_aa.ari.takeover import Takeover
from channel_aa.ari.wire.backoff import Backoff
from tests.support.asterisk_harness import APP
from tests.support.attendant_harness import running_service, settings_for
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channel_aa.service import AttendantService
    from tests.support.ari_fakes import LogRecorder
    from tests.support.asterisk_harness import RealAsteriskHarness

pytestmark = pytest.mark.asterisk

CHECKS = 20


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Takeover]:
    """Shorten the interval of the checks; returns who has checked."""
    checked: list[Takeover] = []
    check = Takeover.check

    def counted(self: Takeover) -> None:
        checked.append(self)
        check(self)

    monkeypatch.setattr(Takeover, "check", counted)
    monkeypatch.setattr(takeover, "CHECK_SECONDS", 0.05)
    return checked


@asynccontextmanager
async def attendant(
    backend: RealAsteriskHarness,
) -> AsyncIterator[tuple[AttendantService, LogRecorder]]:
    """Run an attendant that takes over after a short absence of the other program."""
    settings = settings_for(backend.url)
    async with running_service(backend.reactor, settings) as (service, log):
        service.client.takeover.absence = Backoff(initial=0.2, jitter=0.0)
        await until(backend.reactor, lambda: service.is_connected, "a connection")
        yield service, log


async def until_replaced(
    backend: RealAsteriskHarness, service: AttendantService
) -> None:
    client = service.client
    await until(backend.reactor, lambda: client.is_replaced, "the replacement")
    await until(backend.reactor, lambda: not client.is_connected, "the close")


async def until_serving(
    backend: RealAsteriskHarness, service: AttendantService
) -> None:
    await until(backend.reactor, lambda: service.status().serving, "the takeover")


@pytest_twisted.ensureDeferred
async def test_program_that_ended_is_succeeded_and_its_call_adopted(
    backend: RealAsteriskHarness, checks: list[Takeover]
) -> None:
    async with attendant(backend) as (first, log):
        async with attendant(backend) as (second, _):
            await until_replaced(backend, first)
            caller = await backend.place_call("1000")
            await until(backend.reactor, lambda: second.live["playbacks"], "a sound")
            await until(backend.reactor, lambda: len(checks) >= 2, "two checks")
            # As a killed daemon, it leaves the call in the application.
            second.client._abandon_calls()
            second.client._connection.stay_away()
        await until_serving(backend, first)
        await until(backend.reactor, lambda: first.live["playbacks"], "a sound")
        assert first.live["calls"] == 1
        [warning] = log.texts(level=LogLevel.warn)
        assert f"belongs to process {os.getpid()} on " in warning
        await caller.hang_up()
        await until(backend.reactor, lambda: not any(first.live.values()), "its end")


@pytest_twisted.ensureDeferred
async def test_two_programs_that_live_do_not_replace_each_other(
    backend: RealAsteriskHarness, checks: list[Takeover]
) -> None:
    async with attendant(backend) as (first, log), attendant(backend) as (second, _):
        await until_replaced(backend, first)
        await until(backend.reactor, lambda: len(checks) >= CHECKS, "many checks")
        status = first.status()
        assert status.asterisk.replaced
        assert f"process {os.getpid()} on" in status.asterisk.problem
        assert second.status().serving
        assert len(log.texts(level=LogLevel.error)) == 1


@pytest_twisted.ensureDeferred
async def test_other_client_of_ari_is_succeeded_when_its_calls_have_ended(
    backend: RealAsteriskHarness, checks: list[Takeover]
) -> None:
    async with attendant(backend) as (first, log):
        events = await backend.listen(APP)
        await until_replaced(backend, first)
        call = await backend.call(events)
        await events.leave()
        seen = len(checks)
        await until(
            backend.reactor, lambda: len(checks) >= seen + CHECKS, "many checks"
        )
        assert first.status().asterisk.replaced
        assert "another program" in first.status().asterisk.problem
        await call.caller.hang_up()
        await until_serving(backend, first)
        assert log.texts(level=LogLevel.warn) == []
