"""The password is in no log line, traceback or process list."""

from __future__ import annotations

import os
from base64 import b64encode
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_twisted

from real_asterisk.harness import free_port
from tests.support.http_peers import RawConnection, RawPeer, http_answer, listening
from tests.support.process import PythonProcess
from tests.support.waiting import until
from tests.support.websocket_peers import EventsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest
    from twisted.internet.posixbase import PosixReactorBase

PASSWORD = "correct-horse-battery"
SECRETS = (PASSWORD, b64encode(f"asterisk:{PASSWORD}".encode()).decode())

# The daemon with all logging enabled, and a fault whose traceback has all local
# variables.
DAEMON = """
from twisted.internet.defer import setDebugging
from twisted.scripts.twistd import run
from txaio.tx import set_global_log_level

from channel_aa.ari.client import AriClient

def crash(self, data, arguments, *, adopted=False):
    raise RuntimeError(f"the fault: {vars(self)!r} {vars(self._connection)!r}")

AriClient._enter = crash
setDebugging(True)
set_global_log_level("trace")
run()
"""
ENTERS = b'{"type":"StasisStart","args":[],"channel":{"id":"c1","name":"n"}}'


def reflect(connection: RawConnection, request: bytes) -> None:
    """Answer with the request itself, as some error pages do."""
    header = b" ".join(request.split(b"\r\n"))
    connection.write_and_close(b"HTTP/1.1 500 " + header + b"\r\n\r\n" + request)


def refuse(status: str) -> RawPeer:
    return RawPeer(lambda one, _: one.write_and_close(http_answer(status)))


def process_list() -> dict[int, bytes]:
    """Return the command line of each process, by its PID."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        # A process may end meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            found[int(path.parent.name)] = path.read_bytes()
    return found


def assert_not_in_the_process_list(program: PythonProcess) -> None:
    listed = process_list()
    assert program.transport is not None
    assert b"channel-aa" in listed[program.transport.pid]
    for secret in SECRETS:
        assert not any(secret.encode() in arguments for arguments in listed.values())


@asynccontextmanager
async def daemon(
    reactor: PosixReactorBase, folder: Path, port: int
) -> AsyncIterator[PythonProcess]:
    """Run the daemon with its password in a file that is world-readable."""
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    file = folder / "twistd.conf"
    file.write_text(
        f'[asterisk]\nurl = "http://127.0.0.1:{port}"\npassword_file = "password"\n'
    )
    arguments = ("-n", "--pidfile=", "channel-aa", "--config", str(file))
    async with PythonProcess.running(reactor, "-c", DAEMON, *arguments) as program:
        yield program


@pytest_twisted.ensureDeferred
async def test_password_of_the_file_is_not_logged(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    port = free_port()
    async with daemon(reactor, tmp_path, port) as program:
        await program.prints("can read the secret in")
        await program.prints("Nothing listens")
        async with listening(reactor, refuse("401 Unauthorized"), port=port):
            await program.prints("refused the user 'asterisk' or the password")
        async with listening(reactor, RawPeer(reflect), port=port):
            await program.prints("responded 500")
        server = EventsServer(reactor)
        async with listening(reactor, server, port=port):
            await program.prints("Connected to")
            await until(reactor, lambda: server.open)
            assert_not_in_the_process_list(program)
            server.open[0].sendMessage(ENTERS)
            await program.prints("the fault: ")
            server.open[0].drop()
            await program.prints("The connection to Asterisk ended")
    output = "\n".join(program.lines)
    assert "chmod o-rwx" in output
    assert "Authorization: <secret>" in output or "Basic <secret>" in output
    for secret in SECRETS:
        assert secret not in output


@pytest_twisted.ensureDeferred
async def test_password_of_the_environment_is_not_logged(
    reactor: PosixReactorBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "CHANNEL_AA_PASSWORD", PASSWORD)
    async with listening(reactor, refuse("401 Unauthorized")) as port:
        url = f"http://127.0.0.1:{port}"
        arguments = ("-n", "--pidfile=", "channel-aa", "--url", url)
        async with PythonProcess.running(reactor, "-c", DAEMON, *arguments) as program:
            await program.prints("refused the user 'asterisk' or the password")
            assert_not_in_the_process_list(program)
    for secret in SECRETS:
        assert secret not in "\n".join(program.lines)
