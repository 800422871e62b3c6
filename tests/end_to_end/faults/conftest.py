"""A harness for fault tests, and the table of what the faults did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.support.fault_harness import OUTCOMES, FaultHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation


@pytest.fixture(scope="module")
def reusable_harnesses() -> Iterator[list[FaultHarness]]:
    """Keep the harness that a module's tests use one after another."""
    kept: list[FaultHarness] = []
    yield kept
    for harness in kept:
        pytest_twisted.blockon(ensureDeferred(harness.close()))


@pytest.fixture
def harness(
    reactor: PosixReactorBase,
    installation: Installation,
    reusable_harnesses: list[FaultHarness],
) -> Iterator[FaultHarness]:
    """Provide a harness without calls: the previous test's if it is clean, or new."""
    if not reusable_harnesses:
        opening = FaultHarness.open(reactor, installation)
        reusable_harnesses.append(pytest_twisted.blockon(ensureDeferred(opening)))
    [current] = reusable_harnesses
    current.is_clean = False
    yield current
    if not current.is_clean:
        reusable_harnesses.clear()
        pytest_twisted.blockon(ensureDeferred(current.close()))


@pytest.fixture(autouse=True)
def fault_outcomes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Attach a test's outcomes to its report, for the end of the run."""
    before = len(OUTCOMES)
    yield
    request.node.user_properties.extend(
        ("fault outcome", str(outcome)) for outcome in OUTCOMES[before:]
    )
