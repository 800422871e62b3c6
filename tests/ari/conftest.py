"""A client on each of the two Asterisks, by each of the two ways for requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.ari.party import Party
from tests.attendant import conftest as attendant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.ari import Transport
    from tests.contract.stage import Stage

stage = attendant.stage
transport = attendant.transport


@pytest.fixture
def party(stage: Stage, transport: Transport) -> Iterator[Party]:
    """Let a client serve the stage; nothing may be left of it on Asterisk."""
    opening = Party.open(stage, transport)
    opened: Party = pytest_twisted.blockon(ensureDeferred(opening))
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))
