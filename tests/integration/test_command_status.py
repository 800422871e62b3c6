"""``channel-aa status`` as a user runs it."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest
import pytest_twisted
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.internet.utils import getProcessOutputAndValue

from channel_aa.ari.wire.http_limits import MAX_BODY_BYTES, MAX_HEAD_BYTES
from real_asterisk.harness import free_port
from tests.support.http_peers import (
    KERNEL_BYTES,
    EndlessSender,
    RawConnection,
    RawPeer,
    answering,
    http_answer,
    listening,
)
from tests.support.statuses import a_status, status_server
from tests.support.waiting import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase
    from twisted.python.failure import Failure


MEGABYTE = 1024 * 1024

COMMAND_AND_MEMORY = """
import resource, sys
from channel_aa.commands.main import main

code = main()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
"""The command, whose last error line is the most memory that it has used, in KiB."""


class Ended(NamedTuple):
    """The command's outputs and exit code."""

    output: str
    errors: list[str]
    code: int


class StatusHarness:
    """A folder with a configuration file and a socket."""

    def __init__(self, reactor: PosixReactorBase, folder: Path) -> None:
        self.reactor = reactor
        self.file = folder / "twistd.conf"
        self.listen = f"unix:{folder}/status"
        self.file.write_text(f'[status]\nlisten = "{self.listen}"\n', "utf-8")

    async def status(self, *program: str) -> Ended:
        program = program or ("-m", "channel_aa.commands")
        running = getProcessOutputAndValue(
            sys.executable,
            (*program, "status", str(self.file)),
            reactor=self.reactor,
        )
        out, err, code = await running.addTimeout(TIMEOUT_SECONDS, self.reactor)
        return Ended(out.decode(), err.decode().splitlines(), code)

    def listen_on(self, port: int) -> None:
        """Configure a status endpoint on a TCP port."""
        self.listen = f"tcp:{port}:interface=127.0.0.1"
        self.file.write_text(f'[status]\nlisten = "{self.listen}"\n', "utf-8")

    async def usual_mebibytes(self) -> float:
        """Return what the command uses for a status."""
        answer = http_answer("200 OK", msgspec.json.encode(a_status()))
        async with listening(self.reactor, RawPeer(answering(answer))) as port:
            self.listen_on(port)
            ended, mebibytes = await self.status_and_mebibytes()
        assert ended.errors == []
        return mebibytes

    async def status_and_mebibytes(self) -> tuple[Ended, float]:
        ended = await self.status("-c", COMMAND_AND_MEMORY)
        kibibytes = int(ended.errors.pop())
        return ended, kibibytes / 1024


@pytest.fixture
def harness(reactor: PosixReactorBase) -> Iterator[StatusHarness]:
    with TemporaryDirectory(prefix="aa-") as name:
        yield StatusHarness(reactor, Path(name))


@pytest.mark.parametrize("serving", [True, False])
@pytest_twisted.ensureDeferred
async def test_status_is_printed_and_exit_code_tells_whether_it_serves(
    harness: StatusHarness, *, serving: bool
) -> None:
    server = status_server(lambda: a_status(serving=serving), harness.reactor)
    await server.listen(harness.listen)
    ended = await harness.status()
    await server.close()
    assert ended.code == (0 if serving else 1)
    assert ended.errors == (
        [] if serving else ["not serving: Nothing listens at localhost:8088."]
    )
    status = json.loads(ended.output)
    assert status["serving"] is serving
    assert status["asterisk"]["version"] == "22.10.1"
    assert ended.output.count("\n") > 20  # formatted for people


@pytest_twisted.ensureDeferred
async def test_missing_daemon_is_one_error_line(harness: StatusHarness) -> None:
    ended = await harness.status()
    assert ended.code == 1
    assert ended.output == ""
    (line,) = ended.errors
    assert line.startswith(f"channel-aa: no daemon answers at {harness.listen} (")
    assert line.endswith("check that it runs with this file")


@pytest_twisted.ensureDeferred
async def test_file_without_endpoint_is_an_error_with_remedy(
    harness: StatusHarness,
) -> None:
    harness.file.write_text("", "utf-8")
    ended = await harness.status()
    assert (ended.code, ended.output) == (1, "")
    (line,) = ended.errors
    assert line.startswith(f"channel-aa: {harness.file}: status.listen: is not set")


@pytest_twisted.ensureDeferred
async def test_errors_of_the_file_are_printed(harness: StatusHarness) -> None:
    harness.file.write_text("[status]\nlisten = 1\nlistn = 1\n", "utf-8")
    ended = await harness.status()
    assert ended.code == 1
    assert len(ended.errors) == 2


