"""Every operation of ARI is known to the simulator: modelled, or answered with 501."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from channel_aa.simulator.routes import OPERATIONS
from channel_aa.simulator.simulator import VERSIONS
from tests.support.asterisk_harness import AsteriskHarness, RealAsteriskHarness

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.harness import Asterisk


async def described(asterisk: AsteriskHarness) -> set[tuple[str, str]]:
    """Read method and path of every operation in Asterisk's own description."""
    resources = (await asterisk.ari.get("/api-docs/resources.json")).json["apis"]
    operations: set[tuple[str, str]] = set()
    for resource in resources:
        path = resource["path"].replace("{format}", "json")
        for api in (await asterisk.ari.get(path)).json["apis"]:
            methods = (each["httpMethod"] for each in api["operations"])
            operations.update((method, api["path"]) for method in methods)
    return operations


@pytest.mark.asterisk
@pytest_twisted.ensureDeferred
async def test_simulator_knows_every_operation_of_asterisk(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> None:
    harness = await RealAsteriskHarness.open(reactor, asterisk)
    try:
        info = (await harness.ari.get("/asterisk/info")).json
        if not info["system"]["version"].startswith(VERSIONS[True]):
            pytest.skip(f"the list of operations is that of {VERSIONS[True]}")
        assert await described(harness) == OPERATIONS
    finally:
        await harness.close()
