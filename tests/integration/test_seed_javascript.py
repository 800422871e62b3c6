"""The seed's JavaScript program, unchanged, on the simulator.

``channel-aa.js`` is taken from the page "Handling DTMF" of Asterisk's documentation
as it is needed, and run by node with npm's ``ari-client``: a client that shares no
line with this project finds in the simulator the Asterisk it was written for.

``CHANNEL_AA_SEED`` names the page, ``CHANNEL_AA_NODE_FOLDER`` the folder that
``ari-client`` is installed in. Where node, npm or the page is missing, the test is
skipped; with ``CHANNEL_AA_REQUIRE_NODE=1`` it fails instead.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from channel_aa.simulator import Simulator
from tests.support.process import ProgramProcess
from tests.support.waiting import until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

_ROOT = Path(__file__).parents[2]
_PAGE = Path(
    os.environ.get("CHANNEL_AA_SEED", _ROOT.parent / "shared/seed-handling-dtmf.md")
)
_FOLDER = Path(
    os.environ.get("CHANNEL_AA_NODE_FOLDER", _ROOT / "build/seed-javascript")
)
_MODULES = _FOLDER / "node_modules"
_REQUIRED = os.environ.get("CHANNEL_AA_REQUIRE_NODE") == "1"

_ARI_CLIENT = "ari-client@2.2.0"
_INSTALL = ("install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund")
_INSTALL_SECONDS = 600
_SESSION_SECONDS = 180

_PROGRAM = re.compile(
    r'^```javascript title="channel-aa\.js".*?\ntrue(?:js)?(?P<program>.*?)^```',
    re.DOTALL | re.MULTILINE,
)
"""The page's code block; through a fault of the page ``truejs`` stands before its
first line."""

_SCRIPT = (
    "hear press-1, press 1, hear digits:1,"
    " hear press-1, press 2, hear digits:2,"
    " hear press-1, press 8, hear option-is-invalid,"
    " hear press-2, hear are-you-still-there, hear press-1, hangup"
)
_LINES = [
    "Channel PJSIP/alice-00000001 has entered the application",
    "Channel PJSIP/alice-00000001 entered 1",
    "Channel PJSIP/alice-00000001 entered 2",
    "Channel PJSIP/alice-00000001 entered 8",
    "Channel PJSIP/alice-00000001 entered an invalid option!",
    "Channel PJSIP/alice-00000001 stopped paying attention...",
    "Channel PJSIP/alice-00000001 has left the application",
]


def _give_up(problem: str) -> NoReturn:
    if _REQUIRED:
        pytest.fail(problem, pytrace=False)
    pytest.skip(problem)


def _tool(name: str) -> str:
    """Find a program, or skip the test."""
    path = shutil.which(name)
    if path is None:
        _give_up(f"{name} is not installed; Debian's package of that name has it")
    return path


def _program(url: str) -> str:
    """Extract the program from the page, for an Asterisk at this URL.

    Two things in it are changed: where Asterisk is, and an asterisk that the page
    has escaped.
    """
    if not _PAGE.is_file():
        _give_up(f"there is no page at {_PAGE}; name its file in CHANNEL_AA_SEED")
    found = _PROGRAM.search(_PAGE.read_text(encoding="utf-8"))
    assert found is not None, f"there is no channel-aa.js in {_PAGE}"
    mended = found["program"].replace(r"10 \* 1000", "10 * 1000")
    return mended.replace("http://localhost:8088", url)


def _has_ari_client() -> bool:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    return (_MODULES / ".package-lock.json").is_file()  # what npm writes last


async def _install_ari_client(reactor: PosixReactorBase, npm: str) -> None:
    command = (npm, *_INSTALL, "--prefix", str(_FOLDER), _ARI_CLIENT)
    async with ProgramProcess.running(reactor, *command) as npm_process:
        end = await npm_process.end(seconds=_INSTALL_SECONDS)
    problem = f"npm could not install {_ARI_CLIENT}: {npm_process.errors}"
    assert end.exitCode == 0, problem


async def _hold_session(
    reactor: PosixReactorBase, simulator: Simulator, session: ProgramProcess
) -> None:
    """Be the caller of the session, until the program has printed all lines."""

    async def call() -> None:
        await simulator.listening("channel-aa")
        await simulator.call(name="PJSIP/alice-00000001").run(_SCRIPT)

    def has_printed() -> bool:
        assert session.is_running, f"the program ended: {session.errors}"
        return len(session.lines) >= len(_LINES)

    printing = until(reactor, has_printed, "its lines", seconds=_SESSION_SECONDS)
    both = [Deferred.fromCoroutine(call()), Deferred.fromCoroutine(printing)]
    await gatherResults(both, consumeErrors=True).addTimeout(_SESSION_SECONDS, reactor)


@pytest_twisted.ensureDeferred
async def test_seed_javascript_program_completes_its_session(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    node, npm = _tool("node"), _tool("npm")
    if not _has_ari_client():
        await _install_ari_client(reactor, npm)
    simulator = Simulator(reactor=reactor, default_sound_seconds=0.2)
    await simulator.start()
    try:
        program = tmp_path / "channel-aa.js"
        program.write_text(_program(simulator.url), encoding="utf-8")
        async with ProgramProcess.running(
            reactor, node, str(program), environ={"NODE_PATH": str(_MODULES)}
        ) as session:
            await _hold_session(reactor, simulator, session)
    finally:
        await simulator.stop()
    assert session.lines == _LINES
    assert session.errors == ""
