"""The company's attendant as a daemon, for all tests that leave it as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.support.company_harness import CompanyHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation


@pytest.fixture(scope="session")
def shared_premises(
    reactor: PosixReactorBase, installation: Installation
) -> Iterator[CompanyHarness]:
    """Run the company's attendant for all tests."""
    running = CompanyHarness.running(reactor, installation)
    yield pytest_twisted.blockon(ensureDeferred(running.__aenter__()))
    pytest_twisted.blockon(ensureDeferred(running.__aexit__(None, None, None)))


@pytest.fixture
def company(shared_premises: CompanyHarness) -> Iterator[CompanyHarness]:
    """Give a test the company, and see that it leaves nothing there."""
    yield shared_premises
    pytest_twisted.blockon(ensureDeferred(left_alone(shared_premises)))


async def left_alone(premises: CompanyHarness) -> None:
    """Hang everybody up, and check that nothing is left."""
    await premises.hang_up_everybody()
    try:
        await premises.have_nothing_left()
    finally:
        await premises.take_recordings()
        # Those who wait for an event look through all there are.
        premises.events.all.clear()
