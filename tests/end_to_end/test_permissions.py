"""The least that the attendant needs of a real Asterisk; see docs/security.md."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.logger import LogLevel

from channel_aa.ari import Transport
from channel_aa.config import AsteriskSettings, Secret, Settings
from channel_aa.service import AttendantService
from real_asterisk.harness import Asterisk
from tests.support.ari_fakes import LogRecorder
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk

SECURITY = Path(__file__).parents[2] / "docs/security.md"


def needless_modules() -> list[str]:
    """Read which modules of ARI docs/security.md says nobody needs."""
    text = SECURITY.read_text()
    return re.findall(r"^noload => (res_ari_\w+\.so)$", text, re.MULTILINE)


@asynccontextmanager
async def serving(
    reactor: PosixReactorBase, settings: AsteriskSettings
) -> AsyncIterator[tuple[AttendantService, LogRecorder]]:
    log = LogRecorder()
    service = AttendantService(Settings(asterisk=settings), reactor=reactor)
    service.startService()
    try:
        await until(lambda: service.is_connected, reactor, "a connection")
        yield service, log
    finally:
        await service.stopService()
        log.stop()


@pytest_twisted.ensureDeferred
async def test_calls_are_served_without_the_modules_that_nobody_needs(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    needless = needless_modules()
    assert "res_ari_asterisk.so" in needless
    asterisk = Asterisk(reactor, installation=installation)
    try:
        modules = Path(asterisk._folder.name) / "etc/modules.conf"
        kept = [
            line
            for line in modules.read_text().splitlines()
            if line.removeprefix("load=") not in needless
        ]
        modules.write_text("\n".join(kept))
        await asterisk.boot()
        stage = await RealAsteriskHarness.open(reactor, asterisk)
        settings = AsteriskSettings(url=asterisk.url)
        refused = await stage.ari.get("/asterisk/modules")
        assert refused.status == 404
        async with serving(reactor, settings) as (service, log):
            requests = service._client.requests
            await until(
                lambda: requests.in_use is Transport.WEBSOCKET, reactor, "the way"
            )
            caller = await stage.place_call("1000")
            await until(lambda: service.live["playbacks"] == 1, reactor, "a sound")
            await caller.hang_up()
            await until(lambda: not any(service.live.values()), reactor, "its end")
            assert log.texts(level=LogLevel.error) == []
    finally:
        await asterisk.stop()


@pytest_twisted.ensureDeferred
async def test_a_user_who_may_only_look_will_not_do(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> None:
    stage = await RealAsteriskHarness.open(reactor, asterisk)
    username, password = asterisk.observer
    settings = AsteriskSettings(
        url=asterisk.url, username=username, password=Secret(password)
    )
    async with serving(reactor, settings) as (service, log):
        await stage.place_call("1000")
        await until(lambda: service.live["channels"] == 1, reactor, "the call")
        await until(lambda: log.texts(level=LogLevel.error) != [], reactor, "an error")
        assert "Write access denied" in " ".join(log.texts(level=LogLevel.error))
    await stage.close()
