"""An Asterisk that lets the attendant's user do nothing, or only read.

The settings in ari.conf change while it runs.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.logger import LogLevel

from channel_aa.ari import Transport, reconcile
from channel_aa.ari.wire.backoff import Backoff
from channel_aa.settings import AsteriskSettings, AttendantSettings, Secret, Settings
from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import RealAsteriskHarness, stasis_status
from tests.support.attendant_harness import running_service
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.service import AttendantService
    from tests.support.ari_fakes import LogRecorder
    from tests.support.asterisk_harness import Caller

pytestmark = pytest.mark.asterisk

TRANSPORTS = pytest.mark.parametrize("transport", [Transport.HTTP, Transport.WEBSOCKET])
ALLOWED = {"password": "right", "read_only": "no"}
"""The keys of the attendant's section in ari.conf with which it can serve calls."""

NEEDS = {
    "password": ({"password": "changed"}, "and its key password"),
    "read_only": ({"read_only": "yes"}, "Set read_only = no"),
}
"""The changes that make Asterisk refuse requests, and words of the log line."""

REFUSALS = pytest.mark.parametrize("changed", NEEDS)


class RefusalHarness:
    """An Asterisk with a user of its own for the attendant."""

    def __init__(self, asterisk: Asterisk, backend: RealAsteriskHarness) -> None:
        self.backend = backend
        self._asterisk = asterisk

    @classmethod
    @asynccontextmanager
    async def running(
        cls, reactor: PosixReactorBase, **changes: str
    ) -> AsyncIterator[RefusalHarness]:
        """Run Asterisk with these keys in the attendant's section of ari.conf."""
        asterisk = Asterisk(reactor)
        write_section(asterisk, **changes)
        try:
            await asterisk.boot()
            backend = await RealAsteriskHarness.open(reactor, asterisk)
            yield cls(asterisk, backend)
            await backend.close()
        finally:
            await asterisk.stop()

    async def change(self, **changes: str) -> None:
        """Change the attendant's section of ari.conf, and reload it."""
        write_section(self._asterisk, **changes)
        await self._asterisk.cli("module reload res_ari.so")

    @asynccontextmanager
    async def attendant(
        self, transport: Transport = Transport.AUTO
    ) -> AsyncIterator[tuple[AttendantService, LogRecorder]]:
        """Run an attendant that connects again soon."""
        settings = Settings(
            asterisk=AsteriskSettings(
                url=self.backend.url,
                username="attendant",
                password=Secret(ALLOWED["password"]),
                transport=transport.value,
            ),
            attendant=AttendantSettings(drain_timeout=0),
        )
        async with running_service(self.backend.reactor, settings) as (service, log):
            service.client._connection._backoff = Backoff(initial=0.2, maximum=0.4)
            yield service, log

    async def until(self, condition: object, what: str) -> None:
        await until(self.backend.reactor, condition, what)  # type: ignore[arg-type]

    async def assert_new_call_continues(self) -> None:
        """Check that a new call continues in the dialplan at once."""
        caller = await self.backend.place_call("1000")
        status = await stasis_status(self.backend.callers_events, caller.name)
        assert status == "FAILED"
        await caller.hang_up()

    async def assert_new_call_is_served(self, service: AttendantService) -> Caller:
        """Check that a new call hears a sound."""
        served = service.live["calls"]
        caller = await self.backend.place_call("1000")
        await self.until(lambda: service.live["calls"] == served + 1, "the call")
        await self.until(lambda: service.live["playbacks"], "a sound")
        return caller


def write_section(asterisk: Asterisk, **changes: str) -> None:
    """Write the attendant's section of ari.conf; others stay."""
    file = Path(asterisk._folder.name) / "etc/ari.conf"
    text, _, _ = file.read_text().partition("\n[attendant]\n")
    lines = [f"{key} = {value}" for key, value in (ALLOWED | changes).items()]
    file.write_text("\n".join([f"{text}\n[attendant]", "type = user", *lines, ""]))


