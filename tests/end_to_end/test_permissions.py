"""The modules and permissions that the attendant needs; see docs/security.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.logger import LogLevel

from channel_aa.ari import Transport
from channel_aa.settings import AsteriskSettings, Settings
from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import running_service
from tests.support.waiting import until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk

SECURITY = Path(__file__).parents[2] / "docs/security.md"


def needless_modules() -> list[str]:
    """Read from docs/security.md which modules of ARI are not needed."""
    text = SECURITY.read_text()
    return re.findall(r"^noload => (res_ari_\w+\.so)$", text, re.MULTILINE)


@pytest_twisted.ensureDeferred
async def test_calls_are_served_without_needless_modules(
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
        backend = await RealAsteriskHarness.open(reactor, asterisk)
        settings = AsteriskSettings(url=asterisk.url)
        refused = await backend.ari.get("/asterisk/modules")
        assert refused.status == 404
        async with running_service(reactor, Settings(asterisk=settings)) as (
            service,
            log,
        ):
            await until(reactor, lambda: service.is_connected, "a connection")
            requests = service.client.requests
            await until(
                reactor, lambda: requests.in_use is Transport.WEBSOCKET, "the way"
            )
            caller = await backend.place_call("1000")
            await until(reactor, lambda: service.live["playbacks"] == 1, "a sound")
            await caller.hang_up()
            await until(reactor, lambda: not any(service.live.values()), "its end")
            assert log.texts(level=LogLevel.error) == []
    finally:
        await asterisk.stop()
