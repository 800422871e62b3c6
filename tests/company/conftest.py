"""The company's attendant as a daemon, for all tests that leave it as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.company.premises import Premises

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase

    from tests.asterisk.installation import Installation


@pytest.fixture(scope="session")
def shared_premises(
    reactor: PosixReactorBase, installation: Installation
) -> Iterator[Premises]:
    """Run the company's attendant for all tests."""
    running = Premises.running(reactor, installation)
    yield pytest_twisted.blockon(ensureDeferred(running.__aenter__()))
    pytest_twisted.blockon(ensureDeferred(running.__aexit__(None, None, None)))


@pytest.fixture
def company(shared_premises: Premises) -> Iterator[Premises]:
    """Give a test the company, and see that it leaves nothing there."""
    premises = shared_premises
    yield premises
    pytest_twisted.blockon(ensureDeferred(premises.hang_up_everybody()))
    pytest_twisted.blockon(ensureDeferred(premises.have_nothing_left()))
