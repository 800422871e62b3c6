"""What the tests of whole programs share."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from channel_aa.simulator import Simulator
from tests.support.daemons import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase


@pytest.fixture
def site(reactor: PosixReactorBase) -> Iterator[Site]:
    """Simulate an Asterisk whose sounds are short, with a file for the daemon."""
    simulator = Simulator(reactor=reactor, default_sound_seconds=0.05)
    pytest_twisted.blockon(ensureDeferred(simulator.start()))
    with TemporaryDirectory(prefix="aa-") as name:
        yield Site(reactor, simulator, Path(name))
    pytest_twisted.blockon(ensureDeferred(simulator.stop()))
