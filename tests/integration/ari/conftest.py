"""A client on each of the two Asterisks, by each of the two ways for requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.integration.attendant import conftest as attendant
from tests.support.client_harness import ClientHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.ari import Transport
    from tests.support.asterisk_harness import AsteriskHarness

stage = attendant.stage
transport = attendant.transport


@pytest.fixture
def party(stage: AsteriskHarness, transport: Transport) -> Iterator[ClientHarness]:
    """Let a client serve the stage; nothing may be left of it on Asterisk."""
    opening = ClientHarness.open(stage, transport)
    opened: ClientHarness = pytest_twisted.blockon(ensureDeferred(opening))
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))