def assert_refusal_is_reported(
    service: AttendantService, log: LogRecorder, words: str
) -> None:
    """Check the status, and that one log line names the file, section and key."""
    status = service.status()
    assert not status.serving
    assert words in status.asterisk.problem
    [line] = log.texts(level=LogLevel.error)
    assert status.asterisk.problem in line
    assert words in line
    assert "the section [attendant] of ari.conf" in line


@REFUSALS
@TRANSPORTS
@pytest_twisted.ensureDeferred
async def test_access_lost_during_a_call_is_reported_and_the_call_kept(
    reactor: PosixReactorBase, transport: Transport, changed: str
) -> None:
    change, words = NEEDS[changed]
    async with (
        RefusalHarness.running(reactor) as harness,
        harness.attendant(transport) as (service, log),
    ):
        requests = service.client.requests
        await harness.until(lambda: service.is_connected, "a connection")
        await harness.until(
            lambda: requests.in_use is transport, "the transport of requests"
        )
        caller = await harness.assert_new_call_is_served(service)
        await harness.change(**change)
        await harness.until(lambda: not service.status().serving, "a refusal")
        await harness.until(lambda: log.texts(level=LogLevel.error), "a log line")
        await harness.assert_new_call_continues()
        assert service.live["calls"] == 1
        assert_refusal_is_reported(service, log, words)

        await harness.change()
        await harness.until(lambda: service.status().serving, "a connection")
        assert service.status().asterisk.problem == ""
        await harness.until(lambda: service.live["playbacks"], "a sound")
        assert service.live["calls"] == 1
        assert len(log.texts(level=LogLevel.error)) == 1
        await caller.hang_up()
        await harness.until(lambda: not service.live["calls"], "its end")
        await (await harness.assert_new_call_is_served(service)).hang_up()
        await harness.until(lambda: not any(service.live.values()), "the end")


@REFUSALS
@pytest_twisted.ensureDeferred
async def test_refused_user_is_reported_at_the_start(
    reactor: PosixReactorBase, changed: str
) -> None:
    change, words = NEEDS[changed]
    async with (
        RefusalHarness.running(reactor, **change) as harness,
        harness.attendant() as (service, log),
    ):
        await harness.until(lambda: log.texts(level=LogLevel.error), "a log line")
        await harness.assert_new_call_continues()
        assert_refusal_is_reported(service, log, words)
        await harness.change()
        await harness.until(lambda: service.status().serving, "a connection")
        await (await harness.assert_new_call_is_served(service)).hang_up()
        await harness.until(lambda: not any(service.live.values()), "the end")
        assert len(log.texts(level=LogLevel.error)) == 1


@pytest_twisted.ensureDeferred
async def test_access_lost_without_a_call_is_found_out_before_the_next(
    reactor: PosixReactorBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "AUDIT_SECONDS", 0.1)
    async with (
        RefusalHarness.running(reactor) as harness,
        harness.attendant() as (service, log),
    ):
        await harness.until(lambda: service.client.asterisk_version, "a connection")
        await harness.change(read_only="yes")
        await harness.until(lambda: log.texts(level=LogLevel.error), "a log line")
        await harness.assert_new_call_continues()
        assert_refusal_is_reported(service, log, "Set read_only = no")
        assert service.status().calls.attended == 0


@pytest_twisted.ensureDeferred
async def test_call_that_hung_in_the_application_is_adopted(
    reactor: PosixReactorBase,
) -> None:
    """It entered while the refusal was not known yet."""
    async with (
        RefusalHarness.running(reactor) as harness,
        harness.attendant() as (service, _log),
    ):
        await harness.until(lambda: service.is_connected, "a connection")
        await harness.until(lambda: service.client.asterisk_version, "its version")
        await harness.change(read_only="yes")
        caller = await harness.backend.place_call("1000")
        await harness.until(lambda: not service.status().serving, "a refusal")
        assert service.live["calls"] == 1
        await harness.change()
        await harness.until(lambda: service.live["playbacks"], "a sound")
        await caller.hang_up()
        await harness.until(lambda: not any(service.live.values()), "the end")
