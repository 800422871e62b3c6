"""JavaScript programs on npm's ``ari-client``, on the simulator.

The client shares no code with this project: the simulator has to behave like the
Asterisk that the client was written for. The programs are

- ``attendant.js`` of the benchmark;
- ``channel-aa.js`` of the page "Handling DTMF" of Asterisk's documentation, if
  ``CHANNEL_AA_SEED`` names the page's Markdown file.

``CHANNEL_AA_NODE_FOLDER`` names the folder in which ``ari-client`` is installed. The
tests are skipped without node or npm; with ``CHANNEL_AA_REQUIRE_NODE=1`` they fail
instead.
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
    from collections.abc import Callable

    from twisted.internet.posixbase import PosixReactorBase

_ROOT = Path(__file__).parents[2]
_BENCHMARK = _ROOT / "benchmarks/node"
_PAGE = os.environ.get("CHANNEL_AA_SEED", "")
_FOLDER = Path(
    os.environ.get("CHANNEL_AA_NODE_FOLDER", _ROOT / "build/seed-javascript")
)
_MODULES = _FOLDER / "node_modules"
_REQUIRED = os.environ.get("CHANNEL_AA_REQUIRE_NODE") == "1"

_PACKAGES = ("package.json", "package-lock.json")
_INSTALL = ("ci", "--no-audit", "--no-fund")
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


def _program_of_the_benchmark(_url: str) -> str:
    """Return the benchmark's program, which finds the URL in its arguments."""
    return (_BENCHMARK / "attendant.js").read_text(encoding="utf-8")


def _program_of_the_page(url: str) -> str:
    """Return the page's program, changed for an Asterisk at this URL.

    The other change removes the backslash that the page puts before an asterisk.
    """
    found = _PROGRAM.search(Path(_PAGE).read_text(encoding="utf-8"))
    assert found is not None, f"there is no channel-aa.js in {_PAGE}"
    mended = found["program"].replace(r"10 \* 1000", "10 * 1000")
    return mended.replace("http://localhost:8088", url)


def _has_ari_client() -> bool:
    installed = _MODULES / ".package-lock.json"  # what npm writes last
    return installed.is_file() and all(
        (_FOLDER / name).is_file()
        and (_FOLDER / name).read_bytes() == (_BENCHMARK / name).read_bytes()
        for name in _PACKAGES
    )


def _prepare_folder() -> None:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    for name in _PACKAGES:
        shutil.copy(_BENCHMARK / name, _FOLDER)


async def _install_ari_client(reactor: PosixReactorBase, npm: str) -> None:
    """Install the packages of the benchmark's ``package-lock.json``."""
    _prepare_folder()
    command = (npm, *_INSTALL, "--prefix", str(_FOLDER))
    async with ProgramProcess.running(reactor, *command) as npm_ci:
        end = await npm_ci.end(seconds=_INSTALL_SECONDS)
    assert end.exitCode == 0, f"npm could not install ari-client: {npm_ci.errors}"


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


async def _assert_session_is_logged(
    reactor: PosixReactorBase, folder: Path, program: Callable[[str], str]
) -> None:
    """Run a program, which gets the simulator's URL, for the session of a caller."""
    node, npm = _tool("node"), _tool("npm")
    if not _has_ari_client():
        await _install_ari_client(reactor, npm)
    simulator = Simulator(reactor=reactor, default_sound_seconds=0.2)
    await simulator.start()
    try:
        file = folder / "program.js"
        file.write_text(program(simulator.url), encoding="utf-8")
        command = (node, str(file), simulator.url, "channel-aa")
        async with ProgramProcess.running(
            reactor, *command, environ={"NODE_PATH": str(_MODULES)}
        ) as session:
            await _hold_session(reactor, simulator, session)
    finally:
        await simulator.stop()
    assert session.lines == _LINES
    assert session.errors == ""


@pytest_twisted.ensureDeferred
async def test_benchmark_program_completes_its_session(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    await _assert_session_is_logged(reactor, tmp_path, _program_of_the_benchmark)


if _PAGE:

    @pytest_twisted.ensureDeferred
    async def test_program_of_the_page_completes_its_session(
        reactor: PosixReactorBase, tmp_path: Path
    ) -> None:
        await _assert_session_is_logged(reactor, tmp_path, _program_of_the_page)
