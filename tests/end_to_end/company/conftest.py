"""The company's attendant as a daemon, shared by the tests of this folder."""

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
def shared_harness(
    reactor: PosixReactorBase, installation: Installation
) -> Iterator[CompanyHarness]:
    """Run Asterisk and the company's daemon for all tests."""
    running = CompanyHarness.running(reactor, installation)
    yield pytest_twisted.blockon(ensureDeferred(running.__aenter__()))
    pytest_twisted.blockon(ensureDeferred(running.__aexit__(None, None, None)))


@pytest.fixture
def harness(shared_harness: CompanyHarness) -> Iterator[CompanyHarness]:
    """Provide the shared harness; afterwards no call may be left."""
    yield shared_harness
    pytest_twisted.blockon(ensureDeferred(clean_up(shared_harness)))


async def clean_up(harness: CompanyHarness) -> None:
    """Hang up all channels, and check that nothing is left."""
    await harness.hang_up_all()
    try:
        await harness.until_nothing_left()
    finally:
        await harness.delete_recordings()
        # `wait_for` looks through all events.
        harness.events.all.clear()
