"""A client on each of the two Asterisks, over each of the two transports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.support.client_harness import ClientHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.ari import Transport
    from tests.support.asterisk_harness import AsteriskHarness


@pytest.fixture
def harness(backend: AsteriskHarness, transport: Transport) -> Iterator[ClientHarness]:
    """Run a client, which has to leave nothing in Asterisk."""
    opening = ClientHarness.open(backend, transport)
    opened: ClientHarness = pytest_twisted.blockon(ensureDeferred(opening))
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))
