"""Fixtures of several modules of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.phones_harness import PhonesHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.harness import Asterisk


@pytest.fixture
def backend(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> Iterator[RealAsteriskHarness]:
    """Connect to the shared Asterisk; the simulator has none of these tests."""
    opening = ensureDeferred(RealAsteriskHarness.open(reactor, asterisk))
    opened: RealAsteriskHarness = pytest_twisted.blockon(opening)
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))


@pytest.fixture
def harness(
    request: pytest.FixtureRequest, reactor: PosixReactorBase, asterisk: Asterisk
) -> Iterator[PhonesHarness]:
    """Run an attendant for SIP phones, with the module's ``SETTINGS``."""
    opening = PhonesHarness.open(reactor, asterisk, request.module.SETTINGS)
    started: PhonesHarness = pytest_twisted.blockon(ensureDeferred(opening))
    yield started
    pytest_twisted.blockon(ensureDeferred(started.close()))
