"""The two Asterisks that the contract holds for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.support.asterisk_harness import (
    AsteriskHarness,
    RealAsteriskHarness,
    SimulatorHarness,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase


@pytest.fixture(
    params=["simulator", pytest.param("asterisk", marks=pytest.mark.asterisk)]
)
def stage(
    request: pytest.FixtureRequest, reactor: PosixReactorBase
) -> Iterator[AsteriskHarness]:
    """Run the test on the simulator, and on a real Asterisk."""
    opening = (
        SimulatorHarness.open(reactor)
        if request.param == "simulator"
        else RealAsteriskHarness.open(reactor, request.getfixturevalue("asterisk"))
    )
    opened: AsteriskHarness = pytest_twisted.blockon(ensureDeferred(opening))
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))
