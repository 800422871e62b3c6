"""The two Asterisks that the contract holds for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.contract.stage import AsteriskStage, SimulatorStage, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase


@pytest.fixture(
    params=["simulator", pytest.param("asterisk", marks=pytest.mark.asterisk)]
)
def stage(request: pytest.FixtureRequest, reactor: PosixReactorBase) -> Iterator[Stage]:
    """Run the test on the simulator, and on a real Asterisk."""
    opening = (
        SimulatorStage.open(reactor)
        if request.param == "simulator"
        else AsteriskStage.open(reactor, request.getfixturevalue("asterisk"))
    )
    opened: Stage = pytest_twisted.blockon(ensureDeferred(opening))
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))
