"""The examples, as they stand."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_twisted
import treq

from channel_aa.simulator import Simulator
from tests.program import Program

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

EXAMPLES = Path(__file__).parents[2] / "examples"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest_twisted.ensureDeferred
async def test_status_page_counts_the_calls(reactor: PosixReactorBase) -> None:
    simulator = Simulator(reactor=reactor)
    await simulator.start()
    port = free_port()

    async def status() -> object:
        answer = await treq.get(f"http://127.0.0.1:{port}", persistent=False)
        return await treq.json_content(answer)

    example = (str(EXAMPLES / "status_page.py"), simulator.url, str(port))
    async with Program.running(reactor, *example) as program:
        await program.prints("Connected to")
        before = await status()
        assert isinstance(before, dict)
        assert before["connected"] is True
        assert before["calls"] == before["channels"] == before["playbacks"] == 0
        caller = simulator.call()
        await caller.run("hear press-1")
        counts = await status()
        assert isinstance(counts, dict)
        assert counts["calls"] == counts["channels"] == 1
    assert await caller.ended == "continued in dialplan at default,1000,2"
    assert program.texts("channel_aa.attendant")[-1].endswith("left the application")
    await simulator.stop()
