"""An attendant on each of the two Asterisks: the simulated one, and a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.attendant.scene import Scene
from tests.contract import conftest as contract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.stage import Stage

stage = contract.stage


@pytest.fixture
def scene(stage: Stage) -> Iterator[Scene]:
    """Let an attendant serve the stage, and somebody watch."""
    opened: Scene = pytest_twisted.blockon(ensureDeferred(Scene.open(stage)))
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))
