"""An attendant on each of the two Asterisks, by each of the two ways for requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from channel_aa.ari import Transport
from tests.contract import conftest as contract
from tests.support.attendant_harness import AttendantHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.asterisk_harness import AsteriskHarness

stage = contract.stage


@pytest.fixture(
    params=[Transport.HTTP, Transport.WEBSOCKET], ids=lambda param: param.value
)
def transport(request: pytest.FixtureRequest) -> Transport:
    """Have the attendant's requests take each of the two ways."""
    wanted: Transport = request.param
    return wanted


@pytest.fixture
def scene(stage: AsteriskHarness, transport: Transport) -> Iterator[AttendantHarness]:
    """Let an attendant serve the stage, and somebody watch."""
    opening = AttendantHarness.open(stage, transport=transport)
    opened: AttendantHarness = pytest_twisted.blockon(ensureDeferred(opening))
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))
