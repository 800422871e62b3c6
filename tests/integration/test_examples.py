"""The programs in examples/."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
import treq
from twisted.web.http import NOT_FOUND
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from channel_aa.simulator import Simulator
from real_asterisk.harness import free_port
from tests.support.process import PythonProcess
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.internet.posixbase import PosixReactorBase
    from twisted.web.server import Request

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest_twisted.ensureDeferred
async def test_status_page_counts_the_calls(reactor: PosixReactorBase) -> None:
    simulator = Simulator(reactor=reactor)
    await simulator.start()
    port = free_port()

    async def status() -> object:
        answer = await treq.get(f"http://127.0.0.1:{port}", persistent=False)
        return await treq.json_content(answer)

    example = (str(EXAMPLES / "status_page.py"), simulator.url, str(port))
    async with PythonProcess.running(reactor, *example) as program:
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


@pytest_twisted.ensureDeferred
async def test_bank_says_the_balance(reactor: PosixReactorBase) -> None:
    simulator = Simulator(reactor=reactor)
    await simulator.start()
    example = (str(EXAMPLES / "ari/bank.py"), simulator.url, *simulator.credentials)
    async with PythonProcess.running(reactor, *example):
        await simulator.listening("bank")
        caller = simulator.call(app="bank")
        await caller.run("hear vm-password, press 4711, hear vm-press, press 1")
        await caller.run("hear digits/dollars, hang up")
    said = [each.media.removeprefix("sound:digits/") for each in caller.heard]
    assert " ".join(said).endswith("sound:vm-youhave minus 12 dollars")
    await simulator.stop()


class CustomerDatabase(Resource):
    """A customer database with three callers."""

    isLeaf = True  # noqa: N815 - Twisted's name
    clerks = {b"+441632960001": b"410", b"+441632960002": b"410&PJSIP/999"}  # noqa: RUF012 - it never changes
    unanswered = b"+441632960003"

    def render_GET(self, request: Request) -> bytes | int:  # noqa: N802 - Twisted's name
        (number,) = request.postpath or [b""]
        if number == self.unanswered:
            return NOT_DONE_YET
        if number not in self.clerks:
            request.setResponseCode(NOT_FOUND)
            return b""
        return b'{"clerk": "%s"}' % self.clerks[number]


@asynccontextmanager
async def database(reactor: PosixReactorBase) -> AsyncIterator[str]:
    """Serve the database for a block of code; yield its URL."""
    port = reactor.listenTCP(0, Site(CustomerDatabase()), interface="127.0.0.1")
    try:
        yield f"http://127.0.0.1:{port.getHost().port}/"
    finally:
        await port.stopListening()


@pytest.mark.parametrize(
    ("number", "dialled"),
    [
        ("+441632960001", "PJSIP/410"),
        ("+441632960009", "PJSIP/operator"),
        ("+441632960002", "PJSIP/operator"),  # the answer is not an extension
        ("../../admin?x=1", "PJSIP/operator"),
        ("+441632960003", "PJSIP/operator"),  # the database never answers
    ],
)
@pytest_twisted.ensureDeferred
async def test_caller_lookup_dials_the_clerk_or_the_operator(
    reactor: PosixReactorBase, number: str, dialled: str
) -> None:
    phones = {"PJSIP/410": "rings", "PJSIP/operator": "rings"}
    simulator = Simulator(reactor=reactor, phones=phones)
    await simulator.start()
    async with database(reactor) as url:
        example = (str(EXAMPLES / "caller_lookup.py"), simulator.url, url)
        async with PythonProcess.running(reactor, *example) as program:
            await program.prints("Connected to")
            caller = simulator.call(caller_number=number)
            await caller.run("hear press-1, press 1")
            await until(reactor, lambda: bool(simulator.dialled_phones), "a ring")
            assert [each.endpoint for each in simulator.dialled_phones] == [dialled]
            caller.hang_up()
            await until(reactor, lambda: not simulator.dialled_phones, "its end")
            await program.prints("has left the application")
    assert not [line for line in program.lines if "Traceback" in line]
    await simulator.stop()
