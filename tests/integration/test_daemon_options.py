"""``twistd channel-aa`` and ``twist channel-aa`` as processes of their own."""

from __future__ import annotations

import os
import signal
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import pytest_twisted
from twisted.internet.utils import getProcessOutputAndValue

from tests.support.http_peers import RawPeer
from tests.support.waiting import TIMEOUT_SECONDS, until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase


class Ended(NamedTuple):
    """A program's outputs and exit code."""

    lines: list[str]
    errors: list[str]
    code: int


class Runner:
    """Runs programs in a folder."""

    def __init__(self, reactor: PosixReactorBase, folder: Path) -> None:
        self.reactor = reactor
        self.folder = folder
        self.environ = dict(os.environ)
        self.environ.pop("CHANNEL_AA_PASSWORD", None)

    async def run(self, program: str, *arguments: str) -> Ended:
        path = Path(sys.executable).with_name(program)
        running = getProcessOutputAndValue(
            str(path),
            arguments,
            env=self.environ,
            path=str(self.folder),
            reactor=self.reactor,
        )
        out, err, code = await running.addTimeout(TIMEOUT_SECONDS, self.reactor)
        return Ended(out.decode().splitlines(), err.decode().splitlines(), code)


@pytest.fixture
def runner(reactor: PosixReactorBase, tmp_path: Path) -> Runner:
    return Runner(reactor, tmp_path)


@pytest.mark.parametrize("program", ["twistd", "twist"])
@pytest_twisted.ensureDeferred
async def test_invalid_file_is_an_error_before_startup(
    runner: Runner, program: str
) -> None:
    file = runner.folder / "twistd.conf"
    file.write_text(
        '[asterisk]\nurl = "http://asterisk:hunter2@localhost"\npasword = "hunter2"\n'
        '[menus.main]\nprompt = ["digits:x"]\n',
        "utf-8",
    )
    ended = await runner.run(program, "channel-aa", "--config", "twistd.conf")
    assert ended.code == 1
    assert ended.lines == []
    assert [line.split(": ")[:3] for line in ended.errors] == [
        ["channel-aa", str(file), "asterisk.url"],
        ["channel-aa", str(file), "asterisk.pasword"],
        ["channel-aa", str(file), "menus.main.prompt[0]"],
    ]
    assert "hunter2" not in "".join(ended.errors)
    assert [path.name for path in runner.folder.iterdir()] == ["twistd.conf"]


@pytest.mark.parametrize("program", ["twistd", "twist"])
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--bogus",), "option --bogus not recognized"),
        (("start",), "unexpected argument 'start'"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_invalid_command_line_is_one_error_line(
    runner: Runner, program: str, arguments: tuple[str, ...], error: str
) -> None:
    ended = await runner.run(program, "channel-aa", *arguments)
    assert ended == (
        [],
        [f"channel-aa: {error} (see twistd channel-aa --help)"],
        1,
    )
    assert list(runner.folder.iterdir()) == []


@pytest.mark.parametrize("program", ["twistd", "twist"])
@pytest_twisted.ensureDeferred
async def test_invalid_environment_is_an_error(runner: Runner, program: str) -> None:
    runner.environ["CHANNEL_AA_PASSWORD"] = ""
    ended = await runner.run(program, "channel-aa")
    assert ended == ([], ["channel-aa: CHANNEL_AA_PASSWORD: the password is empty"], 1)


@pytest.mark.parametrize("program", ["twistd", "twist"])
@pytest_twisted.ensureDeferred
async def test_help_explains_the_options_and_the_environment(
    runner: Runner, program: str
) -> None:
    ended = await runner.run(program, "channel-aa", "--help")
    text = "\n".join(ended.lines)
    assert (ended.code, ended.errors) == (0, [])
    for word in ("--config", "--url", "--username", "--app", "CHANNEL_AA_PASSWORD"):
        assert word in text


@pytest_twisted.ensureDeferred
async def test_twistd_lists_the_plugin(runner: Runner) -> None:
    ended = await runner.run("twistd", "--help")
    assert "    channel-aa " in "\n".join(ended.lines)


@pytest_twisted.ensureDeferred
async def test_relative_paths_are_relative_to_the_starting_folder(
    runner: Runner, reactor: PosixReactorBase
) -> None:
    """twistd changes the working directory after it has read the options."""
    server = RawPeer()
    port = reactor.listenTCP(0, server, interface="127.0.0.1")
    folder = runner.folder / "etc"
    elsewhere = runner.folder / "run"
    for each in (folder, elsewhere):
        each.mkdir()
    (folder / "twistd.conf").write_text('asterisk.password_file = "secret"', "utf-8")
    (folder / "secret").write_text("hunter2\n", "utf-8")
    url = f"http://127.0.0.1:{port.getHost().port}"
    pid_file, log_file = runner.folder / "pid", runner.folder / "log"
    try:
        ended = await runner.run(
            "twistd",
            *("--rundir", str(elsewhere), "--pidfile", "pid", "--logfile", "log"),
            *("channel-aa", "--config", "etc/twistd.conf", "--url", url),
        )
        assert ended == ([], [], 0)
        await until(reactor, lambda: server.requests, "a request")
        credentials = b64encode(b"asterisk:hunter2")
        assert b"Authorization: Basic " + credentials in server.requests[0]
    finally:
        await stop_daemon(runner, pid_file)
        await until(reactor, lambda: server.lost, "the end of the connection")
        await port.stopListening()
    log = log_file.read_text("utf-8")
    assert "Server Shut Down" in log
    assert "hunter2" not in log
    assert credentials.decode() not in log


async def stop_daemon(runner: Runner, pid_file: Path) -> None:
    """Stop a daemon by SIGTERM, and wait for its end."""
    await until(runner.reactor, pid_file.is_file, "the pid file")
    pid = daemon_id(pid_file)
    os.kill(pid, signal.SIGTERM)
    await until(runner.reactor, lambda: not is_running(pid), "the daemon's end")


def daemon_id(pid_file: Path) -> int:
    return int(pid_file.read_text("ascii"))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
