"""A drill for a test, and the table of what the faults did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.support.fault_harness import FINDINGS, FaultHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation


@pytest.fixture(scope="module")
def drills() -> Iterator[list[FaultHarness]]:
    """Keep the drill that a module's tests have one after another."""
    kept: list[FaultHarness] = []
    yield kept
    for drill in kept:
        pytest_twisted.blockon(ensureDeferred(drill.close()))


@pytest.fixture
def drill(
    reactor: PosixReactorBase, installation: Installation, drills: list[FaultHarness]
) -> Iterator[FaultHarness]:
    """Give an Asterisk and a daemon without calls: those of the test before, or new."""
    if not drills:
        opening = FaultHarness.open(reactor, installation)
        drills.append(pytest_twisted.blockon(ensureDeferred(opening)))
    [current] = drills
    current.is_as_new = False
    yield current
    if not current.is_as_new:
        drills.clear()
        pytest_twisted.blockon(ensureDeferred(current.close()))


@pytest.fixture(autouse=True)
def findings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Note what became of the calls at each fault, for the end of the run."""
    before = len(FINDINGS)
    yield
    request.node.user_properties.extend(
        ("finding", str(finding)) for finding in FINDINGS[before:]
    )
