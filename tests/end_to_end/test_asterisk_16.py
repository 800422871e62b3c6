"""The attendant on Asterisk 16, which serves no requests over the websocket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from channel_aa.ari import Transport
from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import AttendantHarness
from tests.support.waiting import until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk

OVER_HTTP = (
    "Requests go over HTTP: this Asterisk does not serve them over the websocket"
)


async def until_transport_chosen(harness: AttendantHarness) -> None:
    """Wait until the attendant has chosen the transport of requests."""
    client = harness.client
    await until(harness.backend.reactor, lambda: client.is_connected, "a connection")
    assert client.requests._probe is not None
    await client.requests._probe


@pytest_twisted.ensureDeferred
async def test_seed_session_over_http(
    reactor: PosixReactorBase, installation_of_16: Installation
) -> None:
    async with Asterisk.running(reactor, installation=installation_of_16) as asterisk:
        assert "ERROR" not in asterisk.log()
        backend = await RealAsteriskHarness.open(reactor, asterisk)
        harness = await AttendantHarness.open(backend, transport=Transport.AUTO)
        try:
            await until_transport_chosen(harness)
            assert harness.client.requests.in_use is Transport.HTTP
            await harness.go_through_seed_session()
            # It is logged once, not after each connection.
            await asterisk.halt()
            await until(
                reactor, lambda: not harness.client.is_connected, "the connection's end"
            )
            await asterisk.boot()
            await until_transport_chosen(harness)
            assert harness.connection_log.count(OVER_HTTP) == 1
        finally:
            await harness.close()
