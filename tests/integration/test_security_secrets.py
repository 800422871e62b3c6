"""The password is in no log line, traceback or process list."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest_twisted

from real_asterisk.harness import free_port
from tests.support.http_peers import RawConnection, RawPeer, http_answer, listening
from tests.support.process import PythonProcess
from tests.support.waiting import until
from tests.support.websocket_peers import EventsServer, EventsServerProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest
    from twisted.internet.posixbase import PosixReactorBase

PASSWORD = "correct horse/battery"
SECRETS = (PASSWORD, b64encode(f"asterisk:{PASSWORD}".encode()).decode())

ENCODED = (
    *SECRETS,
    b64encode(PASSWORD.encode()).decode(),
    quote(PASSWORD),
    quote(SECRETS[1], safe=""),
    "".join(f"%{byte:02x}" for byte in PASSWORD.encode()),
    "".join(f"\\u{ord(character):04X}" for character in PASSWORD),
)
"""The password in all forms in which a server may send it back."""

ECHO = " ".join(ENCODED)

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
        f'[status]\nlisten = "unix:status"\n'
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


class EchoingProtocol(EventsServerProtocol):
    """Answers requests over the websocket with the password, as Asterisk would."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: FBT001, N802, N803 - autobahn's
        request = json.loads(payload)
        assert not isBinary
        is_info = request["uri"].startswith("asterisk/info")
        self.sendMessage(
            json.dumps(
                {
                    "type": "RESTResponse",
                    "request_id": request["request_id"],
                    "status_code": 200 if is_info else 500,
                    "message_body": json.dumps(
                        info() if is_info else {"message": ECHO}
                    ),
                }
            ).encode()
        )


def info() -> object:
    """Return the password as Asterisk's version, and so on."""
    return {"system": {"version": ECHO}, "config": {"default_language": ECHO}}


def refuse_with_the_password(connection: RawConnection, _request: bytes) -> None:
    connection.write_and_close(http_answer(f"500 {ECHO}"))


@pytest_twisted.ensureDeferred
async def test_password_that_the_server_sends_back_is_concealed(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    """In the handshake, the version, an error, the close frame and the status."""
    port = free_port()
    async with daemon(reactor, tmp_path, port) as program:
        await program.prints("Nothing listens")
        async with listening(reactor, RawPeer(refuse_with_the_password), port=port):
            await program.prints("responded 500 <secret> <secret>")
        server = EventsServer(reactor)
        server.protocol = EchoingProtocol
        async with listening(reactor, server, port=port):
            await until(reactor, lambda: server.open)
            await program.prints("Could not set the event filter")
            file = str(tmp_path / "twistd.conf")
            async with PythonProcess.running(
                reactor, "-m", "channel_aa.commands", "status", file
            ) as status:
                await status.prints('"version": "<secret> <secret>')
            server.open[0].sendClose(1000, ECHO[:100])
            await program.prints("The connection to Asterisk ended")
    for secret in (*ENCODED, PASSWORD[:10]):
        assert secret not in program.output
        assert secret not in status.output


def answer_with_the_password(connection: RawConnection, request: bytes) -> None:
    if b"asterisk/info" in request:
        answer = http_answer("200 OK", json.dumps(info()).encode())
    elif b"sounds" in request:
        answer = http_answer("500 no", ECHO.encode())
    else:
        answer = http_answer("500 no", json.dumps({"message": ECHO}).encode())
    connection.write(answer)


@pytest_twisted.ensureDeferred
async def test_check_conceals_the_password_that_the_server_sends_back(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    file = tmp_path / "twistd.conf"
    async with listening(reactor, RawPeer(answer_with_the_password)) as port:
        file.write_text(
            f'[asterisk]\nurl = "http://127.0.0.1:{port}"\npassword = "{PASSWORD}"\n'
        )
        arguments = ("-m", "channel_aa.commands", "check", "--asterisk", str(file))
        async with PythonProcess.running(reactor, *arguments) as program:
            await program.end()
    assert "Asterisk <secret> <secret>" in program.output
    assert "Asterisk could not answer: GET sounds/press-1: 500 <secret>" in (
        program.output
    )
    for secret in (*ENCODED, PASSWORD[:10]):
        assert secret not in program.output


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


@pytest_twisted.ensureDeferred
async def test_user_that_is_called_like_the_password_is_named(
    reactor: PosixReactorBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what the server sends is concealed: Asterisk's sample has such a user."""
    monkeypatch.setitem(os.environ, "CHANNEL_AA_PASSWORD", "asterisk")
    async with listening(reactor, refuse("401 Unauthorized")) as port:
        url = f"http://127.0.0.1:{port}"
        arguments = ("-n", "--pidfile=", "channel-aa", "--url", url)
        async with PythonProcess.running(reactor, "-c", DAEMON, *arguments) as program:
            await program.prints("refused the user 'asterisk' or the password")