@pytest.mark.parametrize(
    "error",
    ["[menus.main\n", '[menus.main]\nprompt = "no-list"\n', "[attendant]\nx = 1"],
)
@pytest.mark.parametrize("is_before", [True, False])
@pytest_twisted.ensureDeferred
async def test_error_elsewhere_in_the_file_is_only_noted(
    harness: StatusHarness, error: str, *, is_before: bool
) -> None:
    """The daemon runs with what the file was before."""
    text = harness.file.read_text("utf-8")
    parts = (error, text) if is_before else (text, error)
    harness.file.write_text("\n".join(parts), "utf-8")
    server = status_server(a_status, harness.reactor)
    await server.listen(harness.listen)
    ended = await harness.status()
    await server.close()
    assert json.loads(ended.output)["serving"] is True
    assert ended.code == 0
    (note,) = ended.errors
    assert note.startswith(f"{harness.file}: has errors, so a reload or a restart")
    assert note.endswith(f"run: channel-aa check {harness.file}")


@pytest_twisted.ensureDeferred
async def test_password_need_not_be_readable(harness: StatusHarness) -> None:
    text = harness.file.read_text("utf-8")
    harness.file.write_text(f'[asterisk]\npassword_file = "gone"\n{text}', "utf-8")
    server = status_server(a_status, harness.reactor)
    await server.listen(harness.listen)
    ended = await harness.status()
    await server.close()
    assert (ended.code, ended.errors) == (0, [])


@pytest_twisted.ensureDeferred
async def test_unsupported_endpoint_is_an_error(harness: StatusHarness) -> None:
    harness.file.write_text('[status]\nlisten = "systemd:domain=UNIX:index=0"\n')
    ended = await harness.status()
    assert ended.code == 1
    assert "supports unix:PATH" in ended.errors[0]


class SilentProtocol(Protocol):
    """Sends nothing."""


class ClosingProtocol(Protocol):
    """Ends the connection within the response."""

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        assert self.transport is not None
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")
        self.transport.loseConnection()


class TricklingProtocol(Protocol):
    """Sends a byte of the body now and then, without end."""

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        assert self.transport is not None
        self.transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
        self._trickle = LoopingCall(self.transport.write, b" ")
        self._trickle.start(0.5)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        self._trickle.stop()


class OtherHttpProtocol(Protocol):
    """Answers over HTTP with the JSON of another program."""

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        assert self.transport is not None
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


@pytest.mark.parametrize(
    ("peer", "words"),
    [
        (SilentProtocol, "did not answer within"),
        (TricklingProtocol, "did not answer within"),
        (ClosingProtocol, "gave no whole HTTP response"),
        (OtherHttpProtocol, "is not the status of"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_invalid_answer_is_an_error(
    harness: StatusHarness, peer: type[Protocol], words: str
) -> None:
    number = free_port()
    harness.file.write_text(
        f'[status]\nlisten = "tcp:{number}:interface=127.0.0.1"\n', "utf-8"
    )
    port = harness.reactor.listenTCP(
        number, Factory.forProtocol(peer), interface="127.0.0.1"
    )
    ended = await harness.status()
    await port.stopListening()
    assert ended.code == 1
    assert len(ended.errors) == 1
    assert words in ended.errors[0]


@pytest.mark.parametrize(
    ("beginning", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 10_000),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"10000\r\n" + b" " * 65536 + b"\r\n",
        ),
    ],
    ids=["headers", "body", "chunks"],
)
@pytest_twisted.ensureDeferred
async def test_endless_response_is_cut_off(
    harness: StatusHarness, beginning: bytes, drop: bytes
) -> None:
    senders = []

    def send_endlessly(connection: RawConnection, _request: bytes) -> None:
        connection.write(beginning)
        senders.append(EndlessSender(connection, drop))

    async with listening(harness.reactor, RawPeer(send_endlessly)) as port:
        harness.listen_on(port)
        ended, mebibytes = await harness.status_and_mebibytes()
    assert ended.code == 1
    assert len(ended.errors) == 1
    assert senders[0].sent < MAX_BODY_BYTES + MAX_HEAD_BYTES + KERNEL_BYTES
    assert mebibytes < await harness.usual_mebibytes() + 32


@pytest_twisted.ensureDeferred
async def test_compressed_response_is_neither_requested_nor_decompressed(
    harness: StatusHarness,
) -> None:
    """256 MB of spaces are 256 KB with gzip."""
    packed = gzip.compress(b" " * (256 * MEGABYTE))
    answer = http_answer("200 OK", packed, "Content-Encoding: gzip")
    peer = RawPeer(answering(answer))
    async with listening(harness.reactor, peer) as port:
        harness.listen_on(port)
        ended, mebibytes = await harness.status_and_mebibytes()
    assert ended.code == 1
    assert len(ended.errors) == 1
    assert b"accept-encoding" not in peer.requests[0].lower()
    assert mebibytes < await harness.usual_mebibytes() + 32
