"""The fixtures of the integration tests."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from channel_aa.ari import Transport
from channel_aa.simulator import Simulator
from tests.support.daemon_harness import DaemonHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase


@pytest.fixture(
    params=[Transport.HTTP, Transport.WEBSOCKET], ids=lambda param: param.value
)
def transport(request: pytest.FixtureRequest) -> Transport:
    """Run the test with requests over each of the two transports."""
    transport: Transport = request.param
    return transport


@pytest.fixture
def harness(reactor: PosixReactorBase) -> Iterator[DaemonHarness]:
    """Run a simulator with short sounds, and write a daemon's configuration file."""
    simulator = Simulator(reactor=reactor, default_sound_seconds=0.05)
    pytest_twisted.blockon(ensureDeferred(simulator.start()))
    with TemporaryDirectory(prefix="aa-") as name:
        yield DaemonHarness(reactor, simulator, Path(name))
    pytest_twisted.blockon(ensureDeferred(simulator.stop()))
